"""Stopping, starting and rebooting instances."""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from cloudjar.kit.context import Ctx
from cloudjar.kit.operation import op
from cloudjar.services.rds import backups, encryption, errors, pairs
from cloudjar.services.rds.clusters import members
from cloudjar.services.rds.ops.instances import by_name, new_snapshot_id
from cloudjar.services.rds.records import DbInstance
from cloudjar.services.rds.views import show_instance


@op("StopDBInstance")
def stop_db_instance(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Shut an instance down, for seven days at most; a snapshot is taken before when one is named."""
    errors.only(req, ("DBInstanceIdentifier", "DBSnapshotIdentifier"))
    db = by_name(ctx, req["DBInstanceIdentifier"])
    _refuse_shared(db)
    _available(db)
    members.refuse_alone(db, "stopped", "StopDBCluster")
    if name := req.get("DBSnapshotIdentifier"):
        backups.begin(ctx, db, new_snapshot_id(ctx, "DBSnapshotIdentifier", name), "manual", {})
    return _moved(ctx, db, "stopping")


@op("StartDBInstance")
def start_db_instance(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Start a stopped instance."""
    db = by_name(ctx, req["DBInstanceIdentifier"])
    _refuse_shared(db)
    members.refuse_alone(db, "started", "StartDBCluster")
    if db.state == encryption.RECOVERABLE:
        encryption.need_open(ctx, db)
    elif db.state != "stopped":
        raise errors.state(f"Instance {db.id} is not in stopped or failed state, therefore cannot be started.")
    return _moved(ctx, db, "starting")


@op("RebootDBInstance")
def reboot_db_instance(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Restart an instance; with it come the parameters that wait for that."""
    db = _available(by_name(ctx, req["DBInstanceIdentifier"]))
    if not members.shares(db):
        members.refuse_alone(db, "rebooted", "RebootDBCluster")
    if not req.get("ForceFailover"):
        return _moved(ctx, db, "rebooting")
    if not db.multi_az:
        raise errors.combination("Cannot perform force-failover on a Non-Multi-AZ db instance.")
    standby = pairs.of(ctx, db)
    if standby is None or standby.state != "synced":
        raise errors.state(f"Instance {db.id} cannot fail over: its standby is not in sync.")
    return _moved(ctx, replace(db, forced=True), "rebooting")


def _refuse_shared(db: DbInstance) -> None:
    """Members of such clusters stop and start together."""
    if members.shares(db):
        raise errors.combination("Aurora DB Instances are not eligible for stopping and starting.")


def _available(db: DbInstance) -> DbInstance:
    if db.state != "available":
        raise errors.state(f"Instance {db.id} is not in available state.")
    return db


def _moved(ctx: Ctx, db: DbInstance, state: str) -> dict[str, Any]:
    return {"DBInstance": show_instance(ctx, ctx.db[DbInstance].put(replace(db, state=state)))}
