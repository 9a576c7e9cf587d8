"""Lifecycle hooks: who waits, how long, and what becomes of it."""

from __future__ import annotations

from typing import Any

from tests.services.autoscaling.groups import Scaling
from tests.services.ec2.asking import refused

GROUP = {"AutoScalingGroupName": "asg"}
LAUNCHING = "autoscaling:EC2_INSTANCE_LAUNCHING"
TERMINATING = "autoscaling:EC2_INSTANCE_TERMINATING"


def hook(transition: str = LAUNCHING, **more: Any) -> dict[str, Any]:
    return {"LifecycleHookName": "prepare", "LifecycleTransition": transition, **more}


def test_a_launch_waits_until_it_is_completed(scaling: Scaling) -> None:
    scaling.make(LifecycleHookSpecificationList=[hook(NotificationMetadata="hello")])
    ((instance, state),) = scaling.instances().items()
    assert state == "Pending:Wait"
    assert scaling.activities()[0]["StatusCode"] == "MidLifecycleAction"
    (told,) = scaling.events("EC2 Instance-launch Lifecycle Action")
    token = told.pop("LifecycleActionToken")
    assert told == {
        "AutoScalingGroupName": "asg",
        "LifecycleHookName": "prepare",
        "EC2InstanceId": instance,
        "LifecycleTransition": LAUNCHING,
        "NotificationMetadata": "hello",
        "Origin": "EC2",
        "Destination": "AutoScalingGroup",
    }
    done = {**GROUP, "LifecycleHookName": "prepare", "LifecycleActionResult": "CONTINUE"}
    assert refused(scaling.api.complete_lifecycle_action, **done, InstanceId="i-0123") == (
        "ValidationError",
        "No active Lifecycle Action found with instance ID i-0123",
    )
    scaling.api.complete_lifecycle_action(**done, LifecycleActionToken=token)
    scaling.jar.settle()
    assert scaling.instances() == {instance: "InService"}
    assert scaling.activities()[0]["StatusCode"] == "Successful"


def test_an_abandoned_launch_is_replaced(scaling: Scaling) -> None:
    scaling.make(LifecycleHookSpecificationList=[hook()])
    (first,) = scaling.instances()
    scaling.api.complete_lifecycle_action(
        **GROUP, LifecycleHookName="prepare", LifecycleActionResult="ABANDON", InstanceId=first
    )
    scaling.jar.settle()
    ((second, state),) = scaling.instances().items()
    assert second != first
    assert state == "Pending:Wait"
    assert scaling.state(first) == "terminated"
    assert "Cancelled" in {a["StatusCode"] for a in scaling.activities()}


def test_a_launch_that_nobody_completes_ends_as_its_hook_says(scaling: Scaling) -> None:
    scaling.make(LifecycleHookSpecificationList=[hook(HeartbeatTimeout=60, DefaultResult="CONTINUE")])
    (instance,) = scaling.instances()
    scaling.jar.advance(seconds=50)
    scaling.api.record_lifecycle_action_heartbeat(**GROUP, LifecycleHookName="prepare", InstanceId=instance)
    scaling.jar.advance(seconds=50)
    assert scaling.instances() == {instance: "Pending:Wait"}
    scaling.jar.advance(seconds=11)
    assert scaling.instances() == {instance: "InService"}


def test_heartbeats_do_not_help_for_ever(scaling: Scaling) -> None:
    scaling.make(LifecycleHookSpecificationList=[hook(HeartbeatTimeout=30)])
    (instance,) = scaling.instances()
    (shown,) = scaling.api.describe_lifecycle_hooks(**GROUP)["LifecycleHooks"]
    assert (shown["HeartbeatTimeout"], shown["GlobalTimeout"], shown["DefaultResult"]) == (30, 3000, "ABANDON")
    for _ in range(120):
        if instance not in scaling.instances():
            break
        scaling.api.record_lifecycle_action_heartbeat(**GROUP, LifecycleHookName="prepare", InstanceId=instance)
        scaling.jar.advance(seconds=29)
    assert scaling.state(instance) == "terminated"


def test_a_termination_waits_too(scaling: Scaling) -> None:
    scaling.make()
    scaling.api.put_lifecycle_hook(**GROUP, **hook(TERMINATING, HeartbeatTimeout=300))
    (instance,) = scaling.instances()
    scaling.api.set_desired_capacity(**GROUP, DesiredCapacity=0)
    scaling.jar.settle()
    assert scaling.instances() == {instance: "Terminating:Wait"}
    assert scaling.state(instance) == "running"
    assert scaling.events("EC2 Instance-terminate Lifecycle Action")[0]["EC2InstanceId"] == instance
    scaling.jar.advance(seconds=301)
    assert scaling.instances() == {}
    assert scaling.state(instance) == "terminated"


def test_a_deleted_hook_lets_go(scaling: Scaling) -> None:
    scaling.make()
    scaling.api.put_lifecycle_hook(**GROUP, **hook(TERMINATING))
    scaling.api.set_desired_capacity(**GROUP, DesiredCapacity=0)
    scaling.jar.settle()
    scaling.api.delete_lifecycle_hook(**GROUP, LifecycleHookName="prepare")
    scaling.jar.settle()
    assert scaling.instances() == {}
    assert scaling.api.describe_lifecycle_hooks(**GROUP)["LifecycleHooks"] == []


def test_what_a_hook_may_be(scaling: Scaling) -> None:
    scaling.make(desired=0)
    put = scaling.api.put_lifecycle_hook
    assert refused(put, **GROUP, **hook("autoscaling:NAPPING"))[0] == "ValidationError"
    assert refused(put, **GROUP, **hook(HeartbeatTimeout=29))[0] == "ValidationError"
    assert refused(put, **GROUP, **hook(DefaultResult="MAYBE"))[0] == "ValidationError"
    target = "arn:aws:sns:eu-west-3:000000000000:topic"
    assert refused(put, **GROUP, **hook(NotificationTargetARN=target))[1].startswith("Role ARN is required")
