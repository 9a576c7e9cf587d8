"""EC2's market and capacity for the access law: what each operation is asked about."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

Scene = Callable[[Any], dict[str, Any]]


def _spot(things: Any) -> dict[str, Any]:
    return {"LaunchSpecification": {"ImageId": things.image, "InstanceType": "t3.micro", "SubnetId": things.subnet}}


SCENES: dict[str, Scene] = {
    "ec2:RequestSpotInstances": _spot,
}
