"""A bucket's replication configuration.

https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutBucketReplication.html
"""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from cloudjar.base import ids
from cloudjar.kit.context import Ctx
from cloudjar.kit.operation import op
from cloudjar.services.s3 import errors
from cloudjar.services.s3.buckets.finding import find_bucket, need_bucket, save
from cloudjar.services.s3.replication.config import check


@op("PutBucketReplication")
def put_bucket_replication(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Replaces the rules; they are about what comes from now on."""
    bucket = need_bucket(ctx, req)
    given = req["ReplicationConfiguration"]
    check(given)
    if not bucket.versioned:
        raise errors.invalid_request(
            "Versioning must be 'Enabled' on the bucket to apply a replication configuration"
        )
    rules = [{**rule, "ID": rule.get("ID") or ids.token(36)} for rule in given["Rules"]]
    for rule in rules:
        _check_target(ctx, bucket.name, rule["Destination"])
    save(ctx, replace(bucket, replication={**given, "Rules": rules}))
    return {}


def _check_target(ctx: Ctx, source: str, destination: dict[str, Any]) -> None:
    name = destination["Bucket"].removeprefix("arn:aws:s3:::")
    target = find_bucket(ctx, name)
    if target is None:
        raise errors.invalid_request("Destination bucket must exist.")
    if name == source:
        raise errors.invalid_request("Destination bucket cannot be the same as the source bucket.")
    if not target.versioned:
        raise errors.invalid_request("Destination bucket must have versioning enabled.")
    if destination.get("Account") and destination["Account"] != target.account:
        raise errors.invalid_request("Account must be the owner of the destination bucket")


@op("GetBucketReplication")
def get_bucket_replication(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """As it was put. Raises ReplicationConfigurationNotFoundError."""
    bucket = need_bucket(ctx, req)
    if bucket.replication is None:
        raise errors.error(
            "ReplicationConfigurationNotFoundError",
            "The replication configuration was not found",
            404,
            BucketName=bucket.name,
        )
    return {"ReplicationConfiguration": bucket.replication}


@op("DeleteBucketReplication")
def delete_bucket_replication(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """No rule any more; what waits is not copied."""
    save(ctx, replace(need_bucket(ctx, req), replication=None))
    return {}
