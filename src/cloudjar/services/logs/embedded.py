"""The embedded metric format: metrics that a log event brings with it.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import msgspec

from cloudjar.kit.metrics import Metric, Point

_METRICS, _DIMENSIONS, _VALUES = 100, 30, 100
_SIZES = tuple(size + unit for unit in ("bytes", "bits") for size in ("Kilo", "Mega", "Giga", "Tera"))
_RATES = ("Bytes", "Bits", "Count", *_SIZES)
_UNITS = frozenset(
    ("Seconds", "Microseconds", "Milliseconds", "Percent", "None", *_RATES, *(f"{unit}/Second" for unit in _RATES))
)


class Malformed(Exception):
    """Something that looks like the format and is not."""


class Measured(NamedTuple):
    """What an event says of a metric; `fine` is by the second."""

    metric: Metric
    fine: bool
    point: Point


def measured(message: bytes) -> list[Measured]:
    """The metrics of an event; none when it is not of this format. Raises `Malformed`."""
    if b'"_aws"' not in message:
        return []
    try:
        said = msgspec.json.decode(message)
    except (msgspec.MsgspecError, RecursionError):
        raise Malformed from None
    about = said.get("_aws") if isinstance(said, dict) else None
    if not isinstance(about, dict) or "CloudWatchMetrics" not in about:
        return []
    time, directives = about.get("Timestamp"), about["CloudWatchMetrics"]
    if not _is_number(time) or not isinstance(directives, list):
        raise Malformed
    return [one for directive in directives for one in _of_directive(directive, said, float(time or 0) / 1000)]


def _of_directive(directive: Any, said: Mapping[str, Any], at: float) -> Iterator[Measured]:
    if not isinstance(directive, dict):
        raise Malformed
    namespace, defined = directive.get("Namespace"), directive.get("Metrics")
    sets = directive.get("Dimensions", [[]])
    if not isinstance(namespace, str) or not namespace or namespace.startswith("AWS/"):
        raise Malformed
    if not isinstance(defined, list) or len(defined) > _METRICS or not isinstance(sets, list):
        raise Malformed
    found = [_dimensions(names, said) for names in sets]
    for one in defined:
        if not isinstance(one, dict) or not isinstance(one.get("Name"), str):
            raise Malformed
        value = said.get(one["Name"])
        if value is None:
            continue
        point = _point(value, one.get("Unit", "None"), at)
        for dimensions in found:
            yield Measured(Metric(namespace, one["Name"], dimensions), one.get("StorageResolution") == 1, point)


def _dimensions(names: Any, said: Mapping[str, Any]) -> tuple[tuple[str, str], ...]:
    if not isinstance(names, list) or len(names) > _DIMENSIONS:
        raise Malformed
    pairs = {}
    for name in names:
        value = said.get(name) if isinstance(name, str) else None
        if not isinstance(value, str) or not value.strip():
            raise Malformed
        pairs[name] = value
    return tuple(sorted(pairs.items()))


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _point(value: Any, unit: Any, at: float) -> Point:
    values = value if isinstance(value, list) else [value]
    if unit not in _UNITS or not values or len(values) > _VALUES or not all(_is_number(one) for one in values):
        raise Malformed
    pairs: dict[float, float] = {}
    for one in values:
        pairs[float(one)] = pairs.get(float(one), 0.0) + 1
    count, total = float(len(values)), float(sum(values))
    return Point(at, unit, count, total, min(pairs), max(pairs), tuple(sorted(pairs.items())))
