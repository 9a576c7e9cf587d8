"""Tags of topics."""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from cloudjar.base.errors import AwsError
from cloudjar.kit import tags
from cloudjar.kit.context import Ctx
from cloudjar.kit.operation import op
from cloudjar.services.sns import errors, finding
from cloudjar.services.sns.records import Topic


def checked(found: dict[str, str]) -> dict[str, str]:
    """Tags that may be."""
    for key, value in found.items():
        if not 1 <= len(key) <= 128 or len(value) > 256 or key.lower().startswith("aws:"):
            raise errors.invalid(f"Tag keys and values: {key}")
    if len(found) > tags.LIMIT:
        raise AwsError("TagLimitExceeded", "Could not complete request: tag quota of per resource exceeded", 400)
    return found


def _topic(ctx: Ctx, arn: str) -> Topic:
    try:
        return finding.topic(ctx, arn, "ResourceArn")
    except AwsError as error:
        if error.code == "NotFound":
            raise AwsError("ResourceNotFound", "Resource does not exist", 404) from error
        raise


@op("TagResource")
def tag_resource(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Add tags, or give them other values."""
    topic = _topic(ctx, req["ResourceArn"])
    held = checked({**topic.tags, **checked(tags.from_list(req["Tags"]))})
    ctx.db.at(topic.account, topic.region)[Topic].put(replace(topic, tags=held))
    return {}


@op("UntagResource")
def untag_resource(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Take tags away."""
    topic = _topic(ctx, req["ResourceArn"])
    held = {key: value for key, value in topic.tags.items() if key not in req["TagKeys"]}
    ctx.db.at(topic.account, topic.region)[Topic].put(replace(topic, tags=held))
    return {}


@op("ListTagsForResource")
def list_tags_for_resource(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """A topic's tags."""
    return {"Tags": tags.as_list(_topic(ctx, req["ResourceArn"]).tags)}
