"""How much of a quota is used: as a metric, in Service Quotas' words, and in alarms."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.jar import TestJar
from tests.services.ec2.asking import launch, make_subnet, make_vpc

STANDARD = "L-1216C47A"


def usage(jar: TestJar, service: str, code: str) -> dict[str, Any]:
    """The usage metric of a quota, as Service Quotas names it."""
    quota = jar.client("service-quotas").get_service_quota(ServiceCode=service, QuotaCode=code)["Quota"]
    found: dict[str, Any] = quota["UsageMetric"]
    return found


def stat(metric: dict[str, Any], period: int = 60) -> dict[str, Any]:
    """A usage metric as a query asks for it."""
    named = [{"Name": name, "Value": value} for name, value in metric["MetricDimensions"].items()]
    return {
        "Metric": {"Namespace": metric["MetricNamespace"], "MetricName": metric["MetricName"], "Dimensions": named},
        "Period": period, "Stat": metric["MetricStatisticRecommendation"],
    }  # fmt: skip


def values(jar: TestJar, metric: dict[str, Any], expression: str) -> list[float]:
    """An expression of `m1` in the last ten minutes, oldest first."""
    now = jar.clock.now()
    found = jar.client("cloudwatch").get_metric_data(
        MetricDataQueries=[{"Id": "m1", "MetricStat": stat(metric), "ReturnData": False},
                           {"Id": "e1", "Expression": expression}],
        StartTime=now - timedelta(minutes=10), EndTime=now, ScanBy="TimestampAscending",
    )  # fmt: skip
    held: list[float] = found["MetricDataResults"][0]["Values"]
    return held


def test_virtual_cpus_are_counted(jar: TestJar, ec2: Any) -> None:
    metric = usage(jar, "ec2", STANDARD)
    assert metric["MetricDimensions"] == {
        "Service": "EC2", "Type": "Resource", "Resource": "vCPU", "Class": "Standard/OnDemand"}  # fmt: skip
    assert values(jar, metric, "m1") == []
    machine = launch(ec2, InstanceType="t3.micro")
    jar.settle()
    jar.advance(minutes=4)
    assert set(values(jar, metric, "m1")) == {2.0}
    assert set(values(jar, metric, "m1 / SERVICE_QUOTA(m1) * 100")) == {40.0}  # of five
    found = jar.client("cloudwatch").list_metrics(Namespace="AWS/Usage", MetricName="ResourceCount")["Metrics"]
    assert {d["Name"]: d["Value"] for d in found[0]["Dimensions"]} == metric["MetricDimensions"]
    ec2.stop_instances(InstanceIds=[machine])
    jar.settle()
    jar.advance(minutes=12)
    assert values(jar, metric, "m1") == []


def test_an_alarm_on_four_fifths_of_a_quota(jar: TestJar, ec2: Any) -> None:
    cloudwatch = jar.client("cloudwatch")
    metric = usage(jar, "ec2", STANDARD)
    cloudwatch.put_metric_alarm(
        AlarmName="cpus", EvaluationPeriods=1, Threshold=80, ComparisonOperator="GreaterThanOrEqualToThreshold",
        TreatMissingData="notBreaching",
        Metrics=[{"Id": "m1", "MetricStat": stat(metric, 300), "ReturnData": False},
                 {"Id": "e1", "Expression": "(m1 / SERVICE_QUOTA(m1)) * 100", "ReturnData": True}],
    )  # fmt: skip

    def state() -> str:
        return str(cloudwatch.describe_alarms(AlarmNames=["cpus"])["MetricAlarms"][0]["StateValue"])

    launch(ec2, InstanceType="t3.micro")
    jar.settle()
    jar.advance(minutes=15)
    assert state() == "OK"
    launch(ec2, InstanceType="t3.micro")
    jar.settle()
    jar.advance(minutes=15)
    assert state() == "ALARM"  # four of five
    jar.client("service-quotas").request_service_quota_increase(
        ServiceCode="ec2", QuotaCode=STANDARD, DesiredValue=10)  # fmt: skip
    jar.advance(minutes=30)
    assert state() == "OK"


def test_records_are_counted_as_they_come_and_go(jar: TestJar, ec2: Any) -> None:
    balancers = jar.client("elbv2")
    metric = usage(jar, "elasticloadbalancing", "L-B22855CB")
    assert metric["MetricDimensions"]["Resource"] == "TargetGroupsPerRegion"
    vpc = make_vpc(ec2)
    make_subnet(ec2, vpc)
    made = [balancers.create_target_group(Name=f"g{n}", Protocol="HTTP", Port=80, VpcId=vpc)["TargetGroups"][0]
            for n in range(3)]  # fmt: skip
    jar.advance(minutes=3)
    assert values(jar, metric, "m1")[-1] == 3.0
    balancers.delete_target_group(TargetGroupArn=made[0]["TargetGroupArn"])
    jar.advance(minutes=3)
    counted = values(jar, metric, "m1")
    assert (counted[0], counted[-1]) == (3.0, 2.0)
    assert counted == sorted(counted, reverse=True)


def test_only_usage_metrics_have_a_quota(jar: TestJar, ec2: Any) -> None:
    launch(ec2)
    jar.settle()
    jar.advance(minutes=12)
    cpu = {"MetricNamespace": "AWS/EC2", "MetricName": "CPUUtilization", "MetricDimensions": {},
           "MetricStatisticRecommendation": "Maximum"}  # fmt: skip
    with pytest.raises(ClientError) as refused:
        values(jar, cpu, "SERVICE_QUOTA(m1)")
    assert refused.value.response["Error"]["Code"] == "ValidationError"
    quotas = jar.client("service-quotas").get_service_quota(ServiceCode="vpc", QuotaCode="L-F678F1CE")["Quota"]
    assert "UsageMetric" not in quotas
    rate = usage(jar, "monitoring", "L-5E141212")
    assert (rate["MetricName"], rate["MetricStatisticRecommendation"]) == ("CallCount", "Sum")
    assert rate["MetricDimensions"]["Resource"] == "GetMetricData"
