"""Predictive scaling: forecasts of what CloudWatch remembers, and capacity that is there before the load."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest

from tests.services.autoscaling.groups import Scaling
from tests.services.ec2.asking import refused

GROUP = {"AutoScalingGroupName": "asg"}
NAMED = {**GROUP, "PolicyName": "ahead"}


def query(metric: str, stat: str) -> dict[str, Any]:
    stated = {"Metric": {"Namespace": "Shop", "MetricName": metric}, "Stat": stat}
    return {"MetricDataQueries": [{"Id": "m", "MetricStat": stated}]}


SPEC: dict[str, Any] = {
    "TargetValue": 25.0,
    "CustomizedLoadMetricSpecification": query("Load", "Sum"),
    "CustomizedScalingMetricSpecification": query("Each", "Average"),
}


def remembered(scaling: Scaling, days: int) -> datetime:
    """So many days with a busy time between 14 and 17 o'clock; the time now."""
    cloudwatch, now = scaling.jar.client("cloudwatch"), scaling.jar.clock.now()
    first = now.replace(minute=0, second=0, microsecond=0) - timedelta(days=days)
    hours = [first + timedelta(hours=n) for n in range(days * 24)]
    data = [
        {"MetricName": "Load", "Timestamp": at, "Value": 100.0 if 14 <= at.hour < 17 else 20.0} for at in hours
    ]
    for n in range(0, len(data), 500):
        cloudwatch.put_metric_data(Namespace="Shop", MetricData=data[n : n + 500])
    return now


def put(scaling: Scaling, **more: Any) -> None:
    configuration = {"MetricSpecifications": [SPEC], **more}
    scaling.api.put_scaling_policy(
        **NAMED, PolicyType="PredictiveScaling", PredictiveScalingConfiguration=configuration
    )
    scaling.jar.settle()


def told(scaling: Scaling, start: datetime, hours: int = 24) -> dict[str, Any]:
    found: dict[str, Any] = scaling.api.get_predictive_scaling_forecast(
        **NAMED, StartTime=start, EndTime=start + timedelta(hours=hours)
    )
    return found


def test_the_busy_hours_are_foreseen(scaling: Scaling) -> None:
    scaling.make(desired=1, least=1, most=6)
    now = remembered(scaling, 3)
    put(scaling)
    (shown,) = scaling.api.describe_policies(**GROUP)["ScalingPolicies"]
    assert shown["PredictiveScalingConfiguration"]["Mode"] == "ForecastOnly"
    found = told(scaling, now)
    (load,) = found["LoadForecast"]
    foreseen = {at.hour: value for at, value in zip(load["Timestamps"], load["Values"], strict=True)}
    assert {hour for hour, value in foreseen.items() if value == pytest.approx(100)} == {14, 15, 16}
    assert load["MetricSpecification"]["TargetValue"] == 25
    capacity = found["CapacityForecast"]
    needed = {at.hour: value for at, value in zip(capacity["Timestamps"], capacity["Values"], strict=True)}
    assert (needed[15], needed[20]) == (4, 1)
    made = found["UpdateTime"]
    scaling.jar.advance(hours=7)
    assert scaling.show()["DesiredCapacity"] == 1  # it only says so
    assert told(scaling, now)["UpdateTime"] > made
    assert told(scaling, now, 2)["CapacityForecast"]["Values"]  # of what is over stays what was foreseen
    scaling.api.delete_policy(**NAMED)
    assert refused(scaling.api.get_predictive_scaling_forecast, **NAMED, StartTime=now,
                   EndTime=now + timedelta(hours=1))[0] == "ValidationError"  # fmt: skip


