"""Target tracking and alarms that set policies off."""

from __future__ import annotations

from typing import Any

import pytest

from cloudjar.kit import scaling as rules
from tests.services.autoscaling.groups import Scaling
from tests.services.ec2.asking import refused
from tests.services.elbv2.site import Site

GROUP = {"AutoScalingGroupName": "asg"}
LOAD: dict[str, Any] = {"Namespace": "Shop", "MetricName": "Load"}
CUSTOM: dict[str, Any] = {
    "TargetValue": 50.0,
    "CustomizedMetricSpecification": {**LOAD, "Statistic": "Average", "Dimensions": [{"Name": "shop", "Value": "a"}]},
}


@pytest.fixture
def cloudwatch(scaling: Scaling) -> Any:
    return scaling.jar.client("cloudwatch")


def loaded(scaling: Scaling, cloudwatch: Any, value: float, minutes: int) -> None:
    """A load that is the same for some minutes."""
    for _ in range(minutes):
        told = {"MetricName": "Load", "Dimensions": [{"Name": "shop", "Value": "a"}], "Value": value}
        cloudwatch.put_metric_data(Namespace="Shop", MetricData=[told])
        scaling.jar.advance(minutes=1)


def track(scaling: Scaling, configuration: dict[str, Any], **more: Any) -> dict[str, Any]:
    made: dict[str, Any] = scaling.api.put_scaling_policy(
        **GROUP, PolicyName="track", PolicyType="TargetTrackingScaling", TargetTrackingConfiguration=configuration,
        **more,
    )  # fmt: skip
    return made


def test_a_target_is_kept(scaling: Scaling, cloudwatch: Any) -> None:
    scaling.make(desired=1, least=1, most=4)
    scaling.jar.advance(minutes=6)
    made = track(scaling, CUSTOM, EstimatedInstanceWarmup=60)
    high, low = (alarm["AlarmName"] for alarm in made["Alarms"])
    assert high.startswith("TargetTracking-asg-AlarmHigh-")
    assert low.startswith("TargetTracking-asg-AlarmLow-")
    shown = {a["AlarmName"]: a for a in cloudwatch.describe_alarms()["MetricAlarms"]}
    assert (shown[high]["Threshold"], shown[high]["EvaluationPeriods"], shown[high]["Period"]) == (50, 3, 60)
    assert (shown[low]["Threshold"], shown[low]["EvaluationPeriods"]) == (45, 15)
    assert shown[high]["ComparisonOperator"] == "GreaterThanThreshold"
    assert shown[low]["AlarmActions"] == [made["PolicyARN"]]
    for _ in range(5):
        if scaling.show()["DesiredCapacity"] == 1:
            loaded(scaling, cloudwatch, 95, 1)
    assert scaling.show()["DesiredCapacity"] == 2
    assert scaling.activities()[0]["Cause"].startswith(
        f"At T a monitor alarm {high} in state ALARM triggered policy track changing the desired capacity from 1 to 2."
    )
    loaded(scaling, cloudwatch, 48, 5)
    assert scaling.show()["DesiredCapacity"] == 2
    loaded(scaling, cloudwatch, 10, 17)
    assert scaling.show()["DesiredCapacity"] == 1
    (policy,) = scaling.api.describe_policies(**GROUP)["ScalingPolicies"]
    assert policy["TargetTrackingConfiguration"] == {**CUSTOM, "DisableScaleIn": False}
    assert len(policy["Alarms"]) == 2
    scaling.api.delete_policy(**GROUP, PolicyName="track")
    assert cloudwatch.describe_alarms()["MetricAlarms"] == []


def test_scaling_in_can_be_left_to_others(scaling: Scaling, cloudwatch: Any) -> None:
    scaling.make(desired=2, least=1)
    scaling.jar.advance(minutes=6)
    track(scaling, {**CUSTOM, "DisableScaleIn": True})
    loaded(scaling, cloudwatch, 1, 18)
    assert scaling.show()["DesiredCapacity"] == 2
    track(scaling, CUSTOM)
    assert len(cloudwatch.describe_alarms()["MetricAlarms"]) == 2
    loaded(scaling, cloudwatch, 1, 2)
    assert scaling.show()["DesiredCapacity"] == 1
    scaling.api.delete_auto_scaling_group(**GROUP, ForceDelete=True)
    scaling.jar.settle()
    assert cloudwatch.describe_alarms()["MetricAlarms"] == []


