"""A bucket's lifecycle configuration.

https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutBucketLifecycleConfiguration.html
"""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from cloudjar.base.errors import AwsError
from cloudjar.kit.context import Ctx
from cloudjar.kit.operation import op
from cloudjar.services.s3.buckets.finding import need_bucket, save
from cloudjar.services.s3.buckets.records import Bucket
from cloudjar.services.s3.errors import malformed_xml
from cloudjar.services.s3.lifecycle.checks import checked
from cloudjar.services.s3.lifecycle.life import new_rules
from cloudjar.services.s3.lifecycle.rules import ALL_CLASSES


def none() -> AwsError:
    """NoSuchLifecycleConfiguration."""
    return AwsError("NoSuchLifecycleConfiguration", "The lifecycle configuration does not exist", 404)


@op("PutBucketLifecycleConfiguration")
def put_bucket_lifecycle_configuration(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Replaces all rules; they are about what is stored already too."""
    bucket = need_bucket(ctx, req)
    given = req.get("LifecycleConfiguration")
    if given is None:
        raise malformed_xml()
    least = req.get("TransitionDefaultMinimumObjectSize") or ALL_CLASSES
    new_rules(ctx, save(ctx, replace(bucket, lifecycle=checked(given["Rules"]), lifecycle_minimum=least)))
    return {"TransitionDefaultMinimumObjectSize": least}


@op("GetBucketLifecycleConfiguration")
def get_bucket_lifecycle_configuration(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """As it was put. Raises NoSuchLifecycleConfiguration."""
    bucket = _configured(ctx, req)
    return {"Rules": bucket.lifecycle, "TransitionDefaultMinimumObjectSize": bucket.lifecycle_minimum or ALL_CLASSES}


@op("DeleteBucketLifecycle")
def delete_bucket_lifecycle(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """No rule any more; also when there was none."""
    bucket = need_bucket(ctx, req)
    new_rules(ctx, save(ctx, replace(bucket, lifecycle=None, lifecycle_minimum="")))
    return {}


def _configured(ctx: Ctx, req: dict[str, Any]) -> Bucket:
    bucket = need_bucket(ctx, req)
    if bucket.lifecycle is None:
        raise none()
    return bucket
