"""Instance refreshes: members are replaced a few at a time, so that enough of them are always in service; and back to
where they came from, when that is asked for or an alarm goes off.

https://docs.aws.amazon.com/autoscaling/ec2/userguide/instance-refresh-overview.html
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
from cloudjar.services.autoscaling import launching, linked_role, members, succession
from cloudjar.services.autoscaling.activities import at
from cloudjar.services.autoscaling.records import GROUP, Group, Member, Refresh, Rollback
from cloudjar.services.autoscaling.rules import suspended

_PATIENCE = timedelta(hours=1)
"""How long a refresh waits for protected members and those in standby."""
_WHY = "an instance refresh"


@hears("aws.cloudwatch", "CloudWatch Alarm State Change")
def alarm_changed(world: World, account: str, region: str, detail: dict[str, Any]) -> None:
    """An alarm that a refresh heeds may have gone off: its group looks."""
    for refresh in Db(world.state, account, region)[Refresh].all():
        if refresh.active and detail.get("alarmName") in refresh.alarms:
            world.state.wakes.wake(GROUP, account, region, refresh.group)


def active(ctx: Ctx, group: str) -> Refresh | None:
    """The refresh that goes on in a group."""
    return next((r for r in ctx.db[Refresh].all(group=group) if r.active), None)


def effective(ctx: Ctx, group: Group) -> Group:
    """The group as it launches now: a refresh towards a configuration launches that before the group has it."""
    refresh = active(ctx, group.name)
    if refresh is None or refresh.rollback is not None or not refresh.wanted:
        return group
    return replace(group, **refresh.wanted)


def bounds(refresh: Refresh, group: Group) -> tuple[int, int]:
    """Between which percentages of the desired capacity the group stays meanwhile."""
    least, most = group.maintenance or (90, 100)
    given_least, given_most = (refresh.preferences.get(f"{which}HealthyPercentage") for which in ("Min", "Max"))
    return (least if given_least is None else given_least), (most if given_most is None else given_most)


def at_once(refresh: Refresh, group: Group) -> int:
    """How many may be replaced at a time; one at least, or nothing would ever be replaced."""
    least, most = bounds(refresh, group)
    if most > 100:
        return max(1, math.floor(group.desired * most / 100) - group.desired)
    return max(1, group.desired - math.ceil(group.desired * least / 100))


def warm_at(refresh: Refresh, group: Group, held: Sequence[Member]) -> datetime | None:
    """When the successors are warmed up."""
    given = (refresh.preferences.get("InstanceWarmup"), group.warmup, group.grace)
    warmup = timedelta(seconds=next(int(s) for s in given if s is not None))
    began = refresh.start if refresh.rollback is None else refresh.rollback.start
    times = [m.in_service + warmup for m in held if m.in_service is not None and m.launched >= began]
    return max(times, default=None)


def go_on(ctx: Ctx, group: Group, held: Sequence[Member]) -> None:
    """The next members, when the capacity is there, the last ones are warm and nothing holds it up."""
    refresh = active(ctx, group.name)
    if refresh is None or suspended(group, "InstanceRefresh"):
        return
    if refresh.rollback is None and _alarmed(ctx, group, refresh):
        _fail(ctx, group, refresh, "An alarm of the alarm specification went off.")
        return
    if any(m.state != "InService" for m in held):
        return
    waits = [t for t in (warm_at(refresh, group, held), refresh.paused) if t is not None and t > ctx.now]
    if waits:
        _store(ctx, refresh if refresh.baking else replace(refresh, status=_going(refresh)))
        return
    refresh = _let_go(ctx, group, refresh)
    known = {m.id for m in ctx.db[Member].all(group=group.name)}
    refresh = _checked(ctx, replace(refresh, left=tuple(i for i in refresh.left if i in known), paused=None))
    if not refresh.left:
        _finish(ctx, group, refresh)
    elif refresh.paused is None:
        _replace_some(ctx, group, held, refresh)
    else:
        _store(ctx, refresh)


def _going(refresh: Refresh) -> str:
    return "InProgress" if refresh.rollback is None else "RollbackInProgress"


def _checked(ctx: Ctx, refresh: Refresh) -> Refresh:
    """Stop for a while at a checkpoint that was reached; not at the last one, which is the end."""
    points = () if refresh.rollback is not None else refresh.preferences.get("CheckpointPercentages") or ()
    reached = [c for c in points if c <= refresh.percent]
    new = [c for c in reached if c not in refresh.passed]
    if not new or not refresh.left:
        return refresh
    delay = refresh.preferences.get("CheckpointDelay")
    until = ctx.now + timedelta(seconds=3600 if delay is None else delay)
    why = f"Waiting at a checkpoint: {max(new)}% of the instances have been replaced."
    return replace(refresh, passed=tuple(reached), paused=until, reason=why, status="InProgress")


def _replace_some(ctx: Ctx, group: Group, held: Sequence[Member], refresh: Refresh) -> None:
    _end_standby(ctx, group, refresh)
    free = [m for m in held if m.id in refresh.left]
    if refresh.preferences["ScaleInProtectedInstances"] == "Wait" and refresh.rollback is None:
        free = [m for m in free if not m.protected]
    if not free:
        _wait(ctx, group, refresh)
        return
    _store(ctx, replace(refresh, status=_going(refresh), reason="", stuck=None))
    several = free[: at_once(refresh, group)]
    if bounds(refresh, group)[1] > 100:
        for member in several:
            now = ctx.db[Group].need(group.name)
            succession.give_way(ctx, now, ctx.db[Member].need(member.id), bounds(refresh, group), _WHY)
        return
    for member in several:
        _end(ctx, group, member)


def _end(ctx: Ctx, group: Group, member: Member) -> None:
    cause = at(ctx.now, f"an instance was taken out of service in response to {_WHY}.")
    members.begin_end(ctx, group, member, cause)


def _end_standby(ctx: Ctx, group: Group, refresh: Refresh) -> None:
    if refresh.preferences["StandbyInstances"] == "Terminate":
        for member in ctx.db[Member].all(group=group.name):
            if member.id in refresh.left and member.state == "Standby":
                _end(ctx, group, member)


def _let_go(ctx: Ctx, group: Group, refresh: Refresh) -> Refresh:
    """Those whose successors are there now go."""
    for member in ctx.db[Member].all(group=group.name):
        if member.giving_way and member.id in refresh.left and member.state == "InService":
            _end(ctx, group, member)
            refresh = replace(refresh, left=tuple(i for i in refresh.left if i != member.id))
    return refresh


def _wait(ctx: Ctx, group: Group, refresh: Refresh) -> None:
    """For members that may not go, but not for ever."""
    since = refresh.stuck or ctx.now
    if ctx.now >= since + _PATIENCE:
        _fail(ctx, group, refresh, "Protected or standby instances were in the way for an hour.")
        return
    why = "Waiting for protected or standby instances."
    _store(ctx, replace(refresh, status=_going(refresh), reason=why, stuck=since))


# -- the end
def _finish(ctx: Ctx, group: Group, refresh: Refresh) -> None:
    """Everything is replaced: bake, and then the group has what it was refreshed to."""
    if refresh.rollback is not None:
        _store(ctx, replace(refresh, status="RollbackSuccessful", reason="", end=ctx.now))
        return
    bake = refresh.preferences.get("BakeTime") or 0
    if bake and not refresh.baking:
        _store(ctx, replace(refresh, status="Baking", reason="", paused=ctx.now + timedelta(seconds=bake)))
        return
    if refresh.wanted:
        ctx.db[Group].put(replace(ctx.db[Group].need(group.name), **refresh.wanted))
    _store(ctx, replace(refresh, status="Successful", reason="", end=ctx.now))


def _alarmed(ctx: Ctx, group: Group, refresh: Refresh) -> bool:
    return any(state == "ALARM" for state in alarm_states(ctx, group, refresh.alarms).values())


def alarm_states(ctx: Ctx, group: Group, names: Sequence[str]) -> dict[str, str]:
    """The states of alarms by their names; those that are not there are left out."""
    if not names:
        return {}
    asked = {"AlarmNames": list(names), "AlarmTypes": ["MetricAlarm", "CompositeAlarm"]}
    found = ctx.call("cloudwatch", "DescribeAlarms", asked, caller=linked_role.acting(ctx, group))
    several = [*(found.get("MetricAlarms") or ()), *(found.get("CompositeAlarms") or ())]
    return {alarm["AlarmName"]: alarm["StateValue"] for alarm in several}


def _fail(ctx: Ctx, group: Group, refresh: Refresh, why: str) -> None:
    """It failed: back, when that is wanted and possible."""
    if refresh.rollback is None and refresh.preferences.get("AutoRollback"):
        roll_back(ctx, group, refresh, why)
        return
    status = "Failed" if refresh.rollback is None else "RollbackFailed"
    _stay(ctx, group)
    _store(ctx, replace(refresh, status=status, reason=why, end=ctx.now))


def _stay(ctx: Ctx, group: Group) -> None:
    """Nobody gives way any more."""
    for member in ctx.db[Member].all(group=group.name):
        if member.giving_way:
            ctx.db[Member].put(replace(member, giving_way=False))


def cancel(ctx: Ctx, group: Group, refresh: Refresh) -> None:
    """Replace no more."""
    _stay(ctx, group)
    _store(ctx, replace(refresh, status="Cancelled", reason="Cancelled by user.", end=ctx.now))


def roll_back(ctx: Ctx, group: Group, refresh: Refresh, why: str) -> Refresh:
    """Replace what was replaced again, by what the group has."""
    _stay(ctx, group)
    own = launching.sources(ctx, group, [], linked_role.acting(ctx, group))
    kept = {(s.configuration, s.template_id, s.template_version) for s in own}
    held = [m for m in ctx.db[Member].all(group=group.name) if m.counts]
    left = tuple(m.id for m in held if (m.launch_configuration, m.template_id, m.template_version) not in kept)
    refresh = replace(refresh, left=tuple(i for i in refresh.left if i in {m.id for m in held}))
    back = Rollback(start=ctx.now, reason=why, percent=refresh.percent, left=len(refresh.left))
    return ctx.db[Refresh].put(
        replace(refresh, status="RollbackInProgress", reason=why, rollback=back, left=left, total=len(left),
                paused=None, stuck=None)
    )  # fmt: skip


def _store(ctx: Ctx, refresh: Refresh) -> None:
    ctx.db[Refresh].put(refresh)


def due(ctx: Ctx, group: Group) -> list[datetime]:
    """When the refresh of a group may go on."""
    refresh = active(ctx, group.name)
    if refresh is None:
        return []
    stuck = None if refresh.stuck is None else refresh.stuck + _PATIENCE
    times = (refresh.paused, stuck, warm_at(refresh, group, ctx.db[Member].all(group=group.name)))
    return [t for t in times if t is not None]