def test_an_alarm_of_ones_own_sets_steps_off(scaling: Scaling, cloudwatch: Any) -> None:
    scaling.make(desired=1, DefaultInstanceWarmup=600)
    scaling.jar.advance(seconds=601)
    steps = [{"MetricIntervalLowerBound": 0, "MetricIntervalUpperBound": 20, "ScalingAdjustment": 1},
             {"MetricIntervalLowerBound": 20, "ScalingAdjustment": 3}]  # fmt: skip
    arn = scaling.api.put_scaling_policy(
        **GROUP, PolicyName="steps", PolicyType="StepScaling", AdjustmentType="ChangeInCapacity", StepAdjustments=steps
    )["PolicyARN"]
    cloudwatch.put_metric_alarm(
        AlarmName="busy", AlarmActions=[arn], **LOAD, Dimensions=[{"Name": "shop", "Value": "a"}], Statistic="Average",
        Period=60, EvaluationPeriods=1, Threshold=50, ComparisonOperator="GreaterThanThreshold",
    )  # fmt: skip
    (policy,) = scaling.api.describe_policies(**GROUP)["ScalingPolicies"]
    assert [alarm["AlarmName"] for alarm in policy["Alarms"]] == ["busy"]
    loaded(scaling, cloudwatch, 80, 2)
    assert scaling.show()["DesiredCapacity"] == 4
    scaling.jar.advance(seconds=601)
    scaling.api.suspend_processes(**GROUP, ScalingProcesses=["AlarmNotification"])
    loaded(scaling, cloudwatch, 80, 2)
    assert scaling.show()["DesiredCapacity"] == 4


def test_metrics_of_the_group_and_of_its_target_groups(scaling: Scaling, cloudwatch: Any) -> None:
    site = Site(scaling.jar)
    balancer = site.balancer()["LoadBalancerArn"]
    target_group = site.group(TargetType="instance")
    site.listener(balancer, target_group)
    scaling.make(desired=0)
    track(scaling, {"TargetValue": 40, "PredefinedMetricSpecification": {
        "PredefinedMetricType": "ASGAverageCPUUtilization"}})  # fmt: skip
    high, _ = cloudwatch.describe_alarms()["MetricAlarms"]
    assert (high["Namespace"], high["MetricName"]) == ("AWS/EC2", "CPUUtilization")
    assert high["Dimensions"] == [{"Name": "AutoScalingGroupName", "Value": "asg"}]
    label = f"app/{balancer.partition(':loadbalancer/app/')[2]}/{target_group.rpartition(':')[2]}"
    per_target: dict[str, Any] = {"TargetValue": 100, "PredefinedMetricSpecification": {
        "PredefinedMetricType": "ALBRequestCountPerTarget", "ResourceLabel": label}}  # fmt: skip
    assert "is not attached" in refused(scaling.api.put_scaling_policy, **GROUP, PolicyName="track",
        PolicyType="TargetTrackingScaling", TargetTrackingConfiguration=per_target)[1]  # fmt: skip
    scaling.api.attach_load_balancer_target_groups(**GROUP, TargetGroupARNs=[target_group])
    track(scaling, per_target)
    high, _ = cloudwatch.describe_alarms()["MetricAlarms"]
    assert (high["Namespace"], high["MetricName"], high["Statistic"]) == (
        "AWS/ApplicationELB", "RequestCountPerTarget", "Sum",
    )  # fmt: skip


def test_a_sum_of_metrics_can_be_tracked(scaling: Scaling, cloudwatch: Any) -> None:
    scaling.make(desired=1, most=3)
    scaling.jar.advance(minutes=6)
    stat = {"Metric": {**LOAD, "Dimensions": [{"Name": "shop", "Value": "a"}]}, "Stat": "Average"}
    queries = [{"Id": "load", "MetricStat": stat, "ReturnData": False}, {"Id": "double", "Expression": "load * 2"}]
    track(scaling, {"TargetValue": 50, "CustomizedMetricSpecification": {"Metrics": queries}})
    loaded(scaling, cloudwatch, 60, 5)
    assert scaling.show()["DesiredCapacity"] == 3


def test_what_cannot_be_tracked_is_refused(scaling: Scaling) -> None:
    scaling.make(desired=0)

    def why(configuration: dict[str, Any], kind: str = "TargetTrackingScaling") -> tuple[str, str]:
        return refused(scaling.api.put_scaling_policy, **GROUP, PolicyName="p", PolicyType=kind,
                       TargetTrackingConfiguration=configuration)  # fmt: skip

    cpu = {"PredefinedMetricType": "ASGAverageCPUUtilization"}
    assert "Exactly one" in why({"TargetValue": 1})[1]
    assert "TargetValue" in why({"TargetValue": 0, "PredefinedMetricSpecification": cpu})[1]
    labelled = {**cpu, "ResourceLabel": "x"}
    assert "ResourceLabel" in why({"TargetValue": 1, "PredefinedMetricSpecification": labelled})[1]
    assert "Statistic" in why({"TargetValue": 1, "CustomizedMetricSpecification": LOAD})[1]
    assert why({"TargetValue": 1, "PredefinedMetricSpecification": cpu}, "PredictiveScaling")[0] == "ValidationError"
    track(scaling, {"TargetValue": 1, "PredefinedMetricSpecification": cpu})
    assert refused(scaling.api.execute_policy, **GROUP, PolicyName="track")[0] == "ValidationError"


@pytest.mark.parametrize(
    ("capacity", "value", "target", "after"),
    [(2, 75, 50, 3), (2, 50, 50, 2), (4, 10, 50, 1), (3, 0, 50, 0), (1, 51, 50, 2)],
)
def test_a_target_is_met_by_so_many(capacity: int, value: float, target: float, after: int) -> None:
    assert rules.tracked(capacity, value, target) == after
