"""Notifications to topics. There are no topics in this product: each that is named does not exist.

https://docs.aws.amazon.com/autoscaling/ec2/userguide/ec2-auto-scaling-sns-notifications.html
"""

from __future__ import annotations

from typing import Any

from cloudjar.kit.context import Ctx
from cloudjar.kit.operation import op
from cloudjar.services.autoscaling import errors, rules
from cloudjar.services.autoscaling.records import Group

_TYPES = (
    "autoscaling:EC2_INSTANCE_LAUNCH",
    "autoscaling:EC2_INSTANCE_LAUNCH_ERROR",
    "autoscaling:EC2_INSTANCE_TERMINATE",
    "autoscaling:EC2_INSTANCE_TERMINATE_ERROR",
    "autoscaling:TEST_NOTIFICATION",
)


@op("DescribeAutoScalingNotificationTypes")
def describe_notification_types(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """What topics can be told of."""
    return {"AutoScalingNotificationTypes": list(_TYPES)}


@op("PutNotificationConfiguration")
def put_notification_configuration(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Refused, as for a topic that does not exist."""
    rules.alive(ctx.db[Group].need(req["AutoScalingGroupName"]))
    for kind in req["NotificationTypes"]:
        if kind not in _TYPES:
            raise errors.invalid(f"{kind} is not a valid notification type")
    raise errors.invalid(f"Unable to publish test notification message to topic {req['TopicARN']}: it does not exist.")


@op("DescribeNotificationConfigurations")
def describe_notification_configurations(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """None: no topic could be named."""
    return {"NotificationConfigurations": []}


@op("DeleteNotificationConfiguration")
def delete_notification_configuration(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Refused: there is none."""
    group = ctx.db[Group].need(req["AutoScalingGroupName"])
    raise errors.invalid(f"Group {group.name} has no notification configuration for topic {req['TopicARN']}")
