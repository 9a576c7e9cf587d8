"""What happens to a reservation by itself: it expires, instances leave it, and in the end it is forgotten."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from cloudjar.kit.context import Ctx, World
from cloudjar.kit.db import Db
from cloudjar.kit.events import hears
from cloudjar.kit.machine import Step, reconciler
from cloudjar.services.ec2.capacity_reservations import matching
from cloudjar.services.ec2.capacity_reservations.making import end_reservation
from cloudjar.services.ec2.capacity_reservations.records import TABLE, CapacityReservation
from cloudjar.services.ec2.instances.records import Instance

REMEMBERED = timedelta(days=1)
"""How long a reservation is listed that has ended."""


@hears("aws.ec2", "EC2 Instance State-change Notification")
def instance_changed(world: World, account: str, region: str, detail: dict[str, Any]) -> None:
    """An instance came or went: its reservation counts."""
    vm = Db(world.state, account, region)[Instance].get(detail["instance-id"])
    if vm is not None and vm.capacity_reservation_id:
        world.state.wakes.wake(TABLE, account, region, vm.capacity_reservation_id)


@reconciler(CapacityReservation)
def converge(step: Step, _: CapacityReservation | None) -> None:
    """One look at a reservation, in one transaction."""
    with step.world.state.database.transaction():
        one = step.db[CapacityReservation].get(step.key)
        if one is not None:
            _look(step.ctx, one)


def _look(ctx: Ctx, one: CapacityReservation) -> None:
    if one.state == "active" and one.end is not None:
        if ctx.now >= one.end:
            end_reservation(ctx, one, "expired")
            return
        ctx.wake(one, purpose="end", at=one.end)
    if one.ended is None:
        matching.leave(ctx, one)
        matching.recount(ctx, one.id)
    elif ctx.now >= one.ended + REMEMBERED:
        ctx.db[CapacityReservation].drop(one)
    else:
        ctx.wake(one, purpose="forget", at=one.ended + REMEMBERED)
