"""Object Lock at the moment of a write or a removal. (Changing a lock later is `s3.locks`.)

https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-lock.html
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from cloudjar.kit.context import Ctx
from cloudjar.services.s3 import errors
from cloudjar.services.s3.buckets.records import Bucket
from cloudjar.services.s3.objects.rows import Lock, Version


def of_write(ctx: Ctx, bucket: Bucket, req: Mapping[str, Any]) -> Lock | None:
    """The lock that a new version gets: what the request says, else the bucket's default retention."""
    mode, until = req.get("ObjectLockMode"), req.get("ObjectLockRetainUntilDate")
    hold = req.get("ObjectLockLegalHoldStatus")
    if not bucket.object_lock:
        if mode or until or hold:
            raise errors.invalid_request("Bucket is missing Object Lock Configuration")
        return None
    if bool(mode) is not bool(until):
        raise errors.invalid_argument(
            "x-amz-object-lock-retain-until-date and x-amz-object-lock-mode must both be supplied"
        )
    if until is not None and until <= ctx.now:
        raise errors.invalid_argument("The retain until date must be in the future!", "x-amz-object-lock-retain-until")
    if mode is None:
        mode, until = _default(ctx, bucket)
    if not mode and hold != "ON":
        return None
    return Lock(mode or "", int(until.timestamp()) if until is not None else 0, hold == "ON")


def _default(ctx: Ctx, bucket: Bucket) -> tuple[str, datetime | None]:
    rule = (bucket.object_lock_rule or {}).get("DefaultRetention")
    if not rule:
        return "", None
    days = rule.get("Days") or 365 * (rule.get("Years") or 0)
    return rule["Mode"], ctx.now + timedelta(days=days)


def check_removable(ctx: Ctx, version: Version, *, bypass: bool) -> None:
    """Raise AccessDenied for a version that is locked. `bypass`: governance is passed over (the caller may)."""
    lock = version.lock
    if lock is None:
        return
    binds = lock.mode == "COMPLIANCE" or (lock.mode == "GOVERNANCE" and not bypass)
    if lock.hold or (binds and lock.until > ctx.now.timestamp()):
        raise errors.access_denied("Access Denied because object protected by object lock.")


def shown(version: Version) -> dict[str, Any]:
    """The members of an answer that tell of a lock."""
    lock = version.lock
    if lock is None:
        return {}
    told: dict[str, Any] = {"ObjectLockLegalHoldStatus": "ON"} if lock.hold else {}
    if lock.mode:
        told |= {"ObjectLockMode": lock.mode, "ObjectLockRetainUntilDate": lock.until}
    return told
