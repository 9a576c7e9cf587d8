"""What maintenance has to do on instances: newer minor versions of their engines.

https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/USER_UpgradeDBInstance.Maintenance.html
"""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from cloudjar.kit.context import Ctx
from cloudjar.kit.record import arn_of
from cloudjar.services.rds import errors, rules, versions
from cloudjar.services.rds.records import Change, DbInstance
from cloudjar.spec import databases

UPGRADE = "db-upgrade"
NOW, NEXT, NEVER = "immediate", "next-maintenance", "undo-opt-in"
_AT_REST = ("available", "backing-up", "modifying", "rebooting", "starting", "stopped", "stopping")


def newest(ctx: Ctx, db: DbInstance) -> str:
    """The minor version that maintenance brings; "" when the instance has it, or has what its cluster has."""
    if db.cluster:
        return ""
    found = [one.whole for one in versions.targets(ctx.world, db.engine, db.version) if one.auto and not one.major]
    return found[-1] if found else ""


def shown(ctx: Ctx, db: DbInstance) -> dict[str, Any] | None:
    """What is pending on an instance; None when nothing is."""
    version = newest(ctx, db)
    if not version or db.state not in _AT_REST:
        return None
    line = databases.line(db.engine, db.major)
    assert line is not None
    window = rules.next_maintenance(db.maintenance_window, ctx.now)
    chosen = db.pending.version is not None
    doing = db.change.version is not None
    return {
        "ResourceIdentifier": arn_of(db),
        "PendingMaintenanceActionDetails": [
            {
                "Action": UPGRADE,
                "Description": f"Upgrade to {line.title} {version}",
                "AutoAppliedAfterDate": window if db.minor_upgrades else None,
                "OptInStatus": NOW if doing else NEXT if chosen else None,
                "CurrentApplyDate": ctx.now if doing else window if chosen or db.minor_upgrades else None,
            }
        ],
    }


def choose(ctx: Ctx, db: DbInstance, action: str, when: str) -> DbInstance:
    """The instance with its upgrade begun, put down for the next window, or taken off again. Raises what AWS
    raises."""
    if action not in (UPGRADE, "system-update", "ca-certificate-rotation", "hardware-maintenance"):
        raise errors.invalid(f"Invalid apply action: {action}")
    if when not in (NOW, NEXT, NEVER):
        raise errors.invalid(f"Invalid opt-in type: {when}")
    version = newest(ctx, db)
    if action != UPGRADE or not version:
        raise errors.invalid(f"The action {action} is not pending on {arn_of(db)}.")
    if when == NEVER:
        return ctx.db[DbInstance].put(replace(db, pending=replace(db.pending, version=None)))
    if when == NEXT:
        return ctx.db[DbInstance].put(replace(db, pending=replace(db.pending, version=version)))
    if db.state != "available":
        raise errors.state(f"Database instance is not in available state: {db.id}")
    rest = replace(db.pending, version=None)
    return ctx.db[DbInstance].put(replace(db, state="modifying", change=Change(version=version), pending=rest))
