"""The billing metric and an alarm on it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from tests.jar import TestJar
from tests.services.budgets.test_alerts import machine, start_of_month

ALL = [{"Name": "Currency", "Value": "USD"}]
OF_EC2 = [*ALL, {"Name": "ServiceName", "Value": "AmazonEC2"}]


def charges(cloudwatch: Any, jar: TestJar, dimensions: list[dict[str, str]]) -> list[float]:
    """The points of two days, oldest first."""
    now = jar.clock.now()
    found = cloudwatch.get_metric_statistics(
        Namespace="AWS/Billing", MetricName="EstimatedCharges", Dimensions=dimensions, Statistics=["Maximum"],
        Period=21600, StartTime=now - timedelta(days=2), EndTime=now,
    )["Datapoints"]  # fmt: skip
    return [one["Maximum"] for one in sorted(found, key=lambda one: one["Timestamp"])]


def test_charges_grow_four_times_a_day_and_set_an_alarm_off(jar: TestJar) -> None:
    start_of_month(jar)
    cloudwatch, elsewhere = jar.client("cloudwatch", "us-east-1"), jar.client("cloudwatch")
    machine(jar)
    cloudwatch.put_metric_alarm(
        AlarmName="bill", Namespace="AWS/Billing", MetricName="EstimatedCharges", Dimensions=ALL, Statistic="Maximum",
        Period=21600, EvaluationPeriods=1, Threshold=0.5, ComparisonOperator="GreaterThanThreshold",
    )  # fmt: skip
    jar.advance(days=1)

    def state() -> str:
        return str(cloudwatch.describe_alarms(AlarmNames=["bill"])["MetricAlarms"][0]["StateValue"])

    assert state() == "OK"
    jar.advance(days=1)
    whole, of_ec2 = charges(cloudwatch, jar, ALL), charges(cloudwatch, jar, OF_EC2)
    assert len(whole) == 8
    assert whole == sorted(whole)
    assert 0.5 < whole[-1] < 1.5
    assert 0 < of_ec2[-1] < whole[-1]
    assert state() == "ALARM"
    names = {
        tuple((d["Name"], d["Value"]) for d in one["Dimensions"])
        for one in cloudwatch.list_metrics(Namespace="AWS/Billing")["Metrics"]
    }
    assert (("Currency", "USD"),) in names
    assert (("Currency", "USD"), ("ServiceName", "AmazonEC2")) in names
    assert not any(name == "LinkedAccount" for dimensions in names for name, _ in dimensions)
    assert elsewhere.list_metrics(Namespace="AWS/Billing")["Metrics"] == []


def test_a_new_month_begins_at_nothing(steady_jar: TestJar) -> None:
    jar = steady_jar
    start_of_month(jar)
    vm = machine(jar)
    jar.advance(days=1)
    jar.client("ec2").terminate_instances(InstanceIds=[vm])
    jar.settle()
    start_of_month(jar)
    jar.advance(hours=6)
    found = charges(jar.client("cloudwatch", "us-east-1"), jar, ALL)
    assert found[-1] == 0 < found[-2]
