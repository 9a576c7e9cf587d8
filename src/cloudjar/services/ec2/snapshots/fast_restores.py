"""Fast snapshot restore: a snapshot's volumes are fast from the start in a zone, once it was made ready there.

Volumes are always fast here; what is real are the states, the time that they take, the quota and the hours.

https://docs.aws.amazon.com/ebs/latest/userguide/ebs-fast-snapshot-restore.html
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from msgspec.structs import replace

from cloudjar.base.errors import AwsError
from cloudjar.kit.context import Ctx
from cloudjar.kit.machine import Step, reconciler
from cloudjar.kit.operation import op
from cloudjar.kit.record import arn_of
from cloudjar.services.ec2 import errors
from cloudjar.services.ec2.lookup import Row, by_path, check_form, narrow
from cloudjar.services.ec2.snapshots import finding
from cloudjar.services.ec2.snapshots.records import FastRestore, Snapshot
from cloudjar.spec import regions

PER_TIB = timedelta(minutes=60)
REMEMBERED = timedelta(days=1)
"""How long one is listed that was disabled; AWS does not say."""
_ASKED, _GOES_ON = "Client.UserInitiated", "Client.UserInitiated - Lifecycle state transition"
_FILTERS = by_path(
    {
        "availability-zone": "AvailabilityZone",
        "availability-zone-id": "AvailabilityZoneId",
        "owner-id": "OwnerId",
        "snapshot-id": "SnapshotId",
        "state": "State",
    }
)


def _show(one: FastRestore) -> dict[str, Any]:
    zone = regions.zone(one.zone, one.account)
    return {
        "AvailabilityZone": one.zone,
        "AvailabilityZoneId": zone.id if zone is not None else None,
        "DisabledTime": one.disabled,
        "DisablingTime": one.disabling,
        "EnabledTime": one.enabled,
        "EnablingTime": one.enabling,
        "OptimizingTime": one.optimizing,
        "OwnerId": one.owner,
        "SnapshotId": one.snapshot_id,
        "State": one.state,
        "StateTransitionReason": one.reason,
    }


def _zones(ctx: Ctx, req: dict[str, Any]) -> list[regions.Zone]:
    names, ids = req.get("AvailabilityZones") or [], req.get("AvailabilityZoneIds") or []
    if not names and not ids:
        raise errors.missing("The request must contain the parameter AvailabilityZones or AvailabilityZoneIds")
    known = regions.zones(ctx.region, ctx.account)
    for name in names:
        if all(zone.name != name for zone in known):
            raise errors.invalid_parameter(name, "availabilityZone", "It is not a zone of this Region.")
    for zone_id in ids:
        if all(zone.id != zone_id for zone in known):
            raise errors.invalid_parameter(zone_id, "availabilityZoneId", "It is not a zone of this Region.")
    return [zone for zone in known if zone.name in names or zone.id in ids]


def _enable(ctx: Ctx, snapshot_id: str, zone: regions.Zone) -> FastRestore:
    snapshot = finding.usable(ctx, snapshot_id)
    table = ctx.db[FastRestore]
    key = f"{snapshot.id}/{zone.name}"
    before = table.get(key)
    if before is not None and before.state in ("enabling", "optimizing", "enabled"):
        return before
    if before is not None:
        table.drop(before)
    return table.add(
        FastRestore(
            id=key,
            snapshot_id=snapshot.id,
            owner=snapshot.account,
            zone=zone.name,
            size=snapshot.size,
            reason=_ASKED,
            enabling=ctx.now,
        )
    )


def _disable(ctx: Ctx, snapshot_id: str, zone: regions.Zone) -> FastRestore:
    check_form(Snapshot, snapshot_id)
    found = ctx.db[FastRestore].get(f"{snapshot_id}/{zone.name}")
    if found is None or found.state == "disabled":
        raise AwsError(
            "InvalidRequest", f"Fast snapshot restore is not enabled for {snapshot_id} in the zone {zone.name}."
        )
    if found.state == "disabling":
        return found
    return ctx.db[FastRestore].put(replace(found, state="disabling", reason=_ASKED, disabling=ctx.now))


def _each(ctx: Ctx, req: dict[str, Any], change: Any) -> dict[str, Any]:
    """Every snapshot in every zone; what cannot be is told beside what was done."""
    zones = _zones(ctx, req)
    done: list[dict[str, Any]] = []
    failed: list[dict[str, Any]] = []
    for snapshot_id in dict.fromkeys(req["SourceSnapshotIds"]):
        wrong = []
        for zone in zones:
            try:
                done.append(_show(change(ctx, snapshot_id, zone)))
            except AwsError as error:
                said = {"Code": error.code, "Message": error.message}
                wrong.append({"AvailabilityZone": zone.name, "AvailabilityZoneId": zone.id, "Error": said})
        if wrong:
            failed.append({"SnapshotId": snapshot_id, "FastSnapshotRestoreStateErrors": wrong})
    return {"Successful": done, "Unsuccessful": failed}


@op("EnableFastSnapshotRestores")
def enable_fast_snapshot_restores(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Make snapshots ready in zones; it takes an hour for each TiB."""
    return _each(ctx, req, _enable)


@op("DisableFastSnapshotRestores")
def disable_fast_snapshot_restores(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Stop it, and what it costs."""
    return _each(ctx, req, _disable)


@op("DescribeFastSnapshotRestores")
def describe_fast_snapshot_restores(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Where it is on, and how far it is."""
    return {"FastSnapshotRestores": narrow(req, _FILTERS, [Row({}, _show(one)) for one in ctx.db[FastRestore].all()])}


@reconciler(FastRestore)
def converge(step: Step, _: FastRestore | None) -> None:
    """Go on by the clock."""
    with step.world.state.database.transaction():
        one = step.db[FastRestore].get(step.key)
        if one is not None:
            _look(step.ctx, one)


def _look(ctx: Ctx, one: FastRestore) -> None:
    now = ctx.now
    if one.state == "enabling":
        one = _move(ctx, replace(one, state="optimizing", reason=_GOES_ON, optimizing=now))
    if one.state == "optimizing" and one.optimizing is not None:
        at = one.optimizing + PER_TIB * one.size / 1024
        if now >= at:
            _move(ctx, replace(one, state="enabled", reason=_GOES_ON, enabled=at))
        else:
            ctx.wake(one, purpose="optimized", at=at)
    elif one.state == "disabling":
        one = _move(ctx, replace(one, state="disabled", reason=_GOES_ON, disabled=now))
        ctx.wake(one, purpose="forget", at=now + REMEMBERED)
    elif one.state == "disabled" and _over(one, now):
        ctx.db[FastRestore].drop(one)


def _over(one: FastRestore, now: datetime) -> bool:
    return one.disabled is not None and now >= one.disabled + REMEMBERED


def _move(ctx: Ctx, one: FastRestore) -> FastRestore:
    """Store it in its new state, and say so as AWS does."""
    snapshot = ctx.db.find(Snapshot, one.snapshot_id)
    arn = arn_of(snapshot) if snapshot is not None else one.snapshot_id
    detail = {"snapshot-id": arn, "state": one.state, "zone": one.zone, "message": one.reason}
    ctx.emit("aws.ec2", "EBS Fast Snapshot Restore State-change Notification", detail, (arn,))
    return ctx.db[FastRestore].put(one)
