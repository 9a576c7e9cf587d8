"""The life of a DB instance, and the hand that the host has in it.

https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/accessing-monitoring.html
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from msgspec.structs import replace

from cloudjar.base.caller import service as service_caller
from cloudjar.base.errors import PlaneError
from cloudjar.kit.context import Ctx, World
from cloudjar.kit.events import hears
from cloudjar.kit.faults import CHANGED, SOURCE
from cloudjar.kit.machine import Step, on_boot, reconciler
from cloudjar.planes.compute.port import ComputePort
from cloudjar.services.rds import (
    archiving,
    autoscaling,
    backups,
    certificates,
    encryption,
    failover,
    groups,
    locking,
    pairs,
    places,
    renaming,
    replicas,
    rules,
    running,
    telling,
    tokens,
    upgrading,
)
from cloudjar.services.rds.aurora import life as aurora
from cloudjar.services.rds.aurora import storage
from cloudjar.services.rds.blue_green import environments
from cloudjar.services.rds.clusters import members
from cloudjar.services.rds.proxies import life as proxies
from cloudjar.services.rds.proxies import noticing
from cloudjar.services.rds.records import DB, Change, DbInstance, Snapshot
from cloudjar.services.rds.views import at_once

BACKUP, MAINTENANCE, RESTART = "backup", "maintenance", "restart"
"""Purposes of alarms: the day's backup, the week's maintenance, the end of a stopped instance's rest."""
MACHINES = "db-"
"""How the names of all database machines begin."""
_UP = ("creating", "backing-up", "available", "modifying", "rebooting", "starting")


@reconciler(DbInstance)
def converge(step: Step, db: DbInstance | None) -> None:
    """One look: bring machine and engine to the state that the record is in, then move the record on."""
    if db is None:
        return
    host: ComputePort = step.port("compute")
    if db.state in _UP and step.world.faults.is_dark(db.zone, db.account):
        host.stop(db.machine, force=True)  # it boots when the power is back: `power_changed`
        if db.state in failover.FAILS_OVER or failover.goes_on(step, db):
            failover.take_over(step, db)
        return
    if failover.goes_on(step, db):
        failover.take_over(step, db)  # before that is done nobody knows which machine the instance is
        return
    if locking.shut(step, db, host):
        return
    tokens.serve(step, db)
    noticing.notice(step, db)
    environments.notice(step, db)
    match db.state:
        case "creating":
            _create(step, db)
        case "available":
            _keep(step, db, host)
        case "modifying":
            _modify(step, db, host)
        case "rebooting":
            if db.forced and failover.take_over(step, db):
                return
            host.stop(db.machine)
            _boot(step, db)
            _arrive(step, db, "RDS-EVENT-0006", "DB instance restarted", "availability")
        case "starting":
            _boot(step, db)
            _arrive(step, db, "RDS-EVENT-0088", "DB instance started", "notification")
        case "stopping":
            host.stop(db.machine)
            _rest(step, db)
        case "stopped":
            _stay_down(step, db, host)
        case encryption.RECOVERABLE | encryption.LOST:
            locking.wait(step, db, host)
        case "deleting":
            _delete(step, db, host)


def _boot(step: Step, db: DbInstance) -> None:
    """Machine and engine, with everything that the parameter group says."""
    wanted = running.group_values(step, db)
    running.start(step, db)
    archiving.recover(step, db)
    running.apply(step, db, wanted)
    tokens.serve(step, db)

    def note(now: DbInstance) -> DbInstance | None:
        verifier = b"" if now.verifier == db.verifier else now.verifier
        return replace(now, running=wanted, verifier=verifier, recovery=None)

    step.change(DbInstance, note)


def _to(step: Step, expect: str, decide: Callable[[DbInstance], DbInstance]) -> DbInstance | None:
    """Change the record if it is still in the state `expect`; None when it moved on meanwhile."""
    with step.world.state.database.transaction():
        now = step.db[DbInstance].get(step.key)
        if now is None or now.state != expect:
            return None
        return step.db[DbInstance].put(decide(now))


def _arrive(step: Step, db: DbInstance, event_id: str, message: str, category: str) -> None:
    """What was asked for is done: the instance is available."""
    with step.world.state.database.transaction():
        if _to(step, db.state, lambda now: replace(now, state="available", stopped=None, forced=False)) is not None:
            pairs.stir(step.ctx, db)
            telling.instance(step.ctx, db, event_id, message, category)
            schedule(step, db)


