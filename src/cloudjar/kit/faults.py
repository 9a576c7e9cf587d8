"""What is broken on purpose just now, for every service that has to behave so.

`Faults` is the index that others ask; it costs nothing while nothing is broken. Who breaks things (AWS FIS and
``cloudjar fault``) keeps it, from records that outlive the server, and emits `CHANGED` when a zone's power went or came
back, so that whoever has something in the zone looks at it again.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from cloudjar.base.caller import Caller
from cloudjar.base.errors import AwsError
from cloudjar.spec import regions

if TYPE_CHECKING:
    from cloudjar.kit.context import Ctx, World

SOURCE, CHANGED = "cloudjar.faults", "Power Changed"
"""An event of this jar's own, in an account ``""``; its detail has the ``zone``'s id, or the ``instance``'s."""


class Strike(NamedTuple):
    """Calls of a role (its ARN) that fail: of these operations of a service, so many of a hundred."""

    role: str
    service: str
    operations: tuple[str, ...]
    percentage: int
    code: str
    message: str
    status: int


class Faults:
    """The index, in memory; one per running jar (`World.faults`)."""

    def __init__(self) -> None:
        self.zones: frozenset[str] = frozenset()
        """Ids (``euw3-az1``) of the zones without power: a name may be another zone's in another account."""

        self.machines: frozenset[str] = frozenset()
        """Ids of the instances whose host is without power."""

        self.strikes: tuple[Strike, ...] = ()
        self._struck: dict[Strike, int] = {}

    def strike(self, caller: Caller, service: str, operation: str) -> None:
        """Raise the failure that a call has to meet, if it has to."""
        for one in self.strikes:
            if one.role == caller.role_arn and one.service == service and operation in one.operations:
                # Not drawn by chance: of a hundred calls exactly so many fail, evenly.
                level = self._struck.get(one, 0) + one.percentage
                self._struck[one] = level % 100
                if level >= 100:
                    raise AwsError(one.code, one.message, one.status)

    def is_off(self, instance_id: str, zone: str, account: str) -> bool:
        """Whether an instance can have no power, because its zone or its host has none."""
        return instance_id in self.machines or self.is_dark(zone, account)

    def is_dark(self, zone: str, account: str) -> bool:
        """Whether a zone, by its name in an account (``eu-west-3a``), is without power."""
        if not self.zones:
            return False
        found = regions.zone(zone, account)
        return found is not None and found.id in self.zones

    def refuse_dark(self, zone: str, account: str, kind: str) -> None:
        """Raise EC2's refusal to start an instance of a type in a zone without power."""
        if self.is_dark(zone, account):
            raise AwsError(
                "InsufficientInstanceCapacity",
                f"We currently do not have sufficient {kind} capacity in the Availability Zone you requested ({zone}). "
                "Our system will be working on provisioning additional capacity. You can currently get "
                f"{kind} capacity by not specifying an Availability Zone in your request or choosing another one.",
                500,
            )


class Breaker(Protocol):
    """What the command line asks of who breaks things; each call is a transaction of its own, and raises ValueError."""

    def begin(self, world: World, kind: str, target: str, seconds: float) -> dict[str, Any]:
        """Break the `target` (a zone's name, an instance's id), for so many `seconds` of AWS time (0: until ended)."""
        ...

    def end(self, world: World, fault_id: str) -> dict[str, Any]:
        """End a fault now."""
        ...

    def all(self, world: World) -> list[dict[str, Any]]:
        """Every fault there is."""
        ...


_BREAKERS: list[Breaker] = []


def breaks(breaker: Breaker) -> None:
    """Declare who breaks things (at import)."""
    _BREAKERS[:] = [breaker]


def breaker(world: World) -> Breaker:
    """Who breaks things; its service is loaded when it is not yet."""
    world.load("fis")
    return _BREAKERS[0]


Interrupt = Callable[["Ctx", Caller, str, timedelta], None]
_INTERRUPTERS: list[Interrupt] = []


def interrupts(interrupter: Interrupt) -> Interrupt:
    """Decorator: who interrupts Spot Instances (at import): (ctx, who asks, instance id, after how long)."""
    _INTERRUPTERS[:] = [interrupter]
    return interrupter


def interrupt(ctx: Ctx, role: Caller, instance_id: str, within: timedelta) -> None:
    """Have a Spot Instance interrupted; raises the `AwsError` of why not."""
    ctx.world.load("ec2")
    if not _INTERRUPTERS:
        raise AwsError("UnsupportedOperation", "Spot Instances are not implemented by Cloudjar.", 501)
    _INTERRUPTERS[0](ctx, role, instance_id, within)
