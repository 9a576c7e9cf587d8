"""Scaling activities: what a group did, why, and how it went, in AWS's words; and the events that tell of them.

https://docs.aws.amazon.com/autoscaling/ec2/userguide/ec2-auto-scaling-event-reference.html
"""

from __future__ import annotations

import json
from datetime import datetime, timedelta

from msgspec.structs import replace

from cloudjar.base import ids
from cloudjar.kit.context import Ctx
from cloudjar.kit.record import arn_of
from cloudjar.services.autoscaling import telling
from cloudjar.services.autoscaling.records import Activity, Group

SOURCE = "aws.autoscaling"
REMEMBERED = timedelta(weeks=6)
"""How long an activity is listed."""

_TOLD = {
    ("launch", "Successful"): "EC2 Instance Launch Successful",
    ("launch", "Failed"): "EC2 Instance Launch Unsuccessful",
    ("launch", "Cancelled"): "EC2 Instance Launch Unsuccessful",
    ("terminate", "Successful"): "EC2 Instance Terminate Successful",
    ("terminate", "Failed"): "EC2 Instance Terminate Unsuccessful",
}


def at(moment: datetime, text: str) -> str:
    """One sentence of a cause: ``At 2026-01-01T00:00:00Z ...``."""
    return f"At {moment:%Y-%m-%dT%H:%M:%SZ} {text}"


def causes(*sentences: str) -> str:
    """The sentences that there are, two spaces apart."""
    return "  ".join(sentence for sentence in sentences if sentence)


def begin(
    ctx: Ctx, group: Group, description: str, cause: str, *, zone: str, subnet: str, instance: str = ""
) -> Activity:
    """A new activity, in progress."""
    details = {"Subnet ID": subnet, "Availability Zone": zone} if subnet else {"Availability Zone": zone}
    forget(ctx, group.name)
    return ctx.db[Activity].add(
        Activity(
            id=ids.uuid4(),
            group=group.name,
            group_arn=arn_of(group),
            number=max((a.number for a in ctx.db[Activity].all(group=group.name)), default=0) + 1,
            description=description,
            cause=cause,
            start=ctx.now,
            details=json.dumps(details, separators=(",", ":")),
            instance=instance,
        )
    )


def forget(ctx: Ctx, group: str) -> None:
    """Drop what is too old to be listed."""
    for activity in ctx.db[Activity].all(group=group):
        if activity.end is not None and activity.end + REMEMBERED < ctx.now:
            ctx.db[Activity].drop(activity)


def moved(ctx: Ctx, activity_id: str, status: str, progress: int) -> None:
    """An activity is at another stage."""
    activity = ctx.db[Activity].get(activity_id)
    if activity is not None and activity.end is None:
        ctx.db[Activity].put(replace(activity, status=status, progress=progress))


def end(ctx: Ctx, activity_id: str, status: str = "Successful", message: str = "", kind: str = "") -> None:
    """An activity is over; EventBridge is told when it was a launch or a termination (`kind`)."""
    activity = ctx.db[Activity].get(activity_id)
    if activity is None or activity.end is not None:
        return
    done = ctx.db[Activity].put(replace(activity, status=status, message=message, progress=100, end=ctx.now))
    told = _TOLD.get((kind, status))
    if told is not None:
        _tell(ctx, done, told, kind)
        telling.of_activity(ctx, done, kind)


def _tell(ctx: Ctx, activity: Activity, event: str, kind: str) -> None:
    places = ("EC2", "AutoScalingGroup") if kind == "launch" else ("AutoScalingGroup", "EC2")
    detail = {
        "StatusCode": activity.status,
        "Description": activity.description,
        "AutoScalingGroupName": activity.group,
        "ActivityId": activity.id,
        "Details": json.loads(activity.details),
        "RequestId": activity.id,
        "StatusMessage": activity.message,
        "StartTime": _text(activity.start),
        "EndTime": _text(activity.end),
        "EC2InstanceId": activity.instance,
        "Cause": activity.cause,
        "Origin": places[0],
        "Destination": places[1],
    }
    instance = f"arn:aws:ec2:{ctx.region}:{ctx.account}:instance/{activity.instance}"
    ctx.emit(SOURCE, event, detail, (activity.group_arn, *([instance] if activity.instance else [])))


def _text(moment: datetime | None) -> str:
    return "" if moment is None else moment.strftime("%Y-%m-%dT%H:%M:%S.") + f"{moment.microsecond // 1000:03d}Z"