def _create(step: Step, db: DbInstance) -> None:
    archiving.listen(step.world)
    failover.listen(step.world)
    if aurora.early(step.ctx, db):
        return  # whose cluster wakes it
    if members.behind(step.ctx, db):
        running.start(step, db)
        return  # whose writer wakes it
    _boot(step, db)
    if db.multi_az and not failover.ready(step, db):
        return  # whose record wakes this one
    version = running.version(step.world, db)
    with step.world.state.database.transaction():
        now = _to(step, "creating", lambda now: replace(now, state="available", answering=True, version=version))
        if now is None:
            return
        telling.instance(step.ctx, now, *_made(db))
        schedule(step, now)
        replicas.stir(step.ctx, now)
        if now.retention:
            backups.begin_automated(step.ctx, now)


def _made(db: DbInstance) -> tuple[str, str, str]:
    """(event, message, category) of a new instance."""
    if db.recovery is not None:
        return "RDS-EVENT-0019", f"Restored from DB instance {db.recovery.source} to {db.id}", "restoration"
    if db.source_snapshot:
        return "RDS-EVENT-0043", f"Restored from snapshot {db.source_snapshot}", "restoration"
    return "RDS-EVENT-0005", "DB instance created", "creation"


def schedule(step: Step, db: DbInstance) -> None:
    """Alarms for the next window of each kind."""
    step.again(BACKUP, rules.next_backup(db.backup_window, step.world.clock.now()))
    step.again(MAINTENANCE, rules.next_maintenance(db.maintenance_window, step.world.clock.now()))


def _keep(step: Step, db: DbInstance, host: ComputePort) -> None:
    """An instance that is available stays so, and takes what its parameter group says if it can be taken now."""
    if step.wake.purpose == storage.GROW:
        host.grow_volume(db.volume, db.storage)
    if host.look(db.machine) != "up":
        if failover.take_over(step, db):
            return
        _boot(step, db)
        with step.world.state.database.transaction():
            telling.instance(step.ctx, db, "RDS-EVENT-0006", "DB instance restarted", "availability")
    elif replicas.moved(step.ctx, db) or certificates.due(step, db):
        running.apply(step, db, db.running)
    else:
        _take_parameters(step, db)
    if step.wake.purpose == archiving.ARCHIVE:
        archiving.collect(step, db)
    if step.wake.purpose in (BACKUP, MAINTENANCE):
        _on_time(step, db)


def _take_parameters(step: Step, db: DbInstance) -> None:
    wanted = at_once(step.ctx, db, groups.settings_of(step.ctx, db))
    if wanted != db.running:
        running.apply(step, db, wanted)
        step.change(DbInstance, lambda now: replace(now, running=wanted))
        with step.world.state.database.transaction():
            pairs.stir(step.ctx, db)


def _on_time(step: Step, db: DbInstance) -> None:
    """A window opened: the day's backup, or what waited for maintenance."""
    with step.world.state.database.transaction():
        now = step.db[DbInstance].get(db.id)
        if now is None or now.state != "available":
            return
        schedule(step, now)
        if step.wake.purpose == BACKUP:
            if now.pending.retention is not None:
                change, rest = Change(retention=now.pending.retention), replace(now.pending, retention=None)
                now = step.db[DbInstance].put(replace(now, state="modifying", change=change, pending=rest))
            elif now.retention:
                backups.begin_automated(step.ctx, now)
        elif not (change := upgrading.in_maintenance(step.ctx, now)).empty:
            step.db[DbInstance].put(replace(now, state="modifying", change=change, pending=Change()))


_DONE: tuple[tuple[str, str, str], ...] = (
    ("instance_class", "RDS-EVENT-0014", "Finished applying modification to DB instance class"),
    ("storage", "RDS-EVENT-0017", "Finished applying modification to allocated storage"),
    ("verifier", "RDS-EVENT-0016", "Reset master credentials"),
    ("version", "RDS-EVENT-0047", "Database instance patched"),
)


def _modify(step: Step, db: DbInstance, host: ComputePort) -> None:
    """Bring machine and engine to be otherwise; only a new class or port needs them to stop for it."""
    change, after = db.change, changed(db)
    if change.multi_az and not failover.ready(step, db):
        return  # whose record wakes this one
    if change.source is not None:
        running.promote(step, db)
    if change.storage is not None:
        host.grow_volume(db.volume, change.storage)
    if change.version is not None:
        if not upgrading.perform(step, db, after):
            return
        wanted = running.group_values(step, after)
    elif change.instance_class is not None or change.port is not None:
        host.stop(db.machine)
        wanted = running.group_values(step, db)
        running.start(step, after)
    else:
        wanted = dict(db.running)
        if host.look(db.machine) != "up":
            running.start(step, db)  # it was lost meanwhile
    running.apply(step, after, wanted)

    def finish(now: DbInstance) -> DbInstance:
        return replace(changed(now), state="available", change=Change(), running=wanted, verifier=b"")

    with step.world.state.database.transaction():
        now = _to(step, "modifying", finish)
        if now is None:
            return
        failover.modified(step, now, change)
        upgrading.finished(step.ctx, now, change)
        if change.retention is not None:
            archiving.kept_for(step.ctx, now, db.retention)
        scaled = change.storage is not None and autoscaling.finished(step.ctx, now)
        for field, event_id, message in _DONE:
            if getattr(change, field) is not None and not (scaled and field == "storage"):
                telling.instance(step.ctx, db, event_id, message, "configuration change")
        if change.renamed is not None:
            renaming.perform(step.ctx, now, change.renamed)


