"""AWS's cron expressions: six fields, with ``L``, ``W`` and ``#``. Pure.

https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-scheduled-rule-pattern.html
"""

from __future__ import annotations

import re
from bisect import bisect_left
from calendar import monthrange
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, tzinfo
from typing import NamedTuple

from cloudjar.kit.cron_fields import DAYS, MONTHS, CronError, named, numbers

_YEARS = 5
"""How far ahead a next time is looked for."""

DayTest = Callable[[datetime], bool]


class Cron(NamedTuple):
    """A compiled expression."""

    minutes: tuple[int, ...]
    hours: tuple[int, ...]
    months: frozenset[int]
    years: frozenset[int] | None
    day: DayTest

    def after(self, moment: datetime, zone: tzinfo = UTC) -> datetime | None:
        """The first time later than `moment`, in UTC, or None when there is none within some years; hours that a clock
        change leaves out do not come."""
        if zone is UTC:
            return self._after(moment.astimezone(UTC))
        day = moment.astimezone(zone).replace(hour=0, minute=0, second=0, microsecond=0, tzinfo=None)
        for _ in range(_YEARS * 366):
            if self._is_on(day):
                for hour in self.hours:
                    for minute in self.minutes:
                        found = day.replace(hour=hour, minute=minute, tzinfo=zone).astimezone(UTC)
                        if found > moment and found.astimezone(zone).hour == hour:
                            return found
            day += timedelta(days=1)
        return None

    def _after(self, moment: datetime) -> datetime | None:
        """The same where no clock changes, which most do: what is earlier in the day is passed over."""
        day = moment.replace(hour=0, minute=0, second=0, microsecond=0)
        if self._is_on(day):
            for hour in self.hours[bisect_left(self.hours, moment.hour) :]:
                for minute in self.minutes:
                    found = day.replace(hour=hour, minute=minute)
                    if found > moment:
                        return found
        for _ in range(_YEARS * 366 - 1):
            day += timedelta(days=1)
            if self._is_on(day):
                return day.replace(hour=self.hours[0], minute=self.minutes[0])
        return None

    def _is_on(self, day: datetime) -> bool:
        return day.month in self.months and (self.years is None or day.year in self.years) and self.day(day)

    @property
    def several_a_day(self) -> bool:
        """Whether there can be more than one time in a day."""
        return len(self.hours) * len(self.minutes) > 1


def parse(text: str) -> Cron:
    """``cron(Minutes Hours Day-of-month Month Day-of-week Year)``; raises `CronError`."""
    found = re.fullmatch(r"cron\((.+)\)", text.strip())
    fields = found[1].split() if found else []
    if len(fields) != 6:
        raise CronError("a cron expression has six fields")
    minutes, hours, month_day, month, week_day, year = (field.upper() for field in fields)
    if (month_day == "?") == (week_day == "?"):
        raise CronError("one of day-of-month and day-of-week must be ?")
    return Cron(
        tuple(sorted(numbers(minutes, 0, 59))),
        tuple(sorted(numbers(hours, 0, 23))),
        frozenset(numbers(named(month, MONTHS, 1), 1, 12)),
        None if year in ("*", "?") else frozenset(numbers(year, 1970, 2199)),
        _month_day(month_day) if week_day == "?" else _week_day(named(week_day, DAYS, 1)),
    )


def _last(day: datetime) -> int:
    return monthrange(day.year, day.month)[1]


def _month_day(field: str) -> DayTest:
    if field == "L":
        return lambda day: day.day == _last(day)
    weekday = re.fullmatch(r"(\d{1,2}|L)W", field)
    if weekday:
        return lambda day: day.day == _nearest(day, _last(day) if weekday[1] == "L" else int(weekday[1]))
    days = numbers(field, 1, 31)
    return lambda day: day.day in days


def _nearest(day: datetime, wanted: int) -> int:
    """The weekday nearest to a day of the month, in the same month."""
    wanted = min(wanted, _last(day))
    kind = datetime(day.year, day.month, wanted, tzinfo=UTC).weekday()
    if kind == 5:
        return wanted - 1 if wanted > 1 else wanted + 2
    if kind == 6:
        return wanted + 1 if wanted < _last(day) else wanted - 2
    return wanted


def _week_day(field: str) -> DayTest:
    """Days count from 1, Sunday, to 7."""
    nth = re.fullmatch(r"([1-7])#([1-5])", field)
    if nth:
        return lambda day: _of_week(day) == int(nth[1]) and (day.day - 1) // 7 + 1 == int(nth[2])
    last = re.fullmatch(r"([1-7])?L", field)
    if last:
        wanted = int(last[1] or 7)
        return lambda day: _of_week(day) == wanted and day.day + 7 > _last(day)
    days = numbers(field, 1, 7)
    return lambda day: _of_week(day) in days


def _of_week(day: datetime) -> int:
    return (day.weekday() + 1) % 7 + 1
