"""Groups for the access law: one that exists, with an instance, so that no call about it is about nothing."""

from __future__ import annotations

from typing import Any

from tests.jar import TestJar

GROUP, CONFIGURATION = "law", "law"
_NAMED = (
    "AttachInstances", "AttachLoadBalancerTargetGroups", "AttachTrafficSources", "DetachLoadBalancerTargetGroups",
    "DetachTrafficSources", "AttachLoadBalancers", "DetachLoadBalancers", "PutNotificationConfiguration",
    "DeleteNotificationConfiguration", "EnableMetricsCollection", "DisableMetricsCollection",
    "DeleteWarmPool", "PutWarmPool", "RollbackInstanceRefresh",
    "BatchDeleteScheduledAction", "BatchPutScheduledUpdateGroupAction", "CancelInstanceRefresh",
    "CompleteLifecycleAction", "StartInstanceRefresh",
    "DeleteAutoScalingGroup", "DeleteLifecycleHook", "DeletePolicy", "DeleteScheduledAction", "DetachInstances",
    "EnterStandby", "ExecutePolicy", "ExitStandby", "PutLifecycleHook", "PutScalingPolicy",
    "PutScheduledUpdateGroupAction", "RecordLifecycleActionHeartbeat", "ResumeProcesses", "SetDesiredCapacity",
    "SetInstanceProtection", "SuspendProcesses", "UpdateAutoScalingGroup",
)  # fmt: skip
_OF_INSTANCE = ("SetInstanceHealth", "TerminateInstanceInAutoScalingGroup")
_TAGGING = ("CreateOrUpdateTags", "DeleteTags")


def member(jar: TestJar, image: str) -> str:
    """Make the group, and give the instance that is in it."""
    scaling = jar.client("autoscaling")
    scaling.create_launch_configuration(
        LaunchConfigurationName=CONFIGURATION, ImageId=image, InstanceType="t3.micro"
    )
    scaling.create_auto_scaling_group(
        AutoScalingGroupName=GROUP, LaunchConfigurationName=CONFIGURATION, MinSize=0, MaxSize=1, DesiredCapacity=1,
        AvailabilityZones=["eu-west-3a"],
    )  # fmt: skip
    jar.settle()
    (found,) = scaling.describe_auto_scaling_groups()["AutoScalingGroups"][0]["Instances"]
    return str(found["InstanceId"])


def asked(operation: str, instance: str) -> dict[str, Any]:
    """What an operation is asked with."""
    if operation in _TAGGING:
        return {"Tags": [{"ResourceId": GROUP, "ResourceType": "auto-scaling-group", "Key": "law", "Value": "law"}]}
    if operation == "DeleteLaunchConfiguration":
        return {"LaunchConfigurationName": CONFIGURATION}
    return {"InstanceId": instance} if operation in _OF_INSTANCE else {"AutoScalingGroupName": GROUP}


OPERATIONS = (*_NAMED, *_OF_INSTANCE, *_TAGGING, "DeleteLaunchConfiguration")
