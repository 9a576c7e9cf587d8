"""Tags of cost categories."""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from cloudjar.base.errors import AwsError
from cloudjar.kit import tags
from cloudjar.kit.context import Ctx
from cloudjar.kit.operation import op
from cloudjar.services.ce.categories import named
from cloudjar.services.ce.records import CostCategory

_MOST = 200


@op("ListTagsForResource")
def list_tags_for_resource(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """The tags of a cost category."""
    return {"ResourceTags": tags.as_list(named(ctx, req["ResourceArn"]).tags)}


@op("TagResource")
def tag_resource(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Add tags, or give them other values."""
    found = named(ctx, req["ResourceArn"])
    held = {**found.tags, **tags.from_list(req["ResourceTags"])}
    if len(held) > _MOST:
        raise AwsError("TooManyTagsException", f"A resource has at most {_MOST} tags.", 400)
    ctx.db[CostCategory].put(replace(found, tags=held))
    return {}


@op("UntagResource")
def untag_resource(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Remove tags."""
    found = named(ctx, req["ResourceArn"])
    ctx.db[CostCategory].put(replace(found, tags=tags.without(found.tags, req["ResourceTagKeys"])))
    return {}
