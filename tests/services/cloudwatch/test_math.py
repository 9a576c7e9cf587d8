"""Metric math, as `GetMetricData` answers it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from tests.jar import TestJar
from tests.services.cloudwatch.test_metrics import refusal

SHOP = {"Namespace": "Shop", "MetricName": "a"}


def stat(name: str, metric: str, statistic: str = "Sum", *, period: int = 60, **more: Any) -> dict[str, Any]:
    """A query for a metric."""
    wanted = {"Metric": {"Namespace": "Shop", "MetricName": metric}, "Period": period, "Stat": statistic}
    return {"Id": name, "MetricStat": wanted, **more}


def put(jar: TestJar, client: Any, **series: list[float | None]) -> None:
    """A value a minute from now on; None leaves a gap."""
    for name, values in series.items():
        for minute, value in enumerate(values):
            if value is not None:
                datum = {"MetricName": name, "Value": value, "Timestamp": jar.clock.now() + timedelta(minutes=minute)}
                client.put_metric_data(Namespace="Shop", MetricData=[datum])


def values(jar: TestJar, client: Any, expression: str, minutes: int = 5) -> list[tuple[int, float]]:
    """(minute, value) of an expression over a, b and c."""
    hidden = [stat(name, name, ReturnData=False) for name in "abc"]
    found = client.get_metric_data(
        MetricDataQueries=[*hidden, {"Id": "e", "Expression": expression}], StartTime=jar.clock.now(),
        EndTime=jar.clock.now() + timedelta(minutes=minutes), ScanBy="TimestampAscending")  # fmt: skip
    (result,) = found["MetricDataResults"]
    begun = jar.clock.now()
    return [
        ((at - begun) // timedelta(minutes=1), value)
        for at, value in zip(result["Timestamps"], result["Values"], strict=True)
    ]


A: list[float | None] = [1, 2, None, 4, 5]
B: list[float | None] = [10, 20, 30, 0, None]


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("a+b*2", [(0, 21), (1, 42), (3, 4)]),
        ("-a^2", [(0, -1), (1, -4), (3, -16), (4, -25)]),
        ("(a+1)/b", [(0, 0.2), (1, 0.15)]),
        ("SUM([a,b])", [(0, 11), (1, 22), (2, 30), (3, 4), (4, 5)]),
        ("AVG(METRICS())", [(0, 5.5), (1, 11), (2, 30), (3, 2), (4, 5)]),
        ("a - AVG(a)", [(0, -2), (1, -1), (3, 1), (4, 2)]),
        ("FILL(a, 0)", [(0, 1), (1, 2), (2, 0), (3, 4), (4, 5)]),
        ("FILL(a, REPEAT)", [(0, 1), (1, 2), (2, 2), (3, 4), (4, 5)]),
        ("FILL(a, LINEAR)", [(0, 1), (1, 2), (2, 3), (3, 4), (4, 5)]),
        ("IF(b > 15, b, 0)", [(0, 0), (1, 20), (2, 30), (3, 0)]),
        ("b >= 20 AND a < 3", [(0, 0), (1, 1), (3, 0)]),
        ("RATE(b)*60", [(1, 10), (2, 10), (3, -30)]),
        ("DIFF(b)", [(1, 10), (2, 10), (3, -30)]),
        ("RUNNING_SUM(a)", [(0, 1), (1, 3), (3, 7), (4, 12)]),
        ("TIME_SERIES(MAX(b))", [(m, 30) for m in range(5)]),
        ("FIRST(SORT([a,b], MAX, DESC))", [(0, 10), (1, 20), (2, 30), (3, 0)]),
        ("LOG10(b*10)", [(0, 2), (1, pytest.approx(2.30103)), (2, pytest.approx(2.477121))]),
        ("MINUTE(a)", [(0, 0), (1, 1), (3, 3), (4, 4)]),
        ("PERIOD(a)*a", [(0, 60), (1, 120), (3, 240), (4, 300)]),
        ("STDDEV([a,b])", [(0, pytest.approx(6.363961)), (1, pytest.approx(12.727922)), (2, 0),
                           (3, pytest.approx(2.828427)), (4, 0)]),
    ],
)  # fmt: skip
def test_expressions(steady_jar: TestJar, expression: str, expected: list[tuple[int, float]]) -> None:
    client = steady_jar.client("cloudwatch")
    put(steady_jar, client, a=A, b=B)
    assert values(steady_jar, client, expression) == expected


def test_statistics_come_newest_first_with_labels(jar: TestJar, cloudwatch: Any) -> None:
    put(jar, cloudwatch, a=[1, 2, 3])
    found = cloudwatch.get_metric_data(
        MetricDataQueries=[
            stat("m1", "a"), stat("m2", "a", "Maximum", Label="top ${MAX} of ${PROP('MetricName')}"), stat("m3", "none")
        ],
        StartTime=jar.clock.now(), EndTime=jar.clock.now() + timedelta(minutes=5))["MetricDataResults"]  # fmt: skip
    assert [(r["Id"], r["Label"], r["Values"], r["StatusCode"]) for r in found] == [
        ("m1", "a", [3, 2, 1], "Complete"), ("m2", "top 3 of a", [3, 2, 1], "Complete"), ("m3", "none", [], "Complete")
    ]  # fmt: skip


def test_data_points_come_in_pages(jar: TestJar, cloudwatch: Any) -> None:
    put(jar, cloudwatch, a=[1, 2, 3], b=[4, 5])
    pages = cloudwatch.get_paginator("get_metric_data").paginate(
        MetricDataQueries=[stat("m1", "a"), stat("m2", "b")], StartTime=jar.clock.now(), ScanBy="TimestampAscending",
        EndTime=jar.clock.now() + timedelta(minutes=5), PaginationConfig={"PageSize": 2})  # fmt: skip
    seen = [[(r["Id"], r["Values"], r["StatusCode"]) for r in page["MetricDataResults"]] for page in pages]
    assert seen == [
        [("m1", [1, 2], "PartialData")], [("m1", [3], "Complete"), ("m2", [4], "PartialData")],
        [("m2", [5], "Complete")]]  # fmt: skip


def test_search_finds_metrics_by_schema_and_terms(jar: TestJar, cloudwatch: Any) -> None:
    for host, value in (("one", 1), ("two", 2)):
        datum = {"MetricName": "DiskUsed", "Value": value, "Timestamp": jar.clock.now(),
                 "Dimensions": [{"Name": "Host", "Value": host}]}  # fmt: skip
        cloudwatch.put_metric_data(Namespace="Shop", MetricData=[datum, {**datum, "Dimensions": []}])
    found = cloudwatch.get_metric_data(
        MetricDataQueries=[{"Id": "e", "Expression": "SEARCH('{Shop,Host} MetricName=\"DiskUsed\"', 'Sum', 60)"}],
        StartTime=jar.clock.now(), EndTime=jar.clock.now() + timedelta(minutes=5))["MetricDataResults"]  # fmt: skip
    assert [(r["Id"], r["Label"], r["Values"]) for r in found] == [
        ("e", "one DiskUsed", [1]), ("e", "two DiskUsed", [2])]  # fmt: skip


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ({"Id": "M", "Expression": "1"}, "expected pattern"),
        ({"Id": "e", "Expression": "nope + 1"}, "Undefined variable 'nope'"),
        ({"Id": "e", "Expression": "1 + "}, "Error in expression 'e'"),
        ({"Id": "e", "Expression": "e + 1"}, "refers to itself"),
        ({"Id": "e", "Expression": "1 + 1"}, "not to a scalar"),
        ({"Id": "e", "Expression": "NOPE([])"}, "Unknown function 'NOPE'"),
        ({"Id": "e", "Expression": "TIME_SERIES(1)", "Period": 1}, "more than 100800 periods"),
        ({"Id": "e"}, "Exactly one of"),
        (stat("e", "a", "Best"), "Stat is not supported"),
        (stat("e", "a", period=61), "Period is invalid"),
    ],
)  # fmt: skip
def test_queries_that_cannot_be(steady_jar: TestJar, query: dict[str, Any], words: str) -> None:
    client, now = steady_jar.client("cloudwatch"), steady_jar.clock.now()
    code, said = refusal(
        client.get_metric_data, MetricDataQueries=[query], StartTime=now, EndTime=now + timedelta(days=2)
    )
    assert code == "ValidationError"
    assert words in said
