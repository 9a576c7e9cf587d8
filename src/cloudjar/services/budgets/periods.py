"""Periods of budgets: days, months, quarters, years in UTC; or the one stretch that a custom budget is about. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

DAILY, MONTHLY, QUARTERLY, ANNUALLY, CUSTOM = "DAILY", "MONTHLY", "QUARTERLY", "ANNUALLY", "CUSTOM"
_MONTHS = {MONTHLY: 1, QUARTERLY: 3, ANNUALLY: 12}
FOREVER = datetime(2087, 6, 15, tzinfo=UTC)
"""The end of a budget that was given none."""


class Period(NamedTuple):
    """[start, end)."""

    start: datetime
    end: datetime


def period(unit: str, moment: datetime, custom: Period | None = None) -> Period:
    """The period that an instant is in."""
    if unit == CUSTOM:
        assert custom is not None
        return custom
    day = moment.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    if unit == DAILY:
        return Period(day, day + timedelta(days=1))
    length = _MONTHS[unit]
    first = day.replace(day=1, month=(day.month - 1) // length * length + 1)
    return Period(first, _later(first, length))


def before(unit: str, one: Period, count: int) -> Iterator[Period]:
    """The periods before one, the newest first."""
    for _ in range(count):
        one = period(unit, one.start - timedelta(microseconds=1))
        yield one


def _later(first: datetime, months: int) -> datetime:
    month = first.month - 1 + months
    return first.replace(year=first.year + month // 12, month=month % 12 + 1)
