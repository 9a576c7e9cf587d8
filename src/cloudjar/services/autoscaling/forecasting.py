"""What a load is likely to be, from what it was: hour by hour, by the hour of the day and of the week. Pure.

https://docs.aws.amazon.com/autoscaling/ec2/userguide/predictive-scaling-policy-overview.html
"""

from __future__ import annotations

import math
from collections.abc import Mapping

HOUR = 3600
AHEAD = 48
"""Hours that are forecast."""
DAYS = 14
"""Days of the past that count."""
LEAST = 24
"""Hours of the past without which nothing is forecast."""
_DAY, _WEEK = 24 * HOUR, 7 * 24 * HOUR
_FADING = 0.6
"""How much less a day counts than the one after it."""


def enough(history: Mapping[int, float]) -> bool:
    """Whether a forecast can be made of (hour's begin: load)."""
    return len(history) >= LEAST


def forecast(history: Mapping[int, float], first: int) -> dict[int, float]:
    """The loads of the 48 hours from `first` (Unix seconds, a whole hour) on. Of the same hours of the days before the
    newest count most; where the week before is known, half goes by the same hours of the same weekday."""
    return {hour: _expected(history, hour, first) for hour in range(first, first + AHEAD * HOUR, HOUR)}


def _expected(history: Mapping[int, float], hour: int, first: int) -> float:
    daily = _mean(history, [hour - n * _DAY for n in range(1, DAYS + 3)], first)
    weekly = _mean(history, [hour - n * _WEEK for n in (1, 2)], first)
    if daily is None:
        return weekly if weekly is not None else _mean(history, sorted(history, reverse=True), first) or 0.0
    return daily if weekly is None else (daily + weekly) / 2


def _mean(history: Mapping[int, float], hours: list[int], first: int) -> float | None:
    """The mean of what is known of some hours, the first of them counting most."""
    total = weights = 0.0
    weight = 1.0
    for hour in hours:
        if hour < first and hour in history:
            total += weight * history[hour]
            weights += weight
            weight *= _FADING
    return total / weights if weights else None


def ratio(load: Mapping[int, float], scaling: Mapping[int, float], capacity: Mapping[int, float]) -> float | None:
    """How much of the metric that is to be kept a unit of load is on a unit of capacity; None when nothing tells."""
    seen = [
        scaling[hour] * capacity[hour] / load[hour]
        for hour in load
        if load[hour] > 0 and hour in scaling and hour in capacity
    ]
    return sum(seen) / len(seen) if seen else None


def needed(load: float, each: float, target: float) -> float:
    """The capacity on which a load keeps the metric at its target."""
    return float(max(0, math.ceil(load * each / target - 1e-9)))
