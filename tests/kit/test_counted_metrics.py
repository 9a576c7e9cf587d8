"""Metrics that count: by the minute, later by five minutes and by the hour, never lost."""

from __future__ import annotations

import pytest

from cloudjar.kit.counted_metrics import counts
from cloudjar.kit.metrics import Metric
from tests.jar import ACCOUNT, TestJar

PARIS, SPACE, NAME = "eu-west-3", "AWS/Scheduler", "InvocationAttemptCount"
DAY, FIRST = 86_400, 1_800_000_000  # a multiple of a minute and of an hour


def add(jar: TestJar, at: float, group: str = "g", amount: int = 1) -> None:
    with jar.jar.database.transaction():
        counts(jar.jar.world).add(ACCOUNT, PARIS, SPACE, (("G", group),), {NAME: amount, "TargetErrorCount": 0}, at)


def read(jar: TestJar, group: str | None = None, start: float = 0, stop: float = 1e11) -> list[tuple[int, int]]:
    metric = Metric(SPACE, NAME, (("G", group),) if group else ())
    return counts(jar.jar.world).read(ACCOUNT, PARIS, metric, start, stop, total=not group)


def test_what_comes_in_a_minute_is_one_number(steady_jar: TestJar) -> None:
    for at, group in ((5, "g"), (59, "g"), (59, "h"), (60, "g")):
        add(steady_jar, FIRST + at, group)
    assert read(steady_jar) == [(FIRST, 3), (FIRST + 60, 1)]
    assert read(steady_jar, "g") == [(FIRST, 2), (FIRST + 60, 1)]
    assert read(steady_jar, "h", FIRST, FIRST + 60) == [(FIRST, 1)]
    assert read(steady_jar, "h", FIRST + 1) == []
    names = counts(steady_jar.jar.world).names
    assert names(ACCOUNT, PARIS, SPACE, FIRST) == [(NAME, (("G", "g"),)), (NAME, (("G", "h"),))]
    assert names(ACCOUNT, PARIS, SPACE, FIRST + 60) == [(NAME, (("G", "g"),))]
    assert names(ACCOUNT, "us-east-1", SPACE, FIRST) == []
    assert names(ACCOUNT, PARIS, "AWS/Events", FIRST) == []


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
