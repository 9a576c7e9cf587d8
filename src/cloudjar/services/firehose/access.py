"""What policies are held against: the delivery stream, and the roles that are passed to it.

https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonkinesisfirehose.html
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from cloudjar.base import arn as arns
from cloudjar.kit import tags
from cloudjar.kit.context import Ctx
from cloudjar.kit.operation import Access, Grant, by_arn, keys_of_resource
from cloudjar.services.firehose.records import Delivery
from cloudjar.services.firehose.settings import PRINCIPAL, roles


@by_arn("firehose", "deliverystream")
def delivery(ctx: Ctx, arn: arns.Arn) -> Delivery | None:
    """A delivery stream's ARN ends in its name."""
    return ctx.db[Delivery].get(arn.resource.removeprefix("deliverystream/"))


def passing_roles(action: str) -> Access:
    """The grants of an operation that names roles: itself, and the passing of each."""

    def grants(ctx: Ctx, req: dict[str, Any]) -> Iterable[Grant]:
        name = req["DeliveryStreamName"]
        arn = arns.make("firehose", ctx.region, ctx.account, f"deliverystream/{name}")
        there = ctx.db[Delivery].get(name)
        keys = {} if there is None else keys_of_resource("firehose", "deliverystream", there)
        keys.update(tags.in_request(req))
        found = [Grant(action, arn, keys or None)]
        if action == "firehose:CreateDeliveryStream" and req.get("Tags"):
            found.append(Grant("firehose:TagDeliveryStream", arn, keys or None))
        told = {"iam:passedtoservice": PRINCIPAL, "iam:associatedresourcearn": arn}
        return [*found, *(Grant("iam:PassRole", role, told) for role in dict.fromkeys(roles(req)))]

    return grants
