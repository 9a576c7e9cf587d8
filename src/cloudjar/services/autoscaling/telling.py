"""Who is told of what a group does: topics of its notifications, and the targets of its lifecycle hooks.

A message is written down in the transaction in which something happened, and sent afterwards: to topics in the name of
the group's service-linked role, to a hook's target in the name of the hook's role.

https://docs.aws.amazon.com/autoscaling/ec2/userguide/ec2-auto-scaling-sns-notifications.html
https://docs.aws.amazon.com/autoscaling/ec2/userguide/prepare-for-lifecycle-notifications.html
"""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

from msgspec.structs import replace

from cloudjar.base import arn as arns
from cloudjar.base import ids
from cloudjar.base.caller import Caller
from cloudjar.base.errors import AwsError
from cloudjar.kit import queues
from cloudjar.kit.context import Ctx
from cloudjar.kit.machine import Step, reconciler
from cloudjar.kit.record import arn_of
from cloudjar.services.autoscaling import linked_role
from cloudjar.services.autoscaling.records import Activity, Group, Hook, Notice, Notification

TEST = "autoscaling:TEST_NOTIFICATION"
_KINDS = {
    ("launch", "Successful"): ("autoscaling:EC2_INSTANCE_LAUNCH", "launch"),
    ("launch", "Failed"): ("autoscaling:EC2_INSTANCE_LAUNCH_ERROR", "failed launch"),
    ("launch", "Cancelled"): ("autoscaling:EC2_INSTANCE_LAUNCH_ERROR", "failed launch"),
    ("terminate", "Successful"): ("autoscaling:EC2_INSTANCE_TERMINATE", "termination"),
    ("terminate", "Failed"): ("autoscaling:EC2_INSTANCE_TERMINATE_ERROR", "failed termination"),
}
_SERVICE = "AWS Auto Scaling"


def of_activity(ctx: Ctx, activity: Activity, kind: str) -> None:
    """Tell the topics of a group that a launch or a termination is over."""
    told = _KINDS.get((kind, activity.status))
    group = ctx.db[Group].get(activity.group)
    if told is None or group is None:
        return
    event, word = told
    launch = kind == "launch"
    over = activity.status == "Successful"
    body = {
        "Origin": "EC2" if launch else "AutoScalingGroup",
        "Destination": "AutoScalingGroup" if launch else "EC2",
        "Progress": 50 if over else 100,
        "AccountId": ctx.account,
        "Description": activity.description,
        "RequestId": activity.id,
        "EndTime": _text(activity.end or ctx.now),
        "AutoScalingGroupARN": activity.group_arn,
        "ActivityId": activity.id,
        "StartTime": _text(activity.start),
        "Service": _SERVICE,
        "Time": _text(ctx.now),
        "EC2InstanceId": activity.instance,
        "StatusCode": "InProgress" if over else activity.status,
        "StatusMessage": activity.message,
        "Details": json.loads(activity.details),
        "AutoScalingGroupName": activity.group,
        "Cause": activity.cause,
        "Event": event,
    }
    subject = f'Auto Scaling: {word} for group "{group.name}"'
    for held in ctx.db[Notification].all(group=group.name):
        if event in held.types:
            ctx.db[Notice].add(_notice(group, held.topic, json.dumps(body), subject))


def of_hook(ctx: Ctx, group: Group, hook: Hook, detail: dict[str, Any]) -> None:
    """Tell a hook's target that an instance waits. `detail` is what EventBridge is told."""
    if not hook.target:
        return
    body = {**_about(ctx, group), **detail}
    body.pop("AutoScalingGroupARN")
    word = hook.transition.rpartition("_")[2]
    subject = f"Auto Scaling: Lifecycle action '{word}' for instance {detail['EC2InstanceId']}"
    notice = _notice(group, hook.target, json.dumps(body), subject)
    ctx.db[Notice].add(replace(notice, role=hook.role))


def _notice(group: Group, target: str, body: str, subject: str) -> Notice:
    return Notice(id=ids.uuid4(), group=group.name, target=target, body=body, subject=subject[:100])


def _about(ctx: Ctx, group: Group) -> dict[str, str]:
    return {
        "AccountId": ctx.account, "RequestId": ids.uuid4(), "AutoScalingGroupARN": arn_of(group),
        "AutoScalingGroupName": group.name, "Service": _SERVICE, "Time": _text(ctx.now),
    }  # fmt: skip


def tested(ctx: Ctx, group: Group, target: str, caller: Caller) -> None:
    """Send AWS's test message at once; raises what the target answers."""
    body = json.dumps({**_about(ctx, group), "Event": TEST})
    send(ctx, target, body, f'Auto Scaling: test notification for group "{group.name}"', caller)


def in_role(ctx: Ctx, group: Group, role: str) -> Caller:
    """A hook's role as a caller; raises AccessDenied where it does not trust Auto Scaling."""
    return ctx.as_role(role, service=linked_role.PRINCIPAL, source_arn=arn_of(group), session_name="AutoScaling")


def send(ctx: Ctx, target: str, body: str, subject: str, caller: Caller) -> None:
    """A message to a topic or a queue; raises what it answers."""
    arn = arns.parse(target)
    if arn is None or arn.service not in ("sns", "sqs"):
        raise AwsError("InvalidParameter", f"{target} is no topic and no queue")
    there = ctx.at(ctx.account, arn.region)
    with ctx.world.state.database.transaction():
        if arn.service == "sns":
            asked = {"TopicArn": target, "Message": body, "Subject": subject[:100]}
            there.call("sns", "Publish", asked, caller=caller)
        else:
            url = queues.url_of(arn)
            there.call("sqs", "SendMessage", {"QueueUrl": url, "MessageBody": body}, caller=caller)


@reconciler(Notice)
def deliver(step: Step, notice: Notice | None) -> None:
    """Send a message and forget it; what a target does not take is lost, as on AWS, unless it is its own fault."""
    if notice is None:
        return
    with step.world.state.database.transaction():
        group = step.db[Group].get(notice.group)
        try:
            if group is not None:
                role = notice.role
                caller = in_role(step.ctx, group, role) if role else linked_role.acting(step.ctx, group)
                send(step.ctx, notice.target, notice.body, notice.subject, caller)
        except AwsError as error:
            if error.is_server_fault:
                step.soon(5)
                return
        step.db[Notice].drop(notice)


def _text(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%S.") + f"{moment.microsecond // 1000:03d}Z"
