"""Tags of cost categories, and of monitors and subscriptions of anomalies."""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from cloudjar.base.errors import AwsError
from cloudjar.kit import tags
from cloudjar.kit.context import Ctx
from cloudjar.kit.operation import op
from cloudjar.services.ce.anomaly_ops import monitor_of, subscription_of
from cloudjar.services.ce.anomaly_records import Monitor, Subscription
from cloudjar.services.ce.categories import named
from cloudjar.services.ce.records import CostCategory

_MOST = 200


Tagged = CostCategory | Monitor | Subscription


def _of(ctx: Ctx, arn: str) -> Tagged:
    """What an ARN names; raises as what it seems to name."""
    if ":anomalymonitor/" in arn:
        return monitor_of(ctx, arn)
    return subscription_of(ctx, arn) if ":anomalysubscription/" in arn else named(ctx, arn)


def _put(ctx: Ctx, found: Tagged, held: dict[str, str]) -> None:
    if isinstance(found, Monitor):
        ctx.db[Monitor].put(replace(found, tags=held))
    elif isinstance(found, Subscription):
        ctx.db[Subscription].put(replace(found, tags=held))
    else:
        ctx.db[CostCategory].put(replace(found, tags=held))


@op("ListTagsForResource")
def list_tags_for_resource(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """The tags of one."""
    return {"ResourceTags": tags.as_list(_of(ctx, req["ResourceArn"]).tags)}


@op("TagResource")
def tag_resource(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Add tags, or give them other values."""
    found = _of(ctx, req["ResourceArn"])
    held = {**found.tags, **tags.from_list(req["ResourceTags"])}
    if len(held) > _MOST:
        raise AwsError("TooManyTagsException", f"A resource has at most {_MOST} tags.", 400)
    _put(ctx, found, held)
    return {}


@op("UntagResource")
def untag_resource(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Remove tags."""
    found = _of(ctx, req["ResourceArn"])
    _put(ctx, found, tags.without(found.tags, req["ResourceTagKeys"]))
    return {}
