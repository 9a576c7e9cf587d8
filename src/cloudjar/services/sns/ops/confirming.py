"""ConfirmSubscription, with a signature; without one the link itself is asked for (`links`)."""

from __future__ import annotations

from typing import Any

from cloudjar.kit.context import Ctx
from cloudjar.kit.operation import op
from cloudjar.services.sns import confirming, finding


@op("ConfirmSubscription")
def confirm_subscription(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """The endpoint wants a topic's messages; its owner may keep others from ending that."""
    topic = finding.topic(ctx, req["TopicArn"])
    protect = str(req.get("AuthenticateOnUnsubscribe") or "").lower() == "true"
    return {"SubscriptionArn": confirming.confirmed(ctx, topic, req["Token"], protect=protect).arn}
