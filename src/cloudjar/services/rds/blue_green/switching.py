"""A switchover: the blue engine is closed, the green one gets everything that is in it, takes over, and the two
environments change names.

The record says what is being done before it is done, so that after a death it is gone on with; and what an engine is
told follows from the record (`environments.bars`), whoever tells it. Nothing that was acknowledged is lost: the blue
engine was closed and everybody put out of it before it was asked how far its log goes, and the green one takes over
only when it has all of that. Until then the switchover can be given up, and the blue engine is opened again.
https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/blue-green-deployments-switching.html
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from msgspec.structs import replace

from cloudjar.base.errors import PlaneError
from cloudjar.kit.context import Ctx, World
from cloudjar.kit.machine import Step
from cloudjar.kit.record import arn_of
from cloudjar.planes.compute.port import ComputePort
from cloudjar.planes.database.fencing import FencingPort, fences
from cloudjar.services.rds import backups, errors, following, life, renaming, running, upgrading
from cloudjar.services.rds.blue_green import environments
from cloudjar.services.rds.blue_green.environments import SWITCHES, at
from cloudjar.services.rds.blue_green.records import (
    CHECKING,
    CLOSING,
    COMPLETED,
    FAILED,
    PROMOTING,
    SERVING,
    SWITCHING,
    UNDOING,
    Deployment,
)
from cloudjar.services.rds.blue_green.telling import tell
from cloudjar.services.rds.proxies import noticing
from cloudjar.services.rds.proxies.records import Proxy
from cloudjar.services.rds.records import Change, DbInstance

_LONGEST_NAME = 63


def fencing(world: World) -> FencingPort:
    """Who closes engines here."""
    port: FencingPort = world.ports.setdefault("fencing", fences(world.ports["compute"]))
    return port


def perform(step: Step, item: Deployment) -> None:
    """One look: as far as it comes. Raises `PlaneError` to be looked at again."""
    if item.step in (CHECKING, CLOSING) and (why := _hopeless(step, item)):
        item = _move(step, item, UNDOING, details=why)
    if item.step == CHECKING:
        item = _check(step, item)
    if item.step == CLOSING:
        item = _close(step, item)
    if item.step == PROMOTING:
        item = _promote(step, item)
    if item.step == SERVING:
        _serve(step, item)
    if item.step == UNDOING:
        _undo(step, item)


def _move(step: Step, item: Deployment, to: str, **fields: Any) -> Deployment:
    """The record, one step on, if it is where it was thought to be."""
    with step.world.state.database.transaction():
        now = step.db[Deployment].get(item.id)
        if now is None or (now.state, now.step) != (SWITCHING, item.step):
            raise PlaneError(f"{item.id} moved on")
        return step.db[Deployment].put(replace(now, step=to, **fields))


def _hopeless(step: Step, item: Deployment) -> str:
    """Why a switchover cannot come to its end any more."""
    assert item.begun is not None
    if step.ctx.now > item.begun + timedelta(seconds=item.timeout):
        return f"The switchover took longer than {item.timeout} seconds."
    return environments.broken(step.ctx, item)


def _two(step: Step, item: Deployment) -> tuple[DbInstance, DbInstance]:
    """The blue and the green instance that take writes, or are to."""
    blue, green = environments.both(step.ctx, item.pairs[0])
    if blue is None or green is None:
        raise PlaneError(f"{item.id} lacks an instance")
    return blue, green


# -- what can be undone
def _check(step: Step, item: Deployment) -> Deployment:
    """The guardrails: both are there, and the one follows the other closely. Then nobody else does anything about
    them."""
    blue, green = _two(step, item)
    dark = [db.id for db in (blue, green) if step.world.faults.is_dark(db.zone, db.account)]
    if dark:
        return _move(step, item, UNDOING, details=f"The DB instance {dark[0]} isn't healthy.")
    source = running.engine(at(step, blue), blue, blue.running)
    if not following.port(step.world).near(source, green.machine, patient=False):
        said = f"Replication from {blue.id} to {green.id} isn't healthy."
        return _move(step, item, UNDOING, details=said)
    with step.world.state.database.transaction():
        members = environments.members(step.ctx, item)
        busy = [db.id for db in members if db.state != "available"]
        if busy:
            return _move(step, item, UNDOING, details=f"DB instance {busy[0]} is not in available state")
        for db in members:
            step.db[DbInstance].put(replace(db, state=SWITCHES))
        said = f"Switchover from DB instance {blue.id} to {green.id} started."
        tell(step.ctx, item, "RDS-EVENT-0247", said, "notification")
        return _move(step, item, CLOSING)


def _close(step: Step, item: Deployment) -> Deployment:
    """Nobody writes to the blue engine any more, and the green one has all that it has."""
    blue, green = _two(step, item)
    noticing.pause(at(step, blue), blue)
    _up(step, blue)
    running.apply(at(step, blue), blue, blue.running)
    closed = running.engine(at(step, blue), blue, blue.running)
    upto = fencing(step.world).close(closed)
    if not fencing(step.world).reached(running.engine(at(step, green), green, green.running), upto):
        raise PlaneError(f"{green.id} has not everything that {blue.id} has")
    return _move(step, item, PROMOTING)


def _up(step: Step, db: DbInstance) -> None:
    host: ComputePort = step.port("compute")
    if host.look(db.machine) != "up":
        running.start(at(step, db), db)


def _undo(step: Step, item: Deployment) -> None:
    """The blue engine is opened, and everybody is again what he was."""
    host: ComputePort = step.port("compute")
    blue, _ = environments.both(step.ctx, item.pairs[0])
    if blue is not None and blue.state == SWITCHES and host.look(blue.machine) == "up":
        running.apply(at(step, blue), blue, blue.running)
    with step.world.state.database.transaction():
        for db in environments.members(step.ctx, item):
            if db.state == SWITCHES:
                _free(step, db)
        failed = _move(step, item, "", state=FAILED)
        tell(step.ctx, failed, "RDS-EVENT-0249", f"Switchover canceled on blue/green deployment. {item.details}",
             "failure")  # fmt: skip


def _free(step: Step, db: DbInstance, **fields: Any) -> DbInstance:
    """An instance that others may do something about again; with alarms for its windows. In a transaction."""
    freed = step.db[DbInstance].put(replace(db, **{"state": "available", **fields}))
    life.schedule(at(step, freed), freed)
    return freed


# -- what is gone through with
def _promote(step: Step, item: Deployment) -> Deployment:
    """The green engine takes writes; from the same moment on names mean the other environment."""
    blue, green = _two(step, item)
    host: ComputePort = step.port("compute")
    if host.look(green.machine) != "up" or not running.engines(step.world).accepts(green.machine):
        running.start(at(step, green), green)
        running.apply(at(step, green), green, green.running)
    running.promote(at(step, green), green)
    with step.world.state.database.transaction():
        _exchange(step.ctx, item)
        found = [environments.both(step.ctx, pair) for pair in item.pairs]
        known = [
            replace(pair, source_arn=arn_of(old) if old else pair.source_arn,
                    target_arn=arn_of(new) if new else pair.target_arn)
            for pair, (old, new) in zip(item.pairs, found, strict=True)
        ]  # fmt: skip
        _hand_on(step.ctx, blue, green.resource_id)
        return _move(step, item, SERVING, pairs=tuple(known))


def _exchange(ctx: Ctx, item: Deployment) -> None:
    """Each green instance has the name of its blue one, which has another. In a transaction."""
    for number, pair in enumerate(item.pairs):
        blue, _ = environments.both(ctx, pair)
        if blue is None:
            continue
        name = blue.id
        _rename(ctx, blue, _free_name(ctx, name))
        green = environments.member(ctx, pair.target)  # whose source has another name by now
        if green is not None:
            _rename(ctx, replace(green, source="", follows="") if number == 0 else green, name)


def _rename(ctx: Ctx, db: DbInstance, name: str) -> None:
    named = renaming.perform(ctx, db, name)
    if named is None:
        raise errors.state(f"There is an instance {name} already.")
    ctx.db[DbInstance].put(replace(named, state=SWITCHES))


def _free_name(ctx: Ctx, name: str) -> str:
    """``NAME-old1``, or the first that nobody has."""
    number = 1
    while True:
        suffix = f"-old{number}"
        found = name[: _LONGEST_NAME - len(suffix)].rstrip("-") + suffix
        if ctx.db[DbInstance].get(found) is None:
            return found
        number += 1


def _hand_on(ctx: Ctx, blue: DbInstance, target: str) -> None:
    """Proxies lead to who has the name now. In a transaction."""
    for proxy in ctx.db[Proxy].all(target=blue.resource_id):
        found = ctx.db[Proxy].put(replace(proxy, target=target, health="REGISTERING", why="", words=""))
        noticing.wake(ctx, found)


def _serve(step: Step, item: Deployment) -> None:
    """Certificates of the new names; who was blue can be read again. The new environment's backups begin now."""
    for pair in item.pairs:
        blue, green = environments.both(step.ctx, pair)
        for db in (green, blue):
            if db is not None and db.state == SWITCHES:
                _up(step, db)
                running.apply(at(step, db), db, db.running)
    blue, green = environments.both(step.ctx, item.pairs[0])
    if green is not None and green.state == SWITCHES:
        upgrading.begin_log(at(step, green), green)
    with step.world.state.database.transaction():
        for db in environments.members(step.ctx, item):
            if db.state == SWITCHES:
                _settle(step, item, db, blue)
        done = _move(step, item, SERVING, state=COMPLETED, details="Switchover completed.")
        tell(step.ctx, done, "RDS-EVENT-0248", "Switchover completed on blue/green deployment.", "notification")


def _settle(step: Step, item: Deployment, db: DbInstance, blue: DbInstance | None) -> None:
    """An instance after the switchover. What it follows from now on has a log that begins now, and so has its backup; a
    standby is made where the blue one has one. In a transaction."""
    first = db.resource_id == item.pairs[0].target
    if first and blue is not None and blue.multi_az and not db.multi_az:
        _free(step, db, state="modifying", change=Change(multi_az=True))
        return
    freed = _free(step, db)
    if first and freed.retention:
        backups.begin_anew(step.ctx, freed)
