"""Settings of groups: protection, placement, origin, maintenance, metrics; and what there is nothing of."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from tests.services.autoscaling.groups import ZONES, Scaling
from tests.services.ec2.asking import refused

GROUP = {"AutoScalingGroupName": "asg"}


def test_a_protected_group_is_not_deleted(scaling: Scaling) -> None:
    scaling.make(desired=1, DeletionProtection="prevent-force-deletion")
    assert refused(scaling.api.delete_auto_scaling_group, **GROUP, ForceDelete=True)[0] == "ValidationError"
    scaling.api.update_auto_scaling_group(**GROUP, DesiredCapacity=0, DeletionProtection="prevent-all-deletion")
    scaling.jar.settle()
    assert refused(scaling.api.delete_auto_scaling_group, **GROUP)[0] == "ValidationError"
    assert scaling.show()["DeletionProtection"] == "prevent-all-deletion"
    scaling.api.update_auto_scaling_group(**GROUP, DeletionProtection="none")
    scaling.api.delete_auto_scaling_group(**GROUP)
    assert not scaling.exists()


def test_members_are_placed_in_a_group(scaling: Scaling) -> None:
    scaling.ec2.create_placement_group(GroupName="rack", Strategy="spread")
    scaling.make(desired=1, PlacementGroup="rack")
    (only,) = scaling.instances()
    found = scaling.ec2.describe_instances(InstanceIds=[only])["Reservations"][0]["Instances"][0]
    assert found["Placement"]["GroupName"] == "rack"
    assert scaling.show()["PlacementGroup"] == "rack"
    update = scaling.api.update_auto_scaling_group
    assert refused(update, **GROUP, PlacementGroup="none")[0] == "ValidationError"


def test_a_group_is_made_like_an_instance(scaling: Scaling) -> None:
    given = {"ImageId": scaling.image(), "InstanceType": "t3.nano", "MinCount": 1, "MaxCount": 1}
    model = scaling.ec2.run_instances(**given, UserData="#!/bin/sh\nexit 0\n")["Instances"][0]["InstanceId"]
    scaling.jar.settle()
    scaling.api.create_auto_scaling_group(
        **GROUP, InstanceId=model, MinSize=1, MaxSize=1, AvailabilityZones=[ZONES[0]]
    )
    scaling.jar.settle()
    (only,) = scaling.show()["Instances"]
    assert (only["InstanceType"], only["LaunchConfigurationName"]) == ("t3.nano", "asg")
    (shown,) = scaling.api.describe_launch_configurations(LaunchConfigurationNames=["asg"])["LaunchConfigurations"]
    assert shown["UserData"]
    scaling.api.create_launch_configuration(LaunchConfigurationName="l", InstanceId=model, InstanceType="t3.micro")
    (shown,) = scaling.api.describe_launch_configurations(LaunchConfigurationNames=["l"])["LaunchConfigurations"]
    assert (shown["InstanceType"], shown["ImageId"]) == ("t3.micro", scaling.image())
    make = scaling.api.create_launch_configuration
    assert refused(make, LaunchConfigurationName="m", InstanceId="i-0123456789abcdef0")[0] == "ValidationError"


def test_an_ill_member_gives_way_when_its_successor_serves(scaling: Scaling) -> None:
    policy = {"MinHealthyPercentage": 100, "MaxHealthyPercentage": 110}
    scaling.make(desired=2, InstanceMaintenancePolicy=policy, DefaultInstanceWarmup=120)
    scaling.jar.advance(seconds=121)
    assert scaling.show()["InstanceMaintenancePolicy"] == policy
    first, second = scaling.instances()
    scaling.api.set_instance_health(InstanceId=first, HealthStatus="Unhealthy")
    scaling.jar.settle()
    assert scaling.instances()[first] == "InService"
    (third,) = set(scaling.instances()) - {first, second}
    scaling.jar.advance(seconds=121)
    assert set(scaling.instances()) == {second, third}
    scaling.ec2.terminate_instances(InstanceIds=[second])  # the dead do not wait
    scaling.jar.settle()
    assert second not in scaling.instances()
    wrong = {"MinHealthyPercentage": 50, "MaxHealthyPercentage": 200}
    update = scaling.api.update_auto_scaling_group
    assert refused(update, **GROUP, InstanceMaintenancePolicy=wrong)[0] == "ValidationError"
    nothing = {"MinHealthyPercentage": -1, "MaxHealthyPercentage": -1}
    update(**GROUP, InstanceMaintenancePolicy=nothing)
    assert "InstanceMaintenancePolicy" not in scaling.show()


def test_its_metrics_are_those_of_each_minute(scaling: Scaling) -> None:
    scaling.make(desired=1)
    wanted = ["GroupDesiredCapacity", "GroupInServiceInstances"]
    scaling.api.enable_metrics_collection(**GROUP, Granularity="1Minute", Metrics=wanted)
    assert [m["Metric"] for m in scaling.show()["EnabledMetrics"]] == wanted
    scaling.jar.settle()
    start = scaling.jar.clock.now()
    scaling.jar.advance(minutes=5)
    scaling.api.set_desired_capacity(**GROUP, DesiredCapacity=3)
    scaling.jar.advance(minutes=5)
    cloudwatch = scaling.jar.client("cloudwatch")
    which: dict[str, Any] = {
        "Namespace": "AWS/AutoScaling", "MetricName": "GroupInServiceInstances",
        "Dimensions": [{"Name": "AutoScalingGroupName", "Value": "asg"}],
    }  # fmt: skip
    span = {"StartTime": start, "EndTime": start + timedelta(minutes=12), "Period": 60, "Statistics": ["Average"]}
    points = cloudwatch.get_metric_statistics(**which, **span)["Datapoints"]
    values = [p["Average"] for p in sorted(points, key=lambda p: p["Timestamp"])]
    assert set(values) == {1.0, 3.0}
    assert values == sorted(values)
    assert 9 <= len(values) <= 11
    scaling.api.disable_metrics_collection(**GROUP)
    scaling.jar.settle()
    assert scaling.show()["EnabledMetrics"] == []
    assert len(scaling.api.describe_metric_collection_types()["Metrics"]) == 20
    enable = scaling.api.enable_metrics_collection
    assert refused(enable, **GROUP, Granularity="1Hour")[0] == "ValidationError"


def test_there_are_no_classic_load_balancers(scaling: Scaling) -> None:
    scaling.make(desired=0)
    attach = scaling.api.attach_load_balancers
    assert refused(attach, **GROUP, LoadBalancerNames=["old"]) == (
        "ValidationError", "Provided Load Balancers may not be valid. Please ensure they exist and try again.",
    )  # fmt: skip
    assert scaling.api.describe_load_balancers(**GROUP)["LoadBalancers"] == []
