"""Schedule expressions: when a schedule is due. Pure.

https://docs.aws.amazon.com/scheduler/latest/UserGuide/schedule-types.html
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, tzinfo
from functools import lru_cache
from zoneinfo import ZoneInfo

from cloudjar.kit import cron
from cloudjar.kit.cron_fields import CronError

_AT = re.compile(r"at\((\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)\)", re.ASCII)
_RATE = re.compile(r"rate\(([1-9][0-9]{0,8}) (minute|hour|day)s?\)", re.ASCII)
_UNITS = {"minute": timedelta(minutes=1), "hour": timedelta(hours=1), "day": timedelta(days=1)}


class ExpressionError(ValueError):
    """The text is no schedule expression."""


@lru_cache(maxsize=4096)
def read(text: str) -> datetime | timedelta | cron.Cron:
    """``at(...)`` as a time without a zone, ``rate(...)`` as a duration, ``cron(...)``; raises `ExpressionError`."""
    if found := _AT.fullmatch(text):
        try:
            return datetime.fromisoformat(found[1])
        except ValueError:
            raise ExpressionError(text) from None
    if found := _RATE.fullmatch(text):
        try:
            return int(found[1]) * _UNITS[found[2]]
        except OverflowError:
            raise ExpressionError(text) from None
    if text != text.strip():
        raise ExpressionError(text)
    try:
        return cron.parse(text)
    except CronError:
        raise ExpressionError(text) from None


def is_once(text: str) -> bool:
    """Whether it is due one time alone."""
    return isinstance(read(text), datetime)


@lru_cache(maxsize=1024)
def zone(name: str) -> tzinfo:
    """A time zone of the IANA database; raises `ExpressionError`."""
    if name == "UTC":
        return UTC
    try:
        return ZoneInfo(name)
    except (ValueError, OSError, KeyError):  # KeyError: no such zone; the others: no such file name
        raise ExpressionError(name) from None


def first(text: str, zone_name: str, since: datetime, start: datetime | None) -> datetime | None:
    """When it is due for the first time, counted from `since`, and not before `start`; None when it never is.

    A time of day that a clock change leaves out does not come, one that comes twice counts once. A rate begins at once,
    or at its start; a single time does not look at the start.
    """
    held = read(text)
    begin = max(since, start) if start is not None else since
    if isinstance(held, datetime):
        return _once(held, zone(zone_name), since)
    if isinstance(held, timedelta):
        return begin
    return held.after(begin - timedelta(microseconds=1), zone(zone_name))


def following(text: str, zone_name: str, last: datetime, now: datetime) -> datetime | None:
    """When it is due after `last`, and not in the past; None when it never is again."""
    held = read(text)
    if isinstance(held, datetime):
        return None
    if isinstance(held, timedelta):
        try:
            return last + (max((now - last) // held, 0) + 1) * held
        except OverflowError:
            return None
    return held.after(max(last, now), zone(zone_name))


def _once(moment: datetime, place: tzinfo, since: datetime) -> datetime | None:
    there = moment.replace(tzinfo=place).astimezone(UTC)
    if there.astimezone(place).replace(tzinfo=None) != moment:
        return None  # the clocks there skip it
    return there if there >= since.replace(microsecond=0) - timedelta(seconds=59) else None
