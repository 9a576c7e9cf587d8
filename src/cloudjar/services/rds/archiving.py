"""Logs of engines, kept beside the day's backups, so that an instance can be made as it was at any second.

Every five minutes what an engine wrote is taken out of its machine and laid on the host's shelf, sealed. An instant of
AWS time is one of the machine's for the engine (`Clock.machine_at`): AWS time may have been moved on meanwhile.
https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/USER_PIT.html
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from datetime import timedelta

from msgspec.structs import replace

from cloudjar.base.caller import service as service_caller
from cloudjar.base.errors import PlaneError
from cloudjar.kit.context import Ctx, World
from cloudjar.kit.machine import Step, on_boot, reconciler
from cloudjar.planes.database.archive import ArchivePort, archives, follows, is_segment
from cloudjar.services.rds import backups, binlogs, kept_logs, loads
from cloudjar.services.rds.backup_records import AutomatedBackup
from cloudjar.services.rds.records import DB, DbInstance, Recovery, Snapshot

ARCHIVE = "archive"
"""Purpose of wake-ups: take what the engine wrote."""
_EVERY = timedelta(minutes=5)


def shelf(world: World) -> ArchivePort:
    """Where logs are kept."""
    port: ArchivePort = world.ports.setdefault("database logs", archives(world.ports["compute"]))
    return port


def collect(step: Step, db: DbInstance) -> None:
    """Take what the engine wrote, and know until when it is."""
    kept = step.db[AutomatedBackup].get(db.resource_id)
    if kept is None or not db.retention or db.source:
        return
    if db.engine == "mariadb":
        binlogs.collect(step, db, kept, shelf(step.world))
        return
    port, until = shelf(step.world), step.world.clock.now()
    turned = port.turn(db.machine, db.port, kept.position)
    # What lies there may be more than was written down, if somebody was cut off here.
    last, is_whole = max([kept.last, *filter(is_segment, port.names(db.resource_id))]), True
    for name, data in port.fetch(db.machine, turned.names):
        port.put(db.resource_id, name, step.world.sealer.seal(data, _purpose(db.resource_id, name)))
        port.forget(db.machine, (name,))
        if is_segment(name) and name > last:
            is_whole = is_whole and (not last or follows(name, last))
            last = name
    with step.world.state.database.transaction():
        now = step.db[AutomatedBackup].get(db.resource_id)
        if now is None:
            return
        whole = now.whole if is_whole else step.world.clock.now()
        step.db[AutomatedBackup].put(replace(now, position=turned.position, last=last, until=until, whole=whole))
        instance = step.db[DbInstance].get(db.id)
        if instance is not None:
            backups.cover(step.ctx, instance)


def recover(step: Step, db: DbInstance) -> None:
    """Bring the machine that has just booted on a backup to the instant that is wanted of it."""
    wanted = db.recovery
    if wanted is None:
        return
    if db.engine == "mariadb":
        binlogs.recover(step, db, wanted, shelf(step.world))
        return
    machine_time = step.world.clock.machine_at(wanted.until)
    shelf(step.world).recover(db.machine, _log(step.world, wanted), wanted.last, machine_time)


def _log(world: World, wanted: Recovery) -> Iterator[tuple[str, bytes]]:
    """The files of a source's log between two segments, and what tells of its timelines."""
    port = shelf(world)
    for name in port.names(wanted.source):
        if is_segment(name) and not wanted.first <= name <= wanted.last:
            continue
        data = world.sealer.open(port.get(wanted.source, name), _purpose(wanted.source, name))
        if data is None:
            raise PlaneError(f"{name} of {wanted.source} is not what was sealed")
        yield name, data


def _purpose(owner: str, name: str) -> str:
    return f"rds log {owner}/{name}"


# -- what becomes of logs
def forget(ctx: Ctx, resource_id: str) -> None:
    """The log goes, and the backups with it."""
    for one in ctx.db[Snapshot].all(resource_id=resource_id):
        if one.kind == "automated":
            backups.forget(ctx, one)
    kept = ctx.db[AutomatedBackup].get(resource_id)
    if kept is not None:
        ctx.db[AutomatedBackup].drop(kept)


def kept_for(ctx: Ctx, db: DbInstance, before: int) -> None:
    """An instance keeps its backups for another number of days: the first one is made, or all go."""
    if not db.retention:
        forget(ctx, db.resource_id)
    elif not before:
        backups.begin_automated(ctx, db)


def instance_goes(ctx: Ctx, db: DbInstance) -> None:
    """Backups go with their instance, unless they are wanted for as long as they would have been kept."""
    kept = ctx.db[AutomatedBackup].get(db.resource_id)
    if kept is None or not db.keeps_backups or not db.retention:
        forget(ctx, db.resource_id)
        return
    ctx.db[AutomatedBackup].put(replace(kept, retained=replace(db, verifier=b"", secret=None)))


def last_words(step: Step, db: DbInstance) -> None:
    """Before its machine goes: what is still in it, if anybody wants it."""
    if db.keeps_backups and step.port("compute").look(db.machine) == "up":
        with contextlib.suppress(PlaneError):
            collect(step, db)


@reconciler(AutomatedBackup)
def tidy(step: Step, kept: AutomatedBackup | None) -> None:
    """No log is kept that no backup needs, and no backup of an instance that is gone for longer than it said."""
    port = shelf(step.world)
    if kept is None:
        port.drop(step.key)
        return
    found = [one for one in step.db[Snapshot].all(resource_id=kept.resource_id) if one.kind == "automated"]
    if kept.retained is not None:
        _expire(step, kept, kept.retained.retention, found)
    if found and all(one.log for one in found):
        needed = min(one.log for one in found)
        port.drop(kept.resource_id, [n for n in port.names(kept.resource_id) if is_segment(n) and n < needed])


def _expire(step: Step, kept: AutomatedBackup, days: int, found: list[Snapshot]) -> None:
    now = step.world.clock.now()
    with step.world.state.database.transaction():
        for one in found:
            if one.state == "available" and one.begun + timedelta(days=days) <= now:
                backups.forget(step.ctx, one)
        left = [one.begun for one in found if one.begun + timedelta(days=days) > now]
        if left:
            step.again("expire", min(left) + timedelta(days=days))
        elif step.db[AutomatedBackup].get(kept.resource_id) is not None:
            step.db[AutomatedBackup].drop(kept)


# -- when
def minute(world: World, at_least: timedelta = _EVERY) -> None:
    """Each minute of the machine's, and before AWS time is moved on: have logs taken that are so old."""
    ctx = Ctx(world, "", "", service_caller("cloudjar.internal", ""))
    now = world.clock.now()
    with world.state.database.transaction():
        for kept in ctx.db.everywhere(AutomatedBackup):
            there = ctx.at(kept.account, kept.region)
            db = kept_logs.instance_of(there, kept) if kept.retained is None else None
            if db is None or db.state != "available" or db.engine not in kept_logs.ENGINES:
                continue
            if kept.until is None or now - kept.until >= at_least:
                world.state.wakes.wake(DB, db.account, db.region, db.id, purpose=ARCHIVE)


@on_boot("rds")
def at_start(world: World) -> None:
    """Be told of minutes, and before AWS time is moved on."""
    listen(world)


def listen(world: World) -> None:
    """Likewise, from the first instance on."""
    if "database logs listen" not in world.ports:
        world.ports["database logs listen"] = True
        world.at_minute.append(lambda: minute(world))
        world.at_minute.append(lambda: loads.minute(world))
        world.at_move.append(lambda: minute(world, at_least=timedelta(0)))
