"""Groups: made, filled, changed, emptied, and what they say about it."""

from __future__ import annotations

import json
from collections import Counter
from typing import Any

from cloudjar.kit import faults
from tests.jar import ACCOUNT
from tests.services.autoscaling.groups import ZONES, Scaling
from tests.services.ec2.asking import refused


def test_a_group_launches_what_is_desired(scaling: Scaling) -> None:
    scaling.make(desired=2, Tags=[{"Key": "role", "Value": "web", "PropagateAtLaunch": True}, {"Key": "own"}])
    shown = scaling.show()
    assert list(scaling.instances().values()) == ["InService", "InService"]
    assert (shown["MinSize"], shown["MaxSize"], shown["DesiredCapacity"]) == (0, 6, 2)
    assert shown["HealthCheckType"] == "EC2"
    assert shown["DefaultCooldown"] == 300
    assert shown["TerminationPolicies"] == ["Default"]
    assert shown["AutoScalingGroupARN"].endswith(":autoScalingGroupName/asg")
    assert shown["ServiceLinkedRoleARN"] == (
        f"arn:aws:iam::{ACCOUNT}:role/aws-service-role/autoscaling.amazonaws.com/AWSServiceRoleForAutoScaling"
    )
    for instance in scaling.instances():
        assert scaling.state(instance) == "running"
        assert scaling.jar.host.look(instance) == "up"
        assert scaling.tags(instance) == {"role": "web", "aws:autoscaling:groupName": "asg"}
    newest = scaling.activities()[0]
    assert newest["StatusCode"] == "Successful"
    assert newest["Progress"] == 100
    assert newest["Description"].startswith("Launching a new EC2 instance: i-")
    assert newest["Cause"] == (
        "At T a user request created an AutoScalingGroup changing the desired capacity from 0 to 2.  "
        "At T an instance was started in response to a difference between desired and actual capacity, increasing the "
        "capacity from 1 to 2."
    )
    assert json.loads(newest["Details"])["Availability Zone"] == ZONES[0]


def test_instances_are_launched_as_the_service_linked_role(scaling: Scaling) -> None:
    scaling.make(desired=1)
    trail = scaling.jar.client("cloudtrail")
    asked = [{"AttributeKey": "EventName", "AttributeValue": "RunInstances"}]
    event = json.loads(trail.lookup_events(LookupAttributes=asked)["Events"][0]["CloudTrailEvent"])
    assert event["userIdentity"]["type"] == "AssumedRole"
    assert event["userIdentity"]["sessionContext"]["sessionIssuer"]["userName"] == "AWSServiceRoleForAutoScaling"


def test_zones_are_kept_in_balance(scaling: Scaling) -> None:
    scaling.make(desired=5, AvailabilityZones=list(ZONES))
    placed = Counter(i["AvailabilityZone"] for i in scaling.show()["Instances"])
    assert sorted(placed.values()) == [1, 2, 2]
    scaling.api.set_desired_capacity(AutoScalingGroupName="asg", DesiredCapacity=3)
    scaling.jar.settle()
    left = Counter(i["AvailabilityZone"] for i in scaling.show()["Instances"])
    assert left == dict.fromkeys(ZONES, 1)


def test_a_shrinking_group_says_who_and_why(scaling: Scaling) -> None:
    scaling.make(desired=2)
    before = set(scaling.instances())
    scaling.api.set_desired_capacity(AutoScalingGroupName="asg", DesiredCapacity=1)
    scaling.jar.settle()
    (gone,) = before - set(scaling.instances())
    assert scaling.state(gone) == "terminated"
    newest = scaling.activities()[0]
    assert newest["Description"] == f"Terminating EC2 instance: {gone}"
    assert newest["Cause"] == (
        "At T a user request explicitly set group desired capacity changing the desired capacity from 2 to 1.  "
        "At T an instance was taken out of service in response to a difference between desired and actual capacity, "
        f"shrinking the capacity from 2 to 1.  At T instance {gone} was selected for termination."
    )
    assert scaling.events("EC2 Instance Terminate Successful")[-1]["EC2InstanceId"] == gone


