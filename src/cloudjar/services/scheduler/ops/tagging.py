"""Tags of groups; schedules have none.

https://docs.aws.amazon.com/scheduler/latest/APIReference/API_TagResource.html
"""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from cloudjar.base import arn as arns
from cloudjar.base.errors import AwsError
from cloudjar.kit import tags
from cloudjar.kit.context import Ctx
from cloudjar.kit.operation import op
from cloudjar.services.scheduler import errors, finding
from cloudjar.services.scheduler.records import DEFAULT, Group


def given_tags(req: dict[str, Any]) -> dict[str, str]:
    """The tags of a request, checked."""
    return _checked(tags.from_list(req.get("Tags") or ()))


def _checked(found: dict[str, str]) -> dict[str, str]:
    return tags.admitted(
        found,
        reserved=errors.invalid("Tag keys starting with 'aws:' are reserved for AWS use."),
        too_many=AwsError("ServiceQuotaExceededException", "The number of tags exceeds the limit.", 402),
    )


def _group(ctx: Ctx, text: str) -> Group:
    arn = arns.parse(text)
    if arn is None or (arn.account, arn.region) != (ctx.account, ctx.region):
        raise errors.no_group(arn.name if arn is not None else text)
    return finding.group(ctx, arn.name)


def _keep(ctx: Ctx, group: Group, held: dict[str, str]) -> None:
    if ctx.db[Group].get(group.name) is None:
        assert group.name == DEFAULT
        ctx.db[Group].add(Group(name=DEFAULT, tags=held))
    else:
        ctx.db[Group].put(replace(group, tags=held))


@op("TagResource")
def tag_resource(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Add tags, or give them other values."""
    group = _group(ctx, req["ResourceArn"])
    _keep(ctx, group, _checked({**group.tags, **given_tags(req)}))
    return {}


@op("UntagResource")
def untag_resource(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Take tags away."""
    group = _group(ctx, req["ResourceArn"])
    _keep(ctx, group, tags.without(group.tags, req["TagKeys"]))
    return {}


@op("ListTagsForResource")
def list_tags_for_resource(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """The tags of a group."""
    return {"Tags": tags.as_list(_group(ctx, req["ResourceArn"]).tags)}
