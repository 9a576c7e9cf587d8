"""Tags of groups, limits and lists of kinds."""

from __future__ import annotations

from tests.services.autoscaling.groups import Scaling
from tests.services.ec2.asking import refused

GROUP = {"AutoScalingGroupName": "asg"}


def tag(key: str, value: str = "", *, to_instances: bool = False) -> dict[str, object]:
    return {
        "ResourceId": "asg",
        "ResourceType": "auto-scaling-group",
        "Key": key,
        "Value": value,
        "PropagateAtLaunch": to_instances,
    }


def test_tags_go_to_the_instances_that_come(scaling: Scaling) -> None:
    scaling.make(desired=1)
    (first,) = scaling.instances()
    scaling.api.create_or_update_tags(Tags=[tag("stage", "test", to_instances=True), tag("own", "x")])
    scaling.api.set_desired_capacity(**GROUP, DesiredCapacity=2)
    scaling.jar.settle()
    (second,) = set(scaling.instances()) - {first}
    assert scaling.tags(first) == {"aws:autoscaling:groupName": "asg"}
    assert scaling.tags(second) == {"aws:autoscaling:groupName": "asg", "stage": "test"}
    only = [{"Name": "propagate-at-launch", "Values": ["true"]}]
    assert scaling.api.describe_tags(Filters=only)["Tags"] == [tag("stage", "test", to_instances=True)]
    by_tag = [{"Name": "tag:stage", "Values": ["test"]}]
    found = scaling.api.describe_auto_scaling_groups(Filters=by_tag)["AutoScalingGroups"]
    assert [g["AutoScalingGroupName"] for g in found] == ["asg"]
    scaling.api.delete_tags(Tags=[tag("stage", "test")])
    assert [t["Key"] for t in scaling.show()["Tags"]] == ["own"]
    assert refused(scaling.api.create_or_update_tags, Tags=[tag("aws:mine")])[0] == "ValidationError"


def test_limits(scaling: Scaling) -> None:
    limits = scaling.api.describe_account_limits()
    assert (limits["MaxNumberOfAutoScalingGroups"], limits["MaxNumberOfLaunchConfigurations"]) == (500, 200)
    assert (limits["NumberOfAutoScalingGroups"], limits["NumberOfLaunchConfigurations"]) == (0, 1)


def test_kinds(scaling: Scaling) -> None:
    assert "Default" in scaling.api.describe_termination_policy_types()["TerminationPolicyTypes"]
    assert len(scaling.api.describe_scaling_process_types()["Processes"]) == 9
    assert len(scaling.api.describe_lifecycle_hook_types()["LifecycleHookTypes"]) == 2


def test_launch_configurations(scaling: Scaling) -> None:
    (shown,) = scaling.api.describe_launch_configurations(LaunchConfigurationNames=["web", "none"])[
        "LaunchConfigurations"
    ]
    assert (shown["InstanceType"], shown["InstanceMonitoring"]) == ("t3.micro", {"Enabled": True})
    assert shown["LaunchConfigurationARN"].endswith(":launchConfigurationName/web")
    again = {"LaunchConfigurationName": "web", "ImageId": "ami-0123", "InstanceType": "t3.micro"}
    assert refused(scaling.api.create_launch_configuration, **again) == (
        "AlreadyExists",
        "Launch Configuration by this name already exists - A launch configuration already exists with the name web",
    )
    assert refused(scaling.api.delete_launch_configuration, LaunchConfigurationName="none") == (
        "ValidationError",
        "Launch configuration name not found - Launch configuration none not found",
    )
