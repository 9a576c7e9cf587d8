"""Topics that are told what a group does.

https://docs.aws.amazon.com/autoscaling/ec2/userguide/ec2-auto-scaling-sns-notifications.html
"""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from cloudjar.base import arn as arns
from cloudjar.base.errors import AwsError
from cloudjar.kit.context import Ctx
from cloudjar.kit.operation import op
from cloudjar.services.autoscaling import errors, linked_role, rules, telling
from cloudjar.services.autoscaling.records import Group, Notification

_MOST = 10
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
    """Have a topic told from now on; it is tried with a message."""
    group = rules.alive(ctx.db[Group].need(req["AutoScalingGroupName"]))
    topic = req["TopicARN"]
    for kind in req["NotificationTypes"]:
        if kind not in _TYPES:
            raise errors.invalid(f'"{kind}" is not a valid Notification Type')
    known = ctx.db[Notification].get(f"{group.name}/{topic}")
    if known is None and ctx.db[Notification].count(group=group.name) >= _MOST:
        raise errors.limit(f"You may only have {_MOST} notification topics per AutoScalingGroup.")
    arn = arns.parse(topic)
    try:
        if arn is None or arn.service != "sns":
            raise AwsError("InvalidParameter", "it is not the ARN of a topic")
        telling.tested(ctx, group, topic, linked_role.acting(ctx, group))
    except AwsError as error:
        why = f"Unable to publish test notification message to topic {topic}: {error.message}"
        raise errors.invalid(why) from error
    kinds = tuple(dict.fromkeys(req["NotificationTypes"]))
    if known is not None:
        ctx.db[Notification].put(replace(known, types=kinds))
    else:
        ctx.db[Notification].add(
            Notification(key=f"{group.name}/{topic}", group=group.name, topic=topic, types=kinds)
        )
    return {}


@op("DescribeNotificationConfigurations")
def describe_notification_configurations(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Each topic with each kind of event that it is told of."""
    named = req.get("AutoScalingGroupNames")
    found = [held for held in ctx.db[Notification].all() if not named or held.group in named]
    return {
        "NotificationConfigurations": [
            {"AutoScalingGroupName": held.group, "TopicARN": held.topic, "NotificationType": kind}
            for held in found
            for kind in held.types
        ]
    }


@op("DeleteNotificationConfiguration")
def delete_notification_configuration(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Tell a topic no more."""
    group = ctx.db[Group].need(req["AutoScalingGroupName"])
    held = ctx.db[Notification].get(f"{group.name}/{req['TopicARN']}")
    if held is None:
        raise errors.invalid(f"Group {group.name} has no notification configuration for topic {req['TopicARN']}")
    ctx.db[Notification].drop(held)
    return {}
