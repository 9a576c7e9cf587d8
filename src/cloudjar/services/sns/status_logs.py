"""Delivery status logs: what became of deliveries, written to CloudWatch Logs in the name of a role of the topic's.

https://docs.aws.amazon.com/sns/latest/dg/sns-topic-attributes.html
"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from hashlib import md5
from typing import Any

from cloudjar.base import arn as arns
from cloudjar.base import ids
from cloudjar.base.errors import AwsError
from cloudjar.kit import log_delivery
from cloudjar.kit.context import Ctx
from cloudjar.services.sns import errors
from cloudjar.services.sns.outbox import Message
from cloudjar.services.sns.records import Subscription, Topic

_PROTOCOLS = {"http": "HTTP", "https": "HTTP", "sqs": "SQS"}
NAMES = frozenset(
    f"{protocol}{end}"
    for protocol in ("HTTP", "SQS", "Lambda", "Firehose", "Application")
    for end in ("SuccessFeedbackRoleArn", "SuccessFeedbackSampleRate", "FailureFeedbackRoleArn")
)
"""Attributes of topics."""
_PRINCIPAL = "sns.amazonaws.com"


def checked(name: str, value: str) -> None:
    """A role, or a percentage. Raises InvalidParameter."""
    if name.endswith("SampleRate"):
        if value and not (value.isdecimal() and int(value) <= 100):
            raise errors.invalid(f"Attributes Reason: {name}: must be an integer between 0 and 100")
        return
    arn = arns.parse(value) if value else None
    if value and (arn is None or arn.service != "iam" or not arn.resource.startswith("role/")):
        raise errors.invalid(f"Attributes Reason: {name}: Invalid value [{value}]: not an ARN of a role")


def tell(
    ctx: Ctx, topic: Topic, held: Subscription, message: Message, *, well: bool, tries: int, answer: int | str
) -> None:
    """Write down what became of a delivery, where the topic wants that; `answer` is an HTTP endpoint's status, or what
    a queue has answered. Who may not write loses the line."""
    protocol = _PROTOCOLS.get(held.protocol)
    if protocol is None or message.kind != "Notification":
        return
    role = topic.settings.get(f"{protocol}{'Success' if well else 'Failure'}FeedbackRoleArn")
    rate = int(topic.settings.get(f"{protocol}SuccessFeedbackSampleRate") or 0)
    if not role or (well and ids.below(100) >= rate):
        return
    group = f"sns/{topic.region}/{topic.account}/{topic.name}"
    said = {"statusCode": answer} if isinstance(answer, int) else {"providerResponse": answer, "statusCode": 200}
    if not well and not isinstance(answer, int):
        said["statusCode"] = 400
    written = {
        "notification": {
            "messageMD5Sum": md5(message.body(held.protocol).encode(), usedforsecurity=False).hexdigest(),
            "messageId": message.id, "topicArn": ctx.arn(topic), "timestamp": _moment(message.at),
        },
        "delivery": {
            "deliveryId": ids.uuid4(), "destination": held.endpoint, **said,
            "dwellTimeMs": round((ctx.now.timestamp() - message.at) * 1000), "attempts": tries,
        },
        "status": "SUCCESS" if well else "FAILURE",
    }  # fmt: skip
    _write(ctx, role, ctx.arn(topic), group if well else f"{group}/Failure", written)


def tell_text(ctx: Ctx, role: str, rate: int, to: str, text: str, message_id: str, *, well: bool) -> None:
    """Write down what became of a text to a telephone, in the name of the account's role."""
    if not role or (well and ids.below(100) >= rate):
        return
    written = {
        "notification": {"messageId": message_id, "timestamp": _moment(ctx.now.timestamp())},
        "delivery": {
            "numberOfMessageParts": -(-max(len(text), 1) // 160),
            "destination": to, "dwellTimeMs": 0,
            "providerResponse": "Message has been accepted by phone" if well else "Phone has opted out",
        },
        "status": "SUCCESS" if well else "FAILURE",
    }  # fmt: skip
    group = f"sns/{ctx.region}/{ctx.account}/DirectPublishToPhoneNumber{'' if well else '/Failure'}"
    _write(ctx, role, "", group, written)


def _write(ctx: Ctx, role: str, source: str, group: str, written: dict[str, Any]) -> None:
    event = log_delivery.LogEvent(int(ctx.now.timestamp() * 1000), json.dumps(written, separators=(",", ":")))
    try:
        with ctx.world.state.database.transaction():
            caller = ctx.as_role(role, service=_PRINCIPAL, source_arn=source, session_name="sns-delivery-status")
            log_delivery.deliver(ctx, caller, group, "deliveries", [event], via=_PRINCIPAL, makes_group=True)
    except AwsError:
        return


def _moment(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M:%S.%f")[:-3]
