"""The life of a standby, and how it takes over.

https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/Concepts.MultiAZSingleStandby.html
"""

from __future__ import annotations

from collections.abc import Callable

import msgspec
from msgspec.structs import replace

from cloudjar.base.caller import service as service_caller
from cloudjar.base.errors import AwsError, PlaneError
from cloudjar.kit import interfaces
from cloudjar.kit.context import Ctx, World
from cloudjar.kit.events import hears
from cloudjar.kit.faults import CHANGED, SOURCE
from cloudjar.kit.machine import Step, on_boot, reconciler
from cloudjar.planes.compute.port import ComputePort
from cloudjar.planes.database.port import Engine
from cloudjar.planes.database.replication import Peers
from cloudjar.services.rds import archiving, encryption, following, pairs, replicas, running, telling
from cloudjar.services.rds.clusters import takeover
from cloudjar.services.rds.pairs import STANDBY, Standby
from cloudjar.services.rds.proxies import noticing
from cloudjar.services.rds.records import DB, Change, DbInstance

_CHANGE = "configuration change"
LOOK = "look"
"""The purpose of the wake-ups that come each minute."""

FAILS_OVER = ("available", "backing-up", "rebooting")
"""States of an instance in which its standby may take over."""
_SERVING = ("available", "backing-up", "modifying", "rebooting")
"""States of an instance in which its engine runs, or comes back at once."""


@reconciler(Standby)
def converge(step: Step, standby: Standby | None) -> None:
    """One look at the machine that stands by; taking over is the instance's own business (`take_over`)."""
    if standby is None:
        return
    db = _instance(step, standby)
    if db is None or standby.state == "leaving":
        _leave(step, db, standby)
        return
    with pairs.alone(db):
        now, there = step.db[Standby].get(step.key), _instance(step, standby)
        if now is None or there is None or now.state in ("waiting", "promoting", "leaving"):
            return
        if _belongs_down(step, there, now):
            return
        _serve(step, there, now)


def _instance(step: Step, standby: Standby) -> DbInstance | None:
    found = step.db[DbInstance].get(standby.id)
    return found if found is not None and found.resource_id == standby.resource_id else None


def _belongs_down(step: Step, db: DbInstance, standby: Standby) -> bool:
    """Whether the standby can do nothing now; its machine is down then."""
    host: ComputePort = step.port("compute")
    if step.world.faults.is_dark(standby.zone, standby.account):
        host.stop(standby.machine, force=True)
        if db.state in _SERVING and not step.world.faults.is_dark(db.zone, db.account):
            _go_on_alone(step, db, standby)
        return True
    if db.state in ("stopped", encryption.RECOVERABLE, encryption.LOST):
        host.stop(standby.machine)
        return True
    if db.state in ("stopping", "deleting"):
        return True
    return db.state == "starting" or step.world.faults.is_dark(db.zone, db.account)


def _serve(step: Step, db: DbInstance, standby: Standby) -> None:
    """Bring the standby to be synced, and see that it still is."""
    host: ComputePort = step.port("compute")
    if standby.state == "synced":
        whole = standby.shape == pairs.shape(db) and standby.running == db.running
        if whole and host.look(standby.machine) == "up" and _attached(step, db, standby):
            return
        standby = _go_on_alone(step, db, standby)
    if standby.state == "building":
        standby = _build(step, db, standby)
    if standby.state == "joining":
        _join(step, db, standby)


def _attached(step: Step, db: DbInstance, standby: Standby) -> bool:
    """Whether the engine's log goes to the standby; asked each minute, and not of an engine that is not up."""
    host: ComputePort = step.port("compute")
    if step.wake.purpose != LOOK or db.state != "available" or host.look(db.machine) != "up":
        return True
    return following.port(step.world).near(running.engine(step, db, db.running), standby.machine, patient=False)


def _move(step: Step, standby: Standby, decide: Callable[[Standby], Standby]) -> Standby:
    """Change the record if it is still as it was thought to be. Raises `PlaneError` to have it looked at again."""
    with step.world.state.database.transaction():
        now = step.db[Standby].get(step.key)
        if now is None or (now.state, now.machine) != (standby.state, standby.machine):
            raise PlaneError(f"the standby of {standby.id} moved on")
        return step.db[Standby].put(decide(now))


def _go_on_alone(step: Step, db: DbInstance, standby: Standby) -> Standby:
    """The record says that the standby has not everything; only then the engine waits for it no more."""
    if standby.state == "building":
        return standby
    standby = _move(step, standby, lambda now: replace(now, state="building"))
    host: ComputePort = step.port("compute")
    if host.look(db.machine) == "up":
        running.apply(step, db, db.running)
    return standby


