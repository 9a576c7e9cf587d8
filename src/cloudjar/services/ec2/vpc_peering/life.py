"""What time does to peering connections: a request that nobody accepts expires; what is over is forgotten."""

from __future__ import annotations

from datetime import timedelta

from cloudjar.kit.context import Ctx
from cloudjar.kit.machine import Step, reconciler
from cloudjar.services.ec2.vpc_peering.finding import change
from cloudjar.services.ec2.vpc_peering.records import Peering

_EXPIRY_HOURS = "L-8312C5BB"
_OPEN_FOR = 168.0
# How long a connection that is over can still be described.
REMEMBERED = {
    "deleted": timedelta(hours=2),
    "failed": timedelta(hours=2),
    "rejected": timedelta(days=2),
    "expired": timedelta(days=2),
}
_PURGE = "purge"


def open_for(ctx: Ctx) -> timedelta:
    """How long a request waits for its answer."""
    return timedelta(hours=ctx.limit("vpc", _EXPIRY_HOURS) or _OPEN_FOR)


@reconciler(Peering)
def converge(step: Step, item: Peering | None) -> None:
    """Expire a request in time; set the alarm for what is over, and drop it then."""
    if item is None:
        return
    now = step.world.clock.now()
    if item.state == "pending-acceptance":
        if now < item.expires:
            step.again("expire", item.expires)
            return
        with step.world.state.database.transaction():
            fresh = step.db[Peering].get(item.id)
            if fresh is not None and fresh.state == "pending-acceptance":
                change(step.ctx, fresh, state="expired", message="Expired")
        return
    kept = REMEMBERED.get(item.state)
    if kept is None:
        return
    if step.wake.purpose != _PURGE:
        step.again(_PURGE, now + kept)
        return
    with step.world.state.database.transaction():
        step.db[Peering].drop(item)
