"""Corrections of Auto Scaling: groups and launch configurations are named in requests, their ARNs have an id too; what
names an instance is about the group that has it; and a role is passed where a request names its instance profile."""

from __future__ import annotations

from typing import Any

Ops = dict[str, list[dict[str, Any]]]

REQUIRED = 1
GROUP = "arn:${Partition}:autoscaling:${Region}:${Account}:autoScalingGroup:*:autoScalingGroupName/"
CONFIGURATION = "arn:${Partition}:autoscaling:${Region}:${Account}:launchConfiguration:*:launchConfigurationName/"


TARGET = "arn:${Partition}:application-autoscaling:${Region}:${Account}:scalable-target/*"


def applications(_service: Any, ops: Ops) -> None:
    """Scalable targets have ids of their own; requests name the resource."""
    by_resource = ["by", "application-autoscaling:target", "ResourceId", TARGET]
    for entries in ops.values():
        for entry in entries:
            for resource in entry["r"]:
                if resource[0] == "ScalableTarget" and isinstance(resource[1], str):
                    resource[1] = by_resource
    # Roles that are named are passed over: a service-linked one acts.
    ops["RegisterScalableTarget"][:] = ops["RegisterScalableTarget"][:1]


def groups(_service: Any, ops: Ops) -> None:
    """Change the table in place."""
    for operation, entries in ops.items():
        for resource in (r for entry in entries for r in entry["r"]):
            kind, template = resource[0], resource[1]
            if kind == "autoScalingGroup" and isinstance(template, str):
                path = "Tags[].ResourceId" if "Tags[]" in template else "AutoScalingGroupName"
                resource[1:] = [["by", "autoscaling:autoScalingGroup", path, GROUP + "${value}"], REQUIRED]
            elif kind == "launchConfiguration" and isinstance(template, str):
                path = "LaunchConfigurationName"
                resource[1] = ["by", "autoscaling:launchConfiguration", path, CONFIGURATION + "${value}"]
        if operation in ("CreateAutoScalingGroup", "UpdateAutoScalingGroup"):
            # A launch configuration's role was passed when that was made; what a template launches, and with which
            # role, is asked of EC2 by a launch that is a dry run.
            entries[:] = [
                e for e in entries
                if e["a"] != "iam:PassRole" or str(e.get("when")).find("Launch") < 0
            ]
    hooks = "LifecycleHookSpecificationList[].RoleARN"
    passed = {"a": "iam:PassRole", "r": [["role", f"${{{hooks}}}", REQUIRED]], "when": ["exists", hooks]}
    ops["CreateAutoScalingGroup"].append(passed)
    held = ["by", "autoscaling:group-of-instance", "InstanceId", GROUP + "*"]
    named = ["by", "autoscaling:autoScalingGroup", "AutoScalingGroupName", GROUP + "${value}"]
    ops["SetInstanceHealth"][0]["r"] = [["autoScalingGroup", held, REQUIRED]]
    ops["TerminateInstanceInAutoScalingGroup"][0]["r"] = [["autoScalingGroup", ["first", named, held], REQUIRED]]
    by_policy = ["by", "autoscaling:group-of-policy", "PolicyName", GROUP + "*"]
    for operation in ("DeletePolicy", "ExecutePolicy"):
        ops[operation][0]["r"] = [["autoScalingGroup", ["first", named, by_policy], REQUIRED]]
    for entries in ops.values():
        for entry in entries:
            if entry["a"] == "iam:PassRole":  # Auto Scaling's own role
                entry["keys"] = {"iam:PassedToService": "autoscaling.amazonaws.com"}
    profile = ["by", "iam:instance-profile-role", "IamInstanceProfile", "*"]
    ops["CreateLaunchConfiguration"][1] = {
        "a": "iam:PassRole",
        "r": [["role", profile, REQUIRED]],
        "when": ["exists", "IamInstanceProfile"],
        "keys": {"iam:PassedToService": "ec2.amazonaws.com"},
    }
