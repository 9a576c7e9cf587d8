"""What a scaling policy makes of a capacity. Pure.

https://docs.aws.amazon.com/autoscaling/ec2/userguide/as-scaling-simple-step.html
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from cloudjar.services.autoscaling.records import Bar, Policy

TYPES = ("ChangeInCapacity", "ExactCapacity", "PercentChangeInCapacity")


def adjusted(policy: Policy, by: int, capacity: int) -> int:
    """The capacity after an adjustment, before the group's bounds."""
    match policy.adjustment:
        case "ExactCapacity":
            return by
        case "PercentChangeInCapacity":
            return capacity + _percent(by, capacity, policy.magnitude or policy.step)
    return capacity + by


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
