"""What was done.

https://docs.aws.amazon.com/autoscaling/application/userguide/application-auto-scaling-scaling-activities.html
"""

from __future__ import annotations

from typing import Any

from cloudjar.kit.context import Ctx
from cloudjar.kit.operation import op
from cloudjar.services.application_autoscaling import errors
from cloudjar.services.application_autoscaling.records import Activity


@op("DescribeScalingActivities")
def describe_scaling_activities(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Activities of the last six weeks, the newest first; those that moved nothing when asked for."""
    if req.get("ScalableDimension") and not req.get("ResourceId"):
        raise errors.invalid("ResourceId must be specified together with ScalableDimension")
    found = [
        activity
        for activity in ctx.db[Activity].all(namespace=req["ServiceNamespace"])
        if req.get("ResourceId") in (None, "", activity.resource)
        and req.get("ScalableDimension") in (None, "", activity.dimension)
        and (req.get("IncludeNotScaledActivities") or not activity.reasons)
    ]
    found.sort(key=lambda a: (a.at, a.number), reverse=True)
    return {"ScalingActivities": [_show(activity) for activity in found]}


def _show(activity: Activity) -> dict[str, Any]:
    return {
        "ActivityId": activity.id,
        "ServiceNamespace": activity.namespace,
        "ResourceId": activity.resource,
        "ScalableDimension": activity.dimension,
        "Description": activity.description,
        "Cause": activity.cause,
        "StartTime": activity.at,
        "EndTime": activity.at,
        "StatusCode": activity.status,
        "StatusMessage": activity.message or None,
        "NotScaledReasons": list(activity.reasons) or None,
    }
