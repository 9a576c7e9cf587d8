"""Topics and subscriptions by ARN, and how the jar is reached."""

from __future__ import annotations

from cloudjar.base import arn as arns
from cloudjar.kit.context import Ctx
from cloudjar.services.sns import errors
from cloudjar.services.sns.records import Subscription, Topic


def topic(ctx: Ctx, text: str, member: str = "TopicArn") -> Topic:
    """A topic by its ARN; it may be another account's. Raises InvalidParameter and NotFound."""
    arn = arns.parse(text)
    if arn is None or arn.service != "sns" or ":" in arn.resource or not arn.account:
        raise errors.invalid(member)
    if arn.region != ctx.region:
        raise errors.invalid(member)
    found = ctx.db.at(arn.account, arn.region)[Topic].get(arn.resource)
    if found is None:
        raise errors.no_topic()
    return found


def subscription(ctx: Ctx, text: str) -> Subscription:
    """A subscription by its ARN. Raises InvalidParameter and NotFound."""
    arn = arns.parse(text)
    name, _, id_ = arn.resource.partition(":") if arn is not None else ("", "", "")
    if arn is None or arn.service != "sns" or not id_ or arn.region != ctx.region:
        raise errors.invalid("SubscriptionArn Reason: An ARN must have at least 6 elements, not 1" if not id_ else
                             "SubscriptionArn")  # fmt: skip
    found = ctx.db.at(arn.account, arn.region)[Subscription].get(id_)
    if found is None or found.topic != name:
        raise errors.no_subscription()
    return found


def base(ctx: Ctx) -> str:
    """How the caller reaches the jar; AWS's own address when that is not known."""
    request = ctx.request
    host = request.headers.get("host", "") if request is not None else ""
    if not host:
        return f"https://sns.{ctx.region}.amazonaws.com"
    return f"{'https' if request is not None and request.secure else 'http'}://{host}"


def of_topic(ctx: Ctx, found: Topic) -> list[Subscription]:
    """A topic's subscriptions."""
    return ctx.db.at(found.account, found.region)[Subscription].all(topic=found.name)


def endpoint_arn(text: str, service: str) -> arns.Arn:
    """An endpoint that is an ARN of a service; raises InvalidParameter."""
    arn = arns.parse(text)
    if arn is None or arn.service != service:
        raise errors.invalid(f"{service.upper()} endpoint ARN")
    return arn


