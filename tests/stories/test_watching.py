"""Logs and metrics with the tools that people watch them with."""

from __future__ import annotations

import json
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from cloudjar.base.clock import monotonic
from tests.stories.aws_cli import Cli, installed
from tests.stories.served import Served
from tests.stories.test_aws_cli import version

pytestmark = [pytest.mark.story, pytest.mark.timeout(300)]


def test_a_program_logs_through_watchtower(served: Served) -> None:
    python = Path(sys.prefix) / "clients" / "bin" / "python"
    assert python.exists(), "the Python clients are not there. Try: make clients"
    script = Path(__file__).with_name("watching.py")
    done = subprocess.run(
        [str(python), str(script)], env=served.environment(), cwd=served.folder, capture_output=True, text=True,
        timeout=120, check=False)  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")
    logs = served.client("logs")
    (group,) = logs.describe_log_groups()["logGroups"]
    assert (group["logGroupName"], group["retentionInDays"]) == ("/shop/web", 30)
    assert logs.list_tags_for_resource(resourceArn=group["logGroupArn"])["tags"] == {"team": "shop"}
    (stream,) = logs.describe_log_streams(logGroupName="/shop/web")["logStreams"]
    assert stream["logStreamName"].endswith("-shop")
    pages = logs.get_paginator("filter_log_events").paginate(logGroupName="/shop/web")
    messages = [event["message"] for page in pages for event in page["events"]]
    assert messages[:2500] == [f"order {number}" for number in range(2500)]
    found = logs.filter_log_events(logGroupName="/shop/web", filterPattern='{ $.event = "lost" }')["events"]
    assert [json.loads(event["message"])["order"] for event in found] == [7]


@pytest.fixture(params=[version(1), version(2)])
def aws(request: pytest.FixtureRequest, served: Served) -> Cli:
    """The CLI in the hands of root."""
    tool = installed(request.param)
    assert tool is not None
    return Cli(served, tool, "test", "test")


def test_metrics_and_alarms_by_hand(aws: Cli) -> None:
    aws.must("cloudwatch", "put-metric-data", "--namespace", "Shop", "--metric-name", "Orders", "--value", "3",
             "--unit", "Count", "--dimensions", "Room=a")  # fmt: skip
    listed = aws.json("cloudwatch", "list-metrics", "--namespace", "Shop")["Metrics"]
    assert listed == [{"Namespace": "Shop", "MetricName": "Orders", "Dimensions": [{"Name": "Room", "Value": "a"}]}]
    now = datetime.now(UTC)
    span = [f"{now + timedelta(minutes=m):%Y-%m-%dT%H:%M:00Z}" for m in (-5, 5)]
    asked = ("--statistics", "Sum", "--dimensions", "Name=Room,Value=a", "--start-time", span[0], "--end-time", span[1])
    got = aws.json("cloudwatch", "get-metric-statistics", "--namespace", "Shop", "--metric-name", "Orders",
                   "--period", "60", *asked)  # fmt: skip
    assert [(point["Sum"], point["Unit"]) for point in got["Datapoints"]] == [(3.0, "Count")]
    aws.must("cloudwatch", "put-metric-alarm", "--alarm-name", "many", "--namespace", "Shop", "--metric-name", "Orders",
             "--statistic", "Sum", "--period", "60", "--evaluation-periods", "1", "--threshold", "2",
             "--comparison-operator", "GreaterThanThreshold", "--dimensions", "Name=Room,Value=a")  # fmt: skip
    aws.must("cloudwatch", "set-alarm-state", "--alarm-name", "many", "--state-value", "ALARM",
             "--state-reason", "by hand")  # fmt: skip
    assert aws.text("MetricAlarms[].StateValue", "cloudwatch", "describe-alarms") == "ALARM"


@pytest.mark.parametrize("major", [version(2)])
def test_logs_are_followed(major: int, served: Served) -> None:
    """``aws logs tail --follow``, which the first version does not have, shows what was there and what comes."""
    tool = installed(major)
    assert tool is not None
    aws = Cli(served, tool, "test", "test")
    logs, now = served.client("logs"), int(datetime.now(UTC).timestamp() * 1000)
    logs.create_log_group(logGroupName="/shop/web")
    logs.create_log_stream(logGroupName="/shop/web", logStreamName="one")
    put: dict[str, Any] = {"logGroupName": "/shop/web", "logStreamName": "one"}
    logs.put_log_events(**put, logEvents=[{"timestamp": now, "message": "before"}])
    with aws.follow("logs", "tail", "/shop/web", "--follow", "--format", "short") as lines:
        assert next(lines).endswith("before")
        logs.put_log_events(**put, logEvents=[{"timestamp": now + 1, "message": "while it looks"}])
        assert next(lines).endswith("while it looks")


