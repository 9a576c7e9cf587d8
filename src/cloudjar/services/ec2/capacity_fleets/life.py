"""What fleets do by themselves: they reserve what they want, change it, expire, and are forgotten in the end."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from msgspec.structs import replace

from cloudjar.kit.context import Ctx
from cloudjar.kit.machine import Step, reconciler
from cloudjar.services.ec2.capacity_fleets import filling
from cloudjar.services.ec2.capacity_fleets.records import CapacityFleet, Choice
from cloudjar.services.ec2.capacity_reservations import making, matching
from cloudjar.services.ec2.capacity_reservations.records import CapacityReservation
from cloudjar.services.ec2.instances import quota
from cloudjar.spec import instance_types

REMEMBERED = timedelta(days=1)
"""How long a fleet is listed that has ended."""
_OVER = ("cancelled", "expired")


@reconciler(CapacityFleet)
def converge(step: Step, _: CapacityFleet | None) -> None:
    """One look at a fleet, in one transaction."""
    with step.world.state.database.transaction():
        fleet = step.db[CapacityFleet].get(step.key)
        if fleet is not None:
            _look(step.ctx, fleet)


def _look(ctx: Ctx, fleet: CapacityFleet) -> None:
    if fleet.state in _OVER:
        assert fleet.ended is not None
        if ctx.now >= fleet.ended + REMEMBERED:
            ctx.db[CapacityFleet].drop(fleet)
        else:
            ctx.wake(fleet, purpose="forget", at=fleet.ended + REMEMBERED)
    elif fleet.state == "cancelling":
        _end(ctx, fleet, "cancelled")
    elif fleet.end is not None and ctx.now >= fleet.end:
        _end(ctx, fleet, "expired")
    elif fleet.state in ("submitted", "modifying"):
        _reserve(ctx, fleet)
    elif fleet.end is not None:
        ctx.wake(fleet, purpose="end", at=fleet.end)


def _end(ctx: Ctx, fleet: CapacityFleet, state: str) -> None:
    for one in _held(ctx, fleet):
        if one is not None:
            making.end_reservation(ctx, one, state)
    ctx.db[CapacityFleet].put(replace(fleet, state=state, ended=ctx.now))


def _held(ctx: Ctx, fleet: CapacityFleet) -> list[CapacityReservation | None]:
    """The active reservation of each choice."""
    found = [ctx.db[CapacityReservation].get(c.reservation_id) if c.reservation_id else None for c in fleet.choices]
    return [one if one is not None and one.state == "active" else None for one in found]


def _reserve(ctx: Ctx, fleet: CapacityFleet) -> None:
    """Bring the reservations to what the target wants, by priority and as far as the quota lets."""
    held = _held(ctx, fleet)
    counts = filling.wanted(fleet.choices, fleet.target, lambda n, so_far: _most(ctx, fleet, held, n, so_far))
    # No reservation is smaller than what runs in it.
    counts = [max(n, len(matching.running(ctx, one))) if one else n for n, one in zip(counts, held, strict=True)]
    choices = tuple(
        _reserved(ctx, fleet, choice, one, count)
        for choice, one, count in zip(fleet.choices, held, counts, strict=True)
    )
    done = filling.fulfilled(fleet.choices, counts)
    state = "active" if done >= fleet.target else "partially_fulfilled" if done else "failed"
    ctx.db[CapacityFleet].put(replace(fleet, choices=choices, state=state))


def _most(
    ctx: Ctx, fleet: CapacityFleet, held: Sequence[CapacityReservation | None], place: int, so_far: Sequence[int]
) -> int:
    """What the quota lets a choice have, beside what is there and what choices before it are to have more."""
    kind = fleet.choices[place].type
    left = quota.free(ctx, kind)
    if left is None:
        return making.MOST
    for other, one, count in zip(fleet.choices, held, so_far, strict=True):
        if instance_types.vcpu_quota(other.type) == instance_types.vcpu_quota(kind):
            left -= max(0, count - (one.total if one else 0)) * instance_types.size(other.type).vcpus
    own = held[place]
    return min(making.MOST, (own.total if own else 0) + int(max(left, 0)) // instance_types.size(kind).vcpus)


def _reserved(ctx: Ctx, fleet: CapacityFleet, choice: Choice, one: CapacityReservation | None, count: int) -> Choice:
    if one is None and not count:
        return replace(choice, reservation_id="")
    if one is None:
        made = making.make(ctx, choice.type, choice.platform, choice.zone, count, end=fleet.end,
                           ebs_optimized=choice.ebs_optimized, fleet_id=fleet.id)  # fmt: skip
        return replace(choice, reservation_id=made.id)
    if not count:
        making.end_reservation(ctx, one, "cancelled")
        return replace(choice, reservation_id="")
    making.settle(ctx, ctx.db[CapacityReservation].put(replace(one, total=count, end=fleet.end)))
    return choice
