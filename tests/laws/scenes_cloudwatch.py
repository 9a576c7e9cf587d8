"""What the laws ask CloudWatch about: alarms, their tags, several metrics and streams of them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from tests.jar import ACCOUNT, TestJar

MANY = 7
PLAIN = {"Namespace": "Law", "MetricName": "m0", "Statistic": "Sum", "Period": 60, "EvaluationPeriods": 1,
         "Threshold": 1.0, "ComparisonOperator": "GreaterThanThreshold"}  # fmt: skip
STREAM = {"FirehoseArn": f"arn:aws:firehose:eu-west-3:{ACCOUNT}:deliverystream/law",
          "RoleArn": f"arn:aws:iam::{ACCOUNT}:role/law", "OutputFormat": "json"}  # fmt: skip
_ALARM = {"ResourceARN": f"arn:aws:cloudwatch:eu-west-3:{ACCOUNT}:alarm:law"}

SCENES: dict[str, Callable[[Any], dict[str, Any]]] = {
    "cloudwatch:DescribeAlarmHistory": lambda _: {"AlarmName": "law"},
    "cloudwatch:DescribeAlarms": lambda _: {"AlarmNames": ["law"]},
    "cloudwatch:ListTagsForResource": lambda _: _ALARM,
    "cloudwatch:TagResource": lambda _: _ALARM,
    "cloudwatch:UntagResource": lambda _: _ALARM,
}


def _composite(jar: TestJar) -> dict[str, Any]:
    jar.client("cloudwatch").put_composite_alarm(AlarmName="law", AlarmRule="FALSE")
    return {"AlarmNames": ["law"], "AlarmTypes": ["CompositeAlarm"]}


def _alarm(jar: TestJar) -> dict[str, Any]:
    jar.client("cloudwatch").put_metric_alarm(AlarmName="law", **PLAIN)
    return {"AlarmNames": ["law"]}


WAITERS = {"AlarmExists": _alarm, "CompositeAlarmExists": _composite}


def many(jar: TestJar) -> dict[str, Any]:
    """Several alarms with a history, several metrics with one point each, several streams of metrics."""
    client, now = jar.client("cloudwatch"), jar.clock.now()
    for n in range(MANY):
        client.put_metric_data(Namespace="Law", MetricData=[{"MetricName": f"m{n}", "Value": 1, "Timestamp": now}])
        client.put_metric_alarm(AlarmName=f"a{n}", **PLAIN)
    queries = [
        {"Id": f"q{n}",
         "MetricStat": {"Metric": {"Namespace": "Law", "MetricName": f"m{n}"}, "Period": 60, "Stat": "Sum"}}
        for n in range(MANY)
    ]  # fmt: skip
    for n in range(MANY):
        client.put_metric_stream(Name=f"s{n}", **STREAM)
        client.stop_metric_streams(Names=[f"s{n}"])
    return {"MetricDataQueries": queries, "StartTime": now, "EndTime": now + timedelta(minutes=5)}
