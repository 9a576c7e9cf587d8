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