def test_an_ended_instance_is_replaced_whoever_ended_it(scaling: Scaling) -> None:
    scaling.make(desired=1)
    (first,) = scaling.instances()
    scaling.ec2.terminate_instances(InstanceIds=[first])
    scaling.jar.settle()
    ((second, state),) = scaling.instances().items()
    assert second != first
    assert state == "InService"
    launched, ended = scaling.activities()[:2]
    if launched["Description"].startswith("Terminating"):
        launched, ended = ended, launched
    assert ended["Cause"] == (
        "At T an instance was taken out of service in response to an EC2 health check indicating it has been "
        "terminated or stopped."
    )
    assert launched["Cause"] == (
        "At T an instance was launched in response to an unhealthy instance needing to be replaced."
    )


def test_a_guest_that_powers_off_is_replaced(scaling: Scaling) -> None:
    scaling.make(desired=1)
    (first,) = scaling.instances()
    scaling.ec2.stop_instances(InstanceIds=[first])
    scaling.jar.settle()
    (second,) = scaling.instances()
    assert second != first
    assert scaling.state(first) == "terminated"


def test_an_unhealthy_instance_is_replaced_after_its_grace(scaling: Scaling) -> None:
    scaling.make(desired=1, HealthCheckGracePeriod=300)
    (first,) = scaling.instances()
    scaling.api.set_instance_health(InstanceId=first, HealthStatus="Unhealthy")
    scaling.jar.settle()
    assert scaling.instances() == {first: "InService"}
    scaling.jar.advance(seconds=301)
    scaling.api.set_instance_health(InstanceId=first, HealthStatus="Unhealthy")
    scaling.jar.settle()
    assert first not in scaling.instances()
    assert len(scaling.instances()) == 1
    causes = [a["Cause"] for a in scaling.activities()]
    assert "At T an instance was taken out of service in response to a user health-check." in causes


def test_bounds_are_kept(scaling: Scaling) -> None:
    scaling.make(desired=1, least=1, most=2)
    make = scaling.api.create_auto_scaling_group
    both: dict[str, Any] = {"LaunchConfigurationName": "web", "AvailabilityZones": [ZONES[0]]}
    assert refused(make, AutoScalingGroupName="asg", MinSize=0, MaxSize=0, **both) == (
        "AlreadyExists",
        "AutoScalingGroup by this name already exists - A group with the name asg already exists",
    )
    assert refused(make, AutoScalingGroupName="b", MinSize=2, MaxSize=1, **both) == (
        "ValidationError",
        "Max bound, 1, must be greater than or equal to min bound, 2",
    )
    assert refused(make, AutoScalingGroupName="b", MinSize=0, MaxSize=1, DesiredCapacity=2, **both) == (
        "ValidationError",
        "Desired capacity:2 must be between the specified min size:0 and max size:1",
    )
    where = {"LaunchConfigurationName": "web"}
    assert refused(make, AutoScalingGroupName="b", MinSize=0, MaxSize=1, **where) == (
        "ValidationError",
        "At least one Availability Zone or VPC Subnet is required.",
    )
    set_desired = scaling.api.set_desired_capacity
    assert refused(set_desired, AutoScalingGroupName="asg", DesiredCapacity=3) == (
        "ValidationError",
        "New SetDesiredCapacity value 3 is above max value 2 for the AutoScalingGroup.",
    )
    assert refused(set_desired, AutoScalingGroupName="asg", DesiredCapacity=0) == (
        "ValidationError",
        "New SetDesiredCapacity value 0 is below min value 1 for the AutoScalingGroup.",
    )
    assert refused(set_desired, AutoScalingGroupName="none", DesiredCapacity=0) == (
        "ValidationError",
        "AutoScalingGroup name not found - AutoScalingGroup 'none' not found",
    )


