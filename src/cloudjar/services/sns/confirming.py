"""Whether an endpoint wants what was subscribed for it: asked with a token, which confirms within two days.

https://docs.aws.amazon.com/sns/latest/dg/SendMessageToHttp.confirm.html
"""

from __future__ import annotations

from datetime import timedelta
from urllib.parse import urlencode

from msgspec.structs import replace

from cloudjar.base import ids
from cloudjar.kit.context import Ctx
from cloudjar.services.sns import errors, sealing
from cloudjar.services.sns.outbox import Message, outbox
from cloudjar.services.sns.records import Subscription, Topic

DAYS = timedelta(days=2)
VERSION = "2010-03-31"


def subscribe_url(base: str, topic_arn: str, token: str) -> str:
    """The link that confirms."""
    return f"{base}/?{urlencode({'Action': 'ConfirmSubscription', 'TopicArn': topic_arn, 'Token': token})}"


def unsubscribe_url(base: str, arn: str) -> str:
    """The link that ends a subscription."""
    return f"{base}/?{urlencode({'Action': 'Unsubscribe', 'SubscriptionArn': arn})}"


def ask(ctx: Ctx, topic: Topic, held: Subscription) -> Subscription:
    """Send the endpoint a token."""
    token = held.token or ids.entropy(64).hex()
    table = ctx.db.at(held.account, held.region)[Subscription]
    held = table.put(replace(held, token=token, asked=ctx.now.timestamp()))
    arn = ctx.arn(topic)
    text = (
        f"You have chosen to subscribe to the topic {arn}.\n"
        "To confirm the subscription, visit the SubscribeURL included in this message."
    )
    now = ctx.now.timestamp()
    message = Message(ids.uuid4(), now, {"default": text}, base=held.base, kind="SubscriptionConfirmation", token=token)
    box, number = outbox(ctx.world), outbox(ctx.world).number()
    box.publish(topic.number, number, sealing.seal(ctx, topic, box.encode(message), under_kms=False))
    box.spread(number, [held.id], ctx.now.timestamp())
    ctx.wake(held, purpose="expire", at=ctx.now + DAYS)
    return held


def confirmed(ctx: Ctx, topic: Topic, token: str, *, protect: bool) -> Subscription:
    """The subscription that a token confirms. Raises InvalidParameter."""
    table = ctx.db.at(topic.account, topic.region)[Subscription]
    found = next((one for one in table.all(topic=topic.name) if one.token and one.token == token), None)
    if found is None:
        raise errors.invalid("Token")
    if found.confirmed:
        return found
    return table.put(replace(found, confirmed=True, protected=protect))


def end(ctx: Ctx, held: Subscription) -> None:
    """End a subscription; what is on its way to it is dropped."""
    db = ctx.db.at(held.account, held.region)
    outbox(ctx.world).forget(held.id)
    db[Subscription].drop(held)
    topic = db[Topic].get(held.topic)
    if topic is not None:
        db[Topic].put(replace(topic, deleted_subscriptions=topic.deleted_subscriptions + 1))
