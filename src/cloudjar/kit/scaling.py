"""What a scaling policy makes of a capacity, whoever's the policy is. Pure.

https://docs.aws.amazon.com/autoscaling/ec2/userguide/as-scaling-simple-step.html
https://docs.aws.amazon.com/autoscaling/ec2/userguide/as-scaling-target-tracking.html
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

import msgspec

TYPES = ("ChangeInCapacity", "ExactCapacity", "PercentChangeInCapacity")
LOW_SHARE = 0.9
"""Scaling in begins below this share of a tracked target, so that it does not undo scaling out at once."""
_HIGH_PERIODS, _LOW_PERIODS = 3, 15


class Bar(msgspec.Struct, frozen=True):
    """A step adjustment: how much, between which distances from the threshold; None is without end."""

    by: int
    lower: float | None = None
    upper: float | None = None


def adjusted(kind: str, by: int, capacity: int, least: int = 0) -> int:
    """The capacity after an adjustment of a type, before any bounds; `least` is the smallest change by percent."""
    match kind:
        case "ExactCapacity":
            return by
        case "PercentChangeInCapacity":
            return capacity + _percent(by, capacity, least)
    return capacity + by


def tracked(capacity: int, value: float, target: float) -> int:
    """The capacity that brings a metric to its target when the load stays: never so little that it were above it."""
    return math.ceil(round(capacity * value / target, 6))


def tracking_alarms(
    front: str, policy: str, metric: Mapping[str, Any], target: float, uuids: tuple[str, str]
) -> list[dict[str, Any]]:
    """The two alarms of a target tracking policy as PutMetricAlarm is asked for them, the one for scaling out first.

    `front` is what they are called after (a group, a resource), `policy` the policy's ARN, `metric` the members of
    PutMetricAlarm that say what is watched.
    """
    shared = {
        "AlarmDescription": f"DO NOT EDIT OR DELETE. For TargetTrackingScaling policy {policy}.",
        "AlarmActions": [policy],
        **metric,
    }
    high, low = uuids
    return [
        {**shared, "AlarmName": f"TargetTracking-{front}-AlarmHigh-{high}", "Threshold": target,
         "ComparisonOperator": "GreaterThanThreshold", "EvaluationPeriods": _HIGH_PERIODS},
        {**shared, "AlarmName": f"TargetTracking-{front}-AlarmLow-{low}", "Threshold": round(target * LOW_SHARE, 6),
         "ComparisonOperator": "LessThanThreshold", "EvaluationPeriods": _LOW_PERIODS},
    ]  # fmt: skip


def customized(given: Mapping[str, Any], period: int = 60) -> dict[str, Any]:
    """A customized metric specification as members of PutMetricAlarm."""
    if given.get("Metrics"):
        return {"Metrics": [_query(query, period) for query in given["Metrics"]]}
    found = {
        "Namespace": given["Namespace"],
        "MetricName": given["MetricName"],
        "Dimensions": list(given.get("Dimensions") or ()),
        "Statistic": given["Statistic"],
        "Period": given.get("Period") or period,
    }
    return {**found, "Unit": given["Unit"]} if given.get("Unit") else found


def _query(given: Mapping[str, Any], period: int) -> dict[str, Any]:
    query = {name: given[name] for name in ("Id", "Expression", "Label", "ReturnData") if given.get(name) is not None}
    stat = given.get("MetricStat")
    if stat is None:
        return {**query, "Period": given["Period"]} if given.get("Period") else query
    query["MetricStat"] = {
        "Metric": stat["Metric"], "Stat": stat["Stat"], "Period": stat.get("Period") or given.get("Period") or period,
    }  # fmt: skip
    if stat.get("Unit"):
        query["MetricStat"]["Unit"] = stat["Unit"]
    return query


def _percent(by: int, capacity: int, least: int) -> int:
    """Fractions go towards zero, but a change that is wanted is one instance at least."""
    exact = by * capacity / 100
    change = int(exact)
    if change == 0 and exact:
        change = 1 if exact > 0 else -1
    if change and abs(change) < least:
        change = least if change > 0 else -least
    return change


def step(steps: Sequence[Bar], value: float, threshold: float) -> Bar | None:
    """The step for a metric's value: above the threshold the lower bound is part of it, below it the upper one."""
    distance = value - threshold
    for bar in steps:
        lower = float("-inf") if bar.lower is None else bar.lower
        upper = float("inf") if bar.upper is None else bar.upper
        if lower <= distance < upper if distance >= 0 else lower < distance <= upper:
            return bar
    return None


def fault(steps: Sequence[Bar]) -> str:
    """What is wrong with a policy's steps; "" when nothing is."""
    ordered = sorted(steps, key=lambda bar: float("-inf") if bar.lower is None else bar.lower)
    for bar in ordered:
        if bar.lower is None and bar.upper is None and len(ordered) > 1:
            return "At least one of MetricIntervalLowerBound and MetricIntervalUpperBound must be specified"
        if bar.lower is not None and bar.upper is not None and bar.lower >= bar.upper:
            return "The upper bound must be greater than the lower bound in a step adjustment"
    for one, other in pairwise(ordered):
        if one.upper is None or other.lower is None or one.upper > other.lower:
            return "StepAdjustment intervals can't overlap"
        if one.upper < other.lower:
            return "There should not be a gap between StepAdjustment intervals"
    return ""
