"""What batch jobs ask: a version copied now that was there before its rules, and what a bucket holds.

https://docs.aws.amazon.com/AmazonS3/latest/userguide/s3-batch-replication-batch.html
"""

from __future__ import annotations

from collections.abc import Iterator

from msgspec.structs import replace

from cloudjar.base.errors import AwsError
from cloudjar.kit import batch_objects
from cloudjar.kit.batch_objects import Listed
from cloudjar.kit.context import Ctx
from cloudjar.services.s3 import errors
from cloudjar.services.s3.access.asking import object_refusal
from cloudjar.services.s3.buckets.finding import find_bucket
from cloudjar.services.s3.buckets.records import Bucket
from cloudjar.services.s3.objects.index import index
from cloudjar.services.s3.objects.rows import NULL, Version
from cloudjar.services.s3.replication import copying
from cloudjar.services.s3.replication.life import REPLICA, assume, rules_for

_KEYS = 500
_KINDS = {"AES256": "SSES3", "aws:kms": "SSEKMS", "aws:kms:dsse": "DSSEKMS", "SSE-C": "SSEC"}


@batch_objects.replicates
def replicate(ctx: Ctx, bucket: str, key: str, version_id: str) -> None:
    """Copy a version to where the bucket's rules say, under the bucket's role; `ctx` is that of who asks, who needs
    ``s3:InitiateReplication``. Replicas are copied on too. Raises the first refusal."""
    held = find_bucket(ctx, bucket)
    if held is None:
        raise errors.no_bucket(bucket)
    refused = object_refusal(ctx, held, key, "s3:InitiateReplication", "PutObject", {})
    if refused is not None:
        raise refused
    version = index(ctx.world).version(held.name, key, version_id)
    if version is None:
        raise errors.no_version(key, version_id)
    rules = [] if version.marker else rules_for(held, version)
    if not rules or version.id == NULL:
        raise errors.invalid_request("No rule of the replication configuration is about the object")
    why: AwsError | None = None
    for rule in rules:
        try:
            caller = assume(ctx.world, held)
            with ctx.world.state.database.transaction():
                copying.copy(ctx.world, caller, held, rule, version)
        except AwsError as error:
            why = why or error
    _settle(ctx, held, version, "FAILED" if why else "COMPLETED")
    if why is not None:
        raise why


def _settle(ctx: Ctx, bucket: Bucket, version: Version, status: str) -> None:
    with ctx.world.state.database.transaction():
        now = index(ctx.world).version(bucket.name, version.key, version.id)
        if now is not None and now.replication != REPLICA:
            index(ctx.world).change(replace(now, replication=status))


@batch_objects.walks
def walk(ctx: Ctx, bucket: str) -> Iterator[Listed]:
    """Every version, key by key, newest first."""
    held = find_bucket(ctx, bucket)
    objects, after = index(ctx.world), ""
    while held is not None and (keys := objects.keys(held.name, after, _KEYS)):
        after = keys[-1]
        for key in keys:
            for place, version in enumerate(objects.versions(held.name, key)):
                if not version.marker:
                    yield _listed(held, version, latest=place == 0)


def _listed(bucket: Bucket, version: Version, *, latest: bool) -> Listed:
    sse = version.sse
    return Listed(
        version.key,
        "" if version.id == NULL and not bucket.ever_versioned else version.id,
        latest,
        version.size,
        version.modified,
        version.storage_class,
        "SSES3" if sse is None else _KINDS[sse.kind],
        "" if sse is None else sse.key_id,
        sse is not None and sse.bucket_key,
        version.replication,
        version.id != NULL and bool(rules_for(bucket, version)),
    )
