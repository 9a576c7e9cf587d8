"""What is too large, too small, or idle: by what instances, volumes and databases really did."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.jar import ACCOUNT, TestJar
from tests.services.ec2.asking import launch

MONTH = 730


@pytest.fixture
def optimizer(jar: TestJar) -> Any:
    """Compute Optimizer in Paris, opted in."""
    client = jar.client("compute-optimizer")
    client.update_enrollment_status(status="Active")
    return client


def one(optimizer: Any, machine: str, **more: Any) -> Any:
    """What is said of an instance."""
    arn = f"arn:aws:ec2:eu-west-3:{ACCOUNT}:instance/{machine}"
    answer = optimizer.get_ec2_instance_recommendations(instanceArns=[arn], **more)
    assert answer["errors"] == []
    (found,) = answer["instanceRecommendations"]
    return found


def test_nothing_is_told_to_who_has_not_opted_in(jar: TestJar) -> None:
    client = jar.client("compute-optimizer")
    assert client.get_enrollment_status()["status"] == "Inactive"
    for ask in (client.get_ec2_instance_recommendations, client.get_idle_recommendations,
                client.get_recommendation_summaries, client.get_ebs_volume_recommendations):  # fmt: skip
        with pytest.raises(ClientError) as refused:
            ask()
        assert refused.value.response["Error"]["Code"] == "OptInRequiredException"
    assert client.update_enrollment_status(status="Active")["status"] == "Active"
    assert client.get_enrollment_status()["status"] == "Active"
    role = jar.client("iam").get_role(RoleName="AWSServiceRoleForComputeOptimizer")["Role"]
    assert role["Path"] == "/aws-service-role/compute-optimizer.amazonaws.com/"
    assert client.get_ec2_instance_recommendations()["instanceRecommendations"] == []
    client.update_enrollment_status(status="Inactive")
    with pytest.raises(ClientError):
        client.get_ec2_instance_recommendations()


def test_thirty_hours_are_needed(jar: TestJar, optimizer: Any, ec2: Any) -> None:
    machine = launch(ec2, InstanceType="m5.large")
    jar.settle()
    jar.advance(hours=20)
    arn = f"arn:aws:ec2:eu-west-3:{ACCOUNT}:instance/{machine}"
    answer = optimizer.get_ec2_instance_recommendations(instanceArns=[arn])
    assert answer["instanceRecommendations"] == []
    assert answer["errors"][0]["identifier"] == arn
    jar.advance(hours=15)
    assert one(optimizer, machine)["instanceArn"] == arn


def test_an_instance_that_is_too_large(jar: TestJar, optimizer: Any, ec2: Any) -> None:
    machine = launch(ec2, InstanceType="m5.xlarge")
    jar.settle()
    jar.host.drive(machine, cpus=1.2, received_bytes=1000)
    jar.advance(days=3)
    found = one(optimizer, machine)
    # Without an agent memory stays: 16 GiB with 1.2 CPUs and a fifth are an r-type of two CPUs.
    assert (found["finding"], found["findingReasonCodes"]) == ("Overprovisioned", ["CPUOverprovisioned"])
    assert {"name": "Cpu", "statistic": "Maximum", "value": 30.0} in found["utilizationMetrics"]
    assert (found["idle"], found["currentPerformanceRisk"]) == ("False", "VeryLow")
    best = found["recommendationOptions"][0]
    kind = ec2.describe_instance_types(InstanceTypes=[best["instanceType"]])["InstanceTypes"][0]
    assert kind["VCpuInfo"]["DefaultVCpus"] < 4
    assert kind["MemoryInfo"]["SizeInMiB"] >= 16 * 1024
    assert best["savingsOpportunity"]["estimatedMonthlySavings"]["value"] > 0
    # With one that tells that a tenth of it is used, memory may become less too.
    jar.client("cloudwatch").put_metric_data(Namespace="CWAgent", MetricData=[{
        "MetricName": "mem_used_percent", "Value": 10, "Timestamp": jar.clock.now() - timedelta(hours=1),
        "Dimensions": [{"Name": "InstanceId", "Value": machine}, {"Name": "InstanceType", "Value": "m5.xlarge"}],
    }])  # fmt: skip
    smaller = one(optimizer, machine)
    assert smaller["findingReasonCodes"] == ["CPUOverprovisioned", "MemoryOverprovisioned"]
    assert smaller["recommendationOptions"][0]["savingsOpportunity"]["estimatedMonthlySavings"]["value"] > (
        best["savingsOpportunity"]["estimatedMonthlySavings"]["value"])  # fmt: skip
    arm = one(optimizer, machine, recommendationPreferences={"cpuVendorArchitectures": ["AWS_ARM64"]})
    assert "Architecture" in arm["recommendationOptions"][0]["platformDifferences"]
    projected = optimizer.get_ec2_recommendation_projected_metrics(
        instanceArn=found["instanceArn"], stat="Maximum", period=3600, startTime=jar.clock.now() - timedelta(hours=5),
        endTime=jar.clock.now(),
    )["recommendedOptionProjectedMetrics"]  # fmt: skip
    first = smaller["recommendationOptions"][0]
    kind = ec2.describe_instance_types(InstanceTypes=[first["instanceType"]])["InstanceTypes"][0]
    assert projected[0]["recommendedInstanceType"] == first["instanceType"]
    expected = 1.2 / kind["VCpuInfo"]["DefaultVCpus"] * 100
    assert projected[0]["projectedMetrics"][0]["values"][0] == pytest.approx(expected)
    summary = optimizer.get_recommendation_summaries()["recommendationSummaries"][0]
    counts = {part["name"]: part["value"] for part in summary["summaries"]}
    assert counts == {"Underprovisioned": 0, "Overprovisioned": 1, "Optimized": 0}
    assert summary["savingsOpportunity"]["estimatedMonthlySavings"]["value"] == pytest.approx(
        first["savingsOpportunity"]["estimatedMonthlySavings"]["value"])  # fmt: skip


def test_an_instance_that_is_too_small_and_preferences(jar: TestJar, optimizer: Any, ec2: Any) -> None:
    machine = launch(ec2, InstanceType="m5.large")
    jar.settle()
    jar.host.drive(machine, cpus=1.9)
    jar.advance(days=2)
    found = one(optimizer, machine)
    assert (found["finding"], found["findingReasonCodes"]) == ("Underprovisioned", ["CPUUnderprovisioned"])
    assert found["recommendationOptions"][0]["savingsOpportunity"]["savingsOpportunityPercentage"] == 0
    optimizer.put_recommendation_preferences(
        resourceType="Ec2Instance", scope={"name": "AccountId", "value": ACCOUNT},
        preferredResources=[{"name": "Ec2InstanceTypes", "includeList": ["m5"]}],
    )  # fmt: skip
    options = one(optimizer, machine)["recommendationOptions"]
    assert options[0]["instanceType"] == "m5.xlarge"
    assert {option["instanceType"].partition(".")[0] for option in options} == {"m5"}
    optimizer.put_recommendation_preferences(
        resourceType="Ec2Instance", utilizationPreferences=[
            {"metricName": "CpuUtilization", "metricParameters": {"threshold": "P90", "headroom": "PERCENT_0"}}],
    )  # fmt: skip
    assert one(optimizer, machine)["finding"] == "Optimized"
    (held,) = optimizer.get_recommendation_preferences(resourceType="Ec2Instance")["recommendationPreferencesDetails"]
    assert held["preferredResources"][0]["includeList"] == ["m5"]
    names = ["UtilizationPreferences", "PreferredResources"]
    optimizer.delete_recommendation_preferences(resourceType="Ec2Instance", recommendationPreferenceNames=names)
    assert one(optimizer, machine)["finding"] == "Underprovisioned"
    assert optimizer.get_recommendation_preferences(resourceType="Ec2Instance")[
        "recommendationPreferencesDetails"] == []  # fmt: skip


def test_a_volume_that_does_little_and_one_that_nobody_has(jar: TestJar, optimizer: Any, ec2: Any) -> None:
    volume = ec2.create_volume(AvailabilityZone="eu-west-3a", Size=100, VolumeType="gp2")["VolumeId"]
    jar.settle()
    jar.advance(days=33)
    (found,) = optimizer.get_idle_recommendations(filters=[{"name": "ResourceType", "values": ["EBSVolume"]}])[
        "idleRecommendations"]  # fmt: skip
    assert (found["resourceId"], found["finding"]) == (volume, "Unattached")
    saved = found["savingsOpportunity"]["estimatedMonthlySavings"]["value"]
    assert saved == pytest.approx(100 * 0.116)
    ec2.delete_volume(VolumeId=volume)
    jar.settle()
    assert optimizer.get_idle_recommendations()["idleRecommendations"] == []


def test_an_idle_instance(jar: TestJar, optimizer: Any, ec2: Any) -> None:
    machine = launch(ec2, InstanceType="t3.micro")
    jar.settle()
    jar.advance(days=2)
    found = optimizer.get_idle_recommendations(filters=[{"name": "ResourceType", "values": ["EC2Instance"]}])
    (idle,) = found["idleRecommendations"]
    assert (idle["resourceId"], idle["finding"]) == (machine, "Idle")
    assert idle["savingsOpportunity"]["estimatedMonthlySavings"]["value"] == pytest.approx(0.0118 * MONTH)
    assert one(optimizer, machine)["idle"] == "True"
    jar.host.drive(machine, cpus=1.0)
    jar.advance(hours=1)
    assert optimizer.get_idle_recommendations(filters=[{"name": "ResourceType", "values": ["EC2Instance"]}])[
        "idleRecommendations"] == []  # fmt: skip
