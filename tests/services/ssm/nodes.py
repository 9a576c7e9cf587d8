"""Instances with and without a role, for what Systems Manager does with them."""

from __future__ import annotations

import json
from typing import Any

from tests.jar import TestJar

CORE = "arn:aws:iam::aws:policy/AmazonSSMManagedInstanceCore"
TRUST = json.dumps(
    {
        "Version": "2012-10-17",
        "Statement": [
            {"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"}
        ],
    }
)


def profile(iam: Any, name: str = "node", *policies: str) -> str:
    """An instance profile whose role has these managed policies (by default the one for nodes)."""
    iam.create_role(RoleName=name, AssumeRolePolicyDocument=TRUST)
    for policy in policies or (CORE,):
        iam.attach_role_policy(RoleName=name, PolicyArn=policy)
    iam.create_instance_profile(InstanceProfileName=name)
    iam.add_role_to_instance_profile(InstanceProfileName=name, RoleName=name)
    return name


def launch(jar: TestJar, profile: str = "", **tags: str) -> str:
    """An instance that runs."""
    ec2 = jar.client("ec2")
    wanted = [{"Name": "name", "Values": ["debian-12-amd64-*"]}]
    image = ec2.describe_images(Filters=wanted)["Images"][0]["ImageId"]
    asked: dict[str, Any] = {"ImageId": image, "InstanceType": "t2.micro", "MinCount": 1, "MaxCount": 1}
    if profile:
        asked["IamInstanceProfile"] = {"Name": profile}
    if tags:
        pairs = [{"Key": key, "Value": value} for key, value in tags.items()]
        asked["TagSpecifications"] = [{"ResourceType": "instance", "Tags": pairs}]
    made = str(ec2.run_instances(**asked)["Instances"][0]["InstanceId"])
    jar.settle()
    return made
