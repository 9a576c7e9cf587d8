"""Simple and step scaling, by hand; scheduled scaling, by the clock."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from cloudjar.kit import scaling as rules
from cloudjar.kit.cron_fields import CronError
from cloudjar.kit.scaling import Bar
from cloudjar.services.autoscaling import cron
from tests.services.autoscaling.groups import Scaling
from tests.services.ec2.asking import refused

GROUP = {"AutoScalingGroupName": "asg"}


def test_a_simple_policy_is_executed(scaling: Scaling) -> None:
    scaling.make(desired=1, most=3)
    simple: dict[str, Any] = {"PolicyName": "out", "AdjustmentType": "ChangeInCapacity", "ScalingAdjustment": 1}
    arn = scaling.api.put_scaling_policy(**GROUP, **simple)["PolicyARN"]
    assert arn.endswith(":autoScalingGroupName/asg:policyName/out")
    scaling.api.execute_policy(**GROUP, PolicyName="out")
    scaling.jar.settle()
    assert scaling.show()["DesiredCapacity"] == 2
    assert len(scaling.instances()) == 2
    assert refused(scaling.api.execute_policy, PolicyName=arn, HonorCooldown=True)[0] == "ScalingActivityInProgress"
    for _ in range(3):
        scaling.jar.advance(seconds=301)
        scaling.api.execute_policy(PolicyName=arn, HonorCooldown=True)
        scaling.jar.settle()
    assert scaling.show()["DesiredCapacity"] == 3
    (shown,) = scaling.api.describe_policies(**GROUP)["ScalingPolicies"]
    assert (shown["PolicyType"], shown["ScalingAdjustment"], shown["PolicyARN"]) == ("SimpleScaling", 1, arn)
    scaling.api.delete_policy(PolicyName=arn)
    assert scaling.api.describe_policies(**GROUP)["ScalingPolicies"] == []


def test_a_step_policy_waits_for_what_warms_up(scaling: Scaling) -> None:
    scaling.make(desired=1, DefaultInstanceWarmup=120)
    scaling.jar.advance(seconds=121)
    steps = [
        {"MetricIntervalLowerBound": 0, "MetricIntervalUpperBound": 20, "ScalingAdjustment": 1},
        {"MetricIntervalLowerBound": 20, "ScalingAdjustment": 3},
        {"MetricIntervalUpperBound": 0, "ScalingAdjustment": -1},
    ]
    scaling.api.put_scaling_policy(
        **GROUP,
        PolicyName="steps",
        PolicyType="StepScaling",
        AdjustmentType="ChangeInCapacity",
        StepAdjustments=steps,
    )

    def execute(value: float) -> int:
        scaling.api.execute_policy(**GROUP, PolicyName="steps", MetricValue=value, BreachThreshold=50)
        scaling.jar.settle()
        return int(scaling.show()["DesiredCapacity"])

    assert execute(55) == 2
    assert execute(55) == 2
    assert execute(75) == 4
    assert execute(40) == 4
    scaling.jar.advance(seconds=121)
    assert execute(40) == 3
    assert refused(scaling.api.execute_policy, **GROUP, PolicyName="steps")[0] == "ValidationError"


@pytest.mark.parametrize(
    ("kind", "by", "least", "capacity", "after"),
    [
        ("ChangeInCapacity", -2, 0, 5, 3),
        ("ExactCapacity", 4, 0, 9, 4),
        ("PercentChangeInCapacity", 10, 0, 5, 6),
        ("PercentChangeInCapacity", -10, 0, 5, 4),
        ("PercentChangeInCapacity", 25, 0, 11, 13),
        ("PercentChangeInCapacity", -67, 0, 10, 4),
        ("PercentChangeInCapacity", 25, 2, 4, 6),
        ("PercentChangeInCapacity", 10, 0, 0, 0),
    ],
)
def test_adjustments(kind: str, by: int, least: int, capacity: int, after: int) -> None:
    assert rules.adjusted(kind, by, capacity, least) == after


def test_steps_neither_overlap_nor_leave_gaps() -> None:
    assert rules.fault([Bar(1, 0, 10), Bar(2, 10)]) == ""
    assert "overlap" in rules.fault([Bar(1, 0, 10), Bar(2, 5)])
    assert "gap" in rules.fault([Bar(1, 0, 10), Bar(2, 11)])
    assert rules.step([Bar(1, 0, 10), Bar(2, 10)], 60, 50) == Bar(2, 10)
    assert rules.step([Bar(-1, -10, 0), Bar(-2, None, -10)], 40, 50) == Bar(-2, None, -10)


def test_a_scheduled_action_happens_once(scaling: Scaling) -> None:
    scaling.make(desired=1)
    soon = scaling.jar.clock.now() + timedelta(hours=1)
    scaling.api.put_scheduled_update_group_action(
        **GROUP, ScheduledActionName="up", StartTime=soon, MinSize=2, MaxSize=4, DesiredCapacity=3
    )
    scaling.jar.advance(minutes=59)
    assert scaling.show()["DesiredCapacity"] == 1
    scaling.jar.advance(minutes=2)
    shown = scaling.show()
    assert (shown["MinSize"], shown["MaxSize"], shown["DesiredCapacity"]) == (2, 4, 3)
    assert list(scaling.instances().values()) == ["InService"] * 3
    assert scaling.activities()[0]["Cause"].startswith(
        "At T a scheduled action update of AutoScalingGroup constraints to min: 2, max: 4, desired: 3 changing the "
        "desired capacity from 1 to 3.  At T an instance was started"
    )
    assert scaling.api.describe_scheduled_actions(**GROUP)["ScheduledUpdateGroupActions"] == []


def test_a_recurring_action_follows_its_time_zone(scaling: Scaling) -> None:
    scaling.make(desired=0)
    given: dict[str, Any] = {"Recurrence": "0 9 * * *", "TimeZone": "Europe/Paris"}
    put = scaling.api.put_scheduled_update_group_action
    put(**GROUP, ScheduledActionName="morning", DesiredCapacity=1, **given)
    (shown,) = scaling.api.describe_scheduled_actions()["ScheduledUpdateGroupActions"]
    first = shown["StartTime"]
    assert first.astimezone(ZoneInfo("Europe/Paris")).hour == 9
    scaling.jar.advance(days=1)
    assert scaling.show()["DesiredCapacity"] == 1
    (shown,) = scaling.api.describe_scheduled_actions()["ScheduledUpdateGroupActions"]
    assert shown["StartTime"] > first
    past = scaling.jar.clock.now() - timedelta(hours=1)
    for wrong in ({"Recurrence": "0 9 * *"}, {"Recurrence": "0 9 * * *", "TimeZone": "Mars"}, {"StartTime": past}):
        assert refused(put, **GROUP, ScheduledActionName="w", DesiredCapacity=1, **wrong)[0] == "ValidationError"
    actions = [{"ScheduledActionName": "a", "DesiredCapacity": 1, **given}, {"ScheduledActionName": "b", **given}]
    failed = scaling.api.batch_put_scheduled_update_group_action(**GROUP, ScheduledUpdateGroupActions=actions)
    assert [f["ScheduledActionName"] for f in failed["FailedScheduledUpdateGroupActions"]] == ["b"]
    failed = scaling.api.batch_delete_scheduled_action(**GROUP, ScheduledActionNames=["a", "b", "morning"])
    assert [f["ScheduledActionName"] for f in failed["FailedScheduledActions"]] == ["b"]


def test_cron() -> None:
    def after(text: str, moment: datetime, zone: str = "UTC") -> str:
        found = cron.parse(text).after(moment, ZoneInfo(zone))
        assert found is not None
        return f"{found:%Y-%m-%d %H:%M}"

    start = datetime(2026, 1, 1, tzinfo=UTC)
    assert after("*/15 * * * *", start) == "2026-01-01 00:15"
    assert after("30 0 1 1,6,12 *", start) == "2026-01-01 00:30"
    assert after("0 0 13 * FRI", start) == "2026-01-02 00:00"
    assert after("0 12 * * 7", start) == "2026-01-04 12:00"
    assert after("30 2 29 3 *", datetime(2026, 1, 1, tzinfo=UTC), "Europe/Paris") == "2027-03-29 00:30"
    with pytest.raises(CronError):
        cron.parse("61 * * * *")
