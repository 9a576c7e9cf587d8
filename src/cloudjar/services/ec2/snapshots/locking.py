"""Snapshot locks: governance, and compliance with its time to reconsider.

https://docs.aws.amazon.com/ebs/latest/userguide/ebs-snapshot-lock.html
"""

from __future__ import annotations

import math
from datetime import datetime, timedelta
from typing import Any

from msgspec.structs import replace

from cloudjar.base.errors import AwsError
from cloudjar.kit.context import Ctx
from cloudjar.kit.operation import op
from cloudjar.services.ec2 import errors
from cloudjar.services.ec2.lookup import Row, by_path, in_pages, narrow, need_all
from cloudjar.services.ec2.snapshots import finding
from cloudjar.services.ec2.snapshots.records import Lock, Snapshot

_MOST_DAYS = 36_500
_MOST_HOURS = 72
_FILTERS = by_path({"lock-state": "LockState", "snapshot-id": "SnapshotId"})


def is_locked(ctx: Ctx, snapshot: Snapshot) -> bool:
    """Whether a lock holds now."""
    return snapshot.lock_state(ctx.now) not in ("", "expired")


def refuse_locked(ctx: Ctx, snapshot: Snapshot) -> None:
    """Raise what deleting a locked snapshot answers."""
    if is_locked(ctx, snapshot):
        raise AwsError("SnapshotLocked", f"The snapshot {snapshot.id} is locked and cannot be deleted.")


def _keys(_: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    asked = {"ec2:SnapshotLockDuration": req.get("LockDuration"), "ec2:SnapshotCoolOffPeriod": req.get("CoolOffPeriod")}
    return {key: str(value) for key, value in asked.items() if value is not None}


@op("LockSnapshot", keys=_keys)
def lock_snapshot(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Lock a snapshot, or change the lock that it has as far as its mode lets."""
    snapshot = finding.own(ctx, req["SnapshotId"])
    days, until = _duration(ctx, req)
    hours = req.get("CoolOffPeriod") or 0
    if hours and req["LockMode"] != "compliance":
        raise errors.combination("The parameter CoolOffPeriod can only be used with the lock mode compliance.")
    if hours > _MOST_HOURS:
        raise errors.invalid_parameter(hours, "CoolOffPeriod", f"It must be between 1 and {_MOST_HOURS} hours.")
    before = snapshot.lock_state(ctx.now)
    lock = Lock(
        mode=req["LockMode"],
        created=snapshot.lock.created if snapshot.lock and before != "expired" else ctx.now,
        counted=ctx.now,
        days=days,
        until=until,
        cool_off_hours=hours,
        cool_off=ctx.now + timedelta(hours=hours) if hours else None,
    )
    changed = replace(snapshot, lock=lock)
    if before == "compliance":
        _only_longer(snapshot, changed, hours)
    return _show(ctx, ctx.db[Snapshot].put(changed))


def _only_longer(before: Snapshot, after: Snapshot, hours: int) -> None:
    """Nothing else can be done about a lock in compliance mode."""
    old, new = before.lock_end, after.lock_end
    assert before.lock is not None
    assert after.lock is not None
    longer = new > old if old and new else after.lock.days > before.lock.days
    if after.lock.mode != "compliance" or hours or not longer:
        raise AwsError(
            "IncorrectState",
            f"The snapshot {before.id} is locked in compliance mode; only the lock duration can be increased.",
        )


def _duration(ctx: Ctx, req: dict[str, Any]) -> tuple[int, datetime | None]:
    """Days, and the instant that was named instead of them."""
    days, until = req.get("LockDuration"), req.get("ExpirationDate")
    if (days is None) == (until is None):
        raise errors.combination("Specify either LockDuration or ExpirationDate.")
    if until is not None:
        if until < ctx.now + timedelta(days=1):
            raise errors.invalid_parameter(until.isoformat(), "ExpirationDate", "It must be at least one day ahead.")
        return math.ceil((until - ctx.now) / timedelta(days=1)), until
    if not 1 <= int(days or 0) <= _MOST_DAYS:
        raise errors.invalid_parameter(days, "LockDuration", f"It must be between 1 and {_MOST_DAYS} days.")
    return int(days or 0), None


@op("UnlockSnapshot")
def unlock_snapshot(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Take a lock off; not one in compliance mode after its cooling-off period."""
    snapshot = finding.own(ctx, req["SnapshotId"])
    state = snapshot.lock_state(ctx.now)
    if not state:
        raise AwsError("IncorrectState", f"The snapshot {snapshot.id} is not locked.")
    if state == "compliance":
        raise AwsError("IncorrectState", f"The snapshot {snapshot.id} is locked in compliance mode.")
    ctx.db[Snapshot].put(replace(snapshot, lock=None))
    return {"SnapshotId": snapshot.id}


def _show(ctx: Ctx, snapshot: Snapshot) -> dict[str, Any]:
    lock = snapshot.lock
    assert lock is not None
    return {
        "CoolOffPeriod": lock.cool_off_hours or None,
        "CoolOffPeriodExpiresOn": lock.cool_off,
        "LockCreatedOn": lock.created,
        "LockDuration": lock.days,
        "LockDurationStartTime": snapshot.lock_start,
        "LockExpiresOn": snapshot.lock_end,
        "LockState": snapshot.lock_state(ctx.now),
        "OwnerId": snapshot.account,
        "SnapshotId": snapshot.id,
    }


@op("DescribeLockedSnapshots")
def describe_locked_snapshots(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """The locks that there are, also those whose time is over."""
    wanted = req.get("SnapshotIds")
    found = need_all(ctx, Snapshot, wanted) if wanted else ctx.db[Snapshot].all()
    rows = [Row(one.tags, _show(ctx, one)) for one in found if one.lock is not None]
    return in_pages(req, "DescribeLockedSnapshots", "Snapshots", narrow(req, _FILTERS, rows))
