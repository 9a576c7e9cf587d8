"""Server access logging: where a bucket's log goes. Delivery is `s3.delivery`'s.

https://docs.aws.amazon.com/AmazonS3/latest/userguide/enable-server-access-logging.html
"""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from cloudjar.base import caller as callers
from cloudjar.base.errors import AwsError
from cloudjar.kit.context import Ctx
from cloudjar.kit.operation import op
from cloudjar.kit.record import arn_of
from cloudjar.services.s3 import errors
from cloudjar.services.s3.access import acl
from cloudjar.services.s3.access.asking import object_refusal
from cloudjar.services.s3.buckets.finding import find_bucket, need_bucket, save
from cloudjar.services.s3.buckets.records import Bucket

DELIVERER = "logging.s3.amazonaws.com"


@op("PutBucketLogging")
def put_bucket_logging(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Log into a bucket of the same account and region that lets S3's log delivery in; or stop."""
    bucket = need_bucket(ctx, req)
    wanted = req["BucketLoggingStatus"].get("LoggingEnabled")
    if wanted is not None:
        _check_target(ctx, bucket, wanted)
    save(ctx, replace(bucket, logging=wanted))
    return {}


def _check_target(ctx: Ctx, bucket: Bucket, wanted: dict[str, Any]) -> None:
    name = wanted["TargetBucket"]
    target = find_bucket(ctx, name)
    if target is None or target.account != bucket.account:
        raise AwsError(
            "InvalidTargetBucketForLogging",
            "The target bucket for logging does not exist" if target is None else _OTHER_OWNER,
            400,
            members={"TargetBucket": name},
        )
    if target.location != bucket.location:
        raise AwsError(
            "CrossLocationLoggingProhibited",
            "Cross S3 location logging not allowed.",
            403,
            members={"TargetBucketLocation": target.location, "SourceBucketLocation": bucket.location},
        )
    if wanted.get("TargetGrants") and target.acls_off:
        raise errors.invalid_argument("Bucket ownership enforced: target grants are not allowed")
    if not may_deliver(ctx, bucket, target, wanted.get("TargetPrefix") or ""):
        raise AwsError(
            "InvalidTargetBucketForLogging",
            "You must give the log-delivery group WRITE and READ_ACP permissions to the target bucket",
            400,
            members={"TargetBucket": name},
        )


_OTHER_OWNER = "The owner for the bucket to be logged and the target bucket must be the same."


def may_deliver(ctx: Ctx, bucket: Bucket, target: Bucket, prefix: str) -> bool:
    """Whether S3 may write the log of a bucket into the target: by its policy (the delivery's service principal) or,
    where ACLs are on, by its ACL (the log delivery group)."""
    group = {g.permission for g in acl.grants(target.acl, target.owner_id) if g.grantee == acl.LOG_DELIVERY}
    if not target.acls_off and ("FULL_CONTROL" in group or {"WRITE", "READ_ACP"} <= group):
        return True
    who = callers.service(DELIVERER, bucket.account, arn_of(bucket))
    asking = Ctx(ctx.world, bucket.account, target.location, who)
    return object_refusal(asking, target, f"{prefix}log", "s3:PutObject", "PutObject", {}) is None


@op("GetBucketLogging")
def get_bucket_logging(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Where the log goes; nothing when it goes nowhere."""
    logging = need_bucket(ctx, req).logging
    return {"LoggingEnabled": logging} if logging is not None else {}
