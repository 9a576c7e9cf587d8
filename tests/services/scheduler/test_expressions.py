"""When schedules are due."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from cloudjar.services.scheduler import expressions
from cloudjar.services.scheduler.expressions import ExpressionError

NOW = datetime(2026, 3, 28, 12, 0, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    "text",
    ["rate(5 minutes)", "rate(1 hour)", "rate(10 days)", "at(2026-12-24T18:00:00)", "cron(0 9 ? * MON-FRI *)",
     "cron(0-15/1 8-8 ? * 2,3,4,5,6,7 *)"],
)  # fmt: skip
def test_what_is_an_expression(text: str) -> None:
    assert expressions.read(text)


@pytest.mark.parametrize(
    "text",
    ["rate(10 seconds)", "rate(0 minutes)", "rate(-1 hours)", "rate(foo minutes)", "rate( 5 minutes )",
     " rate(5 minutes)", "at(2026-12-24)", "at(2026-12-24T18:00:00Z)", "at(2026-13-01T00:00:00)", "cron()",
     "cron(0 1 * * * *)", "cron(71 8 1 * ? *)", " cron(0 9 ? * MON-FRI *)", "sometimes"],
)  # fmt: skip
def test_what_is_none(text: str) -> None:
    with pytest.raises(ExpressionError):
        expressions.read(text)


def test_a_rate_begins_at_once_or_at_its_start() -> None:
    assert expressions.first("rate(5 minutes)", "UTC", NOW, None) == NOW
    later = NOW + timedelta(days=1)
    assert expressions.first("rate(5 minutes)", "UTC", NOW, later) == later
    assert expressions.first("rate(5 minutes)", "UTC", NOW, NOW - timedelta(days=1)) == NOW
    assert expressions.following("rate(5 minutes)", "UTC", NOW, NOW) == NOW + timedelta(minutes=5)
    missed = NOW + timedelta(minutes=12)
    assert expressions.following("rate(5 minutes)", "UTC", NOW, missed) == NOW + timedelta(minutes=15)


def test_clock_changes() -> None:
    """In Paris the clocks go from 02:00 to 03:00 on 29 March 2026, and from 03:00 back to 02:00 on 25 October."""
    daily = "cron(30 2 * * ? *)"
    skipped = expressions.first(daily, "Europe/Paris", datetime(2026, 3, 28, 12, tzinfo=UTC), None)
    assert skipped == datetime(2026, 3, 30, 0, 30, tzinfo=UTC)
    twice = expressions.first(daily, "Europe/Paris", datetime(2026, 10, 24, 12, tzinfo=UTC), None)
    assert twice == datetime(2026, 10, 25, 0, 30, tzinfo=UTC)
    assert expressions.following(daily, "Europe/Paris", twice, twice) == datetime(2026, 10, 26, 1, 30, tzinfo=UTC)
    assert expressions.first("at(2026-03-29T02:30:00)", "Europe/Paris", NOW, None) is None


def test_a_single_time_is_in_its_zone() -> None:
    at = "at(2026-07-01T09:00:00)"
    assert expressions.first(at, "America/New_York", NOW, None) == datetime(2026, 7, 1, 13, tzinfo=UTC)
    assert expressions.following(at, "America/New_York", datetime(2026, 7, 1, 13, tzinfo=UTC), NOW) is None
    assert expressions.first("at(2026-03-28T11:00:00)", "UTC", NOW, None) is None
    with pytest.raises(ExpressionError):
        expressions.zone("Europe/Nowhere")
