"""Which instance goes when a group shrinks. Pure.

https://docs.aws.amazon.com/autoscaling/ec2/userguide/ec2-auto-scaling-termination-policies.html
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

from cloudjar.services.autoscaling import mixing
from cloudjar.services.autoscaling.records import Group, Member

POLICIES = (
    "AllocationStrategy",
    "ClosestToNextInstanceHour",
    "Default",
    "NewestInstance",
    "OldestInstance",
    "OldestLaunchConfiguration",
    "OldestLaunchTemplate",
)


def choose(
    members: Sequence[Member], group: Group, now: datetime, among: Sequence[Member] | None = None
) -> Member | None:
    """The member to terminate, or None when all are protected.

    `members` is the whole capacity, `among` are those that it may be. First come zones that are not the group's any
    more, then the zone with the most instances among those with one that may go; then each policy narrows what the one
    before it left.
    """
    offered = members if among is None else among
    free = [m for m in offered if not m.protected and m.state == "InService"]
    if not free:
        free = [m for m in offered if not m.protected and m.state == "Pending"]
    if not free:
        return None
    load = Counter(m.zone for m in members)
    free = [m for m in free if m.zone not in group.zones] or free
    fullest = max(load[m.zone] for m in free)
    left = [m for m in free if load[m.zone] == fullest]
    for policy in group.termination_policies:
        if policy in ("AllocationStrategy", "Default"):
            left = _too_many(left, members, group)
        left = _narrow(left, policy, now)
    return min(left, key=lambda m: (m.zone, m.launched, m.id))


def _too_many(left: list[Member], members: Sequence[Member], group: Group) -> list[Member]:
    """Of a group with a mixed instances policy those that are bought in the way of which there is too much."""
    if group.mixed is None:
        return left
    wanted = mixing.on_demand(group.mixed, group.desired)
    held = sum(m.weight for m in members if m.market == mixing.ON_DEMAND)
    surplus = mixing.ON_DEMAND if held > wanted else mixing.SPOT
    return [m for m in left if m.market == surplus] or left


def _narrow(members: list[Member], policy: str, now: datetime) -> list[Member]:
    match policy:
        case "OldestInstance":
            return _least(members, lambda m: m.launched)
        case "NewestInstance":
            return _least(members, lambda m: -m.launched.timestamp())
        case "OldestLaunchConfiguration":
            held = [m for m in members if m.launch_configuration]
            return _least(held, lambda m: m.configured) if held else members
        case "OldestLaunchTemplate":
            held = [m for m in members if m.template_id]
            return _least(held, _template_age) if held else members
        case "ClosestToNextInstanceHour":
            return _least(members, lambda m: _to_hour(m, now))
        case "Default":
            by_configuration = _narrow(members, "OldestLaunchConfiguration", now)
            return _narrow(_narrow(by_configuration, "OldestLaunchTemplate", now), "ClosestToNextInstanceHour", now)
    return members


def _least(members: list[Member], key: Callable[[Member], Any]) -> list[Member]:
    least = min(key(m) for m in members)
    return [m for m in members if key(m) == least]


def _template_age(member: Member) -> tuple[datetime, int]:
    return member.configured, int(member.template_version or 0)


def _to_hour(member: Member, now: datetime) -> float:
    return 3600 - (now - member.launched).total_seconds() % 3600
