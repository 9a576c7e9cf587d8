"""Which version a request means, and what to say when there is none."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cloudjar.base.errors import AwsError
from cloudjar.kit.context import Ctx
from cloudjar.services.s3 import errors
from cloudjar.services.s3.access.asking import missing_key
from cloudjar.services.s3.buckets.records import Bucket
from cloudjar.services.s3.objects import version_ids
from cloudjar.services.s3.objects.conditions import modified
from cloudjar.services.s3.objects.index import index
from cloudjar.services.s3.objects.rows import NULL, Version
from cloudjar.wire.values import http_date


def need(ctx: Ctx, bucket: Bucket, req: Mapping[str, Any], method: str = "GET") -> Version:
    """The object (never a marker) that ``Key`` and ``VersionId`` mean.

    Raises NoSuchKey (AccessDenied for who may not list), NoSuchVersion, InvalidArgument for what is no version id, and
    405 for a marker that was named.
    """
    key, version_id = req["Key"], req.get("VersionId")
    if version_id is None:
        found = index(ctx.world).latest(bucket.name, key)
        if found is None or found.marker:
            raise _missing(ctx, bucket, key, found)
        return found
    found = need_version(ctx, bucket, key, version_id)
    if found.marker:
        raise errors.marker_not_allowed(method, found.id, http_date(modified(found)))
    return found


def need_version(ctx: Ctx, bucket: Bucket, key: str, version_id: str) -> Version:
    """A version or marker by its id. Raises NoSuchVersion, InvalidArgument."""
    found = find_version(ctx, bucket, key, version_id)
    if found is None:
        raise errors.no_version(key, version_id)
    return found


def find_version(ctx: Ctx, bucket: Bucket, key: str, version_id: str) -> Version | None:
    """A version or marker by its id. Raises InvalidArgument for what is no id."""
    if version_id != NULL and version_ids.seq_of(version_id) is None:
        raise errors.bad_version_id(version_id)
    return index(ctx.world).version(bucket.name, key, version_id)


def _missing(ctx: Ctx, bucket: Bucket, key: str, marker: Version | None) -> AwsError:
    said = missing_key(ctx, bucket, key)
    if marker is not None and said.status == 404:
        said.headers = {"x-amz-delete-marker": "true", "x-amz-version-id": marker.id}
    return said
