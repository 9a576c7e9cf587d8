"""Time periods as requests give them, and as answers show them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

from cloudjar.billing.ledger import Period, Step
from cloudjar.services.ce import errors

_MONTHS, _HOURLY_DAYS = 14, 14


def parsed(text: str) -> tuple[datetime, bool]:
    """A day, or an instant (True)."""
    for form in ("%Y-%m-%d", "%Y-%m-%dT%H:%M:%SZ"):
        try:
            return datetime.strptime(text, form).replace(tzinfo=UTC), "T" in form
        except ValueError:
            continue
    raise errors.invalid(f"Invalid date: {text}")


def given(req: Mapping[str, Any]) -> tuple[datetime, datetime, bool]:
    """Start, end, and whether they are instants."""
    period = req["TimePeriod"]
    start, exact = parsed(period["Start"])
    end, also = parsed(period["End"])
    if start >= end:
        raise errors.invalid(errors.ORDER)
    return start, end, exact or also


def past(req: Mapping[str, Any], now: datetime, step: Step) -> tuple[datetime, datetime]:
    """A period of history: at most fourteen months back (of hours fourteen days), up to the end of this month."""
    start, end, exact = given(req)
    if step == "HOURLY":
        if not exact:
            raise errors.invalid(errors.NEEDS_HOURS)
        if start < midnight(now) - timedelta(days=_HOURLY_DAYS):
            raise errors.invalid(errors.HOURS_TOO_OLD)
        start, end = (one.replace(minute=0, second=0) for one in (start, end))
        if start >= end:
            raise errors.invalid(errors.ORDER)
    elif exact:
        raise errors.invalid(errors.NO_HOURS)
    if end > month_after(now):
        raise errors.invalid(errors.BEYOND)
    if start < months_before(now, _MONTHS):
        raise errors.invalid(errors.TOO_OLD)
    return start, end


def midnight(moment: datetime) -> datetime:
    """The beginning of the day (UTC)."""
    return moment.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)


def month_of(moment: datetime) -> datetime:
    """The beginning of the month (UTC)."""
    return midnight(moment).replace(day=1)


def month_after(moment: datetime) -> datetime:
    """The beginning of the next month."""
    return (month_of(moment) + timedelta(days=32)).replace(day=1)


def months_before(moment: datetime, count: int) -> datetime:
    """The beginning of a month before."""
    number = moment.year * 12 + moment.month - 1 - count
    return month_of(moment).replace(year=number // 12, month=number % 12 + 1)


def shown(period: Period, step: Literal["HOURLY", "DAILY", "MONTHLY"]) -> dict[str, str]:
    """AWS's DateInterval."""
    form = "%Y-%m-%dT%H:%M:%SZ" if step == "HOURLY" else "%Y-%m-%d"
    return {"Start": period.start.strftime(form), "End": period.end.strftime(form)}
