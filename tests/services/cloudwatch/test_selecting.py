"""Metrics Insights, and searches with OR and NOT."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from tests.jar import TestJar
from tests.services.cloudwatch.test_metrics import refusal


@pytest.fixture
def shop(jar: TestJar, cloudwatch: Any) -> TestJar:
    """Three hosts in two rooms, and one metric with other dimensions."""
    for host, room, values in (("a", "x", [10, 20]), ("b", "x", [30]), ("c", "y", [5])):
        where = [{"Name": "Host", "Value": host}, {"Name": "Room", "Value": room}]
        data = [{"MetricName": "Load", "Dimensions": where, "Value": value} for value in values]
        cloudwatch.put_metric_data(Namespace="Shop", MetricData=data)
    cloudwatch.put_metric_data(Namespace="Shop", MetricData=[{"MetricName": "Load", "Value": 100}])
    return jar


def ask(jar: TestJar, expression: str, **more: Any) -> list[tuple[str, list[float]]]:
    """(label, values) of what an expression shows."""
    now = jar.clock.now()
    asked = [{"Id": "q", "Expression": expression, "Period": 60, **more}]
    found = jar.client("cloudwatch").get_metric_data(
        MetricDataQueries=asked, StartTime=now - timedelta(hours=1), EndTime=now + timedelta(minutes=1))  # fmt: skip
    return [(one["Label"], one["Values"]) for one in found["MetricDataResults"]]


@pytest.mark.parametrize(
    ("query", "wanted"),
    [
        ("SELECT SUM(Load) FROM Shop", [("Load", [165])]),
        ("SELECT AVG(Load) FROM SCHEMA(Shop, Host, Room)", [("Load", [65 / 4])]),
        ('SELECT MAX(Load) FROM SCHEMA("Shop", Room, Host) GROUP BY Room', [("x", [30]), ("y", [5])]),
        ("select count(Load) from Shop where Room = 'x' group by Host, Room", [("a x", [2]), ("b x", [1])]),
        ("SELECT MIN(Load) FROM SCHEMA(Shop, Host, Room) WHERE Room != 'y' AND Host != 'b'", [("Load", [10])]),
        ("SELECT SUM(Load) FROM Shop GROUP BY Host ORDER BY SUM() DESC LIMIT 2", [("a", [30]), ("b", [30])]),
        ("SELECT SUM(Load) FROM Shop GROUP BY Host ORDER BY MAX() ASC LIMIT 1", [("c", [5])]),
        ("SELECT SUM(Nothing) FROM Shop", [("Nothing", [])]),
    ],
)
def test_queries(shop: TestJar, query: str, wanted: list[tuple[str, list[float]]]) -> None:
    assert ask(shop, query) == wanted


@pytest.mark.parametrize(
    "query",
    ["SELECT Load FROM Shop", "SELECT SUM(Load)", "SELECT MEDIAN(Load) FROM Shop", "SELECT SUM(Load) FROM Shop LIMIT 0",
     "SELECT SUM(Load) FROM Shop WHERE tag.team = 'a'", "SELECT SUM(Load) FROM Shop HAVING x",
     "SELECT SUM(Load) FROM Shop WHERE Host = 'a' OR Host = 'b'"],
)  # fmt: skip
def test_queries_that_cannot_be(steady_jar: TestJar, query: str) -> None:
    now = steady_jar.clock.now()
    code, said = refusal(
        steady_jar.client("cloudwatch").get_metric_data, StartTime=now - timedelta(hours=1), EndTime=now,
        MetricDataQueries=[{"Id": "q", "Expression": query, "Period": 60}])  # fmt: skip
    assert code == "ValidationError"
    assert said.startswith("Error in expression 'q' [")


@pytest.mark.parametrize(
    ("terms", "wanted"),
    [
        ("Host=(a OR b)", None),
        ('Host="a" OR Host="c"', ["a x Load", "c y Load"]),
        ('Load NOT Room="x"', ["c y Load"]),
        ('MetricName="Load" (Host="a" OR NOT Host="b") AND NOT Host="c"', ["a x Load"]),
        ("", ["a x Load", "b x Load", "c y Load"]),
    ],
)
def test_searches(shop: TestJar, terms: str, wanted: list[str] | None) -> None:
    expression = f"SEARCH('{{Shop,Host,Room}} {terms}', 'Sum', 60)"
    if wanted is None:
        now = shop.clock.now()
        code, _ = refusal(
            shop.client("cloudwatch").get_metric_data, StartTime=now - timedelta(hours=1), EndTime=now,
            MetricDataQueries=[{"Id": "q", "Expression": expression}])  # fmt: skip
        assert code == "ValidationError"
        return
    assert [label for label, _ in ask(shop, expression)] == wanted


def test_an_alarm_watches_a_query(shop: TestJar) -> None:
    client = shop.client("cloudwatch")
    judged = {"AlarmName": "all", "EvaluationPeriods": 1, "Threshold": 100.0,
              "ComparisonOperator": "GreaterThanThreshold"}  # fmt: skip
    query = {"Id": "q", "Expression": "SELECT SUM(Load) FROM Shop", "Period": 60}
    client.put_metric_alarm(**judged, Metrics=[query])
    shop.advance(minutes=1)
    assert client.describe_alarms()["MetricAlarms"][0]["StateValue"] == "ALARM"
    grouped = {**query, "Expression": "SELECT SUM(Load) FROM Shop GROUP BY Host"}
    assert refusal(client.put_metric_alarm, **judged, Metrics=[grouped])[0] == "NotImplemented"
