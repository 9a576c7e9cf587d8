"""The process AZRebalance: a group whose zones differ launches one where there are fewest before it ends one where
there are most, so that it never has less than it should.

https://docs.aws.amazon.com/autoscaling/ec2/userguide/auto-scaling-benefits.html#AutoScalingBehavior.Rebalancing
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from msgspec.structs import replace

from cloudjar.base.errors import AwsError
from cloudjar.kit.context import Ctx
from cloudjar.services.autoscaling import launching, linked_role, members, refreshing, refusals
from cloudjar.services.autoscaling.activities import at
from cloudjar.services.autoscaling.records import Group, Member
from cloudjar.services.autoscaling.rules import suspended

_PROCESSES = ("AZRebalance", "Launch", "Terminate")


def target(held: Sequence[Member], zones: Sequence[str]) -> str:
    """The zone that should have one more; "" when the zones are in balance, or nothing may be moved. Pure."""
    load = Counter(m.zone for m in held)
    emptiest = min(zones, key=lambda zone: (load[zone], zone))
    free = [m for m in held if not m.protected]
    strays = any(m.zone not in zones for m in free)
    crowded = any(load[m.zone] - load[emptiest] > 1 for m in free)
    return emptiest if strays or crowded else ""


def begin(ctx: Ctx, group: Group, held: list[Member]) -> bool:
    """Launch one in the emptiest zone, when all is calm and the zones differ by more than one."""
    calm = all(m.state == "InService" for m in held) and refusals.may_try(ctx, group)
    zone = target(held, group.zones) if calm and held else ""
    if not zone or any(suspended(group, process) for process in _PROCESSES):
        return False
    options = [place for place in launching.places(ctx, group) if place.zone == zone]
    if not options:
        return False
    cause = at(ctx.now, "an instance was launched to aid in balancing the group's zones.")
    place = launching.spread(options, held)[0]
    try:
        now = refreshing.effective(ctx, group)
        origin = launching.sources(ctx, now, held, linked_role.acting(ctx, group))[0]
        members.launch(ctx, group, origin, place, cause)
    except AwsError as error:
        refusals.no_launch(ctx, group, cause, place, error)
        return True
    ctx.db[Group].put(replace(group, rebalancing=True, reason="", replacing=0))
    return True


def why(ctx: Ctx, group: Group) -> str:
    """Why there is an instance too many."""
    zones = " ".join(group.zones)
    return at(
        ctx.now,
        f"instances were launched to balance instances in zones {zones} with other zones resulting in more than "
        "desired number of instances in the group.",
    )