def test_an_update_moves_the_capacity_into_its_bounds(scaling: Scaling) -> None:
    scaling.make(desired=1)
    scaling.api.update_auto_scaling_group(AutoScalingGroupName="asg", MinSize=3)
    scaling.jar.settle()
    assert scaling.show()["DesiredCapacity"] == 3
    assert len(scaling.instances()) == 3
    assert scaling.activities()[0]["Cause"].startswith(
        "At T a user request update of AutoScalingGroup constraints to min: 3, max: 6, desired: 3 changing the desired "
        "capacity from 1 to 3.  At T an instance was started"
    )


def test_the_cooldown_is_honoured_when_asked_for(scaling: Scaling) -> None:
    scaling.make(desired=1)
    asked: dict[str, Any] = {"AutoScalingGroupName": "asg", "DesiredCapacity": 2, "HonorCooldown": True}
    code, message = refused(scaling.api.set_desired_capacity, **asked)
    assert code == "ScalingActivityInProgress"
    assert message == f"Scaling activity {scaling.activities()[0]['ActivityId']} is in progress and blocks this action"
    scaling.jar.advance(seconds=301)
    scaling.api.set_desired_capacity(**asked)
    assert scaling.show()["DesiredCapacity"] == 2


def test_a_launch_that_ec2_refuses_is_told_and_tried_again(scaling: Scaling) -> None:
    scaling.configure("keyed", KeyName="later")
    scaling.make(desired=1, LaunchConfigurationName="keyed")
    (failed,) = scaling.activities()
    assert failed["StatusCode"] == "Failed"
    assert failed["StatusMessage"] == "The key pair 'later' does not exist Launching EC2 instance failed."
    assert failed["Description"] == f"Launching a new EC2 instance.  Status Reason: {failed['StatusMessage']}"
    assert scaling.events("EC2 Instance Launch Unsuccessful")[0]["StatusMessage"] == failed["StatusMessage"]
    assert scaling.instances() == {}
    scaling.ec2.create_key_pair(KeyName="later")
    scaling.jar.advance(seconds=15)
    assert list(scaling.instances().values()) == ["InService"]


def test_deleting_a_group(scaling: Scaling) -> None:
    scaling.make(desired=2)
    known = set(scaling.instances())
    delete = scaling.api.delete_auto_scaling_group
    assert refused(delete, AutoScalingGroupName="asg") == (
        "ResourceInUse",
        "You cannot delete an AutoScalingGroup while there are instances or pending Spot instance request(s) still in "
        "the group.",
    )
    assert refused(scaling.api.delete_launch_configuration, LaunchConfigurationName="web") == (
        "ResourceInUse",
        "Cannot delete launch configuration web because it is attached to AutoScalingGroup asg",
    )
    delete(AutoScalingGroupName="asg", ForceDelete=True)
    assert scaling.show()["Status"] == "Delete in progress"
    scaling.jar.settle()
    assert not scaling.exists()
    assert {scaling.state(instance) for instance in known} == {"terminated"}
    found = scaling.api.describe_scaling_activities(AutoScalingGroupName="asg", IncludeDeletedGroups=True)
    assert {a["AutoScalingGroupState"] for a in found["Activities"]} == {"Deleted"}
    scaling.api.delete_launch_configuration(LaunchConfigurationName="web")
    assert scaling.api.describe_launch_configurations()["LaunchConfigurations"] == []


def test_old_instances_make_place(scaling: Scaling) -> None:
    scaling.make(desired=1, MaxInstanceLifetime=86_400)
    (first,) = scaling.instances()
    scaling.jar.advance(hours=23)
    assert set(scaling.instances()) == {first}
    scaling.jar.advance(hours=2)
    assert first not in scaling.instances()
    assert len(scaling.instances()) == 1