def test_the_capacity_is_there_before_the_hour(scaling: Scaling) -> None:
    scaling.make(desired=1, least=1, most=3)
    now = remembered(scaling, 3)
    assert now.hour == 12
    put(scaling, Mode="ForecastAndScale", SchedulingBufferTime=600)
    assert scaling.show()["DesiredCapacity"] == 1
    until = now.replace(hour=13, minute=49, second=0, microsecond=0) - now
    scaling.jar.advance(seconds=until.total_seconds())
    assert scaling.show()["DesiredCapacity"] == 1
    scaling.jar.advance(minutes=2)
    assert scaling.show()["DesiredCapacity"] == 3  # four are foreseen, three may be
    assert len(scaling.instances()) == 3
    assert "predictive scaling policy ahead" in scaling.activities()[0]["Cause"]
    scaling.api.set_desired_capacity(**GROUP, DesiredCapacity=1)
    scaling.jar.advance(minutes=10)
    assert scaling.show()["DesiredCapacity"] == 1  # each hour is seen to once
    put(scaling, Mode="ForecastAndScale", MaxCapacityBreachBehavior="IncreaseMaxCapacity", MaxCapacityBuffer=25)
    scaling.jar.advance(hours=1)
    assert (scaling.show()["DesiredCapacity"], scaling.show()["MaxSize"]) == (4, 5)
    scaling.jar.advance(hours=5)
    assert scaling.show()["DesiredCapacity"] == 4  # what is not needed any more others take away


def test_without_a_days_history_nothing_is_foreseen(scaling: Scaling) -> None:
    scaling.make(desired=1)
    put(scaling, Mode="ForecastAndScale")
    assert told(scaling, scaling.jar.clock.now())["CapacityForecast"] == {"Timestamps": [], "Values": []}
    cpu = {"TargetValue": 40, "PredefinedMetricPairSpecification": {"PredefinedMetricType": "ASGCPUUtilization"}}
    put(scaling, MetricSpecifications=[cpu])
    scaling.jar.advance(hours=60)  # machines that do nothing, for more than two days
    found = told(scaling, scaling.jar.clock.now())
    assert len(found["CapacityForecast"]["Values"]) >= 24
    assert max(found["CapacityForecast"]["Values"]) <= 1


def test_what_a_predictive_policy_may_be(scaling: Scaling) -> None:
    scaling.make(desired=0)

    def why(**more: Any) -> tuple[str, str]:
        configuration = {"MetricSpecifications": [SPEC], **more}
        return refused(scaling.api.put_scaling_policy, **NAMED, PolicyType="PredictiveScaling",
                       PredictiveScalingConfiguration=configuration)  # fmt: skip

    both = {**SPEC, "PredefinedMetricPairSpecification": {"PredefinedMetricType": "ASGCPUUtilization"}}
    balanced = {"TargetValue": 1, "PredefinedMetricPairSpecification": {"PredefinedMetricType": "ALBRequestCount"}}
    labelled = {"TargetValue": 1, "PredefinedMetricPairSpecification": {
        "PredefinedMetricType": "ALBRequestCount",
        "ResourceLabel": "app/web/0123456789abcdef/targetgroup/web/0123456789abcdef"}}  # fmt: skip
    lone = {"TargetValue": 1, "CustomizedLoadMetricSpecification": query("Load", "Sum")}
    for bad in ([SPEC, SPEC], [both], [balanced], [labelled], [lone], [{**SPEC, "TargetValue": 0}]):
        assert why(MetricSpecifications=bad)[0] == "ValidationError"
    assert why(MaxCapacityBuffer=10)[0] == "ValidationError"
    assert why(SchedulingBufferTime=3601)[0] == "ValidationError"
    put(scaling)
    now = scaling.jar.clock.now()
    ask = scaling.api.get_predictive_scaling_forecast
    assert refused(ask, **NAMED, StartTime=now, EndTime=now)[0] == "ValidationError"
    assert refused(ask, **NAMED, StartTime=now, EndTime=now + timedelta(days=3))[0] == "ValidationError"
    assert refused(scaling.api.execute_policy, **NAMED)[0] == "ValidationError"
