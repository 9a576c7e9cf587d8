"""The hours of the week that an event window has: pure.

https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/event-windows.html
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from cloudjar.services.ec2 import errors

DAYS = ("sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday")
_WEEK = 7 * 24
_LEAST_RANGE, _LEAST_WEEK = 2, 4
_SHORT = tuple(day[:3].upper() for day in DAYS)


def of_ranges(ranges: Sequence[Mapping[str, Any]]) -> frozenset[int]:
    """Hours since Sunday midnight UTC; raises for ranges shorter than two hours, or than four a week in all."""
    found: set[int] = set()
    for one in ranges:
        start, end = _hour(one, "Start"), _hour(one, "End")
        length = (end - start) % _WEEK
        if length < _LEAST_RANGE:
            raise errors.invalid_value(f"A time range of an event window must be at least {_LEAST_RANGE} hours long.")
        found |= {(start + n) % _WEEK for n in range(length)}
    return _long_enough(found)


def _hour(one: Mapping[str, Any], which: str) -> int:
    day, hour = one.get(f"{which}WeekDay"), one.get(f"{which}Hour")
    if day is None or hour is None:
        raise errors.missing_one(f"TimeRanges.{which}WeekDay and {which}Hour")
    if not 0 <= hour <= 23:
        raise errors.invalid_parameter(hour, f"{which.lower()}Hour", "It must be between 0 and 23.")
    return DAYS.index(day) * 24 + int(hour)


def of_cron(text: str) -> frozenset[int]:
    """The same of ``* HOURS * * DAYS``; any other cron expression is refused, as on AWS."""
    fields = text.split()
    if len(fields) != 5 or fields[0] != "*" or fields[2:4] != ["*", "*"]:
        raise errors.invalid_parameter(text, "cronExpression", "Its form is '* hours * * days of the week'.")
    hours, days = _field(fields[1], 24, ()), _field(fields[4], 7, _SHORT)
    return _long_enough({day * 24 + hour for day in days for hour in hours})


def _field(text: str, size: int, names: Sequence[str]) -> list[int]:
    if text == "*":
        return list(range(size))
    found: list[int] = []
    for part in text.split(","):
        first, _, last = part.partition("-")
        start, end = _number(first, size, names), _number(last or first, size, names)
        found += [(start + n) % size for n in range((end - start) % size + 1)]
    return found


def _number(text: str, size: int, names: Sequence[str]) -> int:
    if text.upper() in names:
        return list(names).index(text.upper())
    if not text.isdigit() or int(text) >= size:
        raise errors.invalid_parameter(text, "cronExpression", "It is no hour or day of the week.")
    return int(text)


def _long_enough(hours: set[int]) -> frozenset[int]:
    if len(hours) < _LEAST_WEEK:
        raise errors.invalid_value(f"An event window must have at least {_LEAST_WEEK} hours a week.")
    return frozenset(hours)


def hour_of(moment: datetime) -> int:
    """The hour of the week of an instant."""
    return (moment.weekday() + 1) % 7 * 24 + moment.hour


def next_in(hours: frozenset[int], after: datetime) -> datetime:
    """The first instant of a window that is not before another one."""
    if hour_of(after) in hours:
        return after
    moment = after.replace(minute=0, second=0, microsecond=0)
    for _ in range(_WEEK):
        moment += timedelta(hours=1)
        if hour_of(moment) in hours:
            return moment
    return after