def test_suspended_processes_do_nothing(scaling: Scaling) -> None:
    scaling.make(desired=1)
    (first,) = scaling.instances()
    scaling.api.suspend_processes(AutoScalingGroupName="asg", ScalingProcesses=["Launch", "ReplaceUnhealthy"])
    assert [p["ProcessName"] for p in scaling.show()["SuspendedProcesses"]] == ["Launch", "ReplaceUnhealthy"]
    scaling.api.set_desired_capacity(AutoScalingGroupName="asg", DesiredCapacity=2)
    scaling.ec2.terminate_instances(InstanceIds=[first])
    scaling.jar.settle()
    (only,) = scaling.show()["Instances"]
    assert (only["InstanceId"], only["HealthStatus"]) == (first, "Unhealthy")
    scaling.api.resume_processes(AutoScalingGroupName="asg")
    scaling.jar.settle()
    assert list(scaling.instances().values()) == ["InService", "InService"]
    assert first not in scaling.instances()
    assert refused(scaling.api.suspend_processes, AutoScalingGroupName="asg", ScalingProcesses=["Dance"])[0] == (
        "ValidationError"
    )


def test_a_zone_that_is_taken_away_is_left(scaling: Scaling) -> None:
    scaling.make(desired=2)
    before = set(scaling.instances())
    scaling.api.update_auto_scaling_group(AutoScalingGroupName="asg", AvailabilityZones=[ZONES[1], ZONES[2]])
    scaling.jar.settle()
    placed = Counter(i["AvailabilityZone"] for i in scaling.show()["Instances"])
    assert placed == {ZONES[1]: 1, ZONES[2]: 1}
    assert before.isdisjoint(scaling.instances())
    causes = {a["Cause"].partition("  ")[0] for a in scaling.activities()}
    assert "At T an instance was launched to aid in balancing the group's zones." in causes
    assert (
        f"At T instances were launched to balance instances in zones {ZONES[1]} {ZONES[2]} with other zones resulting "
        "in more than desired number of instances in the group."
    ) in causes


def test_zones_come_into_balance_unless_that_is_suspended(scaling: Scaling) -> None:
    scaling.make(desired=4)
    scaling.api.suspend_processes(AutoScalingGroupName="asg", ScalingProcesses=["AZRebalance"])
    scaling.api.update_auto_scaling_group(AutoScalingGroupName="asg", AvailabilityZones=[ZONES[0], ZONES[1]])
    scaling.jar.settle()
    assert {i["AvailabilityZone"] for i in scaling.show()["Instances"]} == {ZONES[0]}
    scaling.api.resume_processes(AutoScalingGroupName="asg")
    scaling.jar.settle()
    assert Counter(i["AvailabilityZone"] for i in scaling.show()["Instances"]) == {ZONES[0]: 2, ZONES[1]: 2}


def test_a_guest_that_fails_its_checks_is_replaced_after_its_grace(scaling: Scaling) -> None:
    scaling.make(desired=1, HealthCheckGracePeriod=120)
    (first,) = scaling.instances()
    scaling.jar.host.deaf.add(first)
    scaling.ec2.describe_instance_status(InstanceIds=[first])
    scaling.jar.settle()
    assert scaling.instances() == {first: "InService"}
    scaling.jar.advance(seconds=121)
    (second,) = scaling.instances()
    assert second != first
    causes = [a["Cause"] for a in scaling.activities()]
    assert "At T an instance was taken out of service in response to an EC2 instance status checks failure." in causes


def test_a_zone_without_power_is_left(scaling: Scaling) -> None:
    scaling.make(desired=2, AvailabilityZones=list(ZONES[:2]))
    breaker = faults.breaker(scaling.jar.jar.world)
    breaker.begin(scaling.jar.jar.world, "zone", ZONES[0], 0)
    scaling.jar.settle()
    placed = [i["AvailabilityZone"] for i in scaling.show()["Instances"] if i["LifecycleState"] == "InService"]
    assert placed == [ZONES[1]] * 2
