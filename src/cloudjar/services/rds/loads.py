"""What instances use and hold: looked at each minute, kept as stretches of time in which it was even.

Stretches are of AWS time; rates are of the machine's own, so that time which was jumped over was as the time around it.
"""

from __future__ import annotations

import contextlib
from datetime import datetime

import msgspec
from msgspec.structs import replace

from cloudjar.base.caller import service as service_caller
from cloudjar.base.errors import PlaneError
from cloudjar.kit.context import Ctx, World
from cloudjar.kit.db import State, watches
from cloudjar.kit.machine import Step, reconciler
from cloudjar.kit.own_tables import of_jar
from cloudjar.kit.record import Record, record
from cloudjar.planes.compute.port import ComputePort
from cloudjar.planes.compute.usage import DiskUse, Usage
from cloudjar.planes.database.figures import Figures, FiguresPort, figures
from cloudjar.services.rds import autoscaling, exporting
from cloudjar.services.rds.aurora import storage
from cloudjar.services.rds.records import DB, DbInstance
from cloudjar.spec import databases
from cloudjar.store.points import KEPT
from cloudjar.store.segments import Segment, Segments

TABLE = "rds/load"
UP = ("available", "backing-up", "modifying")
_SHORTEST = 1.0
"""Seconds of the host's below which two readings say nothing about a rate."""


class Rates(msgspec.Struct, frozen=True, array_like=True):
    """What an instance does per second: CPUs, bytes, operations; milliseconds that these took, and waited."""

    cpus: float = 0.0
    received: float = 0.0
    sent: float = 0.0
    reads: float = 0.0
    writes: float = 0.0
    read_bytes: float = 0.0
    written_bytes: float = 0.0
    read_ms: float = 0.0
    write_ms: float = 0.0
    queued_ms: float = 0.0
    deadlocks: float = 0.0


class Stretch(msgspec.Struct, frozen=True, array_like=True):
    """What a segment says."""

    rates: Rates
    figures: Figures | None


class Facts(msgspec.Struct, frozen=True, kw_only=True):
    """What an instance is, for the dimensions of its metrics and for what is a share of something."""

    id: str
    kind: str
    engine: str
    vcpus: float
    memory: float
    """Bytes."""


@record("rds", "load", key="id", index=("open",))
class Load(Record, frozen=True, kw_only=True):
    """The present stretch of an instance (by its resource id), since it was last looked at."""

    id: str
    open: bool
    since: datetime
    facts: Facts
    usage: Usage
    disk: DiskUse | None = None
    figures: Figures | None = None
    rates: Rates = Rates()


def segments(world: World) -> Segments:
    """Where the stretches that are over are kept."""
    return of_jar(world, "database loads", lambda: Segments(world.state.database, "rds/db"))


def asked(world: World) -> FiguresPort:
    """Who asks engines."""
    port: FiguresPort = world.ports.setdefault("database figures", figures(world.ports["compute"]))
    return port


def minute(world: World) -> None:
    """It is worth looking."""
    ctx = Ctx(world, "", "", service_caller("cloudjar.internal", ""))
    with world.state.database.transaction():
        for db in ctx.db.everywhere(DbInstance):
            wake(world.state, db)


def wake(state: State, db: DbInstance) -> None:
    """Have an instance looked at, in the running transaction."""
    state.wakes.wake(TABLE, db.account, db.region, db.resource_id, purpose="sample")


@watches(DB)
def written(state: State, item: Record) -> None:
    """An instance that comes up or went down is looked at."""
    if isinstance(item, DbInstance) and item.state in ("available", "stopped", "deleting"):
        wake(state, item)


