"""What instances use is told as metrics, and burstable types live on their credits."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest

from tests.jar import TestJar


def launch(jar: TestJar, ec2: Any, kind: str = "t3.micro", **more: Any) -> str:
    """A running instance."""
    image = ec2.describe_images(Filters=[{"Name": "name", "Values": ["debian-12-amd64-*"]}])["Images"][0]["ImageId"]
    made = ec2.run_instances(ImageId=image, InstanceType=kind, MinCount=1, MaxCount=1, **more)
    jar.settle()
    return str(made["Instances"][0]["InstanceId"])


def series(
    jar: TestJar, instance: str, name: str, start: datetime, *, period: int = 300, stat: str = "Average"
) -> list[tuple[int, Any]]:
    """(minutes after `start`, value) of a metric of an instance, up to now."""
    found = jar.client("cloudwatch").get_metric_statistics(
        Namespace="AWS/EC2", MetricName=name, Dimensions=[{"Name": "InstanceId", "Value": instance}], StartTime=start,
        EndTime=jar.clock.now() + timedelta(seconds=1), Period=period, Statistics=[stat])["Datapoints"]  # fmt: skip
    points = sorted(found, key=lambda point: point["Timestamp"])
    return [((p["Timestamp"] - start) // timedelta(minutes=1), pytest.approx(p[stat], abs=1e-6)) for p in points]


def test_basic_monitoring_tells_every_five_minutes(jar: TestJar, ec2: Any) -> None:
    start = jar.clock.now()
    machine = launch(jar, ec2, "m5.large")
    jar.host.drive(machine, cpus=1.0, received_bytes=100, sent_packets=2, read_ops=3)
    jar.advance(minutes=10)
    jar.host.drive(machine, cpus=0.5)
    jar.advance(minutes=12)
    assert series(jar, machine, "CPUUtilization", start) == [(0, 50), (5, 50), (10, 25), (15, 25)]
    assert series(jar, machine, "NetworkIn", start, stat="Sum") == [(0, 30_000), (5, 30_000), (10, 0), (15, 0)]
    assert series(jar, machine, "NetworkPacketsOut", start, stat="Sum")[0] == (0, 600)
    assert series(jar, machine, "EBSReadOps", start, stat="Sum")[0] == (0, 900)
    assert series(jar, machine, "StatusCheckFailed", start, period=60, stat="Sum")[-1] == (21, 0)
    assert series(jar, machine, "CPUCreditBalance", start) == []


def test_detailed_monitoring_tells_every_minute_and_costs(jar: TestJar, ec2: Any) -> None:
    start = jar.clock.now()
    machine = launch(jar, ec2, "m5.large")
    jar.advance(minutes=5)
    ec2.monitor_instances(InstanceIds=[machine])
    jar.settle()
    jar.host.drive(machine, cpus=2.0)
    jar.advance(minutes=3)
    ec2.unmonitor_instances(InstanceIds=[machine])
    jar.advance(minutes=7)
    assert series(jar, machine, "CPUUtilization", start, period=60) == [
        (0, 0), (5, 100), (6, 100), (7, 100), (10, 100)]  # fmt: skip
    assert jar.usage("CW:MetricMonitorUsage") == timedelta(minutes=3)


def test_a_stopped_instance_has_no_data(jar: TestJar, ec2: Any) -> None:
    start = jar.clock.now()
    machine = launch(jar, ec2, "m5.large")
    jar.advance(minutes=10)
    ec2.stop_instances(InstanceIds=[machine])
    jar.settle()
    jar.advance(hours=1)
    ec2.start_instances(InstanceIds=[machine])
    jar.settle()
    jar.advance(minutes=10)
    assert [at for at, _ in series(jar, machine, "CPUUtilization", start)] == [0, 5, 70, 75]
    ec2.terminate_instances(InstanceIds=[machine])
    jar.settle()
    jar.advance(hours=3)
    assert [at for at, _ in series(jar, machine, "CPUUtilization", start)] == [0, 5, 70, 75]


def test_a_month_of_idling_is_one_row(jar: TestJar, ec2: Any) -> None:
    machine = launch(jar, ec2, "m5.large")
    jar.advance(days=30)
    ec2.terminate_instances(InstanceIds=[machine])
    jar.settle()
    assert jar.jar.database.query("SELECT count(*) FROM segment") == [(1,)]


def test_metrics_are_listed_by_instance_and_together(jar: TestJar, ec2: Any) -> None:
    machine = launch(jar, ec2)
    ec2.monitor_instances(InstanceIds=[machine])
    jar.settle()
    found = jar.client("cloudwatch").list_metrics(Namespace="AWS/EC2", MetricName="CPUUtilization")["Metrics"]
    names = sorted(d["Name"] for metric in found for d in metric["Dimensions"])
    assert names == ["ImageId", "InstanceId", "InstanceType"]
    assert {"MetricName": "CPUUtilization", "Namespace": "AWS/EC2", "Dimensions": []} in found
    jar.host.drive(machine, cpus=1.0)
    start = jar.clock.now()
    jar.advance(minutes=2)
    together = jar.client("cloudwatch").get_metric_statistics(
        Namespace="AWS/EC2", MetricName="CPUUtilization", Dimensions=[{"Name": "InstanceType", "Value": "t3.micro"}],
        StartTime=start, EndTime=jar.clock.now(), Period=60, Statistics=["Average"])["Datapoints"]  # fmt: skip
    assert [point["Average"] for point in together] == [pytest.approx(50)] * 2


# -- credits -------------------------------------------------------------------------------------------------------

STANDARD: dict[str, Any] = {"CreditSpecification": {"CpuCredits": "standard"}}


def share(jar: TestJar, machine: str) -> float:
    """The share of its CPUs that a machine may use."""
    return jar.host.host.machines[machine].spec.cpu_share


def test_a_machine_out_of_credits_is_held_to_its_baseline(jar: TestJar, ec2: Any) -> None:
    start = jar.clock.now()
    machine = launch(jar, ec2, "t2.micro", **STANDARD)
    jar.host.drive(machine, cpus=1.0)
    jar.advance(minutes=33)  # thirty launch credits, and three earned meanwhile
    assert share(jar, machine) == 1.0
    jar.advance(minutes=1)
    assert share(jar, machine) == 0.1
    jar.advance(minutes=26)
    used = dict(series(jar, machine, "CPUUtilization", start))
    assert (used[25], used[40], used[55]) == (100, 10, 10)
    assert dict(series(jar, machine, "CPUCreditBalance", start))[55] == 0
    assert dict(series(jar, machine, "CPUCreditUsage", start, stat="Sum"))[0] == 5
    jar.host.drive(machine, cpus=0.0)
    jar.advance(minutes=1)
    assert share(jar, machine) == 0.1
    jar.advance(minutes=2)
    assert share(jar, machine) == 1.0


def test_the_balance_grows_by_the_clock_and_survives_a_stop_on_t3(jar: TestJar, ec2: Any) -> None:
    start = jar.clock.now()
    machine = launch(jar, ec2, **STANDARD)
    assert share(jar, machine) == 0.1  # T3 has no launch credits
    jar.advance(hours=10)
    assert series(jar, machine, "CPUCreditBalance", start)[-1] == (595, 120)
    ec2.stop_instances(InstanceIds=[machine])
    jar.settle()
    jar.advance(days=2)
    ec2.start_instances(InstanceIds=[machine])
    jar.settle()
    back = jar.clock.now()
    jar.advance(minutes=5)
    assert series(jar, machine, "CPUCreditBalance", back) == [(0, 121)]


def test_unlimited_never_slows_down_and_is_charged_beyond_a_day(jar: TestJar, ec2: Any) -> None:
    start = jar.clock.now()
    machine = launch(jar, ec2)
    jar.host.drive(machine, cpus=2.0)
    jar.advance(hours=5)
    assert share(jar, machine) == 1.0
    surplus = dict(series(jar, machine, "CPUSurplusCreditBalance", start))
    assert surplus[55] == 108
    assert surplus[295] == 288
    charged = dict(series(jar, machine, "CPUSurplusCreditsCharged", start))
    assert charged[295] == 5 * 108 - 288
    ec2.stop_instances(InstanceIds=[machine])
    jar.settle()
    billed = sum(
        span.meter.rate * int((span.end - span.start).total_seconds()) / 3600
        for span in jar.jar.usage.spans(start, jar.clock.now() + timedelta(hours=1))
        if span.meter.usage_type == "CPUCredits:t3" and span.end is not None
    )
    assert float(billed) == pytest.approx(5 * 108 / 60, rel=1e-3)  # what was not earned back is charged at the stop


def test_leaving_unlimited_mode(jar: TestJar, ec2: Any) -> None:
    machine = launch(jar, ec2)
    jar.host.drive(machine, cpus=2.0)
    jar.advance(hours=1)
    changed = ec2.modify_instance_credit_specification(
        InstanceCreditSpecifications=[{"InstanceId": machine, "CpuCredits": "standard"}])  # fmt: skip
    assert changed["UnsuccessfulInstanceCreditSpecifications"] == []
    jar.settle()
    assert share(jar, machine) == 0.1
    shown = ec2.describe_instance_credit_specifications(InstanceIds=[machine])["InstanceCreditSpecifications"]
    assert shown == [{"InstanceId": machine, "CpuCredits": "standard"}]
    jar.advance(hours=1)
    ec2.modify_instance_credit_specification(
        InstanceCreditSpecifications=[{"InstanceId": machine, "CpuCredits": "unlimited"}])  # fmt: skip
    jar.settle()
    assert share(jar, machine) == 1.0


# -- alarms on it --------------------------------------------------------------------------------------------------


def test_an_alarm_stops_an_instance(jar: TestJar, ec2: Any) -> None:
    machine = launch(jar, ec2, "m5.large")
    cloudwatch = jar.client("cloudwatch")
    cloudwatch.put_metric_alarm(
        AlarmName="idle", Namespace="AWS/EC2", MetricName="CPUUtilization", Statistic="Average", Period=300,
        Dimensions=[{"Name": "InstanceId", "Value": machine}], EvaluationPeriods=2, Threshold=5,
        ComparisonOperator="LessThanThreshold", AlarmActions=["arn:aws:automate:eu-west-3:ec2:stop"])  # fmt: skip
    jar.host.drive(machine, cpus=1.0)
    jar.advance(minutes=20)
    assert cloudwatch.describe_alarms()["MetricAlarms"][0]["StateValue"] == "OK"
    jar.host.drive(machine, cpus=0.0)
    jar.advance(minutes=15)
    state = ec2.describe_instances(InstanceIds=[machine])["Reservations"][0]["Instances"][0]["State"]["Name"]
    assert state == "stopped"
    items = cloudwatch.describe_alarm_history(AlarmName="idle", HistoryItemType="Action")["AlarmHistoryItems"]
    assert [item["HistorySummary"] for item in items] == [
        "Successfully executed action arn:aws:automate:eu-west-3:ec2:stop"]  # fmt: skip
    jar.advance(hours=1)
    assert cloudwatch.describe_alarms()["MetricAlarms"][0]["StateValue"] == "INSUFFICIENT_DATA"
    ec2.start_instances(InstanceIds=[machine])
    jar.settle()
    jar.host.drive(machine, cpus=1.0)
    jar.advance(minutes=10)
    assert cloudwatch.describe_alarms()["MetricAlarms"][0]["StateValue"] == "OK"