# -- what Grafana's data source asks, as its public source and the API's reference have the members


def test_the_queries_of_grafanas_data_source(served: Served) -> None:
    client = served.client("cloudwatch")
    for host, value in (("a", 1.0), ("b", 3.0)):
        where = [{"Name": "Host", "Value": host}]
        client.put_metric_data(
            Namespace="Shop", MetricData=[{"MetricName": "Load", "Dimensions": where, "Value": value}]
        )
    named = client.list_metrics(Namespace="Shop", MetricName="Load", Dimensions=[{"Name": "Host"}],
                                IncludeLinkedAccounts=False)  # fmt: skip
    assert sorted(one["Dimensions"][0]["Value"] for one in named["Metrics"]) == ["a", "b"]
    now = datetime.now(UTC)
    label = "${LABEL}|&|${PROP('Dim.Host')}"
    search = "REMOVE_EMPTY(SEARCH('{\"Shop\",\"Host\"} MetricName=\"Load\"', 'Average', 60))"
    exact = {"Metric": {"Namespace": "Shop", "MetricName": "Load", "Dimensions": [{"Name": "Host", "Value": "a"}]},
             "Period": 60, "Stat": "Average"}  # fmt: skip
    asked = [
        {"Id": "queryA", "Expression": search, "Label": label, "ReturnData": True},
        {"Id": "queryB", "MetricStat": exact, "Label": label, "ReturnData": True},
        {"Id": "queryC", "Expression": 'SELECT MAX(Load) FROM SCHEMA("Shop", Host) GROUP BY Host', "Period": 60,
         "ReturnData": True},
        {"Id": "queryD", "Expression": "queryB*100", "ReturnData": True},
    ]  # fmt: skip
    found = client.get_metric_data(
        StartTime=now - timedelta(hours=1), EndTime=now + timedelta(minutes=1), MetricDataQueries=asked,
        ScanBy="TimestampAscending", LabelOptions={"Timezone": "+0000"})["MetricDataResults"]  # fmt: skip
    shown = [(one["Id"], one["Label"].rpartition("|&|")[2], one["Values"]) for one in found]
    assert shown == [("queryA", "a", [1]), ("queryA", "b", [3]), ("queryB", "a", [1]), ("queryC", "a", [1]),
                     ("queryC", "b", [3]), ("queryD", "queryD", [100])]  # fmt: skip
    assert {one["StatusCode"] for one in found} == {"Complete"}
    client.put_metric_alarm(
        AlarmName="high", Namespace="Shop", MetricName="Load", Statistic="Average", Period=60, EvaluationPeriods=1,
        Threshold=2, ComparisonOperator="GreaterThanThreshold",
        Dimensions=[{"Name": "Host", "Value": "a"}])  # fmt: skip
    on = client.describe_alarms_for_metric(
        Namespace="Shop", MetricName="Load", Dimensions=[{"Name": "Host", "Value": "a"}], Statistic="Average",
        Period=60)["MetricAlarms"]  # fmt: skip
    assert [alarm["AlarmName"] for alarm in on] == ["high"]
    assert client.describe_alarm_history(AlarmName="high", MaxRecords=100)["AlarmHistoryItems"]


def test_the_log_queries_of_grafanas_data_source(served: Served) -> None:
    logs, now = served.client("logs"), datetime.now(UTC)
    logs.create_log_group(logGroupName="/shop/web")
    logs.create_log_stream(logGroupName="/shop/web", logStreamName="one")
    event = {"timestamp": int(now.timestamp() * 1000), "message": '{"level": "error"}'}
    logs.put_log_events(logGroupName="/shop/web", logStreamName="one", logEvents=[event])
    asked = {
        "startTime": int((now - timedelta(hours=1)).timestamp()),
        "endTime": int((now + timedelta(hours=1)).timestamp()),
        "queryString": "fields @timestamp,ltrim(@log) as __log__grafana_internal__,ltrim(@logStream) as "
        "__logstream__grafana_internal__|fields @message | filter level = 'error' | limit 20",
        "logGroupIdentifiers": ["arn:aws:logs:eu-west-3:000000000000:log-group:/shop/web"],
    }
    key = logs.start_query(**asked)["queryId"]
    end, found = monotonic() + 60, logs.get_query_results(queryId=key)
    while found["status"] in ("Scheduled", "Running") and monotonic() < end:
        found = logs.get_query_results(queryId=key)
    assert found["status"] == "Complete"
    (row,) = found["results"]
    values = {cell["field"]: cell["value"] for cell in row}
    assert values["__log__grafana_internal__"] == "000000000000:/shop/web"
    assert values["__logstream__grafana_internal__"] == "one"
    assert values["@message"] == '{"level": "error"}'
