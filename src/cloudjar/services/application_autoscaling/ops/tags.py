"""Tags of scalable targets.

https://docs.aws.amazon.com/autoscaling/application/userguide/application-auto-scaling-tagging.html
"""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from cloudjar.base import arn as arns
from cloudjar.base.errors import AwsError
from cloudjar.kit import tags
from cloudjar.kit.context import Ctx
from cloudjar.kit.operation import op
from cloudjar.services.application_autoscaling import errors
from cloudjar.services.application_autoscaling.records import Target


def _need(ctx: Ctx, arn: str) -> Target:
    parsed = arns.parse(arn)
    here = parsed is not None and (parsed.account, parsed.region) == (ctx.account, ctx.region)
    found = ctx.db[Target].get(parsed.name) if parsed is not None and here else None
    if found is None:
        raise AwsError("ResourceNotFoundException", f"The resource {arn} could not be found.")
    return found


@op("ListTagsForResource")
def list_tags_for_resource(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """The tags of a target."""
    return {"Tags": _need(ctx, req["ResourceARN"]).tags}


@op("TagResource")
def tag_resource(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Add tags, or change them."""
    target = _need(ctx, req["ResourceARN"])
    if any(key.lower().startswith("aws:") for key in req["Tags"]):
        raise errors.invalid("Tag keys that begin with aws: are reserved")
    held = {**target.tags, **req["Tags"]}
    if len(held) > tags.LIMIT:
        raise AwsError("TooManyTagsException", f"The maximum number of tags per resource is {tags.LIMIT}.")
    ctx.db[Target].put(replace(target, tags=held))
    return {}


@op("UntagResource")
def untag_resource(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Take tags away; those that are not there are passed over."""
    target = _need(ctx, req["ResourceARN"])
    left = {key: value for key, value in target.tags.items() if key not in req["TagKeys"]}
    ctx.db[Target].put(replace(target, tags=left))
    return {}
