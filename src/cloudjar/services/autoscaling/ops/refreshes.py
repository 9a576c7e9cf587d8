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
from cloudjar.services.autoscaling import errors, launching, linked_role, origin, refreshing, rules
from cloudjar.services.autoscaling.records import Group, Member, Refresh

_DEFAULTS = {
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
    preferences = _preferences(req.get("Preferences") or {})
    if refreshing.active(ctx, group.name) is not None:
        raise AwsError(
            "InstanceRefreshInProgress", "An Instance Refresh is already in progress and blocks the execution of this "
            "Instance Refresh."
        )  # fmt: skip
    desired = req.get("DesiredConfiguration") or {}
    wanted = _wanted(ctx, group, desired)
    _check_alarms(ctx, group, preferences)
    if preferences.get("AutoRollback"):
        _check_reversible(group, wanted)
    left = tuple(m.id for m in _chosen(ctx, replace(group, **wanted), preferences))
    made = Refresh(
        id=ids.uuid4(), group=group.name, start=ctx.now, total=len(left), left=left, preferences=preferences,
        wanted=wanted, desired=desired,
    )  # fmt: skip
    ctx.db[Refresh].add(made)
    return {"InstanceRefreshId": made.id}


def _wanted(ctx: Ctx, group: Group, desired: dict[str, Any]) -> dict[str, Any]:
    """The fields of the group that a desired configuration changes."""
    if not desired:
        return {}
    asked = {**desired, "AutoScalingGroupName": group.name}
    return origin.of_request(ctx, asked, group.role_arn, group)


def _check_alarms(ctx: Ctx, group: Group, preferences: dict[str, Any]) -> None:
    names = (preferences.get("AlarmSpecification") or {}).get("Alarms") or []
    states = refreshing.alarm_states(ctx, group, names)
    for name in names:
        if name not in states:
            raise errors.invalid(f"The alarm {name} does not exist")
        if states[name] == "ALARM":
            raise errors.invalid(f"The alarm {name} is in state ALARM")


def _check_reversible(group: Group, wanted: dict[str, Any]) -> None:
    """There is a way back only from a desired configuration to a launch template's numbered version."""
    specs = [group.template_version] if group.template_id else []
    if group.mixed is not None:
        specs = [group.mixed["LaunchTemplate"]["LaunchTemplateSpecification"].get("Version") or ""]
    if not wanted or not specs or not specs[0].isdigit():
        raise AwsError(
            "IrreversibleInstanceRefresh",
            "The instance refresh cannot be rolled back: it needs a desired configuration, and a group whose launch "
            "template has a numbered version.",
        )


def _preferences(given: dict[str, Any]) -> dict[str, Any]:
    rules.not_negative(given, "InstanceWarmup", "CheckpointDelay", "BakeTime")
    points = given.get("CheckpointPercentages") or []
    if points != sorted(set(points)) or any(not 1 <= point <= 100 for point in points):
        raise errors.invalid("CheckpointPercentages must be in ascending order, each between 1 and 100")
    least, most = given.get("MinHealthyPercentage"), given.get("MaxHealthyPercentage")
    if most is not None and (least is None or most - least > 100):
        raise errors.invalid(
            "MaxHealthyPercentage needs MinHealthyPercentage, and the difference between them must not exceed 100"
        )
    if (given.get("AlarmSpecification") or {}).get("Alarms") and len(given["AlarmSpecification"]["Alarms"]) > 10:
        raise errors.invalid("You may only specify 10 alarms")
    return {**_DEFAULTS, **{key: value for key, value in given.items() if value is not None}}


def _chosen(ctx: Ctx, group: Group, preferences: dict[str, Any]) -> list[Member]:
    """Whom the refresh is about."""
    found = [m for m in ctx.db[Member].all(group=group.name) if not m.ending and not m.warmed]
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
        "ProgressDetails": {
            "LivePoolProgress": {"PercentageComplete": refresh.percent, "InstancesToUpdate": len(refresh.left)}
        },
        "Preferences": refresh.preferences,
        "DesiredConfiguration": refresh.desired or None,
        "RollbackDetails": _show_rollback(refresh),
        "Strategy": "Rolling",
    }


def _show_rollback(refresh: Refresh) -> dict[str, Any] | None:
    back = refresh.rollback
    if back is None:
        return None
    return {
        "RollbackReason": back.reason,
        "RollbackStartTime": back.start,
        "PercentageCompleteOnRollback": back.percent,
        "InstancesToUpdateOnRollback": back.left,
    }


@op("CancelInstanceRefresh")
def cancel_instance_refresh(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Replace no more; what has been replaced stays, and what is on its way out goes."""
    group = ctx.db[Group].need(req["AutoScalingGroupName"])
    refresh = _going_on(ctx, group)
    refreshing.cancel(ctx, group, refresh)
    return {"InstanceRefreshId": refresh.id}


def _going_on(ctx: Ctx, group: Group) -> Refresh:
    refresh = refreshing.active(ctx, group.name)
    if refresh is None:
        raise AwsError(
            "ActiveInstanceRefreshNotFound",
            f"No in progress or pending Instance Refresh found for Auto Scaling group {group.name}",
        )
    return refresh


@op("RollbackInstanceRefresh")
def rollback_instance_refresh(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Replace what was replaced by what the group has had all the time."""
    group = rules.alive(ctx.db[Group].need(req["AutoScalingGroupName"]))
    refresh = _going_on(ctx, group)
    _check_reversible(group, refresh.wanted)
    if refresh.rollback is None:
        refreshing.roll_back(ctx, group, refresh, "Rollback was requested by a user.")
    return {"InstanceRefreshId": refresh.id}
