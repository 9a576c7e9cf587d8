"""Breaking things and mending them: records, their alarms, and the index that every other service asks."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from typing import Any

from cloudjar.base.caller import service as service_caller
from cloudjar.kit.context import Ctx, World
from cloudjar.kit.faults import CHANGED, SOURCE, Strike, breaks
from cloudjar.kit.machine import Step, on_boot, reconciler
from cloudjar.kit.record import by_noun
from cloudjar.services.fis.faults.records import Fault
from cloudjar.spec import regions

_OVER = "over"


class Breaker:
    """Implements `kit.faults.Breaker`."""

    def begin(self, world: World, kind: str, target: str, seconds: float) -> dict[str, Any]:
        """Begin a fault; ValueError for what cannot be broken."""
        with world.state.database.transaction():
            ctx = _ctx(world)
            if kind == "zone":
                fault = begin(ctx, kind, _zone(target, world.settings["account"]), seconds)
            elif kind == "instance":
                fault = begin(ctx, kind, _instance(ctx, target), seconds)
            else:
                raise ValueError(f"{kind} cannot be broken; zone and instance can")
        return show(fault)

    def end(self, world: World, fault_id: str) -> dict[str, Any]:
        """End a fault now; ValueError when there is none of this id."""
        with world.state.database.transaction():
            ctx = _ctx(world)
            fault = ctx.db[Fault].get(fault_id)
            if fault is None:
                raise ValueError(f"there is no fault {fault_id}; `cloudjar fault list` has those there are")
            end(ctx, fault)
        return show(fault)

    def all(self, world: World) -> list[dict[str, Any]]:
        """Oldest first."""
        return [show(fault) for fault in sorted(_ctx(world).db[Fault].all(), key=lambda f: (f.since, f.id))]


breaks(Breaker())


def show(fault: Fault) -> dict[str, Any]:
    """A fault as the command line gets it."""
    until = fault.until.isoformat() if fault.until else None
    shown = {"id": fault.id, "kind": fault.kind, "target": fault.target}
    return {**shown, "since": fault.since.isoformat(), "until": until}


def begin(ctx: Ctx, kind: str, target: str, seconds: float) -> Fault:
    """Break something in the running transaction; for `seconds` of AWS time, or until it is ended when 0."""
    until = ctx.now + timedelta(seconds=seconds) if seconds else None
    made = ctx.new_id("fault")
    fault = Fault(account="", region="", id=made, kind=kind, target=target, since=ctx.now, until=until)
    ctx.db[Fault].add(fault)
    _tell(ctx, fault)
    return fault


def strike_all(ctx: Ctx, owner: str, roles: Iterable[str], strike: Strike) -> None:
    """Have calls of these roles (ARNs) fail until `end_all`."""
    with ctx.world.state.database.transaction():
        db = _ctx(ctx.world).db
        for role in roles:
            made = Fault(
                account="", region="", id=ctx.new_id("fault"), kind="api", target=role, since=ctx.now,
                strike=strike._replace(role=role), owner=owner,
            )  # fmt: skip
            db[Fault].add(made)
        index(ctx.world)


def end_all(ctx: Ctx, owner: str) -> None:
    """End whatever the action of an experiment began."""
    with ctx.world.state.database.transaction():
        own = _ctx(ctx.world)
        for fault in own.db[Fault].all(owner=owner):
            end(own, fault)


def end(ctx: Ctx, fault: Fault) -> None:
    """Mend what a fault broke, in the running transaction."""
    ctx.db[Fault].drop(fault)
    _tell(ctx, fault)


def _tell(ctx: Ctx, fault: Fault) -> None:
    index(ctx.world)
    if fault.kind != "api":
        ctx.world.events.emit("", "", SOURCE, CHANGED, {fault.kind: fault.target})


@reconciler(Fault)
def converge(step: Step, fault: Fault | None) -> None:
    """End it when its time has come. The index is brought to what is stored: the write may have been rolled back."""
    if fault is not None and fault.until is not None:
        if fault.until > step.world.clock.now():
            step.again(_OVER, fault.until)
        else:
            with step.world.state.database.transaction():
                now = step.db[Fault].get(fault.id)
                if now is not None:
                    end(step.ctx, now)
    index(step.world)


@on_boot("fis")
def index(world: World) -> None:
    """Bring the index to what is stored."""
    faults = _ctx(world).db[Fault].all()
    world.faults.zones = frozenset(fault.target for fault in faults if fault.kind == "zone")
    world.faults.strikes = tuple(fault.strike for fault in faults if fault.strike is not None)
    world.faults.machines = frozenset(fault.target for fault in faults if fault.kind == "instance")


def _ctx(world: World) -> Ctx:
    return Ctx(world, "", "", service_caller("cloudjar.internal", ""))


def _zone(name: str, account: str) -> str:
    """A zone's id by its name in an account, or by its id."""
    found = regions.zone(name, account)
    if found is None:
        raise ValueError(f"{name} is no Availability Zone; it takes a name like eu-west-3a or an id like euw3-az1")
    return found.id


def _instance(ctx: Ctx, name: str) -> str:
    ctx.world.load("ec2")
    declared = by_noun("ec2", "instance")
    if declared is None or ctx.db.find(declared.type, name) is None:
        raise ValueError(f"there is no instance {name}")
    return name
