"""EC2's market and capacity for the access law: what each operation is asked about."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from tests.jar import ACCOUNT

Scene = Callable[[Any], dict[str, Any]]
ZONE = "eu-west-3a"


def _spot(things: Any) -> dict[str, Any]:
    return {"LaunchSpecification": {"ImageId": things.image, "InstanceType": "t3.micro", "SubnetId": things.subnet}}


def _room(_: Any) -> dict[str, Any]:
    return {"InstancePlatform": "Linux/UNIX", "AvailabilityZone": ZONE}


def _host(_: Any) -> dict[str, Any]:
    return {"InstanceType": "t3.micro", "AvailabilityZone": ZONE, "Quantity": 1}


def _fleet(things: Any) -> dict[str, Any]:
    named = {"LaunchTemplateId": things.template(), "Version": "1"}
    return {
        "LaunchTemplateConfigs": [{"LaunchTemplateSpecification": named}],
        "TargetCapacitySpecification": {"TotalTargetCapacity": 0},
    }


def _spot_fleet(things: Any) -> dict[str, Any]:
    trust = {"Effect": "Allow", "Principal": {"Service": "spotfleet.amazonaws.com"}, "Action": "sts:AssumeRole"}
    text = json.dumps({"Version": "2012-10-17", "Statement": [trust]})
    role = things.iam.create_role(RoleName="law-fleet", AssumeRolePolicyDocument=text)["Role"]["Arn"]
    spec = {"ImageId": things.image, "InstanceType": "t3.micro"}
    return {"SpotFleetRequestConfig": {"IamFleetRole": role, "TargetCapacity": 0, "LaunchSpecifications": [spec]}}


_PLAN = f"arn:aws:savingsplans::{ACCOUNT}:savingsplan/00000000-0000-4000-8000-000000000000"


def _plan(_: Any) -> dict[str, Any]:
    return {"resourceArn": _PLAN}


SCENES: dict[str, Scene] = {
    **{f"savingsplans:{name}": _plan for name in ("ListTagsForResource", "TagResource", "UntagResource")},
    "savingsplans:DescribeSavingsPlans": lambda _: {"savingsPlanArns": [_PLAN]},
    "ec2:AllocateHosts": _host,
    "ec2:CreateCapacityReservation": _room,
    "ec2:CreateFleet": _fleet,
    "ec2:RequestSpotFleet": _spot_fleet,
    "ec2:RequestSpotInstances": _spot,
}
