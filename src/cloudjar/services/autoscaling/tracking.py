"""Target tracking: what a policy watches, and the two alarms that set it off.

https://docs.aws.amazon.com/autoscaling/ec2/userguide/as-scaling-target-tracking.html
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from cloudjar.base import ids
from cloudjar.base.caller import Caller
from cloudjar.kit import scaling
from cloudjar.kit.context import Ctx
from cloudjar.kit.record import arn_of
from cloudjar.services.autoscaling import errors, linked_role, traffic
from cloudjar.services.autoscaling.records import Group, Policy

_OF_GROUP = {
    "ASGAverageCPUUtilization": "CPUUtilization",
    "ASGAverageNetworkIn": "NetworkIn",
    "ASGAverageNetworkOut": "NetworkOut",
}
_PER_TARGET = "ALBRequestCountPerTarget"
LABEL = re.compile(r"(app/[^/]+/[0-9a-f]+)/(targetgroup/[^/]+/[0-9a-f]+)")
_PERIODS = (10, 30, 60)


def checked(ctx: Ctx, group: Group, given: Mapping[str, Any]) -> dict[str, Any]:
    """A target tracking configuration as it is kept; raises ValidationError."""
    predefined, customized = given.get("PredefinedMetricSpecification"), given.get("CustomizedMetricSpecification")
    if bool(predefined) == bool(customized):
        raise errors.invalid(
            "Exactly one of PredefinedMetricSpecification and CustomizedMetricSpecification must be specified"
        )
    if given["TargetValue"] <= 0:
        raise errors.invalid("TargetValue must be greater than 0")
    if predefined:
        _check_predefined(ctx, group, predefined)
    else:
        _check_customized(customized or {})
    return {**given, "DisableScaleIn": bool(given.get("DisableScaleIn"))}


def _check_predefined(ctx: Ctx, group: Group, given: Mapping[str, Any]) -> None:
    kind, label = given["PredefinedMetricType"], given.get("ResourceLabel")
    if kind != _PER_TARGET:
        if label:
            raise errors.invalid(f"ResourceLabel cannot be specified for the metric type {kind}")
        return
    found = LABEL.fullmatch(label or "")
    if found is None:
        raise errors.invalid(f"A valid ResourceLabel must be specified for the metric type {kind}")
    if not any(arn.endswith(f":{found[2]}") for arn in traffic.arns(ctx, group.name)):
        raise errors.invalid(f"The target group {found[2]} is not attached to the Auto Scaling group {group.name}")


def _check_customized(given: Mapping[str, Any]) -> None:
    if given.get("Metrics"):
        if any(given.get(name) for name in ("MetricName", "Namespace", "Statistic", "Dimensions", "Unit")):
            raise errors.invalid("Metrics cannot be specified together with a single metric")
        if sum(query.get("ReturnData") is not False for query in given["Metrics"]) != 1:
            raise errors.invalid("Exactly one of the Metrics must return data")
        return
    missing = [name for name in ("MetricName", "Namespace", "Statistic") if not given.get(name)]
    if missing:
        raise errors.invalid(f"{' and '.join(missing)} must be specified in a CustomizedMetricSpecification")
    if given.get("Period") and given["Period"] not in _PERIODS:
        raise errors.invalid(f"Period must be one of {', '.join(map(str, _PERIODS))}")


def watched(group: str, tracking: Mapping[str, Any]) -> dict[str, Any]:
    """What the alarms of a policy are on, as members of PutMetricAlarm. Pure."""
    if tracking.get("CustomizedMetricSpecification"):
        return scaling.customized(tracking["CustomizedMetricSpecification"])
    given = tracking["PredefinedMetricSpecification"]
    if given["PredefinedMetricType"] == _PER_TARGET:
        found = LABEL.fullmatch(given["ResourceLabel"])
        assert found is not None  # checked when the policy was made
        dimensions = [{"Name": "LoadBalancer", "Value": found[1]}, {"Name": "TargetGroup", "Value": found[2]}]
        return {"Namespace": "AWS/ApplicationELB", "MetricName": "RequestCountPerTarget", "Statistic": "Sum",
                "Dimensions": dimensions, "Period": 60}  # fmt: skip
    dimensions = [{"Name": "AutoScalingGroupName", "Value": group}]
    return {"Namespace": "AWS/EC2", "MetricName": _OF_GROUP[given["PredefinedMetricType"]], "Statistic": "Average",
            "Dimensions": dimensions, "Period": 60}  # fmt: skip


def put_alarms(ctx: Ctx, group: Group, policy: Policy) -> tuple[str, ...]:
    """Make a policy's alarms, or change those it has; their names."""
    known = tuple(name[-36:] for name in policy.alarms)
    uuids = (known[0], known[1]) if len(known) == 2 else (ids.uuid4(), ids.uuid4())
    metric, target = watched(group.name, policy.tracking), policy.tracking["TargetValue"]
    wanted = scaling.tracking_alarms(group.name, arn_of(policy), metric, target, uuids)
    for alarm in wanted:
        ctx.call("cloudwatch", "PutMetricAlarm", alarm, caller=linked_role.acting(ctx, group))
    return tuple(str(alarm["AlarmName"]) for alarm in wanted)


def drop_alarms(ctx: Ctx, policy: Policy, caller: Caller) -> None:
    """Remove a policy's alarms."""
    if policy.alarms:
        ctx.call("cloudwatch", "DeleteAlarms", {"AlarmNames": list(policy.alarms)}, caller=caller)


def alarms_of(ctx: Ctx, policy: Policy) -> list[dict[str, str]]:
    """The alarms that set a policy off, whoever made them."""
    group = ctx.db[Group].get(policy.group)
    if group is None:
        return []
    asked = {"ActionPrefix": arn_of(policy)}
    found = ctx.call("cloudwatch", "DescribeAlarms", asked, caller=linked_role.acting(ctx, group))
    shown = {a["AlarmName"]: a["AlarmArn"] for a in found.get("MetricAlarms") or ()}
    return [{"AlarmName": name, "AlarmARN": shown[name]} for name in sorted(shown)]
