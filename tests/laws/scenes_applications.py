"""What the laws ask Application Auto Scaling about: shops, which no service has, with as many copies as one likes."""

from __future__ import annotations

import re
from typing import Any

from cloudjar.kit import scalable
from tests.jar import TestJar

MANY = 7
_SHOP: dict[str, Any] = {
    "ServiceNamespace": "ecs", "ResourceId": "service/law/law", "ScalableDimension": "ecs:service:DesiredCount",
}  # fmt: skip
_ABOUT = (
    "DeleteScalingPolicy", "DeleteScheduledAction", "DeregisterScalableTarget", "PutScalingPolicy",
    "PutScheduledAction", "RegisterScalableTarget",
)  # fmt: skip
_TAGS: dict[str, dict[str, Any]] = {
    "ListTagsForResource": {}, "TagResource": {"Tags": {"k": "v"}}, "UntagResource": {"TagKeys": ["k"]},
}  # fmt: skip


def _offered() -> None:
    scalable.offers(
        scalable.Dimension(
            name=_SHOP["ScalableDimension"], resource=re.compile(r"service/[a-z0-9]+/[a-z0-9]+"), noun="desired count",
            principal="ecs.application-autoscaling.amazonaws.com",
            role="AWSServiceRoleForApplicationAutoScaling_ECSService", quota="L-782A3EE2", read=lambda *_: 1,
            write=lambda *_: None, metrics={},
        )
    )  # fmt: skip


def _target(jar: TestJar) -> str:
    """The shop is scaled; the target's ARN."""
    _offered()
    api = jar.client("application-autoscaling")
    made = api.register_scalable_target(**_SHOP, MinCapacity=1, MaxCapacity=2)
    return str(made["ScalableTargetARN"])


def _about(operation: str) -> Any:
    def scene(things: Any) -> dict[str, Any]:
        arn = _target(things.jar)
        if operation in _TAGS:
            return {"ResourceARN": arn, **_TAGS[operation]}
        return _SHOP

    return scene


SCENES: dict[str, Any] = {f"application-autoscaling:{name}": _about(name) for name in (*_ABOUT, *_TAGS)}


def many(jar: TestJar) -> dict[str, Any]:
    """Several of everything that is listed; how operations are asked about them."""
    _offered()
    api = jar.client("application-autoscaling")
    steps = {"AdjustmentType": "ExactCapacity", "StepAdjustments": [{"ScalingAdjustment": 2}]}
    for n in range(MANY):
        shop = {**_SHOP, "ResourceId": f"service/law/s{n}"}
        api.register_scalable_target(**shop, MinCapacity=1, MaxCapacity=9)
        api.put_scaling_policy(**shop, PolicyName="p", StepScalingPolicyConfiguration=steps)
        api.put_scheduled_action(
            **shop, ScheduledActionName="a", Schedule="rate(1 day)", ScalableTargetAction={"MinCapacity": 2}
        )
    return {"ServiceNamespace": "ecs"}
