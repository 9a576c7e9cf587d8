"""Subscriptions: made, confirmed, shown, set, listed, ended.

https://docs.aws.amazon.com/sns/latest/api/API_Subscribe.html
"""

from __future__ import annotations

import re
from typing import Any

from msgspec.structs import replace

from cloudjar.base import ids
from cloudjar.base.errors import AwsError
from cloudjar.kit.context import Ctx
from cloudjar.kit.operation import op
from cloudjar.services.sns import attributes, confirming, errors, finding
from cloudjar.services.sns.records import Subscription, Topic

_ELSEWHERE = frozenset(("application", "firehose", "lambda"))
_PROTOCOLS = ("http", "https", "email", "email-json", "sms", "sqs")
_MAIL = re.compile(r"[^@\s]+@[^@\s]+\.?[^@\s]*")
_PHONE = re.compile(r"\+?[0-9][0-9 ().-]{3,20}")
_PENDING = "pending confirmation"


@op("Subscribe")
def subscribe(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Have a topic's messages sent somewhere; most places are asked first whether they want them."""
    topic, protocol, endpoint = finding.topic(ctx, req["TopicArn"]), req["Protocol"], req.get("Endpoint") or ""
    _check(topic, protocol, endpoint)
    given = {name: value for name, value in (req.get("Attributes") or {}).items() if value is not None}
    db = ctx.db.at(topic.account, topic.region)
    held = Subscription(
        id=ids.uuid4(), topic=topic.name, protocol=protocol, endpoint=endpoint, caller=ctx.account,
        base=finding.base(ctx), account=topic.account, region=topic.region,
    )  # fmt: skip
    held = replace(held, **attributes.of_subscription(ctx, held, given))
    for known in finding.of_topic(ctx, topic):
        if (known.protocol, known.endpoint) == (protocol, endpoint):
            return _again(ctx, known, held, given, asked=bool(req.get("ReturnSubscriptionArn")))
    held = replace(held, confirmed=_wanted(ctx, held))
    db[Subscription].add(held)
    if not held.confirmed:
        held = confirming.ask(ctx, topic, held)
    shown = held.confirmed or req.get("ReturnSubscriptionArn")
    return {"SubscriptionArn": held.arn if shown else _PENDING}


def _again(
    ctx: Ctx, known: Subscription, held: Subscription, given: dict[str, str], *, asked: bool
) -> dict[str, Any]:
    """The same once more: nothing changes, but who did not confirm is asked again."""
    fields = ("raw", "filter_policy", "filter_scope", "redrive", "delivery_policy")
    if given and any(getattr(known, one) != getattr(held, one) for one in fields):
        raise errors.invalid("Attributes Reason: Subscription already exists with different attributes")
    if not known.confirmed:
        topic = ctx.db.at(known.account, known.region)[Topic].need(known.topic)
        confirming.ask(ctx, topic, known)
    return {"SubscriptionArn": known.arn if known.confirmed or asked else _PENDING}


def _check(topic: Topic, protocol: str, endpoint: str) -> None:
    if protocol in _ELSEWHERE:
        raise errors.not_built(f"Delivery to {protocol}")
    if protocol not in _PROTOCOLS:
        raise errors.invalid(f"Amazon SNS does not support this protocol string: {protocol}")
    if not endpoint:
        raise errors.invalid("Endpoint")
    if protocol == "sqs":
        arn = finding.endpoint_arn(endpoint, "sqs")
        if arn.resource.endswith(".fifo") and not topic.fifo:
            raise errors.invalid("Endpoint Reason: FIFO SQS Queues can not be subscribed to standard SNS topics")
        return
    if topic.fifo:
        raise errors.invalid(f"Protocol Reason: {protocol} is not supported by FIFO topics")
    if protocol in ("http", "https") and not endpoint.startswith(f"{protocol}://"):
        raise errors.invalid("Endpoint must match the specified protocol")
    if protocol.startswith("email") and not _MAIL.fullmatch(endpoint):
        raise errors.invalid("Email address")
    if protocol == "sms" and not _PHONE.fullmatch(endpoint):
        raise errors.invalid(f"Invalid SMS endpoint: {endpoint}")


def _wanted(ctx: Ctx, held: Subscription) -> bool:
    """Whether nobody has to be asked: a queue's own account subscribes it, a telephone asks for nothing."""
    if held.protocol == "sqs":
        return finding.endpoint_arn(held.endpoint, "sqs").account == ctx.account
    return held.protocol == "sms"


@op("Unsubscribe")
def unsubscribe(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """End a subscription; succeeds also when it is over."""
    try:
        held = finding.subscription(ctx, req["SubscriptionArn"])
    except AwsError as error:
        if error.code == "NotFound":
            return {}
        raise
    confirming.end(ctx, held)
    return {}


@op("GetSubscriptionAttributes")
def get_subscription_attributes(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """A subscription's attributes."""
    held = finding.subscription(ctx, req["SubscriptionArn"])
    topic = ctx.db.at(held.account, held.region)[Topic].need(held.topic)
    return {"Attributes": attributes.show_subscription(held, topic, ctx.arn(topic))}


@op("SetSubscriptionAttributes")
def set_subscription_attributes(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Change one attribute."""
    held = finding.subscription(ctx, req["SubscriptionArn"])
    fields = attributes.of_subscription(ctx, held, {req["AttributeName"]: req.get("AttributeValue") or ""})
    ctx.db.at(held.account, held.region)[Subscription].put(replace(held, **fields))
    return {}


def _shown(held: Subscription) -> dict[str, Any]:
    return {
        "SubscriptionArn": held.arn if held.confirmed else "PendingConfirmation",
        "Owner": held.caller,
        "Protocol": held.protocol,
        "Endpoint": held.endpoint,
        "TopicArn": held.arn.rpartition(":")[0],
    }


@op("ListSubscriptions")
def list_subscriptions(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """What the account has subscribed to here, a hundred at a time."""
    found = [one for one in ctx.db.everywhere(Subscription, caller=ctx.account) if one.region == ctx.region]
    return {"Subscriptions": [_shown(held) for held in found]}


@op("ListSubscriptionsByTopic")
def list_subscriptions_by_topic(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """A topic's subscriptions, a hundred at a time."""
    topic = finding.topic(ctx, req["TopicArn"])
    return {"Subscriptions": [_shown(held) for held in finding.of_topic(ctx, topic)]}
