"""The archive: snapshots go there, and come back for a while or for good; all of it takes time of AWS's clock.

https://docs.aws.amazon.com/ebs/latest/userguide/snapshot-archive.html
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from msgspec.structs import replace

from cloudjar.base.errors import AwsError
from cloudjar.kit import tags
from cloudjar.kit.context import Ctx
from cloudjar.kit.operation import op
from cloudjar.services.ec2 import errors
from cloudjar.services.ec2.images.records import OwnImage
from cloudjar.services.ec2.lookup import Row, by_path, narrow
from cloudjar.services.ec2.snapshots import finding
from cloudjar.services.ec2.snapshots.making import hand_on
from cloudjar.services.ec2.snapshots.records import FastRestore, Snapshot, Tiering

TAKES = timedelta(hours=24)
"""Archiving and restoring each; AWS says up to 24 to 72 hours, by size."""
_MOST_DAYS = 180
_ARCHIVED, _ARCHIVING, _RESTORING = ("ebs", "L-E20676C1"), ("ebs", "L-3A0E616D"), ("ebs", "L-07399329")
_FILTERS = by_path(
    {
        "last-tiering-operation": "LastTieringOperationStatus",
        "snapshot-id": "SnapshotId",
        "volume-id": "VolumeId",
    }
)


def _busy(snapshot: Snapshot, suffix: str = "-in-progress") -> bool:
    return snapshot.tiering is not None and snapshot.tiering.operation.endswith(suffix)


def _refuse_more(ctx: Ctx, quota: tuple[str, str], used: int, what: str) -> None:
    limit = ctx.limit(*quota)
    if limit is not None and used >= limit:
        raise AwsError("ResourceLimitExceeded", f"You have reached the limit of {int(limit)} {what}.")


@op("ModifySnapshotTier")
def modify_snapshot_tier(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Send a snapshot that no image needs to the archive, whole; its successors keep what they share with it."""
    snapshot = finding.own(ctx, req["SnapshotId"])
    if snapshot.state != "completed" or snapshot.archived or _busy(snapshot):
        raise AwsError("IncorrectState", f"The snapshot {snapshot.id} cannot be archived in its present state.")
    if any(snapshot.id in image.snapshots and not image.disabled for image in ctx.db[OwnImage].all()):
        raise AwsError("InvalidSnapshot.InUse", f"The snapshot {snapshot.id} is currently in use by an AMI.")
    if any(one.state != "disabled" for one in ctx.db[FastRestore].all(snapshot_id=snapshot.id)):
        raise AwsError("IncorrectState", f"Fast snapshot restore is enabled for the snapshot {snapshot.id}.")
    siblings = ctx.db[Snapshot].all(volume_id=snapshot.volume_id)
    _refuse_more(ctx, _ARCHIVED, sum(one.archived for one in siblings), "archived snapshots per volume")
    going = sum(_busy(one, "archival-in-progress") for one in ctx.db[Snapshot].all())
    _refuse_more(ctx, _ARCHIVING, going, "snapshot archives in progress")
    now = ctx.now
    ctx.db[Snapshot].put(
        replace(snapshot, tiering=Tiering(operation="archival-in-progress", started=now, ends=now + TAKES))
    )
    return {"SnapshotId": snapshot.id, "TieringStartTime": now}


@op("RestoreSnapshotTier")
def restore_snapshot_tier(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Bring a snapshot back, for some days or for good; of one that is back, change for how long."""
    snapshot = finding.own(ctx, req["SnapshotId"])
    tiering = snapshot.tiering
    if tiering is None or not snapshot.archived or _busy(snapshot):
        raise AwsError("IncorrectState", f"The snapshot {snapshot.id} is not in the archive tier.")
    days, permanent = req.get("TemporaryRestoreDays"), bool(req.get("PermanentRestore"))
    if (days is None) is not permanent:
        raise errors.combination("Specify either TemporaryRestoreDays or PermanentRestore.")
    if days is not None and not 1 <= days <= _MOST_DAYS:
        raise errors.invalid_parameter(days, "TemporaryRestoreDays", f"It must be between 1 and {_MOST_DAYS}.")
    coming = sum(_busy(one, "restore-in-progress") for one in ctx.db[Snapshot].all())
    _refuse_more(ctx, _RESTORING, coming, "snapshot restores in progress")
    now = ctx.now
    # What is restored already needs not be fetched again.
    ends = now if tiering.expires else now + TAKES
    kind = "permanent" if permanent else "temporary"
    asked = replace(tiering, operation=f"{kind}-restore-in-progress", started=now, ends=ends, days=days or 0)
    ctx.db[Snapshot].put(replace(snapshot, tiering=asked))
    look(ctx, snapshot.id)
    return {
        "IsPermanentRestore": permanent,
        "RestoreDuration": days,
        "RestoreStartTime": now,
        "SnapshotId": snapshot.id,
    }


def look(ctx: Ctx, snapshot_id: str) -> None:
    """What time has brought about of a snapshot that goes or comes; in the caller's transaction."""
    snapshot = ctx.db[Snapshot].get(snapshot_id)
    if snapshot is None or snapshot.tiering is None:
        return
    found = snapshot.tiering
    if _busy(snapshot) and ctx.now >= found.ends:
        snapshot = _done(ctx, snapshot, found)
    elif found.expires is not None and ctx.now >= found.expires:
        snapshot = ctx.db[Snapshot].put(replace(snapshot, tiering=replace(found, expires=None)))
    left = snapshot.tiering
    if left is None:
        return
    at = left.ends if _busy(snapshot) else left.expires
    if at is not None:
        ctx.wake(snapshot, purpose="tiering", at=at)


def _done(ctx: Ctx, snapshot: Snapshot, found: Tiering) -> Snapshot:
    done = replace(found, operation=found.operation.replace("in-progress", "completed"))
    if found.operation.startswith("archival"):
        hand_on(ctx, snapshot)
        done = replace(done, tier="archive", archived=found.ends, expires=None)
        snapshot = replace(snapshot, parent_id="", blocks=snapshot.all_blocks)
    elif found.operation.startswith("temporary"):
        done = replace(done, expires=found.ends + timedelta(days=found.days))
    else:
        done = replace(done, tier="standard", archived=None, expires=None)
    return ctx.db[Snapshot].put(replace(snapshot, tiering=done))


@op("DescribeSnapshotTierStatus")
def describe_snapshot_tier_status(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """The tier of each of the account's snapshots, and what was last done about it."""
    rows = [Row(one.tags, _show(ctx, one)) for one in ctx.db[Snapshot].all()]
    return {"SnapshotTierStatuses": narrow(req, _FILTERS, rows)}


def _show(ctx: Ctx, snapshot: Snapshot) -> dict[str, Any]:
    shown: dict[str, Any] = {
        "OwnerId": snapshot.account,
        "SnapshotId": snapshot.id,
        "Status": snapshot.state,
        "StorageTier": "archive" if snapshot.archived else "standard",
        "Tags": tags.as_list(snapshot.tags),
        "VolumeId": snapshot.volume_id,
    }
    found = snapshot.tiering
    if found is None:
        return shown
    passed = (ctx.now - found.started) / (found.ends - found.started) if found.ends > found.started else 1
    return {
        **shown,
        "ArchivalCompleteTime": found.archived,
        "LastTieringOperationStatus": found.operation,
        "LastTieringProgress": min(99, int(passed * 100)) if _busy(snapshot) else 100,
        "LastTieringStartTime": found.started,
        "RestoreExpiryTime": found.expires,
    }