def _build(step: Step, db: DbInstance, standby: Standby) -> Standby:
    """Machine, link and data; what is there already is gone on with."""
    host: ComputePort = step.port("compute")
    if host.look(db.machine) != "up":
        raise PlaneError(f"{db.id} is not up: its standby waits")
    wanted = dict(db.running)
    mine = pairs.as_instance(db, standby)
    if standby.shape != pairs.shape(db):
        host.stop(standby.machine)
        host.grow_volume(standby.volume, db.storage)
    running.start(step, mine)
    port = following.port(step.world)
    port.join(following.place(step, standby.machine), following.place(step, db.machine))
    running.apply(step, db, wanted)
    port.follow(_follower(step, db, mine, wanted), afresh=standby.afresh)
    if not port.near(running.engine(step, db, wanted), standby.machine):
        _move(step, standby, lambda now: replace(now, afresh=True))
        raise PlaneError(f"the standby of {db.id} cannot go on with its data")
    return _move(
        step, standby,
        lambda now: replace(now, state="joining", shape=pairs.shape(db), running=wanted, afresh=False),
    )  # fmt: skip


def _follower(step: Step, db: DbInstance, mine: DbInstance, wanted: dict[str, str]) -> Engine:
    """The standby's engine: all that the instance's is, but that it follows and answers nobody."""
    engine = running.engine(step, mine, wanted)
    alone = msgspec.structs.replace(engine.peers, waits_for="", addresses=())
    return msgspec.structs.replace(engine, peers=alone, source=following.source(step, db, readable=False))


def _join(step: Step, db: DbInstance, standby: Standby) -> None:
    """From now on nothing is acknowledged without it; once it has all that was before, it can take over."""
    running.apply(step, db, db.running)
    try:
        following.port(step.world).synced(running.engine(step, db, db.running), standby.machine)
    except PlaneError:
        _go_on_alone(step, db, standby)
        raise
    if db.engine == "mariadb":
        # Its own log begins where its data were copied: what came before is taken while the other machine is there.
        archiving.collect(step, db)
    _move(step, standby, lambda now: replace(now, state="synced"))


def _leave(step: Step, db: DbInstance | None, standby: Standby) -> None:
    """Everything of it goes; the engine waits for it no more before that."""
    host: ComputePort = step.port("compute")
    if db is not None and host.look(db.machine) == "up":
        running.apply(step, db, db.running)
    remove(step, standby)


def remove(step: Step, standby: Standby) -> None:
    """Machine, volume, interface and record."""
    host: ComputePort = step.port("compute")
    host.remove(standby.machine)
    host.remove_volume(standby.volume)
    with step.world.state.database.transaction():
        now = step.db[Standby].get(standby.id)
        if now is not None and now.machine == standby.machine:
            interfaces.lender(step.ctx).take_back(step.ctx, now.interface_id)
            step.db[Standby].drop(now)


# -- being paired
def ready(step: Step, db: DbInstance) -> bool:
    """Whether an instance that is to have a standby has one; it is begun, or goes on being built, if not.

    One that cannot be built because its zone has no power keeps nobody waiting.
    """
    listen(step.world)
    with step.world.state.database.transaction():
        now, standby = step.db[DbInstance].get(db.id), pairs.of(step.ctx, db)
        if now is None:
            return False
        if standby is None:
            try:
                pairs.begin(step.ctx, now, "building")
            except AwsError as error:
                raise PlaneError(f"{db.id} gets no standby: {error}") from error
            telling.instance(
                step.ctx, db, "RDS-EVENT-0024", "Applying modification to convert to a Multi-AZ DB instance.", _CHANGE
            )
            return False
        if standby.state == "waiting":
            step.db[Standby].put(replace(standby, state="building"))
            return False
        return standby.state == "synced" or step.world.faults.is_dark(standby.zone, standby.account)


def modified(step: Step, db: DbInstance, change: Change) -> None:
    """A change was made; in its transaction."""
    standby = pairs.of(step.ctx, db)
    if change.multi_az is True:
        said = "Finished applying modification to convert to a Multi-AZ DB instance"
        telling.instance(step.ctx, db, "RDS-EVENT-0025", said, _CHANGE)
    elif change.multi_az is False:
        if standby is not None:
            step.db[Standby].put(replace(standby, state="leaving"))
        said = "Finished applying modification to convert to a standard (Single-AZ) DB instance"
        telling.instance(step.ctx, db, "RDS-EVENT-0029", said, _CHANGE)
    pairs.stir(step.ctx, db)


# -- taking over
def goes_on(step: Step, db: DbInstance) -> bool:
    """Whether the standby began to take over, of an instance that is to stay."""
    if db.cluster:
        return takeover.goes_on(step, db)
    standby = pairs.of(step.ctx, db)
    return standby is not None and standby.state == "promoting" and db.state != "deleting"


