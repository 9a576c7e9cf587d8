"""What a subscriber is sent: the message itself, or the message in an envelope that says where it comes from.

https://docs.aws.amazon.com/sns/latest/dg/sns-message-and-json-formats.html
"""

from __future__ import annotations

import base64
import json
from datetime import UTC, datetime
from typing import Any

from cloudjar.kit.context import Ctx
from cloudjar.services.sns import confirming, signing
from cloudjar.services.sns.outbox import Message
from cloudjar.services.sns.records import Subscription, Topic


def timestamp(seconds: float) -> str:
    """As AWS writes it, with milliseconds."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"


def wrapped(ctx: Ctx, topic: Topic, held: Subscription, message: Message) -> str:
    """The envelope of a message for a subscription. FIFO topics do not sign."""
    arn, base = ctx.arn(topic), held.base or message.base
    told: dict[str, Any] = {"Type": message.kind, "MessageId": message.id}
    if message.kind == "Notification":
        if message.sequence:
            told["SequenceNumber"] = message.sequence
        told["TopicArn"] = arn
        if message.subject:
            told["Subject"] = message.subject
        told["Message"] = message.body(held.protocol)
        told["Timestamp"] = timestamp(message.at)
    else:
        told.update(Token=message.token, TopicArn=arn, Message=message.body("default"))
        told["SubscribeURL"] = confirming.subscribe_url(base, arn, message.token)
        told["Timestamp"] = timestamp(message.at)
    if not topic.fifo:
        told = signing.signed(ctx, told, topic.signature, base)
    if message.kind == "Notification":
        told["UnsubscribeURL"] = confirming.unsubscribe_url(base, held.arn)
        if message.attributes:
            told["MessageAttributes"] = {
                name: {"Type": kind, "Value": _text(value)} for name, (kind, value) in message.attributes.items()
            }
    return json.dumps(told, indent=2, ensure_ascii=False)


def _text(value: Any) -> Any:
    return base64.b64encode(value).decode() if isinstance(value, bytes) else value


def queue_attributes(message: Message) -> dict[str, dict[str, Any]]:
    """Message attributes as a queue takes them, for raw delivery."""
    found: dict[str, dict[str, Any]] = {}
    for name, (kind, value) in message.attributes.items():
        member = "BinaryValue" if isinstance(value, bytes) else "StringValue"
        found[name] = {"DataType": kind, member: value}
    return found
