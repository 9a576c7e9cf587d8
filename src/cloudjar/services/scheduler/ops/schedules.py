"""Schedules.

https://docs.aws.amazon.com/scheduler/latest/APIReference/API_CreateSchedule.html
"""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from cloudjar.base.errors import not_implemented
from cloudjar.kit.context import Ctx
from cloudjar.kit.operation import op
from cloudjar.services.scheduler import errors, expressions, finding, targets, times, views
from cloudjar.services.scheduler.expressions import ExpressionError
from cloudjar.services.scheduler.invocations import invocations
from cloudjar.services.scheduler.records import DEFAULT, DELETING, ENABLED, Schedule


def _asked(ctx: Ctx, req: dict[str, Any]) -> Schedule:
    """A schedule as a request describes it; what is not said is as by default."""
    if req.get("KmsKeyArn"):
        raise not_implemented("scheduler", "a schedule's KmsKeyArn")
    group, now = req.get("GroupName") or DEFAULT, ctx.now.timestamp()
    made = Schedule(
        path=f"{group}/{req['Name']}",
        group=group,
        name=req["Name"],
        expression=req["ScheduleExpression"],
        zone=req.get("ScheduleExpressionTimezone") or "UTC",
        start=req["StartDate"].timestamp() if req.get("StartDate") else 0.0,
        end=req["EndDate"].timestamp() if req.get("EndDate") else 0.0,
        description=req.get("Description") or "",
        state=req.get("State") or ENABLED,
        window=_window(req["FlexibleTimeWindow"]),
        delete_after=req.get("ActionAfterCompletion") == "DELETE",
        target=targets.checked(req["Target"]),
        made=now,
        changed=now,
        since=now,
        account=ctx.account,
        region=ctx.region,
    )
    _check_times(made)
    targets.check_role(ctx, made.target["RoleArn"], made.group_arn)
    return made


def _window(given: dict[str, Any]) -> int:
    minutes = given.get("MaximumWindowInMinutes")
    if given["Mode"] == "OFF":
        if minutes is not None:
            raise errors.invalid("MaximumWindowInMinutes must not be provided when FlexibleTimeWindow's Mode is OFF.")
        return 0
    if minutes is None:
        raise errors.invalid("MaximumWindowInMinutes must be provided when FlexibleTimeWindow's Mode is FLEXIBLE.")
    return int(minutes)


def _check_times(asked: Schedule) -> None:
    try:
        expressions.zone(asked.zone)
    except ExpressionError:
        raise errors.invalid(f"Invalid ScheduleExpressionTimezone {asked.zone}.") from None
    try:
        expressions.read(asked.expression)
    except ExpressionError:
        raise errors.expression(asked.expression) from None
    if asked.start and asked.end and asked.end < asked.start:
        raise errors.invalid("The EndDate you specify must come after the StartDate.")


@op("CreateSchedule")
def create_schedule(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Make a schedule."""
    group = finding.group(ctx, req.get("GroupName"))
    if group.state == DELETING:
        raise errors.conflict(f"Schedule group {group.name} is being deleted.")
    if ctx.db[Schedule].get(f"{group.name}/{req['Name']}") is not None:
        raise errors.conflict(f"Schedule {req['Name']} already exists.")
    held = times.restarted(ctx, ctx.db[Schedule].add(times.begin(ctx, _asked(ctx, req))))
    times.wake(ctx, held)
    return {"ScheduleArn": held.arn}


@op("UpdateSchedule")
def update_schedule(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Make a schedule anew: what is not said is as by default then."""
    known = finding.schedule(ctx, req.get("GroupName"), req["Name"])
    asked = replace(_asked(ctx, req), made=known.made)
    held = times.restarted(ctx, ctx.db[Schedule].put(times.begin(ctx, asked)))
    times.wake(ctx, held)
    return {"ScheduleArn": held.arn}


@op("GetSchedule")
def get_schedule(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """One schedule."""
    return views.schedule(finding.schedule(ctx, req.get("GroupName"), req["Name"]))


@op("DeleteSchedule")
def delete_schedule(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Delete a schedule; nothing of it is called any more."""
    found = finding.schedule(ctx, req.get("GroupName"), req["Name"])
    invocations(ctx.world).forget(found.place)
    ctx.db[Schedule].drop(found)
    return {}


@op("ListSchedules")
def list_schedules(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Schedules of a group or of all, by group and name."""
    group, prefix, state = req.get("GroupName"), req.get("NamePrefix") or "", req.get("State")
    if group:
        finding.group(ctx, group)
        found = ctx.db[Schedule].all(group=group)
    else:
        found = ctx.db[Schedule].all()
    shown = [one for one in found if one.name.startswith(prefix) and state in (None, one.state)]
    return {"Schedules": [views.summary(one) for one in sorted(shown, key=lambda one: one.path)]}
