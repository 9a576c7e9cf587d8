"""Policies: what moves a target, how far, and what is told of it."""

from __future__ import annotations

from typing import Any

from tests.services.application_autoscaling.conftest import SHOP, Shops
from tests.services.ec2.asking import refused

CPU: dict[str, Any] = {
    "TargetValue": 50.0, "PredefinedMetricSpecification": {"PredefinedMetricType": "ECSServiceAverageCPUUtilization"},
}  # fmt: skip


def track(shops: Shops, name: str = "track", **more: Any) -> dict[str, Any]:
    made: dict[str, Any] = shops.api.put_scaling_policy(
        **SHOP, PolicyName=name, PolicyType="TargetTrackingScaling",
        TargetTrackingScalingPolicyConfiguration={**CPU, **more},
    )  # fmt: skip
    return made


def test_a_target_is_kept(shops: Shops) -> None:
    shops.register(1, 6)
    made = track(shops, ScaleInCooldown=60, ScaleOutCooldown=600)
    assert ":scalingPolicy:" in made["PolicyARN"]
    assert made["PolicyARN"].endswith(":resource/ecs/service/shop/web:policyName/track")
    high, low = (alarm["AlarmName"] for alarm in made["Alarms"])
    assert high.startswith("TargetTracking-service/shop/web-AlarmHigh-")
    shops.loaded(95, 6)
    assert shops.copies == 4  # twice 95 of 50, and not more while it cools down
    assert "AWSServiceRoleForApplicationAutoScaling_ECSService" in shops.callers[-1]
    newest = shops.activities()[0]
    assert (newest["Description"], newest["StatusCode"]) == ("Setting desired count to 4.", "Successful")
    assert newest["Cause"] == f"monitor alarm {high} in state ALARM triggered policy track"
    assert newest["StatusMessage"] == "Successfully set desired count to 4. Change successfully fulfilled by ecs."
    shops.loaded(20, 20)
    assert shops.copies < 4
    assert shops.activities()[0]["Cause"] == f"monitor alarm {low} in state ALARM triggered policy track"
    (shown,) = shops.api.describe_scaling_policies(ServiceNamespace="ecs")["ScalingPolicies"]
    assert shown["TargetTrackingScalingPolicyConfiguration"]["ScaleInCooldown"] == 60
    assert len(shown["Alarms"]) == 2
    shops.api.delete_scaling_policy(**SHOP, PolicyName="track")
    assert shops.cloudwatch.describe_alarms()["MetricAlarms"] == []
    assert refused(shops.api.delete_scaling_policy, **SHOP, PolicyName="track")[0] == "ObjectNotFoundException"


def test_all_policies_must_agree_to_scale_in(shops: Shops) -> None:
    shops.register(1, 6)
    track(shops, ScaleInCooldown=0)
    other = {"MetricName": "Other", "Namespace": "Shop", "Statistic": "Average"}
    shops.api.put_scaling_policy(
        **SHOP, PolicyName="other", PolicyType="TargetTrackingScaling",
        TargetTrackingScalingPolicyConfiguration={"TargetValue": 50, "CustomizedMetricSpecification": other},
    )  # fmt: skip
    shops.loaded(5, 18)
    assert shops.copies == 2
    shops.api.delete_scaling_policy(**SHOP, PolicyName="other")
    shops.loaded(5, 2)
    assert shops.copies == 1


