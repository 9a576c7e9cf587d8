"""Which bucket a request means."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cloudjar.base import arn as arns
from cloudjar.kit.context import Ctx
from cloudjar.services.s3 import errors
from cloudjar.services.s3.buckets.records import Bucket

_OWNERS = "s3.owners"


def find_bucket(ctx: Ctx, name: str) -> Bucket | None:
    """The bucket of a name, whoever's it is. Whose a name was last is remembered: that is looked at first."""
    owners: dict[str, str] = ctx.world.ports.setdefault(_OWNERS, {})
    account = owners.get(name)
    if account is not None:
        held = ctx.db.at(account, "")[Bucket].get(name)
        if held is not None:
            return held
    found = ctx.db.find(Bucket, name)
    if found is not None:
        owners[name] = found.account
    return found


def need_bucket(ctx: Ctx, req: Mapping[str, Any]) -> Bucket:
    """The bucket that a request names (member ``Bucket``), with ``ExpectedBucketOwner`` checked.

    Raises NoSuchBucket, and AccessDenied when somebody else owns it. Where it lies and whether the caller may was found
    out before (`access.locating`).
    """
    name = req["Bucket"]
    bucket = find_bucket(ctx, name)
    if bucket is None:
        raise errors.no_bucket(name)
    expected = req.get("ExpectedBucketOwner")
    if expected and expected != bucket.account:
        raise errors.access_denied()
    return bucket


def bucket_of_arn(ctx: Ctx, text: str) -> Bucket | None:
    """The bucket of an ARN (``arn:aws:s3:::name``), or None."""
    arn = arns.parse(text)
    if arn is None or arn.service != "s3":
        return None
    return find_bucket(ctx, arn.resource.partition("/")[0])


def save(ctx: Ctx, bucket: Bucket) -> Bucket:
    """Store a changed bucket, whoever the caller is."""
    return ctx.db.at(bucket.account, "")[Bucket].put(bucket)
