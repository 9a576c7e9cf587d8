"""Instance refreshes: started, watched, cancelled.

https://docs.aws.amazon.com/autoscaling/ec2/userguide/asg-instance-refresh.html
"""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from cloudjar.base import ids
from cloudjar.base.errors import AwsError
from cloudjar.kit.context import Ctx
from cloudjar.kit.operation import op
from cloudjar.services.autoscaling import errors, launching, linked_role, refreshing, rules
from cloudjar.services.autoscaling.records import Group, Member, Refresh

_NOT_BUILT = ("AutoRollback", "AlarmSpecification", "MaxHealthyPercentage", "BakeTime")
_DEFAULTS = {
    "MinHealthyPercentage": 90,
    "SkipMatching": False,
    "ScaleInProtectedInstances": "Wait",
    "StandbyInstances": "Wait",
}


@op("StartInstanceRefresh")
def start_instance_refresh(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Replace the instances of a group by new ones of its present configuration."""
    group = rules.alive(ctx.db[Group].need(req["AutoScalingGroupName"]))
    if req.get("Strategy") not in (None, "Rolling"):
        raise errors.not_built(f"The strategy {req['Strategy']} of an instance refresh")
    if req.get("DesiredConfiguration"):
        raise errors.not_built("The parameter DesiredConfiguration of an instance refresh")
    preferences = _preferences(req.get("Preferences") or {})
    if refreshing.active(ctx, group.name) is not None:
        raise AwsError(
            "InstanceRefreshInProgress", "An Instance Refresh is already in progress and blocks the execution of this "
            "Instance Refresh."
        )  # fmt: skip
    left = tuple(m.id for m in _chosen(ctx, group, preferences))
    made = Refresh(
        id=ids.uuid4(), group=group.name, start=ctx.now, total=len(left), left=left, preferences=preferences
    )
    ctx.db[Refresh].add(made)
    return {"InstanceRefreshId": made.id}


def _preferences(given: dict[str, Any]) -> dict[str, Any]:
    for member in _NOT_BUILT:
        if given.get(member):
            raise errors.not_built(f"The preference {member} of an instance refresh")
    if given.get("StandbyInstances") == "Terminate":
        raise errors.not_built("The preference StandbyInstances: Terminate of an instance refresh")
    rules.not_negative(given, "InstanceWarmup", "CheckpointDelay")
    points = given.get("CheckpointPercentages") or []
    if points != sorted(set(points)) or any(not 1 <= point <= 100 for point in points):
        raise errors.invalid("CheckpointPercentages must be in ascending order, each between 1 and 100")
    if not 0 <= (given.get("MinHealthyPercentage") or 0) <= 100:
        raise errors.invalid("MinHealthyPercentage must be between 0 and 100")
    return {**_DEFAULTS, **{key: value for key, value in given.items() if value is not None}}


def _chosen(ctx: Ctx, group: Group, preferences: dict[str, Any]) -> list[Member]:
    """Whom the refresh is about."""
    found = [m for m in ctx.db[Member].all(group=group.name) if not m.state.startswith("Terminating")]
    if preferences["ScaleInProtectedInstances"] == "Ignore":
        found = [m for m in found if not m.protected]
    if preferences["StandbyInstances"] == "Ignore":
        found = [m for m in found if m.state != "Standby"]
    if preferences["SkipMatching"]:
        sources = launching.sources(ctx, group, found, linked_role.acting(ctx, group))
        wanted = {(s.configuration, s.template_id, s.template_version) for s in sources}
        found = [m for m in found if (m.launch_configuration, m.template_id, m.template_version) not in wanted]
    return found


@op("DescribeInstanceRefreshes")
def describe_instance_refreshes(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """The refreshes of a group, the newest first."""
    group = ctx.db[Group].need(req["AutoScalingGroupName"])
    wanted = req.get("InstanceRefreshIds")
    found = [r for r in ctx.db[Refresh].all(group=group.name) if not wanted or r.id in wanted]
    found.sort(key=lambda r: (r.start, r.id), reverse=True)
    return {"InstanceRefreshes": [show_refresh(r) for r in found]}


def show_refresh(refresh: Refresh) -> dict[str, Any]:
    """AWS's InstanceRefresh."""
    return {
        "InstanceRefreshId": refresh.id,
        "AutoScalingGroupName": refresh.group,
        "Status": refresh.status,
        "StatusReason": refresh.reason or None,
        "StartTime": refresh.start,
        "EndTime": refresh.end,
        "PercentageComplete": refresh.percent,
        "InstancesToUpdate": len(refresh.left),
        "Preferences": refresh.preferences,
        "Strategy": "Rolling",
    }


@op("CancelInstanceRefresh")
def cancel_instance_refresh(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Replace no more; what has been replaced stays, and what is on its way out goes."""
    group = ctx.db[Group].need(req["AutoScalingGroupName"])
    refresh = refreshing.active(ctx, group.name)
    if refresh is None:
        raise AwsError(
            "ActiveInstanceRefreshNotFound",
            f"No in progress or pending Instance Refresh found for Auto Scaling group {group.name}",
        )
    ctx.db[Refresh].put(replace(refresh, status="Cancelled", reason="Cancelled by user.", end=ctx.now))
    return {"InstanceRefreshId": refresh.id}
