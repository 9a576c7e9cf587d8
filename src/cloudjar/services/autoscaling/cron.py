"""Cron expressions as Unix has them, in a time zone: ``minute hour day month weekday``. Pure.

https://docs.aws.amazon.com/autoscaling/ec2/userguide/ec2-auto-scaling-scheduled-scaling.html
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

from cloudjar.kit.cron_fields import DAYS, MONTHS, CronError, named, numbers

_YEARS = 5
"""How far ahead a next time is looked for: no leap day is further away than four."""


class Cron(NamedTuple):
    """A compiled expression; a day is right by its date or its weekday when both are narrowed, as in Unix."""

    minutes: tuple[int, ...]
    hours: tuple[int, ...]
    dates: frozenset[int]
    months: frozenset[int]
    weekdays: frozenset[int]
    either: bool

    def after(self, moment: datetime, zone: ZoneInfo) -> datetime | None:
        """The first time later than `moment`, in UTC; hours that a clock change leaves out do not come."""
        day = moment.astimezone(zone).replace(hour=0, minute=0, second=0, microsecond=0, tzinfo=None)
        for _ in range(_YEARS * 366):
            if self._is_on(day):
                for hour in self.hours:
                    for minute in self.minutes:
                        found = day.replace(hour=hour, minute=minute, tzinfo=zone).astimezone(UTC)
                        real = found.astimezone(zone).hour == hour
                        if real and found > moment:
                            return found
            day += timedelta(days=1)
        return None

    def _is_on(self, day: datetime) -> bool:
        by_date, by_weekday = day.day in self.dates, (day.weekday() + 1) % 7 in self.weekdays
        right = by_date or by_weekday if self.either else by_date and by_weekday
        return day.month in self.months and right


def parse(text: str) -> Cron:
    """Raises `CronError`."""
    fields = text.upper().split()
    if len(fields) != 5:
        raise CronError("a cron expression has five fields")
    minute, hour, date, month, weekday = fields
    days = {n % 7 for n in numbers(named(weekday, DAYS, 0), 0, 7)}
    return Cron(
        tuple(sorted(numbers(minute, 0, 59))),
        tuple(sorted(numbers(hour, 0, 23))),
        frozenset(numbers(date, 1, 31)),
        frozenset(numbers(named(month, MONTHS, 1), 1, 12)),
        frozenset(days),
        not date.startswith("*") and not weekday.startswith("*"),
    )
