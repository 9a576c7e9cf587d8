"""What costs money, and what CloudWatch is told.

https://aws.amazon.com/sns/pricing/
https://docs.aws.amazon.com/sns/latest/dg/sns-monitoring-using-cloudwatch.html
"""

from __future__ import annotations

from collections.abc import Sequence

from cloudjar.kit import metrics
from cloudjar.kit.context import Ctx
from cloudjar.kit.metrics import Metric
from cloudjar.kit.quantities import GB, Owner, Quantities, Tally
from cloudjar.services.sns.outbox import Message
from cloudjar.services.sns.records import BODY, Subscription, Topic

_SERVICE, _CHUNK = "AmazonSNS", 64 << 10
_REQUEST = Tally(_SERVICE, "Requests-Tier1", "", "Requests", 1)
_FIFO = Tally(_SERVICE, "F-Request-Tier1", "", "Requests", 1)
_INGRESS = Tally(_SERVICE, "F-Ingress-Tier1", "", "GB", GB)
_ATTEMPTS = {
    "http": Tally(_SERVICE, "DeliveryAttempts-HTTP", "", "Notifications", 1),
    "https": Tally(_SERVICE, "DeliveryAttempts-HTTP", "", "Notifications", 1),
    "email": Tally(_SERVICE, "DeliveryAttempts-SMTP", "", "Notifications", 1),
    "email-json": Tally(_SERVICE, "DeliveryAttempts-SMTP", "", "Notifications", 1),
}


def _add(ctx: Ctx, topic: Topic, tally: Tally, amount: int) -> None:
    quantities: Quantities = ctx.world.ports["quantities"]
    quantities.add(Owner(topic.account, topic.region, topic.name), tally, amount)


def published(ctx: Ctx, topic: Topic, size: int) -> None:
    """A publish of so many bytes: each begun 64 KB is a request."""
    _add(ctx, topic, _FIFO if topic.fifo else _REQUEST, max(-(-size // _CHUNK), 1))
    if topic.fifo:
        _add(ctx, topic, _INGRESS, size)


def delivered(ctx: Ctx, topic: Topic, protocol: str) -> None:
    """An attempt to deliver over a protocol that costs."""
    tally = _ATTEMPTS.get(protocol)
    if tally is not None:
        _add(ctx, topic, tally, 1)


def measured(
    ctx: Ctx, topic: Topic, *, published: int = 0, delivered: int = 0, failed: int = 0, redriven: int = 0,
    lost: int = 0, size: int | None = None,
) -> None:  # fmt: skip
    """What CloudWatch counts; in a transaction. `size` are bytes of a message that was published."""
    counted = {
        "NumberOfMessagesPublished": published,
        "NumberOfNotificationsDelivered": delivered,
        "NumberOfNotificationsFailed": failed,
        "NumberOfNotificationsRedrivenToDlq": redriven,
        "NumberOfNotificationsFailedToRedriveToDlq": lost,
    }
    _put(ctx, topic, counted)
    if size is not None:
        point = metrics.value(ctx.now, size, "Bytes")
        metrics.put(ctx.world, topic.account, topic.region, _metric(topic, "PublishSize"), [point])


def filtered(ctx: Ctx, topic: Topic, message: Message, passed_over: Sequence[Subscription]) -> None:
    """Count the subscriptions that a message was not for, and why; in a transaction."""
    front = "NumberOfNotificationsFilteredOut"
    by_body = sum(1 for one in passed_over if one.filter_scope == BODY)
    by_attributes = len(passed_over) - by_body
    kind = "MessageAttributes" if message.attributes else "NoMessageAttributes"
    _put(ctx, topic, {
        front: len(passed_over), f"{front}-MessageBody": by_body, f"{front}-{kind}": by_attributes,
    })  # fmt: skip


def _metric(topic: Topic, name: str) -> Metric:
    return Metric("AWS/SNS", name, (("TopicName", topic.name),))


def _put(ctx: Ctx, topic: Topic, counted: dict[str, int]) -> None:
    for name, amount in counted.items():
        if amount:
            point = metrics.value(ctx.now, amount, "Count")
            metrics.put(ctx.world, topic.account, topic.region, _metric(topic, name), [point])
