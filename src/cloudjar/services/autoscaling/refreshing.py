"""Instance refreshes: members are replaced a few at a time, so that enough of them are always in service.

https://docs.aws.amazon.com/autoscaling/ec2/userguide/instance-refresh-overview.html
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from msgspec.structs import replace

from cloudjar.kit.context import Ctx
from cloudjar.services.autoscaling import members
from cloudjar.services.autoscaling.activities import at
from cloudjar.services.autoscaling.records import Group, Member, Refresh
from cloudjar.services.autoscaling.rules import suspended


def active(ctx: Ctx, group: str) -> Refresh | None:
    """The refresh that goes on in a group."""
    return next((r for r in ctx.db[Refresh].all(group=group) if r.active), None)


def at_once(refresh: Refresh, desired: int) -> int:
    """How many may be out of service at a time; one at least, or nothing would ever be replaced."""
    healthy = -(-desired * int(refresh.preferences["MinHealthyPercentage"]) // 100)
    return max(1, desired - healthy)


def warm_at(refresh: Refresh, group: Group, held: Sequence[Member]) -> datetime | None:
    """When the successors are warmed up."""
    given = (refresh.preferences.get("InstanceWarmup"), group.warmup, group.grace)
    warmup = timedelta(seconds=next(int(s) for s in given if s is not None))
    times = [m.in_service + warmup for m in held if m.in_service is not None and m.launched >= refresh.start]
    return max(times, default=None)


def go_on(ctx: Ctx, group: Group, held: Sequence[Member]) -> None:
    """The next members, when the capacity is there, the last ones are warm and no checkpoint holds it up."""
    refresh = active(ctx, group.name)
    if refresh is None or suspended(group, "InstanceRefresh") or any(m.state != "InService" for m in held):
        return
    waits = [t for t in (warm_at(refresh, group, held), refresh.paused) if t is not None and t > ctx.now]
    if waits:
        _store(ctx, replace(refresh, status="InProgress"))
        return
    known = {m.id for m in ctx.db[Member].all(group=group.name)}
    refresh = _checked(ctx, replace(refresh, left=tuple(i for i in refresh.left if i in known), paused=None))
    if not refresh.left:
        _store(ctx, replace(refresh, status="Successful", reason="", end=ctx.now))
    elif refresh.paused is None:
        _replace_some(ctx, group, held, refresh)
    else:
        _store(ctx, refresh)


def _checked(ctx: Ctx, refresh: Refresh) -> Refresh:
    """Stop for a while at a checkpoint that was reached; not at the last one, which is the end."""
    reached = [c for c in refresh.preferences.get("CheckpointPercentages") or () if c <= refresh.percent]
    new = [c for c in reached if c not in refresh.passed]
    if not new or not refresh.left:
        return refresh
    delay = refresh.preferences.get("CheckpointDelay")
    until = ctx.now + timedelta(seconds=3600 if delay is None else delay)
    why = f"Waiting at a checkpoint: {max(new)}% of the instances have been replaced."
    return replace(refresh, passed=tuple(reached), paused=until, reason=why, status="InProgress")


def _replace_some(ctx: Ctx, group: Group, held: Sequence[Member], refresh: Refresh) -> None:
    free = [m for m in held if m.id in refresh.left]
    if refresh.preferences["ScaleInProtectedInstances"] == "Wait":
        free = [m for m in free if not m.protected]
    if not free:
        _store(ctx, replace(refresh, status="InProgress", reason="Waiting for protected or standby instances."))
        return
    _store(ctx, replace(refresh, status="InProgress", reason=""))
    cause = at(ctx.now, "an instance was taken out of service in response to an instance refresh.")
    for member in free[: at_once(refresh, group.desired)]:
        members.begin_end(ctx, group, member, cause)


def _store(ctx: Ctx, refresh: Refresh) -> None:
    ctx.db[Refresh].put(refresh)


def due(ctx: Ctx, group: Group) -> list[datetime]:
    """When the refresh of a group may go on."""
    refresh = active(ctx, group.name)
    if refresh is None:
        return []
    times = (refresh.paused, warm_at(refresh, group, ctx.db[Member].all(group=group.name)))
    return [t for t in times if t is not None]
