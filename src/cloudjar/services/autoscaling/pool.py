"""Warm pools: instances that were launched ahead, and wait stopped or running until the group needs them.

https://docs.aws.amazon.com/autoscaling/ec2/userguide/ec2-auto-scaling-warm-pools.html
"""

from __future__ import annotations

from collections.abc import Sequence

from msgspec.structs import replace

from cloudjar.base.errors import AwsError
from cloudjar.kit.context import Ctx
from cloudjar.services.autoscaling import (
    activities,
    launching,
    linked_role,
    members,
    refreshing,
    refusals,
    traffic,
)
from cloudjar.services.autoscaling.activities import at
from cloudjar.services.autoscaling.records import DELETING, LAUNCHING, TERMINATING, Group, Member, WarmPool
from cloudjar.services.autoscaling.rules import suspended

READY = ("Warmed:Stopped", "Warmed:Running")
_GONE = ("shutting-down", "terminated")


def size(group: Group, pool: WarmPool | None) -> int:
    """How many instances a pool is to have. Pure."""
    if pool is None or pool.deleting or group.status == DELETING:
        return 0
    most = group.most if pool.prepared is None else pool.prepared
    return max(pool.least, most - group.desired, 0)


def of_group(ctx: Ctx, group: str) -> WarmPool | None:
    """A group's pool."""
    return ctx.db[WarmPool].get(group)


def held(ctx: Ctx, group: str) -> list[Member]:
    """Who is in a group's pool, or on the way in or out of the world."""
    return [m for m in ctx.db[Member].all(group=group) if m.warmed]


# -- the pool
def balance(ctx: Ctx, group: Group) -> None:
    """Launch into the pool what is missing, end what is too much; a pool that is deleted is gone with its last one."""
    pool = of_group(ctx, group.name)
    if pool is None:
        return
    warm = [m for m in held(ctx, group.name) if not m.ending]
    wanted = size(group, pool)
    if pool.deleting and not held(ctx, group.name):
        ctx.db[WarmPool].drop(pool)
    elif len(warm) > wanted and not suspended(group, "Terminate"):
        for member in sorted(warm, key=lambda m: m.launched)[: len(warm) - wanted]:
            text = f"an instance was taken out of the warm pool, shrinking it from {len(warm)} to {wanted}."
            members.begin_end(ctx, group, member, at(ctx.now, text))
    elif len(warm) < wanted and not suspended(group, "Launch"):
        _fill(ctx, group, warm, wanted)


def _fill(ctx: Ctx, group: Group, warm: list[Member], wanted: int) -> None:
    options = launching.places(ctx, group)
    while len(warm) < wanted and options and refusals.may_try(ctx, group):
        place = launching.spread(options, warm)[0]
        text = f"an instance was launched into the warm pool, increasing it from {len(warm)} to {len(warm) + 1}."
        cause = at(ctx.now, text)
        try:
            now = refreshing.effective(ctx, group)
            origin = launching.sources(ctx, now, warm, linked_role.acting(ctx, group))[0]
            warm.append(members.launch(ctx, group, origin, place, cause, warmed=True))
        except AwsError as error:
            refusals.no_launch(ctx, group, cause, place, error)
            return


# -- its members
def move(ctx: Ctx, group: Group, member: Member, instance: str) -> Member:
    """One move of a member of the pool that is neither waiting for hooks nor ending."""
    if instance in _GONE or (member.state == "Warmed:Running" and instance != "running"):
        return members.begin_end(ctx, group, member, _ended(ctx))
    if member.state in READY:
        return member
    if member.registered or member.draining:  # it served, and comes back
        member = traffic.leave(ctx, group, member, at_once=instance != "running")
        if member.draining:
            return member
    if member.state == "Warmed:Pending" and instance == "running":
        wanted = members.hooks(ctx, group.name, LAUNCHING)
        if wanted:
            return members.hold(ctx, group, member, wanted)
    return _rest(ctx, group, member, instance)


def _rest(ctx: Ctx, group: Group, member: Member, instance: str) -> Member:
    """To rest as the pool wants it."""
    pool = of_group(ctx, group.name)
    if pool is not None and pool.state == "Running":
        return _arrived(ctx, member, "Warmed:Running") if instance == "running" else member
    if instance == "stopped":
        return _arrived(ctx, member, "Warmed:Stopped")
    if instance == "running" and refusals.may_try(ctx, group):
        try:
            ctx.call("ec2", "StopInstances", {"InstanceIds": [member.id]}, caller=linked_role.acting(ctx, group))
        except AwsError as error:
            refusals.not_now(ctx, group, member.activity, error)
    return member


def _arrived(ctx: Ctx, member: Member, state: str) -> Member:
    activities.end(ctx, member.activity, kind="launch")
    return members.LIFE.move(ctx, member, state, activity="", waits=())


def _ended(ctx: Ctx) -> str:
    text = "an EC2 health check indicating it has been terminated or stopped"
    return at(ctx.now, f"an instance was taken out of the warm pool in response to {text}.")


def end_hooks(ctx: Ctx, group: Group) -> bool:
    """Whether somebody wants to be told before a member of the pool ends."""
    pool = of_group(ctx, group.name)
    return bool(members.hooks(ctx, group.name, TERMINATING)) and not (pool is not None and pool.forced)


# -- in and out
def draw(ctx: Ctx, group: Group, serving: Sequence[Member], cause: str) -> Member | None:
    """Take an instance of the pool into the group, from the zone that needs it most; None when none is ready."""
    ready = [m for m in held(ctx, group.name) if m.state in READY]
    if not ready or (pool := of_group(ctx, group.name)) is None or pool.deleting:
        return None
    order = [place.zone for place in launching.spread(launching.places(ctx, group), serving)]
    chosen = min(ready, key=lambda m: (order.index(m.zone) if m.zone in order else len(order), m.launched, m.id))
    with ctx.world.state.database.transaction():
        if chosen.state == "Warmed:Stopped":
            asked = {"InstanceIds": [chosen.id]}
            ctx.call("ec2", "StartInstances", asked, caller=linked_role.acting(ctx, group))
        made = activities.begin(
            ctx, group, f"Launching a new EC2 instance from warm pool: {chosen.id}", cause, zone=chosen.zone,
            subnet=chosen.subnet, instance=chosen.id,
        )  # fmt: skip
        activities.moved(ctx, made.id, "PreInService", 30)
        return members.LIFE.move(ctx, chosen, "Pending", activity=made.id, in_service=None)


def take_back(ctx: Ctx, group: Group, member: Member, cause: str) -> Member | None:
    """Put a member that is not needed back into the pool, when that is wanted and there is room; else None."""
    pool = of_group(ctx, group.name)
    if pool is None or pool.deleting or not pool.reuse:
        return None
    if len([m for m in held(ctx, group.name) if not m.ending]) >= size(group, pool):
        return None
    made = activities.begin(
        ctx, group, f"Returning EC2 instance to warm pool: {member.id}", cause, zone=member.zone,
        subnet=member.subnet, instance=member.id,
    )  # fmt: skip
    fresh = replace(member, in_service=None, health="Healthy", why_unhealthy="", at_risk=False, giving_way=False)
    return members.LIFE.move(ctx, ctx.db[Member].put(fresh), "Warmed:Pending", activity=made.id)
