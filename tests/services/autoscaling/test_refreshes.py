"""Instance refreshes: rolling, with checkpoints, cancelled."""

from __future__ import annotations

from typing import Any

from tests.services.autoscaling.groups import Scaling
from tests.services.ec2.asking import refused

GROUP = {"AutoScalingGroupName": "asg"}


def latest(scaling: Scaling) -> dict[str, Any]:
    found: dict[str, Any] = scaling.api.describe_instance_refreshes(**GROUP)["InstanceRefreshes"][0]
    return found


def test_instances_are_replaced_a_few_at_a_time(scaling: Scaling) -> None:
    scaling.make(desired=4)
    old = set(scaling.instances())
    scaling.jar.advance(minutes=1)
    wanted = {"MinHealthyPercentage": 50, "InstanceWarmup": 60}
    started = scaling.api.start_instance_refresh(**GROUP, Preferences=wanted)["InstanceRefreshId"]
    assert refused(scaling.api.start_instance_refresh, **GROUP)[0] == "InstanceRefreshInProgress"
    scaling.jar.settle()
    assert len(old & set(scaling.instances())) == 2
    assert latest(scaling)["Status"] == "InProgress"
    scaling.jar.advance(seconds=61)
    assert not old & set(scaling.instances())
    scaling.jar.advance(seconds=61)
    done = latest(scaling)
    assert (done["InstanceRefreshId"], done["Status"], done["PercentageComplete"]) == (started, "Successful", 100)
    assert list(scaling.instances().values()) == ["InService"] * 4
    causes = {a["Cause"] for a in scaling.activities()}
    assert "At T an instance was taken out of service in response to an instance refresh." in causes


def test_a_checkpoint_holds_it_up_and_it_can_be_cancelled(scaling: Scaling) -> None:
    scaling.make(desired=2)
    old = set(scaling.instances())
    scaling.jar.advance(minutes=1)
    wanted = {"InstanceWarmup": 0, "CheckpointPercentages": [50], "CheckpointDelay": 600}
    scaling.api.start_instance_refresh(**GROUP, Preferences=wanted)
    scaling.jar.settle()
    scaling.jar.advance(seconds=300)
    assert len(old & set(scaling.instances())) == 1
    assert latest(scaling)["PercentageComplete"] == 50
    scaling.api.cancel_instance_refresh(**GROUP)
    scaling.jar.advance(seconds=600)
    assert latest(scaling)["Status"] == "Cancelled"
    assert len(old & set(scaling.instances())) == 1
    assert refused(scaling.api.cancel_instance_refresh, **GROUP)[0] == "ActiveInstanceRefreshNotFound"


def test_what_matches_is_skipped(scaling: Scaling) -> None:
    scaling.make(desired=1)
    (old,) = scaling.instances()
    scaling.configure("small", InstanceType="t3.small")
    scaling.api.update_auto_scaling_group(**GROUP, LaunchConfigurationName="small")
    scaling.api.set_desired_capacity(**GROUP, DesiredCapacity=2)
    scaling.jar.settle()
    (new,) = set(scaling.instances()) - {old}
    scaling.jar.advance(minutes=1)
    scaling.api.start_instance_refresh(**GROUP, Preferences={"SkipMatching": True, "InstanceWarmup": 0})
    scaling.jar.advance(minutes=1)
    assert latest(scaling)["Status"] == "Successful"
    assert new in scaling.instances()
    assert old not in scaling.instances()
    assert {i["InstanceType"] for i in scaling.show()["Instances"]} == {"t3.small"}


def templates(scaling: Scaling) -> None:
    """A launch template ``web`` with two versions, and a group of two on the first."""
    for number, kind in enumerate(("t3.micro", "t3.small")):
        data = {"ImageId": scaling.image(), "InstanceType": kind}
        if number:
            scaling.ec2.create_launch_template_version(LaunchTemplateName="web", LaunchTemplateData=data)
        else:
            scaling.ec2.create_launch_template(LaunchTemplateName="web", LaunchTemplateData=data)
    scaling.make(desired=2, LaunchTemplate={"LaunchTemplateName": "web", "Version": "1"}, DefaultInstanceWarmup=0)
    scaling.jar.advance(minutes=1)


SECOND = {"LaunchTemplate": {"LaunchTemplateName": "web", "Version": "2"}}


def types(scaling: Scaling) -> list[str]:
    return sorted(i["InstanceType"] for i in scaling.show()["Instances"] if i["LifecycleState"] == "InService")


