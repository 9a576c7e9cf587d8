"""Statistics of points: the five plain ones, percentiles, and what is trimmed. Pure.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/Statistics-definitions.html
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable
from functools import lru_cache

from cloudjar.store.points import Point

Statistic = Callable[[Point], "float | None"]

PLAIN: dict[str, Statistic] = {
    "SampleCount": lambda p: p.samples,
    "Average": lambda p: p.total / p.samples if p.samples else None,
    "Sum": lambda p: p.total,
    "Minimum": lambda p: p.low,
    "Maximum": lambda p: p.high,
}
_NUMBER = r"(\d{1,3}(?:\.\d{1,10})?)"
_PERCENT = re.compile(rf"(p|tm|wm|tc|ts){_NUMBER}")
_RANGE = re.compile(r"(PR|TM|WM|TC|TS)\(([^:()]*):([^:()]*)\)")
_BOUND = re.compile(r"(-?\d+(?:\.\d+)?(?:[eE][-+]?\d+)?)(%?)")


@lru_cache(maxsize=1024)
def parse(name: str) -> Statistic | None:
    """The statistic of a name (``Average``, ``p99.9``, ``TM(10%:90%)``, ``IQM``); None when there is none."""
    if name in PLAIN:
        return PLAIN[name]
    if name == "IQM":
        return _of_range("TM", ("25%", "75%"))
    found = _PERCENT.fullmatch(name)
    if found is not None:
        kind, share = found[1], float(found[2])
        if share > 100:
            return None
        if kind == "p":
            return lambda point: percentile(point, share)
        return _of_range(kind.upper(), ("0%", f"{found[2]}%"))
    ranged = _RANGE.fullmatch(name)
    return _of_range(ranged[1], (ranged[2].strip(), ranged[3].strip())) if ranged else None


def is_percentile(name: str) -> bool:
    """Whether a name is a percentile's (``p95``)."""
    return name.startswith("p") and _PERCENT.fullmatch(name) is not None


def _distribution(point: Point) -> tuple[tuple[float, float], ...] | None:
    """The values behind a point. Statistic sets tell them only when they are all the same."""
    if point.pairs is not None:
        return point.pairs
    if point.low == point.high and point.samples:
        return ((point.low, point.samples),)
    return None


def percentile(point: Point, share: float) -> float | None:
    """The value below which `share` percent of the values lie, between neighbours in proportion."""
    values = _distribution(point)
    if not values or point.samples <= 0:
        return None
    rank = share / 100 * (point.samples - 1)
    passed = 0.0
    for index, (value, often) in enumerate(values):
        if rank <= passed + often - 1:
            return value
        if rank < passed + often and index + 1 < len(values):
            into = rank - (passed + often - 1)
            return value + (values[index + 1][0] - value) * into
        passed += often
    return values[-1][0]


def _of_range(kind: str, bounds: tuple[str, str]) -> Statistic | None:
    """`TM` trimmed mean, `WM` winsorized mean, `TC` count, `TS` sum, `PR` percentile rank, all of values in a range."""
    cut = [_bound(text) for text in bounds]
    if any(text and bound is None for text, bound in zip(bounds, cut, strict=True)) or not any(bounds):
        return None
    given = [bound for bound in cut if bound is not None]
    relative = {bound[1] for bound in given}
    if len(relative) > 1 or (kind == "PR" and True in relative):
        return None
    if True in relative:
        low = cut[0][0] if cut[0] else 0.0
        high = cut[1][0] if cut[1] else 100.0
        if not 0 <= low < high <= 100:
            return None
        return lambda point: _trimmed(kind, point, low, high)
    lowest = cut[0][0] if cut[0] else -math.inf
    highest = cut[1][0] if cut[1] else math.inf
    return (lambda point: _within(kind, point, lowest, highest)) if lowest < highest else None


def _bound(text: str) -> tuple[float, bool] | None:
    found = _BOUND.fullmatch(text)
    return (float(found[1]), bool(found[2])) if found else None


def _trimmed(kind: str, point: Point, low: float, high: float) -> float | None:
    values = _distribution(point)
    if values is None:
        return None
    if kind == "WM":
        bottom, top = percentile(point, low), percentile(point, high)
        if bottom is None or top is None:
            return None
        return _mean((min(max(value, bottom), top), often) for value, often in values)
    first, last = point.samples * low / 100, point.samples * high / 100
    kept, passed = [], 0.0
    for value, often in values:
        share = min(passed + often, last) - max(passed, first)
        if share > 0:
            kept.append((value, share))
        passed += often
    return _summed(kind, kept, point.samples)


def _within(kind: str, point: Point, low: float, high: float) -> float | None:
    values = _distribution(point)
    if values is None:
        return None
    if kind == "WM":
        return _mean((min(max(value, low), high), often) for value, often in values)
    return _summed(kind, [(value, often) for value, often in values if low < value <= high], point.samples)


def _summed(kind: str, kept: list[tuple[float, float]], count: float) -> float | None:
    often = sum(pair[1] for pair in kept)
    match kind:
        case "TC":
            return often
        case "TS":
            return sum(value * times for value, times in kept)
        case "PR":
            return often / count * 100 if count else None
    return _mean(kept)


def _mean(pairs: Iterable[tuple[float, float]]) -> float | None:
    held = list(pairs)
    often = sum(pair[1] for pair in held)
    return sum(value * times for value, times in held) / often if often else None
