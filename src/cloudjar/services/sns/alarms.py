"""A topic as an alarm's action: CloudWatch publishes what the alarm says.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/AlarmThatSendsEmail.html
"""

from __future__ import annotations

import json

from cloudjar.base import arn as arns
from cloudjar.base import caller as callers
from cloudjar.kit.alarm_actions import Alarm, acts
from cloudjar.kit.context import Ctx
from cloudjar.services.sns import errors


@acts("sns")
def notify(ctx: Ctx, alarm: Alarm, arn: str) -> None:
    """Publish as CloudWatch, for the alarm; the topic's policy decides."""
    parsed = arns.parse(arn)
    if parsed is None:
        raise errors.no_topic()
    who = callers.service("cloudwatch.amazonaws.com", ctx.account, alarm.arn)
    bodies = {"default": json.dumps(alarm.message, default=str), "email": alarm.letter}
    asked = {"TopicArn": arn, "Subject": alarm.subject[:100], "Message": json.dumps(bodies), "MessageStructure": "json"}
    ctx.at(ctx.account, parsed.region).call("sns", "Publish", asked, caller=who)
