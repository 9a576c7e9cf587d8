"""Tags of exports.

https://docs.aws.amazon.com/aws-cost-management/latest/APIReference/API_bcmDataExports_TagResource.html
"""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from cloudjar.base import arn as arns
from cloudjar.kit import tags
from cloudjar.kit.context import Ctx
from cloudjar.kit.operation import op
from cloudjar.services.bcm_data_exports import errors
from cloudjar.services.bcm_data_exports.records import Export


def given_tags(req: dict[str, Any]) -> dict[str, str]:
    """The tags of a request, checked."""
    return _checked(tags.from_list(req.get("ResourceTags") or ()))


def _checked(found: dict[str, str]) -> dict[str, str]:
    if any(key.lower().startswith("aws:") for key in found):
        raise errors.invalid("Tag keys that begin with aws: are reserved.")
    if len(found) > tags.LIMIT:
        raise errors.invalid(f"A resource can have up to {tags.LIMIT} tags.")
    return found


def _tagged(ctx: Ctx, text: str) -> Export:
    arn = arns.parse(text)
    found = ctx.db[Export].get(arn.name) if arn is not None and arn.account == ctx.account else None
    if found is None:
        raise errors.not_found("Export", text)
    return found


@op("TagResource")
def tag_resource(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Add tags, or give them other values."""
    held = _tagged(ctx, req["ResourceArn"])
    ctx.db[Export].put(replace(held, tags=_checked({**held.tags, **given_tags(req)})))
    return {}


@op("UntagResource")
def untag_resource(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Take tags away."""
    held = _tagged(ctx, req["ResourceArn"])
    left = {key: value for key, value in held.tags.items() if key not in req["ResourceTagKeys"]}
    ctx.db[Export].put(replace(held, tags=left))
    return {}


@op("ListTagsForResource")
def list_tags_for_resource(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """The tags of an export."""
    return {"ResourceTags": tags.as_list(_tagged(ctx, req["ResourceArn"]).tags)}
