"""Tags of delivery streams."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from msgspec.structs import replace

from cloudjar.kit.context import Ctx
from cloudjar.kit.operation import op
from cloudjar.kit.tags import LIMIT, from_list, page, without
from cloudjar.services.firehose import buffering, errors
from cloudjar.services.firehose.records import Delivery


def checked(items: Iterable[Mapping[str, Any]], held: Mapping[str, str] | None = None) -> dict[str, str]:
    """Tags, added to those that are there. Raises LimitExceededException."""
    tags = {**(held or {}), **from_list(items)}
    if len(tags) > LIMIT:
        raise errors.limit(f"A delivery stream has {LIMIT} tags at most.")
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
    ctx.db[Delivery].put(replace(held, tags=without(held.tags, req["TagKeys"])))
    return {}


@op("ListTagsForDeliveryStream")
def list_tags_for_delivery_stream(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Tags by key, a page at a time."""
    return page(buffering.stream(ctx, req["DeliveryStreamName"]).tags, req)
