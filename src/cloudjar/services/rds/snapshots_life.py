"""The life of a snapshot: the plane takes it, keeps it, and removes it."""

from __future__ import annotations

from cloudjar.base.caller import service as service_caller
from cloudjar.kit.context import Ctx, World
from cloudjar.kit.machine import Step, on_boot, reconciler
from cloudjar.planes.compute.port import ComputePort
from cloudjar.services.rds import backups, telling
from cloudjar.services.rds.records import Snapshot


@reconciler(Snapshot)
def converge(step: Step, snapshot: Snapshot | None) -> None:
    """Take it, or remove it."""
    if snapshot is None or snapshot.state == "available":
        return
    host: ComputePort = step.port("compute")
    if snapshot.state == "creating" and snapshot.copy_of:
        host.copy_snapshot(snapshot.key, snapshot.copy_of)
    elif snapshot.state == "creating":
        host.take_snapshot(snapshot.key, snapshot.volume)
    else:
        host.remove_snapshot(snapshot.key)
    with step.world.state.database.transaction():
        now = step.db[Snapshot].get(snapshot.id)
        if now is None or now.state != snapshot.state:
            return
        if now.state == "creating" and now.copy_of:
            backups.copied(step.ctx, now)
        elif now.state == "creating":
            backups.finish(step.ctx, now)
        else:
            step.db[Snapshot].drop(now)
            telling.snapshot(step.ctx, now, "RDS-EVENT-0041", "User snapshot deleted", "deletion")


@on_boot("rds")
def at_start(world: World) -> None:
    """Wake what the last run left unfinished."""
    for one in Ctx(world, "", "", service_caller("cloudjar.internal", "")).db.everywhere(Snapshot):
        if one.state != "available":
            world.state.wakes.wake("rds/snapshot", one.account, one.region, one.id, purpose="boot")