def test_a_group_gets_what_it_was_refreshed_to_in_the_end(scaling: Scaling) -> None:
    templates(scaling)
    scaling.api.start_instance_refresh(**GROUP, DesiredConfiguration=SECOND, Preferences={"BakeTime": 300})
    scaling.jar.settle()
    assert types(scaling) == ["t3.small", "t3.small"]
    baking = latest(scaling)
    assert (baking["Status"], baking["DesiredConfiguration"]) == ("Baking", SECOND)
    assert scaling.show()["LaunchTemplate"]["Version"] == "1"
    scaling.jar.advance(seconds=301)
    assert latest(scaling)["Status"] == "Successful"
    assert scaling.show()["LaunchTemplate"]["Version"] == "2"


def test_successors_may_come_before_the_others_go(scaling: Scaling) -> None:
    templates(scaling)
    old = set(scaling.instances())
    wanted = {"MinHealthyPercentage": 100, "MaxHealthyPercentage": 150, "InstanceWarmup": 60}
    scaling.api.start_instance_refresh(**GROUP, DesiredConfiguration=SECOND, Preferences=wanted)
    scaling.jar.settle()
    assert len(old & set(scaling.instances())) == 2
    assert list(scaling.instances().values()) == ["InService"] * 3
    scaling.jar.advance(seconds=61)
    assert len(old & set(scaling.instances())) == 1
    scaling.jar.advance(seconds=61)
    assert latest(scaling)["Status"] == "Successful"
    assert types(scaling) == ["t3.small", "t3.small"]


def test_there_is_a_way_back(scaling: Scaling) -> None:
    templates(scaling)
    wanted = {"MinHealthyPercentage": 50, "InstanceWarmup": 600}
    scaling.api.start_instance_refresh(**GROUP, DesiredConfiguration=SECOND, Preferences=wanted)
    scaling.jar.settle()
    assert types(scaling) == ["t3.micro", "t3.small"]
    scaling.api.rollback_instance_refresh(**GROUP)
    scaling.jar.advance(seconds=601)
    scaling.jar.advance(seconds=601)
    done = latest(scaling)
    assert (done["Status"], done["RollbackDetails"]["InstancesToUpdateOnRollback"]) == ("RollbackSuccessful", 1)
    assert types(scaling) == ["t3.micro", "t3.micro"]
    assert scaling.show()["LaunchTemplate"]["Version"] == "1"
    scaling.api.start_instance_refresh(**GROUP)
    assert refused(scaling.api.rollback_instance_refresh, **GROUP)[0] == "IrreversibleInstanceRefresh"


def test_an_alarm_turns_it_back(scaling: Scaling) -> None:
    templates(scaling)
    cloudwatch = scaling.jar.client("cloudwatch")
    cloudwatch.put_metric_alarm(
        AlarmName="errors", Namespace="Shop", MetricName="Errors", Statistic="Sum", Period=60, EvaluationPeriods=1,
        Threshold=0, ComparisonOperator="GreaterThanThreshold",
    )  # fmt: skip
    wanted = {"InstanceWarmup": 600, "AutoRollback": True, "AlarmSpecification": {"Alarms": ["errors"]}}
    scaling.api.start_instance_refresh(**GROUP, DesiredConfiguration=SECOND, Preferences=wanted)
    scaling.jar.settle()
    assert types(scaling) == ["t3.micro", "t3.small"]
    cloudwatch.put_metric_data(Namespace="Shop", MetricData=[{"MetricName": "Errors", "Value": 1}])
    scaling.jar.advance(minutes=2)
    assert latest(scaling)["Status"] == "RollbackInProgress"
    scaling.jar.advance(seconds=601)
    scaling.jar.advance(seconds=601)
    assert latest(scaling)["Status"] == "RollbackSuccessful"
    assert types(scaling) == ["t3.micro", "t3.micro"]
    none = {"AlarmSpecification": {"Alarms": ["none"]}}
    assert refused(scaling.api.start_instance_refresh, **GROUP, Preferences=none)[0] == "ValidationError"


def test_it_does_not_wait_for_the_protected_for_ever(scaling: Scaling) -> None:
    scaling.make(desired=1, NewInstancesProtectedFromScaleIn=True)
    scaling.jar.advance(minutes=1)
    scaling.api.start_instance_refresh(**GROUP, Preferences={"InstanceWarmup": 0})
    scaling.jar.settle()
    assert latest(scaling)["StatusReason"] == "Waiting for protected or standby instances."
    scaling.jar.advance(minutes=61)
    assert latest(scaling)["Status"] == "Failed"


def test_those_in_standby_may_be_ended(scaling: Scaling) -> None:
    scaling.make(desired=2)
    first, _ = scaling.instances()
    scaling.api.enter_standby(**GROUP, InstanceIds=[first], ShouldDecrementDesiredCapacity=True)
    scaling.jar.advance(minutes=1)
    scaling.api.start_instance_refresh(**GROUP, Preferences={"InstanceWarmup": 0, "StandbyInstances": "Terminate"})
    scaling.jar.settle()
    assert first not in scaling.instances()
    assert latest(scaling)["Status"] == "Successful"
