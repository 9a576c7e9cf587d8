"""What policies are held against.

https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonsns.html
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cloudjar.base import arn as arns
from cloudjar.kit.context import Ctx
from cloudjar.kit.operation import by_arn, finds, request_keys
from cloudjar.services.sns.records import Topic

_WITHOUT_OWNER = frozenset(
    ("s3.amazonaws.com", "events.amazonaws.com", "cloudtrail.amazonaws.com", "budgets.amazonaws.com")
)
"""Services that do not say for which account they act in the old way: policies must name their resources."""


@by_arn("sns", "topic")
def topic(ctx: Ctx, arn: arns.Arn) -> Topic | None:
    """A topic's ARN ends in its name; a subscription's has its id behind it."""
    return ctx.db[Topic].get(arn.resource.partition(":")[0])


@finds("sns:subscription-topic")
def of_subscription(ctx: Ctx, text: str) -> str | None:
    """The topic that a subscription belongs to."""
    arn = arns.parse(text)
    if arn is None or ":" not in arn.resource:
        return None
    return str(arn._replace(resource=arn.resource.partition(":")[0]))


@request_keys("sns")
def of_request(ctx: Ctx, operation: str, req: dict[str, Any]) -> Mapping[str, Any]:
    """What is subscribed, and for whose account a service acts."""
    keys: dict[str, Any] = {}
    if operation == "Subscribe":
        keys = {"sns:Protocol": req.get("Protocol") or "", "sns:Endpoint": req.get("Endpoint") or ""}
    caller = ctx.caller
    if caller.service and caller.service not in _WITHOUT_OWNER:
        keys["aws:SourceOwner"] = caller.source_account or caller.account
    return keys
