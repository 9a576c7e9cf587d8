"""Scheduled actions: made, listed, removed.

https://docs.aws.amazon.com/autoscaling/application/APIReference/API_PutScheduledAction.html
"""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from cloudjar.base import ids
from cloudjar.kit.context import Ctx
from cloudjar.kit.operation import op
from cloudjar.services.application_autoscaling import errors, targets
from cloudjar.services.application_autoscaling.records import Scheduled, Target, place, scheduled_arn
from cloudjar.services.application_autoscaling.scheduling import following

_MOST = 200


@op("PutScheduledAction")
def put_scheduled_action(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Make a scheduled action, or change the one of that name."""
    targets.dimension_of(ctx, req)
    target = targets.need(ctx, req)
    key = f"{target.id}/{req['ScheduledActionName']}"
    known = ctx.db[Scheduled].get(key)
    schedule = req.get("Schedule") or (known.schedule if known else "")
    bounds = req.get("ScalableTargetAction")
    if not schedule or (bounds is None and known is None):
        raise errors.invalid("Schedule and ScalableTargetAction are required to make a scheduled action")
    least, most = _bounds(bounds) if bounds is not None or known is None else (known.least, known.most)
    zone = req.get("Timezone") or (known.zone if known else "")
    start, end = req.get("StartTime") or (known.start if known else None), req.get("EndTime")
    if end is not None and (end <= ctx.now or (start is not None and end <= start)):
        raise errors.invalid("EndTime must be in the future and after StartTime")
    due = following(schedule, zone, ctx.now, start)
    if due is None or (end is not None and due > end):
        raise errors.invalid(f"The schedule {schedule} does not come any more")
    made = Scheduled(
        key=key, target=target.id, name=req["ScheduledActionName"], uuid=known.uuid if known else ids.uuid4(),
        namespace=target.namespace, resource=target.resource, dimension=target.dimension, schedule=schedule, zone=zone,
        start=start, end=end, least=least, most=most, due=due, created=known.created if known else ctx.now,
    )  # fmt: skip
    if known is not None:
        ctx.db[Scheduled].put(replace(made, account=known.account, region=known.region))
    elif ctx.db[Scheduled].count(target=target.id) >= _MOST:
        raise errors.limit(f"You may only have {_MOST} scheduled actions per scalable target.")
    else:
        ctx.db[Scheduled].add(made)
    return {}


def _bounds(given: dict[str, Any] | None) -> tuple[int | None, int | None]:
    told = given or {}
    least, most = told.get("MinCapacity"), told.get("MaxCapacity")
    if least is None and most is None:
        raise errors.invalid("At least one of MinCapacity and MaxCapacity must be specified")
    if least is not None and most is not None and most < least:
        raise errors.invalid("Maximum capacity cannot be less than minimum capacity")
    return least, most


@op("DescribeScheduledActions")
def describe_scheduled_actions(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Those that have still to happen, of a namespace, of a resource, by name."""
    if req.get("ScalableDimension") and not req.get("ResourceId"):
        raise errors.invalid("ResourceId must be specified together with ScalableDimension")
    wanted = req.get("ScheduledActionNames")
    found = [
        action
        for action in ctx.db[Scheduled].all()
        if action.namespace == req["ServiceNamespace"]
        and req.get("ResourceId") in (None, "", action.resource)
        and req.get("ScalableDimension") in (None, "", action.dimension)
        and (not wanted or action.name in wanted)
    ]
    return {"ScheduledActions": [show_scheduled(a) for a in sorted(found, key=lambda a: (a.resource, a.name))]}


def show_scheduled(action: Scheduled) -> dict[str, Any]:
    """AWS's ScheduledAction."""
    bounds = {"MinCapacity": action.least, "MaxCapacity": action.most}
    return {
        "ScheduledActionName": action.name,
        "ScheduledActionARN": scheduled_arn(action),
        "ServiceNamespace": action.namespace,
        "Schedule": action.schedule,
        "Timezone": action.zone or None,
        "ResourceId": action.resource,
        "ScalableDimension": action.dimension,
        "StartTime": action.start,
        "EndTime": action.end,
        "ScalableTargetAction": {name: value for name, value in bounds.items() if value is not None},
        "CreationTime": action.created,
    }


@op("DeleteScheduledAction")
def delete_scheduled_action(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Delete a scheduled action."""
    names = (req["ServiceNamespace"], req["ResourceId"], req["ScalableDimension"])
    found = ctx.db[Target].all(place=place(*names))
    action = ctx.db[Scheduled].get(f"{found[0].id}/{req['ScheduledActionName']}") if found else None
    if action is None:
        raise errors.not_found("scheduled action", req["ScheduledActionName"], *names)
    ctx.db[Scheduled].drop(action)
    return {}
