"""Metric filters: kept, limited, and what becomes of events that match them."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from cloudjar.billing.quantities import lines
from tests.jar import TestJar
from tests.services.ec2.asking import code, refused
from tests.services.logs.conftest import Log


def put(log: Log, pattern: str, name: str = "f", **more: Any) -> None:
    change = {"metricName": "Errors", "metricNamespace": "App", "metricValue": "1", **more}
    log.client.put_metric_filter(
        logGroupName=log.group, filterName=name, filterPattern=pattern, metricTransformations=[change]
    )


def total(jar: TestJar, name: str, statistic: str = "Sum", namespace: str = "App", **dimensions: str) -> list[float]:
    now = jar.clock.now()
    points = jar.client("cloudwatch").get_metric_statistics(
        Namespace=namespace, MetricName=name, StartTime=now - timedelta(hours=1), EndTime=now + timedelta(hours=1),
        Period=60, Statistics=[statistic], Dimensions=[{"Name": k, "Value": v} for k, v in dimensions.items()],
    )["Datapoints"]  # fmt: skip
    return [point[statistic] for point in sorted(points, key=lambda point: point["Timestamp"])]


def test_events_that_match_are_counted(jar: TestJar, log: Log) -> None:
    put(log, "ERROR")
    put(log, "{ $.took > 0 }", "took", metricName="Took", metricValue="$.took", unit="Milliseconds")
    put(log, "[..., status = 5*, size]", "size", metricName="Size", metricValue="$size")
    log.put("an ERROR", "fine", "another ERROR", '{"took": 12.5}', '{"took": 2}', "GET / 503 100", "GET / 200 7")
    assert total(jar, "Errors") == [2]
    assert (total(jar, "Took"), total(jar, "Took", "Maximum")) == ([14.5], [12.5])
    assert total(jar, "Size") == [100]
    assert total(jar, "IncomingLogEvents", namespace="AWS/Logs", LogGroupName=log.group) == [7]


def test_dimensions_come_out_of_events(jar: TestJar, log: Log) -> None:
    put(log, "{ $.code = * }", dimensions={"Code": "$.code", "Path": "$.path"})
    log.put('{"code": "500", "path": "/a"}', '{"code": "500", "path": "/a"}', '{"code": "404"}')
    assert total(jar, "Errors", Code="500", Path="/a") == [2]
    assert total(jar, "Errors") == []


def test_a_default_stands_for_minutes_without_a_match(jar: TestJar, log: Log) -> None:
    put(log, "ERROR", defaultValue=0.0)
    log.put("fine", ago=120_000)
    log.put("an ERROR")
    log.put("fine")
    assert total(jar, "Errors") == [0, 1]


def test_filters_are_found_changed_and_limited(log: Log, logs: Any) -> None:
    for n in range(3):
        put(log, "x", f"f{n}")
    put(log, "y", "f1")
    found = logs.describe_metric_filters(logGroupName=log.group, filterNamePrefix="f1")["metricFilters"]
    assert [(one["filterName"], one["filterPattern"]) for one in found] == [("f1", "y")]
    assert found[0]["metricTransformations"] == [
        {"metricName": "Errors", "metricNamespace": "App", "metricValue": "1", "unit": "None"}
    ]
    by_metric = logs.describe_metric_filters(metricName="Errors", metricNamespace="App")["metricFilters"]
    assert len(by_metric) == 3
    assert logs.describe_log_groups()["logGroups"][0]["metricFilterCount"] == 3
    logs.delete_metric_filter(logGroupName=log.group, filterName="f0")
    assert code(logs.delete_metric_filter, logGroupName=log.group, filterName="f0") == "ResourceNotFoundException"
    assert refused(put, log=log, pattern="[") == ("InvalidParameterException", "Invalid filter pattern: a field's name "
                                                  "is missing at position 1")  # fmt: skip
    for wrong in ({"metricValue": "x"}, {"metricNamespace": "AWS/EC2"}, {"dimensions": {"a": "b"}},
                  {"dimensions": {"a": "$.b"}, "defaultValue": 1.0}):  # fmt: skip
        assert code(put, log=log, pattern="x", **wrong) == "InvalidParameterException", wrong
    assert code(put, log=log, pattern="{ $.a = 1 }", metricValue="$a") == "InvalidParameterException"
    for n in range(5):
        put(log, "%a%", f"r{n}")
    assert code(put, log=log, pattern="%a%", name="one more") == "LimitExceededException"
    logs.create_log_group(logGroupName="ia", logGroupClass="INFREQUENT_ACCESS")
    log.group = "ia"
    assert code(put, log=log, pattern="x") == "InvalidOperationException"


def test_what_is_taken_in_is_on_the_bill(jar: TestJar, log: Log) -> None:
    log.put("x" * 1000, "y" * 500)
    now = jar.clock.now()
    counted = jar.jar.quantities.rows(now - timedelta(hours=1), now + timedelta(hours=1))
    [mine] = [one for one in counted if one.tally.usage_type == "DataProcessing-Bytes"]
    assert (mine.amount, mine.owner.resource) == (1552, "/app")
    [line] = [line for line in lines(counted) if line.usage_type == "DataProcessing-Bytes"]
    assert (line.service, line.unit) == ("AmazonCloudWatch", "GB")
