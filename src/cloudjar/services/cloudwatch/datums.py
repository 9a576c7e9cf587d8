"""What a `PutMetricData` request may say, and the points that it means. Pure.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_MetricDatum.html
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from cloudjar.kit.metrics import Point
from cloudjar.services.cloudwatch import errors

MOST_DATA, MOST_VALUES = 1000, 150
_PAST, _FUTURE = timedelta(days=14), timedelta(hours=2)
_LARGEST = 2.0**360


class Put(NamedTuple):
    """One datum: what it belongs to, what it says, and whether it is kept by the second."""

    name: str
    dimensions: tuple[tuple[str, str], ...]
    point: Point
    fine: bool


def read(data: Iterable[Mapping[str, Any]], now: datetime) -> list[Put]:
    """Every datum of a request, checked."""
    held = list(data)
    if len(held) > MOST_DATA:
        raise errors.value(f"The collection MetricData must not have a size greater than {MOST_DATA}.")
    return [_datum(datum, f"MetricData.member.{number}", now) for number, datum in enumerate(held, 1)]


def _datum(datum: Mapping[str, Any], place: str, now: datetime) -> Put:
    at = _instant(datum.get("Timestamp"), place, now)
    unit = datum.get("Unit") or "None"
    resolution = datum.get("StorageResolution") or 60
    if resolution not in (1, 60):
        raise errors.value(f"The value {resolution} for parameter {place}.StorageResolution is invalid.")
    return Put(
        datum["MetricName"],
        dimensions(datum.get("Dimensions") or (), place),
        _measured(datum, place, at, unit),
        resolution == 1,
    )


def _instant(given: datetime | None, place: str, now: datetime) -> float:
    if given is None:
        return now.timestamp()
    if given > now + _FUTURE:
        raise errors.value(f"The parameter {place}.Timestamp must specify a time no more than two hours in the future.")
    if given < now - _PAST:
        raise errors.value(f"The parameter {place}.Timestamp must specify a time within the past two weeks.")
    return given.timestamp()


def dimensions(given: Iterable[Mapping[str, Any]], place: str = "") -> tuple[tuple[str, str], ...]:
    """Dimensions as (name, value) pairs, by name."""
    found: dict[str, str] = {}
    where = f"{place}.Dimensions" if place else "Dimensions"
    for number, one in enumerate(given, 1):
        name, value = one["Name"], one["Value"]
        for member, text in (("Name", name), ("Value", value)):
            if not text.strip() or not text.isascii() or (member == "Name" and text.startswith(":")):
                raise errors.value(f"The value {text} for parameter {where}.member.{number}.{member} is invalid.")
        if name in found:
            raise errors.value(f"The dimension {name} is given more than once in {where}.")
        found[name] = value
    return tuple(sorted(found.items()))


def _measured(datum: Mapping[str, Any], place: str, at: float, unit: str) -> Point:
    given = [name for name in ("Value", "Values", "StatisticValues") if datum.get(name) is not None]
    if len(given) > 1:
        raise errors.combination(
            f"The parameters {place}.{given[0]} and {place}.{given[1]} are mutually exclusive and you have specified "
            "both."
        )
    if not given:
        raise errors.missing(
            f"At least one of the parameters {place}.Value, {place}.Values, {place}.StatisticValues must be specified."
        )
    if given == ["StatisticValues"]:
        return _of_set(datum["StatisticValues"], f"{place}.StatisticValues", at, unit)
    if given == ["Values"]:
        return _of_values(datum["Values"], datum.get("Counts"), place, at, unit)
    value = datum["Value"]
    _check(value, f"{place}.Value")
    return Point(at, unit, 1.0, value, value, value, ((value, 1.0),))


def _check(value: float, place: str) -> None:
    if not math.isfinite(value):
        shown = "NaN" if math.isnan(value) else ("Infinity" if value > 0 else "-Infinity")
        raise errors.value(f"The value {shown} for parameter {place} is invalid.")
    if abs(value) > _LARGEST:
        raise errors.value(f"The value {value} for parameter {place} is invalid: it must lie between -2^360 and 2^360.")


def _of_values(values: list[float], counts: list[float] | None, place: str, at: float, unit: str) -> Point:
    if not values:
        raise errors.missing(f"The parameter {place}.Values must not be empty.")
    if len(values) > MOST_VALUES:
        raise errors.value(f"The collection {place}.Values must not have a size greater than {MOST_VALUES}.")
    often = [1.0] * len(values) if counts is None else counts
    if len(often) != len(values):
        raise errors.value(f"The parameters {place}.Values and {place}.Counts must be of the same size.")
    for number, (value, count) in enumerate(zip(values, often, strict=True), 1):
        _check(value, f"{place}.Values.member.{number}")
        if not math.isfinite(count) or count <= 0:
            raise errors.value(f"The value {count} for parameter {place}.Counts.member.{number} is invalid.")
    pairs: dict[float, float] = {}
    for value, count in zip(values, often, strict=True):
        pairs[value] = pairs.get(value, 0.0) + count
    total = sum(value * count for value, count in pairs.items())
    return Point(at, unit, sum(often), total, min(values), max(values), tuple(sorted(pairs.items())))


def _of_set(given: Mapping[str, Any], place: str, at: float, unit: str) -> Point:
    count, total, low, high = (float(given[n]) for n in ("SampleCount", "Sum", "Minimum", "Maximum"))
    for name, value in (("SampleCount", count), ("Sum", total), ("Minimum", low), ("Maximum", high)):
        _check(value, f"{place}.{name}")
    if count <= 0:
        raise errors.value(f"The value {count} for parameter {place}.SampleCount is invalid.")
    if low > high:
        raise errors.combination(f"The parameter {place}.Maximum must be greater than or equal to {place}.Minimum.")
    same = low == high and math.isclose(total, low * count, rel_tol=1e-9, abs_tol=1e-12)
    return Point(at, unit, count, total, low, high, ((low, count),) if same else None)
