"""EC2's market and capacity for the access law: what each operation is asked about."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

Scene = Callable[[Any], dict[str, Any]]
ZONE = "eu-west-3a"


def _spot(things: Any) -> dict[str, Any]:
    return {"LaunchSpecification": {"ImageId": things.image, "InstanceType": "t3.micro", "SubnetId": things.subnet}}


def _room(_: Any) -> dict[str, Any]:
    return {"InstancePlatform": "Linux/UNIX", "AvailabilityZone": ZONE}


def _host(_: Any) -> dict[str, Any]:
    return {"InstanceType": "t3.micro", "AvailabilityZone": ZONE, "Quantity": 1}


SCENES: dict[str, Scene] = {
    "ec2:AllocateHosts": _host,
    "ec2:CreateCapacityReservation": _room,
    "ec2:RequestSpotInstances": _spot,
}
