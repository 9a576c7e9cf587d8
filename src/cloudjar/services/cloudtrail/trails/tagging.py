"""Tags of trails.

https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_AddTags.html
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from msgspec.structs import replace

from cloudjar.base import arn as arns
from cloudjar.base.errors import AwsError
from cloudjar.kit import tags
from cloudjar.kit.context import Ctx
from cloudjar.kit.operation import op
from cloudjar.services.cloudtrail.trails import errors, finding
from cloudjar.services.cloudtrail.trails.records import Trail

_MOST_RESOURCES = 20


def first(req: Mapping[str, Any]) -> dict[str, str]:
    """The tags with which a trail is made."""
    return _checked(req.get("TagsList") or [])


def _checked(given: list[dict[str, Any] | None]) -> dict[str, str]:
    items = [item for item in given if item is not None]
    found = tags.from_list(items)
    for key, value in found.items():
        if not 1 <= len(key) <= 128 or len(value) > 256 or key.lower().startswith("aws:"):
            raise AwsError("InvalidTagParameterException", f"Tag key or value is not valid: {key}", 400)
    if len(found) != len(items):
        raise AwsError("InvalidTagParameterException", "Tag keys must be unique.", 400)
    return _within(found)


def _within(found: dict[str, str]) -> dict[str, str]:
    if len(found) > tags.LIMIT:
        raise AwsError(
            "TagsLimitExceededException", f"The number of tags per trail has exceeded the limit of {tags.LIMIT}.", 400
        )
    return found


def _trail(ctx: Ctx, named: str | None) -> Trail:
    """The trail of an ARN. Raises CloudTrailARNInvalidException, ResourceTypeNotSupportedException or
    ResourceNotFoundException."""
    text = named or ""
    arn = arns.parse(text)
    if arn is None or arn.service != "cloudtrail":
        raise errors.invalid_arn(text)
    if arn.type != "trail":
        raise AwsError("ResourceTypeNotSupportedException", f"Resource type {arn.type} is not supported.", 400)
    finding.checked_name(arn.name)
    held = finding.find(ctx, text)
    if held is None or held.account != ctx.account:
        raise AwsError("ResourceNotFoundException", f"Resource {text} does not exist.", 400)
    return held


@op("AddTags")
def add_tags(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Add tags, or give them other values."""
    held = _trail(ctx, req["ResourceId"])
    wanted = _within({**held.tags, **_checked(req["TagsList"])})
    ctx.db.at(held.account, held.region)[Trail].put(replace(held, tags=wanted))
    return {}


@op("RemoveTags")
def remove_tags(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Take tags away, by their keys."""
    held = _trail(ctx, req["ResourceId"])
    gone = {item["Key"] for item in req["TagsList"] if item is not None}
    kept = {key: value for key, value in held.tags.items() if key not in gone}
    ctx.db.at(held.account, held.region)[Trail].put(replace(held, tags=kept))
    return {}


@op("ListTags")
def list_tags(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """The tags of up to twenty trails."""
    asked = req["ResourceIdList"]
    if not 1 <= len(asked) <= _MOST_RESOURCES:
        raise AwsError(
            "InvalidParameterException", f"ResourceIdList must have between 1 and {_MOST_RESOURCES} ARNs.", 400
        )
    return {
        "ResourceTagList": [{"ResourceId": text, "TagsList": tags.as_list(_trail(ctx, text).tags)} for text in asked]
    }