def take_over(step: Step, db: DbInstance, why: str = "") -> bool:
    """Have the standby be the instance, if it has every commit that was acknowledged. False: it is as it was.

    Repeated after a death at any point it goes on: the record says that it takes over before anything is done; the old
    machine is down before the new one takes a write; the record names the new one once it does.
    """
    if db.cluster:
        return takeover.take_over(step, db)
    if pairs.of(step.ctx, db) is None:
        return False
    with pairs.alone(db):
        standby = _chosen(step, db, why)
        if standby is None:
            return False
        noticing.pause(step, db)
        host: ComputePort = step.port("compute")
        host.stop(db.machine, force=True)
        if host.look(db.machine) == "up":
            raise PlaneError(f"{db.id} cannot fail over: its machine does not go down")
        heir = pairs.as_instance(db, standby)
        engine = msgspec.structs.replace(running.engine(step, heir, heir.running), peers=Peers())
        port = following.port(step.world)
        if host.look(standby.machine) != "up":
            running.start(step, heir)
            source = following.source(step, db, readable=False)
            port.resume(msgspec.structs.replace(engine, source=source))
        port.promote(engine)
        _swap(step, db, standby)
    return True


def _chosen(step: Step, db: DbInstance, why: str) -> Standby | None:
    """The standby that takes over; None when it must not."""
    with step.world.state.database.transaction():
        standby = pairs.of(step.ctx, db)
        if standby is None or standby.state not in ("synced", "promoting"):
            return None
        if step.world.faults.is_dark(standby.zone, standby.account):
            return None
        host: ComputePort = step.port("compute")
        if standby.state == "synced":
            if host.look(standby.machine) != "up":
                return None
            standby = step.db[Standby].put(replace(standby, state="promoting"))
            said = "Multi-AZ instance failover started." + (f" {why}" if why else "")
            telling.instance(step.ctx, db, "RDS-EVENT-0013", said, "failover")
        return standby


def _swap(step: Step, db: DbInstance, standby: Standby) -> None:
    with step.world.state.database.transaction():
        now, other = step.db[DbInstance].get(db.id), step.db[Standby].get(db.id)
        if now is None or other is None or (now.machine, other.state) != (db.machine, "promoting"):
            raise PlaneError(f"{db.id} changed while its standby took over")
        now, other = pairs.swapped(now, other)
        if now.state == "rebooting":
            now = replace(now, state="available", forced=False)
        step.db[DbInstance].put(now)
        step.db[Standby].put(other)
        replicas.stir(step.ctx, now)
        complete = "Multi-AZ failover to standby complete - DNS propagation may take a few minutes."
        telling.instance(step.ctx, now, "RDS-EVENT-0015", complete, "failover")
        telling.instance(step.ctx, now, "RDS-EVENT-0049", "Multi-AZ instance failover completed", "failover")


# -- who tells that something is the matter
@hears(SOURCE, CHANGED)
def power_changed(world: World, _: str, __: str, detail: dict[str, object]) -> None:
    """Standbys go with the power of their zone, and are built again with it."""
    if detail.get("zone"):
        for one in _all(world):
            world.state.wakes.wake(STANDBY, one.account, one.region, one.id)


def listen(world: World) -> None:
    """From the first one that follows another on, have a look each minute."""
    if "following listens" not in world.ports:
        world.ports["following listens"] = True
        world.at_minute.append(lambda: minute(world))


def minute(world: World) -> None:
    """Standbys are looked at, and replicas that nothing comes to."""
    ctx = Ctx(world, "", "", service_caller("cloudjar.internal", ""))
    with world.state.database.transaction():
        for standby in ctx.db.everywhere(Standby):
            if standby.state == "synced":
                place = (STANDBY, standby.account, standby.region, standby.id)
                world.state.wakes.wake(*place, purpose=LOOK)
        for db in ctx.db.everywhere(DbInstance):
            if db.source and replicas.silent(ctx.at(db.account, db.region), db):
                world.state.wakes.wake(DB, db.account, db.region, db.id, purpose=LOOK)


@on_boot("rds")
def at_start(world: World) -> None:
    """Look at every standby."""
    listen(world)
    for one in _all(world):
        world.state.wakes.wake(STANDBY, one.account, one.region, one.id, purpose="boot")


def went_down(world: World, machine: str) -> None:
    """The host says that a machine is down: have its standby looked at, if it is one."""
    for one in _all(world):
        if one.machine == machine:
            with world.state.database.transaction():
                world.state.wakes.wake(STANDBY, one.account, one.region, one.id, purpose="host")


def machines(world: World) -> set[str]:
    """Of all standbys."""
    return {one.machine for one in _all(world)}


def _all(world: World) -> list[Standby]:
    return list(Ctx(world, "", "", service_caller("cloudjar.internal", "")).db.everywhere(Standby))
