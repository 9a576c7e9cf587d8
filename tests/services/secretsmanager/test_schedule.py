"""Rotation windows."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from cloudjar.base.errors import AwsError
from cloudjar.kit import cron
from cloudjar.services.secretsmanager import schedule

NOW = datetime(2026, 1, 15, 12, 30, tzinfo=UTC)  # a Thursday


def at(text: str) -> datetime:
    """A time in UTC."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("rules", "opens", "closes"),
    [
        ({"AutomaticallyAfterDays": 30}, "2026-02-14 00:00", "2026-02-15 00:00"),
        ({"AutomaticallyAfterDays": 1, "Duration": "3h"}, "2026-01-16 00:00", "2026-01-16 03:00"),
        ({"ScheduleExpression": "rate(10 days)"}, "2026-01-25 00:00", "2026-01-26 00:00"),
        ({"ScheduleExpression": "rate(4 hours)"}, "2026-01-15 16:00", "2026-01-15 17:00"),
        ({"ScheduleExpression": "rate(1 day)", "Duration": "24h"}, "2026-01-16 00:00", "2026-01-17 00:00"),
        ({"ScheduleExpression": "cron(0 16 1,15 * ? *)", "Duration": "2h"}, "2026-01-15 16:00", "2026-01-15 18:00"),
        ({"ScheduleExpression": "cron(0 8 1 * ? *)"}, "2026-02-01 08:00", "2026-02-02 00:00"),
        ({"ScheduleExpression": "cron(0 0/6 * * ? *)"}, "2026-01-15 18:00", "2026-01-15 19:00"),
        ({"ScheduleExpression": "cron(0 2 ? * SUN *)"}, "2026-01-18 02:00", "2026-01-19 00:00"),
        ({"ScheduleExpression": "cron(0 1 ? * 2#3 *)"}, "2026-01-19 01:00", "2026-01-20 00:00"),
        ({"ScheduleExpression": "cron(0 1 ? * 6L *)"}, "2026-01-30 01:00", "2026-01-31 00:00"),
        ({"ScheduleExpression": "cron(0 17 L * ? *)"}, "2026-01-31 17:00", "2026-02-01 00:00"),
        ({"ScheduleExpression": "cron(0 9 1 JAN-MAR ? *)"}, "2026-02-01 09:00", "2026-02-02 00:00"),
        ({"ScheduleExpression": "cron(0 9 15W 2 ? *)"}, "2026-02-16 09:00", "2026-02-17 00:00"),
    ],
)
def test_the_next_window(rules: dict[str, Any], opens: str, closes: str) -> None:
    window = schedule.following(schedule.read(rules), NOW)
    assert (window.opens, window.closes) == (at(opens), at(closes))


@pytest.mark.parametrize(
    "rules",
    [
        {},
        {"AutomaticallyAfterDays": 3, "ScheduleExpression": "rate(3 days)"},
        {"ScheduleExpression": "rate(3 hours)"},
        {"ScheduleExpression": "rate(10 minutes)"},
        {"ScheduleExpression": "rate(1000 days)"},
        {"ScheduleExpression": "rate(0 days)"},
        {"ScheduleExpression": "every day"},
        {"ScheduleExpression": "cron(0 1 * * *)"},
        {"ScheduleExpression": "cron(30 1 * * ? *)"},
        {"ScheduleExpression": "cron(0 1 1 * MON *)"},
        {"ScheduleExpression": "cron(0 1 * * ? 2027)"},
        {"ScheduleExpression": "cron(0 25 * * ? *)"},
        {"ScheduleExpression": "cron(0 5-1 * * ? *)"},
        {"ScheduleExpression": "rate(4 hours)", "Duration": "5h"},
        {"AutomaticallyAfterDays": 1, "Duration": "0h"},
    ],
)
def test_rules_that_cannot_be(rules: dict[str, Any]) -> None:
    with pytest.raises(AwsError) as error:
        schedule.read(rules)
    assert error.value.code == "InvalidParameterException"


@pytest.mark.parametrize(
    ("text", "next_time"),
    [
        ("cron(15 10 ? * 6L 2026-2027)", "2026-01-30 10:15"),
        ("cron(0/20 12 * * ? *)", "2026-01-15 12:40"),
        ("cron(0 0 31 * ? *)", "2026-01-31 00:00"),
        ("cron(0 0 29 2 ? *)", "2028-02-29 00:00"),
        ("cron(0 12 LW * ? *)", "2026-01-30 12:00"),
        ("cron(0 12 1W 8 ? *)", "2026-08-03 12:00"),
    ],
)
def test_cron(text: str, next_time: str) -> None:
    assert cron.parse(text).after(NOW) == at(next_time)


def test_a_day_that_never_comes() -> None:
    assert cron.parse("cron(0 0 31 2 ? *)").after(NOW) is None