@reconciler(Load)
def look(step: Step, load: Load | None) -> None:
    """One look."""
    if not step.wake.purpose:
        return  # it was only written down
    db = next((one for one in step.db[DbInstance].all() if one.resource_id == step.key), None)
    host: ComputePort = step.port("compute")
    usage = host.usage(db.machine) if db is not None and db.state in UP else None
    if db is None or usage is None:
        _close(step, load, gone=db is None)
        return
    disk = host.disk_use(db.machine).get(db.volume)
    seen: Figures | None = None
    with contextlib.suppress(PlaneError):
        seen = asked(step.world).read(db.machine, databases.kind(db.engine), db.port)
    now = step.world.clock.now()
    fresh = Load(id=db.resource_id, open=True, since=now, facts=_facts(db), usage=usage, disk=disk, figures=seen)
    exporting.ship(step, db)
    with step.world.state.database.transaction():
        if load is None:
            step.db[Load].add(fresh)
            _consider(step, db, seen)
            return
        if load.open:
            fresh = replace(fresh, rates=rates(load, usage, disk, seen))
            if 0 <= usage.at - load.usage.at < _SHORTEST:
                fresh = replace(fresh, usage=load.usage, disk=load.disk)
            _store(step, load, Stretch(fresh.rates, seen or load.figures), now)
            storage.carried(step.ctx, db, load.disk, fresh.disk)
        step.db[Load].put(replace(fresh, account=load.account, region=load.region))
        _consider(step, db, seen)


def _consider(step: Step, db: DbInstance, seen: Figures | None) -> None:
    """Whether its storage is to grow, as it is written down now."""
    now = step.db[DbInstance].get(db.id)
    if now is not None and now.resource_id == db.resource_id and seen is not None:
        autoscaling.consider(step.ctx, now, seen.free)
        storage.looked(step.ctx, now, seen.free)


def rates(load: Load, usage: Usage, disk: DiskUse | None, seen: Figures | None) -> Rates:
    """What was done per second of the host's since the last look; as before when that was just now."""
    passed = usage.at - load.usage.at
    if 0 <= passed < _SHORTEST:
        return load.rates
    if passed < 0:
        return Rates()  # the host was started anew
    before, old = load.usage, load.disk
    if disk is None or old is None or disk.born != old.born:
        old, disk = DiskUse(born="", at=0.0), DiskUse(born="", at=0.0)
    deadlocks = (seen.deadlocks if seen else None) or 0.0
    earlier = (load.figures.deadlocks if load.figures else None) or 0.0
    pairs = (
        (before.cpu_seconds, usage.cpu_seconds),
        (before.received_bytes, usage.received_bytes),
        (before.sent_bytes, usage.sent_bytes),
        *((getattr(old, name), getattr(disk, name)) for name in _DISK),
        (earlier, deadlocks),
    )
    return Rates(*(float(f"{_grown(then, now) / passed:.9g}") for then, now in pairs))


_DISK = ("read_ops", "write_ops", "read_bytes", "written_bytes", "read_ms", "write_ms", "queued_ms")


def _grown(before: float, now: float) -> float:
    return now - before if now >= before else now


def _facts(db: DbInstance) -> Facts:
    size = databases.size(db.instance_class)
    return Facts(
        id=db.id, kind=db.instance_class, engine=db.engine, vcpus=size.vcpus, memory=float(size.memory_mib << 20)
    )


def _store(step: Step, load: Load, stretch: Stretch, now: datetime) -> None:
    """In the running transaction."""
    since, until = load.since.timestamp(), now.timestamp()
    if until <= since:
        return
    segment = Segment(since, until, msgspec.msgpack.encode(stretch))
    facts = msgspec.msgpack.encode(load.facts)
    segments(step.world).add(load.account, load.region, load.id, segment, facts, kept=KEPT[3600])


def _close(step: Step, load: Load | None, *, gone: bool) -> None:
    """It is down, or gone: what was until now was as at the last look."""
    if load is None:
        return
    with step.world.state.database.transaction():
        now = step.db[Load].get(load.id)
        if now is not None and now.open:
            _store(step, now, Stretch(now.rates, now.figures), step.world.clock.now())
            now = step.db[Load].put(replace(now, open=False))
        if now is not None and gone:
            step.db[Load].drop(now)
            exporting.forget(step, load.id)
            autoscaling.forget(step.ctx, load.id)
