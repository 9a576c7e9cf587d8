"""``AWS/Usage``: calls are counted by operation, by AWS's minutes."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.jar import TestJar


def of(service: str, operation: str) -> list[dict[str, str]]:
    """The dimensions of an operation's calls."""
    named = {"Type": "API", "Resource": operation, "Service": service, "Class": "None"}
    return [{"Name": name, "Value": value} for name, value in named.items()]


def made(jar: TestJar, service: str, operation: str, statistic: str = "Sum") -> list[float]:
    """Calls by the minute, oldest first, of minutes that are over."""
    now = jar.clock.now()
    found = jar.client("cloudwatch").get_metric_statistics(
        Namespace="AWS/Usage", MetricName="CallCount", Dimensions=of(service, operation), Period=60,
        StartTime=now - timedelta(minutes=30), EndTime=now, Statistics=[statistic], Unit="None",
    )["Datapoints"]  # fmt: skip
    return [point[statistic] for point in sorted(found, key=lambda point: point["Timestamp"])]


def test_calls_are_counted_by_the_minute(jar: TestJar) -> None:
    ec2 = jar.client("ec2")
    ec2.describe_vpcs()
    ec2.describe_vpcs()
    ec2.create_vpc(CidrBlock="10.0.0.0/16")
    with pytest.raises(ClientError):
        ec2.describe_vpcs(VpcIds=["vpc-00000000000000000"])
    assert made(jar, "EC2", "DescribeVpcs") == [], "a minute that goes on has no point"
    jar.advance(minutes=2)
    ec2.describe_vpcs()
    jar.advance(minutes=1)
    assert made(jar, "EC2", "DescribeVpcs") == [3, 1], "refused calls are calls"
    assert made(jar, "EC2", "CreateVpc") == [1]
    assert made(jar, "EC2", "DescribeVpcs", "SampleCount") == [3, 1]
    assert made(jar, "EC2", "DeleteVpc") == []
    assert made(jar, "CloudWatch", "GetMetricStatistics")[0] == 1


def test_they_are_listed_once_there_were_some(jar: TestJar) -> None:
    jar.client("ec2").describe_vpcs()
    jar.client("iam").list_users()
    cloudwatch = jar.client("cloudwatch")
    found = cloudwatch.list_metrics(Namespace="AWS/Usage", Dimensions=[{"Name": "Service", "Value": "EC2"}])["Metrics"]
    by_name = sorted(of("EC2", "DescribeVpcs"), key=lambda one: one["Name"])
    assert found == [{"Namespace": "AWS/Usage", "MetricName": "CallCount", "Dimensions": by_name}]
    listed = cloudwatch.list_metrics(Namespace="AWS/Usage")["Metrics"]
    named = {one["Value"] for metric in listed for one in metric["Dimensions"] if one["Name"] == "Service"}
    assert named == {"CloudWatch", "EC2"}, "IAM does not publish its calls"


def test_an_alarm_sees_too_many_calls(jar: TestJar) -> None:
    cloudwatch = jar.client("cloudwatch")
    cloudwatch.put_metric_alarm(
        AlarmName="busy", Namespace="AWS/Usage", MetricName="CallCount", Dimensions=of("EC2", "DescribeVpcs"),
        Period=60, EvaluationPeriods=1, Threshold=2, Statistic="Sum", ComparisonOperator="GreaterThanThreshold",
        TreatMissingData="notBreaching",
    )  # fmt: skip

    def state() -> str:
        found: Any = cloudwatch.describe_alarms(AlarmNames=["busy"])["MetricAlarms"][0]["StateValue"]
        return str(found)

    jar.advance(minutes=2)
    assert state() == "OK"
    for _ in range(3):
        jar.client("ec2").describe_vpcs()
    jar.advance(minutes=2)
    assert state() == "ALARM"
