"""Activities and limits.

https://docs.aws.amazon.com/autoscaling/ec2/userguide/ec2-auto-scaling-verify-scaling-activity.html
"""

from __future__ import annotations

from typing import Any

from cloudjar.kit.context import Ctx
from cloudjar.kit.operation import op
from cloudjar.services.autoscaling import errors
from cloudjar.services.autoscaling.records import Activity, Group, LaunchConfiguration
from cloudjar.services.autoscaling.views import show_activity


@op("DescribeScalingActivities")
def describe_scaling_activities(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Activities of the last six weeks, the newest first; those of deleted groups when asked for."""
    if req.get("Filters"):
        raise errors.not_built("The parameter Filters of DescribeScalingActivities")
    name, wanted = req.get("AutoScalingGroupName"), req.get("ActivityIds")
    deleted = bool(req.get("IncludeDeletedGroups"))
    if name and not deleted:
        ctx.db[Group].need(name)
    items = ctx.db[Activity].all(group=name) if name else ctx.db[Activity].all()
    found = [a for a in items if (deleted or not a.group_deleted) and (not wanted or a.id in wanted)]
    found.sort(key=lambda a: (a.start, a.number), reverse=True)
    return {"Activities": [show_activity(a) for a in found]}


@op("DescribeAccountLimits")
def describe_account_limits(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """How many groups and launch configurations there may be, and are."""
    return {
        "MaxNumberOfAutoScalingGroups": int(ctx.limit("autoscaling", "L-CDE20ADC") or 0),
        "MaxNumberOfLaunchConfigurations": int(ctx.limit("autoscaling", "L-6B80B8FA") or 0),
        "NumberOfAutoScalingGroups": ctx.db[Group].count(),
        "NumberOfLaunchConfigurations": ctx.db[LaunchConfiguration].count(),
    }
