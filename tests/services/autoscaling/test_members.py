"""Instances of groups: ended, protected, put aside, let go, taken in."""

from __future__ import annotations

from typing import Any

from tests.services.autoscaling.groups import ZONES, Scaling
from tests.services.ec2.asking import refused

GROUP = {"AutoScalingGroupName": "asg"}


def test_an_instance_ended_by_hand_is_replaced_or_not(scaling: Scaling) -> None:
    scaling.make(desired=2, least=1)
    first, second = scaling.instances()
    terminate = scaling.api.terminate_instance_in_auto_scaling_group
    told = terminate(InstanceId=first, ShouldDecrementDesiredCapacity=True)["Activity"]
    assert told["Description"] == f"Terminating EC2 instance: {first}"
    assert told["StatusCode"] == "InProgress"
    scaling.jar.settle()
    assert scaling.instances() == {second: "InService"}
    assert scaling.activities()[0]["Cause"] == (
        f"At T instance {first} was taken out of service in response to a user request, shrinking the capacity from 2 "
        "to 1."
    )
    assert refused(terminate, InstanceId=second, ShouldDecrementDesiredCapacity=True) == (
        "ValidationError",
        "Currently, desiredSize equals minSize (1). Terminating instance without replacement will violate group's min "
        "size constraint. Either set shouldDecrementDesiredCapacity flag to false or lower group's min size.",
    )
    terminate(InstanceId=second, ShouldDecrementDesiredCapacity=False)
    scaling.jar.settle()
    ((third, state),) = scaling.instances().items()
    assert third not in (first, second)
    assert state == "InService"
    assert refused(terminate, InstanceId="i-0123", ShouldDecrementDesiredCapacity=False) == (
        "ValidationError",
        "Instance Id not found - No managed instance found for instance ID: i-0123",
    )


def test_protected_instances_stay(scaling: Scaling) -> None:
    scaling.make(desired=2)
    kept, _ = scaling.instances()
    scaling.api.set_instance_protection(**GROUP, InstanceIds=[kept], ProtectedFromScaleIn=True)
    scaling.api.set_desired_capacity(**GROUP, DesiredCapacity=1)
    scaling.jar.settle()
    assert list(scaling.instances()) == [kept]
    scaling.api.set_desired_capacity(**GROUP, DesiredCapacity=0)
    scaling.jar.settle()
    assert list(scaling.instances()) == [kept]
    scaling.api.set_instance_protection(**GROUP, InstanceIds=[kept], ProtectedFromScaleIn=False)
    scaling.jar.settle()
    assert scaling.instances() == {}


def test_termination_protection_does_not_bind_a_group(scaling: Scaling) -> None:
    scaling.make(desired=1)
    (only,) = scaling.instances()
    scaling.ec2.modify_instance_attribute(InstanceId=only, DisableApiTermination={"Value": True})
    scaling.api.set_desired_capacity(**GROUP, DesiredCapacity=0)
    scaling.jar.settle()
    assert scaling.instances() == {}
    assert scaling.state(only) == "terminated"


def test_standby(scaling: Scaling) -> None:
    scaling.make(desired=2, most=2)
    aside, other = scaling.instances()
    done = scaling.api.enter_standby(**GROUP, InstanceIds=[aside], ShouldDecrementDesiredCapacity=True)["Activities"]
    assert done[0]["Description"] == f"Moving EC2 instance to Standby: {aside}"
    scaling.jar.settle()
    assert scaling.instances() == {aside: "Standby", other: "InService"}
    assert scaling.show()["DesiredCapacity"] == 1
    assert refused(scaling.api.exit_standby, **GROUP, InstanceIds=[other]) == (
        "ValidationError",
        f"The instance {other} is not in Standby.",
    )
    back = scaling.api.exit_standby(**GROUP, InstanceIds=[aside])["Activities"]
    assert (back[0]["StatusCode"], back[0]["Progress"]) == ("PreInService", 30)
    scaling.jar.settle()
    assert scaling.instances() == {aside: "InService", other: "InService"}
    assert scaling.activities()[0]["Cause"] == (
        f"At T instance {aside} was moved out of standby in response to a user request, increasing the capacity from 1 "
        "to 2."
    )
    scaling.api.enter_standby(**GROUP, InstanceIds=[aside], ShouldDecrementDesiredCapacity=False)
    scaling.jar.settle()
    assert sorted(scaling.instances().values()) == ["InService", "InService", "Standby"]
    assert refused(scaling.api.exit_standby, **GROUP, InstanceIds=[aside])[1] == (
        "AutoScalingGroup asg has min-size=0, max-size=2, and desired-size=2. To take out of standby 1 more "
        "instance(s), please update the AutoScalingGroup sizes appropriately."
    )


def test_a_detached_instance_runs_on(scaling: Scaling) -> None:
    scaling.make(desired=1)
    (gone,) = scaling.instances()
    done = scaling.api.detach_instances(**GROUP, InstanceIds=[gone], ShouldDecrementDesiredCapacity=False)
    assert done["Activities"][0]["Description"] == f"Detaching EC2 instance: {gone}"
    scaling.jar.settle()
    assert gone not in scaling.instances()
    assert len(scaling.instances()) == 1
    found = scaling.ec2.describe_instances(InstanceIds=[gone])["Reservations"][0]["Instances"][0]
    assert found["State"]["Name"] == "running"
    assert found.get("Tags", []) == []
    assert refused(
        scaling.api.detach_instances, **GROUP, InstanceIds=[gone], ShouldDecrementDesiredCapacity=True
    ) == ("ValidationError", f"The instance {gone} is not part of Auto Scaling group asg.")


def test_a_running_instance_is_attached(scaling: Scaling) -> None:
    scaling.make(desired=0, most=1)
    launched = scaling.ec2.run_instances(
        ImageId=scaling.image(),
        InstanceType="t3.micro",
        MinCount=2,
        MaxCount=2,
        Placement={"AvailabilityZone": ZONES[0]},
    )
    first, second = (vm["InstanceId"] for vm in launched["Instances"])
    assert refused(scaling.api.attach_instances, **GROUP, InstanceIds=[first]) == (
        "ValidationError",
        f"Instance {first} is not in correct state. Instance(s) must be in 'running' state.",
    )
    scaling.jar.settle()
    scaling.api.attach_instances(**GROUP, InstanceIds=[first])
    scaling.jar.settle()
    assert scaling.instances() == {first: "InService"}
    assert scaling.show()["DesiredCapacity"] == 1
    assert scaling.tags(first) == {"aws:autoscaling:groupName": "asg"}
    assert refused(scaling.api.attach_instances, **GROUP, InstanceIds=[second]) == (
        "ValidationError",
        "AutoScalingGroup asg has min-size=0, max-size=1, and desired-size=1. To attach 1 more instance(s), please "
        "update the AutoScalingGroup sizes appropriately.",
    )


def test_instances_are_listed_over_groups(scaling: Scaling) -> None:
    scaling.make("one")
    scaling.make("two")
    found: list[dict[str, Any]] = scaling.api.describe_auto_scaling_instances()["AutoScalingInstances"]
    assert sorted(i["AutoScalingGroupName"] for i in found) == ["one", "two"]
    assert {(i["HealthStatus"], i["LifecycleState"], i["LaunchConfigurationName"]) for i in found} == {
        ("HEALTHY", "InService", "web")
    }