def changed(db: DbInstance) -> DbInstance:
    """The instance as its change will have made it."""
    change = db.change
    fields: dict[str, Any] = {
        name: getattr(change, name)
        for name in change.__struct_fields__
        if name != "renamed" and getattr(change, name) is not None
    }
    return replace(db, **fields)


def _rest(step: Step, db: DbInstance) -> None:
    now = step.world.clock.now()
    with step.world.state.database.transaction():
        if _to(step, "stopping", lambda item: replace(item, state="stopped", stopped=now)) is not None:
            pairs.stir(step.ctx, db)
            telling.instance(step.ctx, db, "RDS-EVENT-0087", "DB instance stopped", "notification")
            step.again(RESTART, now + rules.RESTS)


def _stay_down(step: Step, db: DbInstance, host: ComputePort) -> None:
    """Down, but for no more than seven days."""
    if host.look(db.machine) == "up":
        host.stop(db.machine)
    if db.cluster or db.stopped is None or step.world.clock.now() < db.stopped + rules.RESTS:
        return
    with step.world.state.database.transaction():
        if _to(step, "stopped", lambda item: replace(item, state="starting")) is not None:
            why = "DB instance is being started due to it exceeding the maximum allowed time being stopped."
            telling.instance(step.ctx, db, "RDS-EVENT-0154", why, "notification")


def _delete(step: Step, db: DbInstance, host: ComputePort) -> None:
    """Once its last snapshot is taken, everything of it goes."""
    if any(s.state == "creating" for s in step.db[Snapshot].all(resource_id=db.resource_id)):
        return  # whose reconciler wakes this one
    kept = aurora.leaves(step, db)
    archiving.last_words(step, db)
    if (standby := pairs.of(step.ctx, db)) is not None:
        failover.remove(step, standby)
    host.remove(db.machine)
    if not kept:
        host.remove_volume(db.volume)
    with step.world.state.database.transaction():
        now = step.db[DbInstance].get(db.id)
        if now is None or now.state != "deleting":
            return
        places.unplug(step.ctx, now)
        aurora.left(step.ctx, now, kept=kept)
        replicas.orphan(step.ctx, now)
        archiving.instance_goes(step.ctx, now)
        encryption.release(step.ctx, now)
        certificates.forget(step.ctx, now)
        environments.stir(step.ctx, now)
        step.db[DbInstance].drop(now)
        telling.instance(step.ctx, now, "RDS-EVENT-0003", "DB instance deleted", "deletion")


@hears(SOURCE, CHANGED)
def power_changed(world: World, _: str, __: str, detail: dict[str, Any]) -> None:
    """Instances go with the power of their zone, and come back with it."""
    if detail.get("zone"):
        for db in _all(world):
            world.state.wakes.wake(DB, db.account, db.region, db.id)


@on_boot("rds")
def at_start(world: World) -> None:
    """Wake what may not be at rest, and remove machines that belong to nobody."""
    known = failover.machines(world) | proxies.machines(world)
    for db in _all(world):
        known.add(db.machine)
        world.state.wakes.wake(DB, db.account, db.region, db.id, purpose="boot")
    host: ComputePort = world.ports["compute"]
    try:
        strangers = {machine for machine in host.machines() if machine.startswith(MACHINES)} - known
    except PlaneError:
        return
    for machine in strangers:
        host.remove(machine)


def went_down(world: World, machine: str) -> None:
    """The host says that a database's machine is down: have its record looked at."""
    failover.went_down(world, machine)
    proxies.went_down(world, machine)
    for db in _all(world):
        if db.machine == machine:
            with world.state.database.transaction():
                world.state.wakes.wake(DB, db.account, db.region, db.id, purpose="host")
                members.stir(Ctx(world, "", "", service_caller("cloudjar.internal", "")), db, "host")


def _all(world: World) -> list[DbInstance]:
    return list(Ctx(world, "", "", service_caller("cloudjar.internal", "")).db.everywhere(DbInstance))
