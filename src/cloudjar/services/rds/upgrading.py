"""Upgrades of engines: which a request may want, what is done about it, and what happens by itself.

A minor version is another image under the same data. A major one goes in two halves, in nobody's sight: the old engine
leaves what it has, the new one takes it over; if either cannot, the instance is again what it was.
https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/USER_UpgradeDBInstance.PostgreSQL.MajorVersion.Process.html
"""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from cloudjar.kit.context import Ctx
from cloudjar.kit.machine import Step
from cloudjar.planes.compute.port import ComputePort
from cloudjar.services.rds import archiving, backups, errors, groups, pairs, rules, running, telling, tokens, versions
from cloudjar.services.rds.backup_records import AutomatedBackup
from cloudjar.services.rds.records import Change, DbInstance, Snapshot
from cloudjar.spec import databases


def wanted(ctx: Ctx, req: dict[str, Any], db: DbInstance) -> dict[str, Any]:
    """What of a change a request's engine version comes to. Raises what AWS raises when it may not be."""
    asked = req.get("EngineVersion")
    if not asked or asked in (db.version, db.major):
        return {}
    if req.get("Engine") not in (None, db.engine):
        raise errors.combination(f"Cannot change the engine of {db.id} from {db.engine} to {req['Engine']}.")
    chosen = versions.chosen(ctx.world, db.engine, asked)
    if chosen.whole not in {one.whole for one in versions.targets(ctx.world, db.engine, db.version)}:
        raise errors.combination(f"Cannot upgrade {db.engine} from {db.version} to {chosen.whole}")
    if db.iam or req.get(tokens.MEMBER):
        tokens.refuse_ignorant(db.engine, chosen.whole)
    found: dict[str, Any] = {"version": chosen.whole}
    if chosen.line.major != db.major:
        if not req.get("AllowMajorVersionUpgrade"):
            raise errors.combination(
                "The AllowMajorVersionUpgrade flag must be present when upgrading to a new major version."
            )
        if db.multi_az or req.get("MultiAZ") or db.source or pairs.replicas(ctx, db):
            raise errors.not_built("A major upgrade of an instance that others follow, or that follows another,")
        found["major"] = chosen.line.major
        found["parameter_group"] = groups.for_upgrade(ctx, req.get("DBParameterGroupName"), db, chosen.line)
    return found


def in_maintenance(ctx: Ctx, db: DbInstance) -> Change:
    """What is done when the window opens: what waits, and the newest minor version where that comes by itself."""
    if db.pending.version is not None or not db.minor_upgrades or db.cluster:
        return db.pending
    found = [one.whole for one in versions.targets(ctx.world, db.engine, db.version) if one.auto and not one.major]
    found = [whole for whole in found if not db.iam or tokens.understood(db.engine, whole)]
    return replace(db.pending, version=found[-1]) if found else db.pending


def perform(step: Step, db: DbInstance, after: DbInstance) -> bool:
    """One look: machine and data as the later version has them. True when the engine may be told what to be; False
    while that is to come, or when it was given up."""
    host: ComputePort = step.port("compute")
    engines = running.engines(step.world)
    engines.prepare(after.engine, databases.release(after.engine, after.version))  # before anybody has to wait for it
    host.stop(db.machine)
    if after.major == db.major:
        running.start(step, after)
        return True
    if not _kept(step, db, after):
        return False
    running.start(step, db)
    why = engines.leave(db.machine, db.engine)
    host.stop(db.machine)
    if not why:
        running.start(step, after)
        why = engines.arrive(db.machine, db.engine)
    if not why:
        begin_log(step, db)
        return True
    host.stop(db.machine)
    _give_up(step, db, after, why)
    return False


def _kept(step: Step, db: DbInstance, after: DbInstance) -> bool:
    """Whether there is a snapshot of before the upgrade, where the instance is backed up at all."""
    if not db.retention:
        return True
    stem = f"preupgrade-{db.id}-{db.version}-to-{after.version}-".replace(".", "-")
    with step.world.state.database.transaction():
        taken = [s for s in step.db[Snapshot].all(resource_id=db.resource_id) if s.id.startswith(stem)]
        if not taken:
            now = step.world.clock.now()
            name = rules.identifier("DBSnapshotIdentifier", f"{stem}{now:%Y-%m-%d-%H-%M}", 255)
            backups.begin(step.ctx, db, name, "manual", {})
            return False
    return all(s.state != "creating" for s in taken)  # its reconciler wakes this one


def begin_log(step: Step, db: DbInstance) -> None:
    """The new engine's data have a log of their own: of the old one's nothing can be made any more."""
    archiving.shelf(step.world).drop(db.resource_id)
    with step.world.state.database.transaction():
        kept = step.db[AutomatedBackup].get(db.resource_id)
        if kept is None:
            return
        now = step.world.clock.now()
        step.db[AutomatedBackup].put(replace(kept, position="", last="", until=None, whole=now))
        for one in step.db[Snapshot].all(resource_id=db.resource_id):
            if one.log:
                step.db[Snapshot].put(replace(one, log="", logged=None))


def finished(ctx: Ctx, db: DbInstance, change: Change) -> None:
    """An instance is of a later major: what it can be restored to begins with a backup of now."""
    if change.major is not None and db.retention:
        backups.begin_automated(ctx, db)


def _give_up(step: Step, db: DbInstance, after: DbInstance, why: str) -> None:
    """The instance is what it was, and says why."""
    running.start(step, db)
    running.apply(step, db, dict(db.running))
    with step.world.state.database.transaction():
        now = step.db[DbInstance].get(db.id)
        if now is None or now.state != "modifying":
            return
        step.db[DbInstance].put(replace(now, state="available", change=Change()))
        message = f"Database instance could not be upgraded from {db.version} to {after.version}: {why}"
        telling.instance(step.ctx, now, "RDS-EVENT-0270", message, "maintenance")
