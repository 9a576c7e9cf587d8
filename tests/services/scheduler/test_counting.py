"""What CloudWatch is told of invocations: counted by the minute, later by five minutes and by the hour, never lost."""

from __future__ import annotations

from datetime import timedelta

import pytest

from cloudjar.services.scheduler.counting import counts
from tests.jar import ACCOUNT, TestJar
from tests.services.scheduler.conftest import Plans

PARIS, NAME = "eu-west-3", "InvocationAttemptCount"
DAY, FIRST = 86_400, 1_800_000_000  # a multiple of a minute and of an hour


def add(jar: TestJar, at: float, group: str = "g", amount: int = 1) -> None:
    with jar.jar.database.transaction():
        counts(jar.jar.world).add(ACCOUNT, PARIS, group, {NAME: amount, "TargetErrorCount": 0}, at)


def read(jar: TestJar, group: str | None = None, start: float = 0, stop: float = 1e11) -> list[tuple[int, int]]:
    return counts(jar.jar.world).read(ACCOUNT, PARIS, NAME, group, start, stop)


def test_what_comes_in_a_minute_is_one_number(steady_jar: TestJar) -> None:
    for at, group in ((5, "g"), (59, "g"), (59, "h"), (60, "g")):
        add(steady_jar, FIRST + at, group)
    assert read(steady_jar) == [(FIRST, 3), (FIRST + 60, 1)]
    assert read(steady_jar, "g") == [(FIRST, 2), (FIRST + 60, 1)]
    assert read(steady_jar, "h", FIRST, FIRST + 60) == [(FIRST, 1)]
    assert read(steady_jar, "h", FIRST + 1) == []
    names = counts(steady_jar.jar.world).names
    assert names(ACCOUNT, PARIS, FIRST) == [(NAME, "g"), (NAME, "h")]
    assert names(ACCOUNT, PARIS, FIRST + 60) == [(NAME, "g")]
    assert names(ACCOUNT, "us-east-1", FIRST) == []


@pytest.mark.parametrize(("days", "kept"), [(14, 8), (16, 6), (64, 2), (456, 0)])
def test_the_old_is_kept_by_longer_spans(steady_jar: TestJar, days: int, kept: int) -> None:
    for minute in (0, 1, 5, 9, 10, 59, 60, 119):
        add(steady_jar, FIRST + minute * 60)
    later = FIRST + days * DAY
    add(steady_jar, later, "other")
    found = read(steady_jar, "g")
    assert len(found) == kept
    assert sum(amount for _, amount in found) == (8 if kept else 0)
    add(steady_jar, later + DAY, "other")
    assert sum(amount for _, amount in read(steady_jar, "g")) == (8 if kept else 0)


def test_an_alarm_hears_of_invocations(plans: Plans) -> None:
    watch = plans.jar.client("cloudwatch")
    watch.put_metric_alarm(
        AlarmName="busy", Namespace="AWS/Scheduler", MetricName=NAME, Statistic="Sum", Period=60, EvaluationPeriods=1,
        Threshold=0.0, ComparisonOperator="GreaterThanThreshold", TreatMissingData="notBreaching",
    )  # fmt: skip
    plans.jar.settle()
    start = (plans.jar.clock.now() + timedelta(hours=3)).strftime("at(%Y-%m-%dT%H:%M:%S)")
    plans.make(start)

    def state() -> str:
        return str(watch.describe_alarms(AlarmNames=["busy"])["MetricAlarms"][0]["StateValue"])

    plans.jar.advance(hours=2)
    assert state() == "OK"
    plans.jar.advance(hours=1, minutes=2)
    changes = watch.describe_alarm_history(AlarmName="busy", HistoryItemType="StateUpdate")["AlarmHistoryItems"]
    assert any("to ALARM" in one["HistorySummary"] for one in changes)
    plans.jar.advance(minutes=10)
    assert state() == "OK"
