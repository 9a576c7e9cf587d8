"""Scheduled actions: the bounds and the capacity of a group change at a time, or time and again.

https://docs.aws.amazon.com/autoscaling/ec2/userguide/ec2-auto-scaling-scheduled-scaling.html
"""

from __future__ import annotations

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from msgspec.structs import replace

from cloudjar.base import ids
from cloudjar.base.errors import AwsError
from cloudjar.kit.context import Ctx
from cloudjar.kit.cron_fields import CronError
from cloudjar.kit.machine import Step, reconciler
from cloudjar.kit.operation import op
from cloudjar.kit.record import arn_of
from cloudjar.services.autoscaling import cron, errors, rules
from cloudjar.services.autoscaling.activities import at
from cloudjar.services.autoscaling.records import DELETING, Group, Scheduled, hook_key

_MOST = 125


@op("PutScheduledUpdateGroupAction")
def put_scheduled_action(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Make a scheduled action, or change the one of that name."""
    if req.get("Time") is not None and req.get("StartTime") is not None:
        raise errors.invalid("Only one of Time and StartTime can be specified")
    start = req.get("StartTime") or req.get("Time")
    _put(ctx, rules.alive(ctx.db[Group].need(req["AutoScalingGroupName"])), {**req, "StartTime": start})
    return {}


def _put(ctx: Ctx, group: Group, given: dict[str, Any]) -> Scheduled:
    name, recurrence = given["ScheduledActionName"], given.get("Recurrence") or ""
    start, end, zone = given.get("StartTime"), given.get("EndTime"), given.get("TimeZone") or ""
    sizes = (given.get("MinSize"), given.get("MaxSize"), given.get("DesiredCapacity"))
    if all(size is None for size in sizes):
        raise errors.invalid("At least one of MinSize, MaxSize and DesiredCapacity must be specified")
    _in_order(*sizes)
    if not start and not recurrence:
        raise errors.invalid("StartTime or Recurrence must be specified")
    if start and start <= ctx.now:
        raise errors.invalid("Given start time is in the past")
    if end and (end <= ctx.now or (start and end <= start)):
        raise errors.invalid("End time must be in the future and after the start time")
    due = start or following(recurrence, zone, ctx.now)
    if recurrence:
        following(recurrence, zone, due)  # that it can be read
    key = hook_key(group.name, name)
    known = ctx.db[Scheduled].get(key)
    made = Scheduled(
        key=key, group=group.name, name=name, uuid=known.uuid if known else ids.uuid4(), start=start, end=end,
        recurrence=recurrence, zone=zone, least=sizes[0], most=sizes[1], desired=sizes[2], due=due,
    )  # fmt: skip
    if known is not None:
        return ctx.db[Scheduled].put(replace(made, account=known.account, region=known.region))
    if ctx.db[Scheduled].count(group=group.name) >= _MOST:
        raise errors.limit(f"You may only have {_MOST} scheduled actions per AutoScalingGroup.")
    return ctx.db[Scheduled].add(made)


def _in_order(least: int | None, most: int | None, desired: int | None) -> None:
    if least is not None and most is not None and most < least:
        raise errors.invalid(f"Max bound, {most}, must be greater than or equal to min bound, {least}")
    if desired is not None and ((least is not None and desired < least) or (most is not None and desired > most)):
        raise errors.invalid(
            f"Desired capacity:{desired} must be between the specified min size:{least} and max size:{most}"
        )


def following(recurrence: str, zone: str, moment: datetime) -> datetime:
    """When a recurrence is due next; raises ValidationError."""
    try:
        place = ZoneInfo(zone or "UTC")
    except (KeyError, ValueError, OSError):
        raise errors.invalid(f"Given time zone is invalid: {zone}") from None
    try:
        found = cron.parse(recurrence).after(moment, place)
    except CronError as error:
        raise errors.invalid(f"Given recurrence string: {recurrence} is invalid: {error}") from None
    if found is None:
        raise errors.invalid(f"Given recurrence string: {recurrence} is invalid: there is no such time")
    return found


@op("BatchPutScheduledUpdateGroupAction")
def batch_put_scheduled_actions(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Several at once; those that cannot be are told, the others are made."""
    group = rules.alive(ctx.db[Group].need(req["AutoScalingGroupName"]))
    failed = []
    for given in req["ScheduledUpdateGroupActions"]:
        try:
            _put(ctx, group, given)
        except AwsError as error:
            failed.append(_failure(given["ScheduledActionName"], error))
    return {"FailedScheduledUpdateGroupActions": failed}


def _failure(name: str, error: AwsError) -> dict[str, str]:
    return {"ScheduledActionName": name, "ErrorCode": error.code, "ErrorMessage": error.message}


def _need(ctx: Ctx, group: Group, name: str) -> Scheduled:
    found = ctx.db[Scheduled].get(hook_key(group.name, name))
    if found is None:
        raise errors.invalid("Scheduled action name not found")
    return found


@op("DeleteScheduledAction")
def delete_scheduled_action(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Delete a scheduled action."""
    group = ctx.db[Group].need(req["AutoScalingGroupName"])
    ctx.db[Scheduled].drop(_need(ctx, group, req["ScheduledActionName"]))
    return {}


@op("BatchDeleteScheduledAction")
def batch_delete_scheduled_actions(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Several at once; those that are not there are told."""
    group = ctx.db[Group].need(req["AutoScalingGroupName"])
    failed = []
    for name in req["ScheduledActionNames"]:
        try:
            ctx.db[Scheduled].drop(_need(ctx, group, name))
        except AwsError as error:
            failed.append(_failure(name, error))
    return {"FailedScheduledActions": failed}


@op("DescribeScheduledActions")
def describe_scheduled_actions(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Those that have still to happen, of a group or of all, the earliest first."""
    name, wanted = req.get("AutoScalingGroupName"), req.get("ScheduledActionNames")
    if name:
        ctx.db[Group].need(name)
    items = ctx.db[Scheduled].all(group=name) if name else ctx.db[Scheduled].all()
    found = [a for a in items if not wanted or a.name in wanted or arn_of(a) in wanted]
    if not wanted:
        start, end = req.get("StartTime"), req.get("EndTime")
        found = [a for a in found if (not start or a.due >= start) and (not end or a.due <= end)]
    return {"ScheduledUpdateGroupActions": [show_scheduled(a) for a in sorted(found, key=lambda a: (a.due, a.key))]}


def show_scheduled(action: Scheduled) -> dict[str, Any]:
    """AWS's ScheduledUpdateGroupAction."""
    return {
        "AutoScalingGroupName": action.group,
        "ScheduledActionName": action.name,
        "ScheduledActionARN": arn_of(action),
        "Time": action.due,
        "StartTime": action.due,
        "EndTime": action.end,
        "Recurrence": action.recurrence or None,
        "TimeZone": action.zone or None,
        "MinSize": action.least,
        "MaxSize": action.most,
        "DesiredCapacity": action.desired,
    }


@reconciler(Scheduled)
def converge(step: Step, _: Scheduled | None) -> None:
    """Do it when it is due, and wait for the next time."""
    with step.world.state.database.transaction():
        action = step.db[Scheduled].get(step.key)
        if action is None:
            return
        if action.due <= step.ctx.now:
            action = _happen(step.ctx, action)
    if action is not None:
        step.again("due", action.due)


def _happen(ctx: Ctx, action: Scheduled) -> Scheduled | None:
    group = ctx.db[Group].get(action.group)
    if group is not None and group.status != DELETING and not rules.suspended(group, "ScheduledActions"):
        _apply(ctx, group, action)
    following_one = following(action.recurrence, action.zone, ctx.now) if action.recurrence and group else None
    if following_one is None or (action.end is not None and following_one > action.end):
        ctx.db[Scheduled].drop(action)
        return None
    return ctx.db[Scheduled].put(replace(action, due=following_one))


def _apply(ctx: Ctx, group: Group, action: Scheduled) -> None:
    """The bounds that the action names; what it does not name gives way to them."""
    least = group.least if action.least is None else action.least
    most = group.most if action.most is None else action.most
    if action.most is None:
        most = max(most, least)
    least = min(least, most)
    desired = max(least, min(most, group.desired if action.desired is None else action.desired))
    reason = group.reason
    if desired != group.desired:
        text = (
            f"a scheduled action update of AutoScalingGroup constraints to min: {least}, max: {most}, desired: "
            f"{desired} changing the desired capacity from {group.desired} to {desired}."
        )
        reason = at(ctx.now, text)
    ctx.db[Group].put(
        replace(group, least=least, most=most, desired=desired, reason=reason, failures=0, retry_at=None)
    )
