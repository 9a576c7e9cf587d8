"""Tags of delivery streams."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from msgspec.structs import replace

from cloudjar.kit.context import Ctx
from cloudjar.kit.operation import op
from cloudjar.kit.tags import as_list, from_list
from cloudjar.services.firehose import buffering, errors
from cloudjar.services.firehose.records import Delivery

_LIMIT = 50


def checked(items: Iterable[Mapping[str, Any]], held: Mapping[str, str] | None = None) -> dict[str, str]:
    """Tags, added to those that are there. Raises LimitExceededException."""
    tags = {**(held or {}), **from_list(items)}
    if len(tags) > _LIMIT:
        raise errors.limit(f"A delivery stream has {_LIMIT} tags at most.")
    return tags


@op("TagDeliveryStream")
def tag_delivery_stream(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Add tags, or give them other values."""
    held = buffering.stream(ctx, req["DeliveryStreamName"])
    ctx.db[Delivery].put(replace(held, tags=checked(req["Tags"], held.tags)))
    return {}


@op("UntagDeliveryStream")
def untag_delivery_stream(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Take tags away."""
    held = buffering.stream(ctx, req["DeliveryStreamName"])
    gone = set(req["TagKeys"])
    ctx.db[Delivery].put(replace(held, tags={key: text for key, text in held.tags.items() if key not in gone}))
    return {}


@op("ListTagsForDeliveryStream")
def list_tags_for_delivery_stream(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Tags by key, a page at a time."""
    tags = buffering.stream(ctx, req["DeliveryStreamName"]).tags
    after, most = req.get("ExclusiveStartTagKey") or "", req.get("Limit") or _LIMIT
    listed = [one for one in as_list(tags) if one["Key"] > after]
    return {"Tags": listed[:most], "HasMoreTags": len(listed) > most}
