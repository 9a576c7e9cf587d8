"""Members that go only when their successors are there: ill ones of a group with an instance maintenance policy, and
spot instances at risk of a group that rebalances its capacity.

https://docs.aws.amazon.com/autoscaling/ec2/userguide/instance-maintenance-policy-overview-and-considerations.html
https://docs.aws.amazon.com/autoscaling/ec2/userguide/ec2-auto-scaling-capacity-rebalancing.html
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from msgspec.structs import replace

from cloudjar.kit.context import Ctx, World
from cloudjar.kit.db import Db
from cloudjar.kit.events import hears
from cloudjar.services.autoscaling import members
from cloudjar.services.autoscaling.activities import at
from cloudjar.services.autoscaling.records import Group, Member
from cloudjar.services.autoscaling.rules import suspended

_REBALANCED = (100, 110)
"""Within which percentages capacity is rebalanced when the group has no maintenance policy."""


@hears("aws.ec2", "EC2 Instance Rebalance Recommendation")
def recommended(world: World, account: str, region: str, detail: dict[str, Any]) -> None:
    """A spot instance may be interrupted soon: a group that rebalances looks for a successor."""
    table = Db(world.state, account, region)[Member]
    member = table.get(detail["instance-id"])
    if member is not None:
        table.put(replace(member, at_risk=True))


def ready(group: Group, member: Member, now: datetime) -> bool:
    """Whether a member is well, in service and warmed up."""
    warm = member.in_service is not None and member.in_service + timedelta(seconds=group.warmup or 0) <= now
    return warm and member.state == "InService" and member.health == "Healthy" and not member.giving_way


def may_go(group: Group, held: Sequence[Member], now: datetime, bounds: tuple[int, int]) -> bool:
    """Whether the others are enough without one that is not ready. Pure."""
    least, most = bounds
    enough = sum(m.weight for m in held if ready(group, m, now)) >= math.ceil(group.desired * least / 100)
    return enough or most == 100


def give_way(ctx: Ctx, group: Group, member: Member, bounds: tuple[int, int], why: str) -> Member:
    """Have a member replaced before it goes; it goes at once when the others are enough without it."""
    held = [m for m in ctx.db[Member].all(group=group.name) if m.id != member.id]
    if may_go(group, held, ctx.now, bounds):
        cause = at(ctx.now, f"an instance was taken out of service in response to {why}.")
        if not member.giving_way:
            _count(ctx, group, member)
        return members.begin_end(ctx, group, member, cause)
    extra = sum(m.weight for m in held if m.giving_way)
    room = max(1, math.floor(group.desired * bounds[1] / 100) - group.desired)
    if member.giving_way or extra + member.weight > max(room, member.weight) or suspended(group, "Launch"):
        return member
    _count(ctx, group, member)
    return ctx.db[Member].put(replace(member, giving_way=True))


def _count(ctx: Ctx, group: Group, member: Member) -> None:
    """The successor of an ill one says that it is one."""
    if member.health != "Healthy":
        ctx.db[Group].put(replace(group, replacing=group.replacing + 1))


def ill(ctx: Ctx, group: Group, member: Member, instance: str) -> Member:
    """What becomes of an unhealthy member: a dead one never waits for its successor."""
    if group.maintenance is None or instance != "running":
        return members.unhealthy(ctx, group, member)[1]
    return give_way(ctx, group, member, group.maintenance, member.why_unhealthy)


def at_risk(ctx: Ctx, group: Group, member: Member) -> Member:
    """What becomes of a spot instance that may be interrupted."""
    why = "an EC2 instance rebalance recommendation"
    return give_way(ctx, group, member, group.maintenance or _REBALANCED, why)


def due(group: Group, held: Sequence[Member]) -> list[datetime]:
    """When successors will be warmed up, while somebody waits for them."""
    if not group.warmup or not any(m.giving_way for m in held):
        return []
    return [m.in_service + timedelta(seconds=group.warmup) for m in held if m.in_service is not None]
