"""What costs money, and what CloudWatch is told.

https://aws.amazon.com/sns/pricing/
https://docs.aws.amazon.com/sns/latest/dg/sns-monitoring-using-cloudwatch.html
"""

from __future__ import annotations

from cloudjar.kit import metrics
from cloudjar.kit.context import Ctx
from cloudjar.kit.metrics import Metric
from cloudjar.kit.quantities import GB, Owner, Quantities, Tally
from cloudjar.services.sns.records import Topic

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
    ctx: Ctx, topic: Topic, *, published: int = 0, delivered: int = 0, failed: int = 0, filtered: int = 0
) -> None:
    """What CloudWatch counts; in a transaction."""
    counted = {
        "NumberOfMessagesPublished": published,
        "NumberOfNotificationsDelivered": delivered,
        "NumberOfNotificationsFailed": failed,
        "NumberOfNotificationsFilteredOut": filtered,
    }
    for name, amount in counted.items():
        if amount:
            metric = Metric("AWS/SNS", name, (("TopicName", topic.name),))
            point = metrics.value(ctx.now, amount, "Count")
            metrics.put(ctx.world, topic.account, topic.region, metric, [point])
