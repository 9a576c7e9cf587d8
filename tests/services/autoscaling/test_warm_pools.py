"""Instances launched ahead: kept stopped or running, drawn, given back."""

from __future__ import annotations

from typing import Any

from tests.services.autoscaling.groups import Scaling
from tests.services.ec2.asking import refused

GROUP = {"AutoScalingGroupName": "asg"}


def warm(scaling: Scaling) -> dict[str, str]:
    """Lifecycle states by instance."""
    found = scaling.api.describe_warm_pool(**GROUP)["Instances"]
    return {i["InstanceId"]: i["LifecycleState"] for i in found}


def give(scaling: Scaling, **more: Any) -> None:
    scaling.api.put_warm_pool(**GROUP, **more)
    scaling.jar.settle()


def test_a_pool_is_kept_stopped_and_drawn_from(scaling: Scaling) -> None:
    scaling.make(desired=1, most=3)
    give(scaling)
    assert list(warm(scaling).values()) == ["Warmed:Stopped"] * 2
    assert {scaling.state(i) for i in warm(scaling)} == {"stopped"}
    shown = scaling.show()
    assert shown["WarmPoolConfiguration"] == {"MinSize": 0, "PoolState": "Stopped"}
    assert (shown["WarmPoolSize"], len(shown["Instances"])) == (2, 1)
    before = set(warm(scaling))
    scaling.api.set_desired_capacity(**GROUP, DesiredCapacity=2)
    scaling.jar.settle()
    (left,) = warm(scaling)
    (drawn,) = before - {left}
    assert scaling.instances()[drawn] == "InService"
    assert scaling.state(drawn) == "running"
    newest = scaling.activities()[0]
    assert newest["Description"] == f"Launching a new EC2 instance from warm pool: {drawn}"
    scaling.api.delete_warm_pool(**GROUP)
    scaling.jar.settle()
    assert warm(scaling) == {}
    assert scaling.state(left) == "terminated"
    assert "WarmPoolConfiguration" not in scaling.show()
    assert refused(scaling.api.delete_warm_pool, **GROUP)[0] == "ValidationError"


def test_members_may_come_back(scaling: Scaling) -> None:
    scaling.make(desired=2, most=2)
    give(scaling, PoolState="Running", InstanceReusePolicy={"ReuseOnScaleIn": True})
    assert warm(scaling) == {}
    scaling.api.set_desired_capacity(**GROUP, DesiredCapacity=1)
    scaling.jar.settle()
    ((back, state),) = warm(scaling).items()
    assert (state, scaling.state(back)) == ("Warmed:Running", "running")
    give(scaling, PoolState="Stopped", MinSize=1)
    scaling.api.set_desired_capacity(**GROUP, DesiredCapacity=2)
    scaling.jar.settle()
    assert scaling.instances()[back] == "InService"
    ((other, state),) = warm(scaling).items()
    assert (state, scaling.state(other)) == ("Warmed:Stopped", "stopped")


def test_its_size_follows_the_group(scaling: Scaling) -> None:
    scaling.make(desired=1, most=6)
    give(scaling, MaxGroupPreparedCapacity=3)
    assert len(warm(scaling)) == 2
    give(scaling, MaxGroupPreparedCapacity=2)
    assert len(warm(scaling)) == 1
    give(scaling, MaxGroupPreparedCapacity=-1, MinSize=1)
    assert len(warm(scaling)) == 5
    dead = next(iter(warm(scaling)))
    scaling.ec2.terminate_instances(InstanceIds=[dead])
    scaling.jar.settle()
    assert dead not in warm(scaling)
    assert len(warm(scaling)) == 5
    scaling.api.delete_auto_scaling_group(**GROUP, ForceDelete=True)
    scaling.jar.settle()
    assert not scaling.exists()


def test_hooks_hold_up_those_that_are_warmed(scaling: Scaling) -> None:
    scaling.make(desired=0, most=1)
    scaling.api.put_lifecycle_hook(
        **GROUP, LifecycleHookName="prepare", LifecycleTransition="autoscaling:EC2_INSTANCE_LAUNCHING"
    )
    give(scaling)
    ((held, state),) = warm(scaling).items()
    assert state == "Warmed:Pending:Wait"
    event = scaling.events("EC2 Instance-launch Lifecycle Action")[-1]
    assert (event["Origin"], event["Destination"]) == ("EC2", "WarmPool")
    done = {"LifecycleHookName": "prepare", "LifecycleActionResult": "CONTINUE", "InstanceId": held}
    scaling.api.complete_lifecycle_action(**GROUP, **done)
    scaling.jar.settle()
    assert warm(scaling) == {held: "Warmed:Stopped"}
    scaling.api.set_desired_capacity(**GROUP, DesiredCapacity=1)
    scaling.jar.settle()
    assert scaling.instances() == {held: "Pending:Wait"}
    scaling.api.complete_lifecycle_action(**GROUP, **done)
    scaling.jar.settle()
    assert scaling.instances() == {held: "InService"}


def test_hibernated_pools_are_refused(scaling: Scaling) -> None:
    scaling.make(desired=0)
    assert refused(scaling.api.put_warm_pool, **GROUP, PoolState="Hibernated")[0] == "NotImplemented"
