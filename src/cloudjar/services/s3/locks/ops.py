"""Object Lock: a bucket's default, and the retention and legal hold of versions.

https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-lock.html
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from msgspec.structs import replace

from cloudjar.base.errors import AwsError
from cloudjar.kit.context import Ctx
from cloudjar.kit.operation import op
from cloudjar.services.s3 import errors
from cloudjar.services.s3.access.asking import object_refusal
from cloudjar.services.s3.buckets.finding import need_bucket, save
from cloudjar.services.s3.buckets.records import Bucket
from cloudjar.services.s3.locks.rules import check_default, check_retention
from cloudjar.services.s3.objects import changes, finding
from cloudjar.services.s3.objects.changes import Change
from cloudjar.services.s3.objects.index import index
from cloudjar.services.s3.objects.rows import Lock, Version


# -- the bucket
@op("PutObjectLockConfiguration")
def put_object_lock_configuration(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Turn Object Lock on for good, with or without a default retention."""
    bucket = need_bucket(ctx, req)
    given = req.get("ObjectLockConfiguration")
    if given is None or given.get("ObjectLockEnabled") != "Enabled":
        raise errors.malformed_xml()
    if not bucket.versioned:
        raise AwsError(
            "InvalidBucketState",
            "Versioning must be 'Enabled' on the bucket to apply a Object Lock configuration",
            409,
        )
    rule = given.get("Rule")
    if rule is not None:
        check_default(rule)
    save(ctx, replace(bucket, object_lock=True, object_lock_rule=rule))
    return {}


@op("GetObjectLockConfiguration")
def get_object_lock_configuration(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Whether it is on, and the default. Raises ObjectLockConfigurationNotFoundError."""
    bucket = need_bucket(ctx, req)
    if not bucket.object_lock:
        raise errors.error(
            "ObjectLockConfigurationNotFoundError",
            "Object Lock configuration does not exist for this bucket",
            404,
            BucketName=bucket.name,
        )
    told: dict[str, Any] = {"ObjectLockEnabled": "Enabled"}
    if bucket.object_lock_rule is not None:
        told["Rule"] = bucket.object_lock_rule
    return {"ObjectLockConfiguration": told}


# -- versions
def _locked(ctx: Ctx, req: dict[str, Any], method: str) -> tuple[Bucket, Version]:
    """A version in a bucket with Object Lock."""
    bucket = need_bucket(ctx, req)
    if not bucket.object_lock:
        raise errors.invalid_request("Bucket is missing Object Lock Configuration")
    return bucket, finding.need(ctx, bucket, req, method)


def _none() -> AwsError:
    return AwsError(
        "NoSuchObjectLockConfiguration", "The specified object does not have a ObjectLock configuration", 404
    )


def _store(ctx: Ctx, bucket: Bucket, before: Version, lock: Lock) -> dict[str, Any]:
    after = replace(before, lock=lock if lock != Lock() else None)
    index(ctx.world).change(after)
    changes.tell(ctx, bucket, Change(changes.LOCKED, after, before))
    return {}


@op("PutObjectRetention", data=True)
def put_object_retention(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Keep a version until an instant. What is kept already may be kept longer; governance gives way to who may."""
    bucket, version = _locked(ctx, req, "PUT")
    given = req.get("Retention")
    if given is None:
        raise errors.malformed_xml()
    wanted = check_retention(given, ctx.now)
    held = version.lock or Lock()
    weakens = held.mode and held.until > ctx.now.timestamp() and not _strengthens(held, wanted)
    if weakens and (held.mode == "COMPLIANCE" or not _may_bypass(ctx, bucket, version, req)):
        raise errors.access_denied("Access Denied because object protected by object lock.")
    return _store(ctx, bucket, version, replace(held, mode=wanted.mode, until=wanted.until))


def _strengthens(held: Lock, wanted: Lock) -> bool:
    return wanted.mode == held.mode and wanted.until >= held.until


def _may_bypass(ctx: Ctx, bucket: Bucket, version: Version, req: dict[str, Any]) -> bool:
    """Whether the caller says that he passes governance over, and may."""
    if not req.get("BypassGovernanceRetention"):
        return False
    action, operation = "s3:BypassGovernanceRetention", "PutObjectRetention"
    return object_refusal(ctx, bucket, version.key, action, operation, req, req.get("VersionId") or "") is None


@op("GetObjectRetention", data=True)
def get_object_retention(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """The retention, also when it is over. Raises NoSuchObjectLockConfiguration."""
    lock = _locked(ctx, req, "GET")[1].lock
    if lock is None or not lock.mode:
        raise _none()
    until = datetime.fromtimestamp(lock.until, UTC)
    return {"Retention": {"Mode": lock.mode, "RetainUntilDate": until}}


@op("PutObjectLegalHold", data=True)
def put_object_legal_hold(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Hold a version, or let go of it."""
    bucket, version = _locked(ctx, req, "PUT")
    status = (req.get("LegalHold") or {}).get("Status")
    if status is None:
        raise errors.malformed_xml()
    held = version.lock or Lock()
    return _store(ctx, bucket, version, replace(held, hold=status == "ON", released=status != "ON"))


@op("GetObjectLegalHold", data=True)
def get_object_legal_hold(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """ON or OFF. Raises NoSuchObjectLockConfiguration for what never had a hold."""
    lock = _locked(ctx, req, "GET")[1].lock
    if lock is None or not (lock.hold or lock.released):
        raise _none()
    return {"LegalHold": {"Status": "ON" if lock.hold else "OFF"}}
