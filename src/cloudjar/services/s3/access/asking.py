"""Questions that only a handler can ask: about each key of a batch, and what a missing object may be called."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cloudjar.auth.authorize import Authorizer, Denied
from cloudjar.base.errors import AwsError
from cloudjar.kit.context import Ctx
from cloudjar.kit.operation import Grant
from cloudjar.services.s3 import errors
from cloudjar.services.s3.access.granting import on_bucket, on_object
from cloudjar.services.s3.buckets.records import Bucket


def refusal(ctx: Ctx, grants: list[Grant]) -> AwsError | None:
    """The refusal of the first grant that the caller does not have; None when he has all."""
    authorizer: Authorizer = ctx.world.ports["authorize"]
    try:
        authorizer(ctx, "s3", grants)
    except Denied as denied:
        return denied
    return None


def object_refusal(
    ctx: Ctx, bucket: Bucket, key: str, action: str, operation: str, req: Mapping[str, Any], version_id: str = ""
) -> AwsError | None:
    """Whether the caller is refused an action on an object (``s3:DeleteObject``)."""
    return refusal(ctx, on_object(ctx, bucket, key, action, operation, req, None, version_id))


def check_may_match(ctx: Ctx, bucket: Bucket, key: str, etag: str | None) -> None:
    """A write or removal that is conditional on an ETag tells about the object: who may not read it is refused."""
    if etag is None or etag.strip() == "*":
        return
    refused = object_refusal(ctx, bucket, key, "s3:GetObject", "GetObject", {})
    if refused is not None:
        raise refused


def may_list(ctx: Ctx, bucket: Bucket) -> bool:
    """Whether the caller may know which keys there are."""
    return refusal(ctx, on_bucket(ctx, bucket, "s3:ListBucket", "ListObjectsV2", {})) is None


def missing_key(ctx: Ctx, bucket: Bucket, key: str) -> AwsError:
    """The answer to who asks for an object that is not there: only who may list learns that it is not."""
    if not may_list(ctx, bucket):
        return errors.access_denied()
    return AwsError("NoSuchKey", "The specified key does not exist.", 404, members={"Key": key})
