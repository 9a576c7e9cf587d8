"""Tags of log groups and destinations, in the newer form by ARN; of groups in the older one by name.

https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_TagResource.html
"""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from cloudjar.base import arn as arns
from cloudjar.base.errors import AwsError
from cloudjar.kit.context import Ctx
from cloudjar.kit.operation import op
from cloudjar.services.logs import errors
from cloudjar.services.logs.finding import group_name, tagged
from cloudjar.services.logs.records import Destination, LogGroup

Tagged = LogGroup | Destination
_DESTINATION = "destination:"
_TOO_MANY = AwsError("TooManyTagsException", "The resource has more than 50 tags.")
_OLD_TOO_MANY = errors.invalid("A log group can have 50 tags at most.")


def _by_arn(ctx: Ctx, arn: str) -> Tagged:
    parsed = arns.parse(arn)
    if parsed is None:
        raise errors.invalid("resourceArn must be an ARN.")
    found: Tagged | None = ctx.db[LogGroup].get(group_name(ctx, arn))
    here = (parsed.service, parsed.region, parsed.account) == ("logs", ctx.region, ctx.account)
    if here and parsed.resource.startswith(_DESTINATION):
        found = ctx.db[Destination].get(parsed.resource.removeprefix(_DESTINATION))
    if found is None:
        raise AwsError("ResourceNotFoundException", "The specified resource does not exist.")
    return found


def _changed(ctx: Ctx, held: Tagged, tags: dict[str, str]) -> dict[str, Any]:
    if isinstance(held, LogGroup):
        ctx.db[LogGroup].put(replace(held, tags=tags))
    else:
        ctx.db[Destination].put(replace(held, tags=tags))
    return {}


def _tag(ctx: Ctx, group: Tagged, given: dict[str, str], too_many: AwsError) -> dict[str, Any]:
    wanted = {**group.tags, **tagged(given, too_many)}
    return _changed(ctx, group, tagged(wanted, too_many))


def _untag(ctx: Ctx, group: Tagged, keys: list[str]) -> dict[str, Any]:
    return _changed(ctx, group, {k: v for k, v in group.tags.items() if k not in keys})


@op("TagResource")
def tag_resource(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Add tags, or give tags other values."""
    return _tag(ctx, _by_arn(ctx, req["resourceArn"]), req["tags"], _TOO_MANY)


@op("UntagResource")
def untag_resource(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Remove tags by key."""
    return _untag(ctx, _by_arn(ctx, req["resourceArn"]), req["tagKeys"])


@op("ListTagsForResource")
def list_tags_for_resource(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """The tags."""
    return {"tags": dict(_by_arn(ctx, req["resourceArn"]).tags)}


@op("TagLogGroup")
def tag_log_group(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """The older form of TagResource."""
    return _tag(ctx, ctx.db[LogGroup].need(req["logGroupName"]), req["tags"], _OLD_TOO_MANY)


@op("UntagLogGroup")
def untag_log_group(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """The older form of UntagResource."""
    return _untag(ctx, ctx.db[LogGroup].need(req["logGroupName"]), req["tags"])


@op("ListTagsLogGroup")
def list_tags_log_group(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """The older form of ListTagsForResource."""
    return {"tags": dict(ctx.db[LogGroup].need(req["logGroupName"]).tags)}