def test_steps_are_taken_and_bounds_kept(shops: Shops) -> None:
    shops.register(1, 6)
    steps = [{"MetricIntervalLowerBound": 0, "MetricIntervalUpperBound": 20, "ScalingAdjustment": 1},
             {"MetricIntervalLowerBound": 20, "ScalingAdjustment": 3}]  # fmt: skip
    made = shops.api.put_scaling_policy(
        **SHOP, PolicyName="steps", PolicyType="StepScaling",
        StepScalingPolicyConfiguration={
            "AdjustmentType": "ChangeInCapacity", "StepAdjustments": steps, "Cooldown": 300,
        },
    )  # fmt: skip
    assert made["Alarms"] == []
    shops.cloudwatch.put_metric_alarm(
        AlarmName="busy", AlarmActions=[made["PolicyARN"]], Namespace="Shop", MetricName="Load", Statistic="Average",
        Period=60, EvaluationPeriods=1, Threshold=50, ComparisonOperator="GreaterThanThreshold",
    )  # fmt: skip
    shops.loaded(60, 2)
    assert shops.copies == 3
    shops.loaded(80, 2)  # more than what has been brought already
    assert shops.copies == 5
    shops.loaded(10, 8)
    assert shops.copies == 5
    shops.loaded(80, 2)
    assert shops.copies == 6
    shops.loaded(10, 8)
    shops.loaded(80, 2)
    assert shops.copies == 6
    told = shops.activities(IncludeNotScaledActivities=True)[0]
    assert told["NotScaledReasons"][0] == {"Code": "AlreadyAtMaxCapacity", "MaxCapacity": 6, "CurrentCapacity": 6}
    assert shops.activities()[0]["Description"] == "Setting desired count to 6."
    shops.api.deregister_scalable_target(**SHOP)
    assert shops.api.describe_scaling_policies(ServiceNamespace="ecs")["ScalingPolicies"] == []


def test_a_refusal_is_told(shops: Shops) -> None:
    shops.register(1, 9)
    made = shops.api.put_scaling_policy(
        **SHOP, PolicyName="exact",
        StepScalingPolicyConfiguration={
            "AdjustmentType": "ExactCapacity",
            "StepAdjustments": [{"MetricIntervalLowerBound": 0, "ScalingAdjustment": 7}],
        },
    )  # fmt: skip
    shops.cloudwatch.put_metric_alarm(
        AlarmName="busy", AlarmActions=[made["PolicyARN"]], Namespace="Shop", MetricName="Load", Statistic="Average",
        Period=60, EvaluationPeriods=1, Threshold=50, ComparisonOperator="GreaterThanThreshold",
    )  # fmt: skip
    shops.loaded(60, 2)
    assert shops.copies == 2
    newest = shops.activities()[0]
    assert newest["StatusCode"] == "Failed"
    assert newest["StatusMessage"].endswith("Reason: Seven copies are one too many.")


def test_suspended_scaling_does_nothing(shops: Shops) -> None:
    shops.register(1, 6, SuspendedState={"DynamicScalingOutSuspended": True})
    track(shops)
    shops.loaded(95, 6)
    assert shops.copies == 2
    shops.api.register_scalable_target(**SHOP, SuspendedState={"DynamicScalingOutSuspended": False})
    shops.loaded(95, 2)
    assert shops.copies == 4


def test_what_cannot_be_a_policy_is_refused(shops: Shops) -> None:
    put = shops.api.put_scaling_policy
    tracking = {"PolicyName": "p", "PolicyType": "TargetTrackingScaling"}
    configuration = {"TargetTrackingScalingPolicyConfiguration": CPU}
    assert refused(put, **SHOP, **tracking, **configuration)[0] == "ObjectNotFoundException"
    shops.register()
    other = {"PredefinedMetricType": "LambdaProvisionedConcurrencyUtilization"}
    wrong = {**CPU, "PredefinedMetricSpecification": other}
    for configuration in (
        {},
        {"TargetTrackingScalingPolicyConfiguration": wrong},
        {"TargetTrackingScalingPolicyConfiguration": {"TargetValue": 5}},
    ):
        assert refused(put, **SHOP, **tracking, **configuration)[0] == "ValidationException"
    track(shops)
    steps = {"AdjustmentType": "ChangeInCapacity", "StepAdjustments": [{"ScalingAdjustment": 1}]}
    assert refused(put, **SHOP, PolicyName="track", StepScalingPolicyConfiguration=steps)[0] == "ValidationException"
    assert refused(put, **SHOP, PolicyName="p", PolicyType="PredictiveScaling")[0] == "NotImplemented"
