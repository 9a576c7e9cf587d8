"""CloudWatch in each protocol that its clients have spoken: query, JSON, CBOR."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from tests.calls import Line, read, signed, write
from tests.jar import TestJar


@pytest.fixture
def line(steady_jar: TestJar) -> Iterator[Line]:
    """A connection to the jar."""
    opened = Line(steady_jar.port)
    yield opened
    opened.close()


@pytest.mark.parametrize("protocol", ["query", "json", "smithy-rpc-v2-cbor"])
def test_data_go_in_and_come_back(steady_jar: TestJar, line: Line, protocol: str) -> None:
    now = steady_jar.clock.now()

    def call(operation: str, **params: Any) -> dict[str, Any]:
        sent = signed(write("cloudwatch", operation, params, protocol), "cloudwatch")
        answer = line.send(sent)
        found: dict[str, Any] = read("cloudwatch", operation, answer, protocol)
        return found

    dimensions = [{"Name": "Shop", "Value": "a"}]
    values = {"Values": [1.5, 2.5], "Counts": [1.0, 3.0]}
    datum = {"MetricName": "Load", "Dimensions": dimensions, "Timestamp": now, **values}
    assert "Error" not in call("PutMetricData", Namespace="Shop", MetricData=[datum])
    found = call(
        "GetMetricStatistics", Namespace="Shop", MetricName="Load", Dimensions=dimensions, StartTime=now,
        EndTime=now + timedelta(minutes=1), Period=60, Statistics=["Sum"])  # fmt: skip
    (point,) = found["Datapoints"]
    assert (point["Sum"], point["Timestamp"], point["Unit"]) == (9.0, now, "None")
    query = {"Id": "a", "Expression": "SEARCH('{Shop,Shop} Load', 'Maximum', 60)"}
    data = call("GetMetricData", MetricDataQueries=[query], StartTime=now, EndTime=now + timedelta(minutes=1))
    assert [result["Values"] for result in data["MetricDataResults"]] == [[2.5]]
    call("PutMetricAlarm", AlarmName="high", Namespace="Shop", MetricName="Load", Statistic="Sum", Period=60,
         EvaluationPeriods=1, Threshold=1.0, ComparisonOperator="GreaterThanThreshold")  # fmt: skip
    alarm = call("DescribeAlarms")["MetricAlarms"][0]
    assert (alarm["AlarmName"], alarm["StateValue"], alarm["AlarmConfigurationUpdatedTimestamp"]) == (
        "high", "INSUFFICIENT_DATA", now)  # fmt: skip
    error = call("SetAlarmState", AlarmName="none", StateValue="OK", StateReason="x")["Error"]
    assert error["Code"] in ("ResourceNotFound", "ResourceNotFoundException")
