"""Tags of groups, and which of them instances get at launch.

https://docs.aws.amazon.com/autoscaling/ec2/userguide/ec2-auto-scaling-tagging.html
"""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from cloudjar.kit import filters
from cloudjar.kit import tags as kit_tags
from cloudjar.kit.context import Ctx
from cloudjar.kit.operation import op
from cloudjar.services.autoscaling import errors, rules
from cloudjar.services.autoscaling.records import Group
from cloudjar.services.autoscaling.views import show_tags

_FILTERS: dict[str, filters.Getter] = {
    "auto-scaling-group": lambda tag: tag["ResourceId"],
    "key": lambda tag: tag["Key"],
    "value": lambda tag: tag["Value"],
    "propagate-at-launch": lambda tag: tag["PropagateAtLaunch"],
}


def _by_group(ctx: Ctx, req: dict[str, Any]) -> list[tuple[Group, list[dict[str, Any]]]]:
    """The tags of a request with the groups that they are about."""
    found: dict[str, list[dict[str, Any]]] = {}
    for tag in req["Tags"]:
        if not tag.get("ResourceId") or not tag.get("ResourceType"):
            raise errors.invalid("A tag must have a ResourceId and a ResourceType")
        found.setdefault(tag["ResourceId"], []).append(tag)
    return [(rules.alive(ctx.db[Group].need(name)), tags) for name, tags in found.items()]


@op("CreateOrUpdateTags")
def create_or_update_tags(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Give groups tags; instances that run already keep theirs."""
    for group, given in _by_group(ctx, req):
        tags, propagated = rules.tags(given, group.name)
        held = {**group.tags, **tags}
        if len(held) > kit_tags.LIMIT:
            raise errors.limit(f"The maximum number of tags per resource is {kit_tags.LIMIT}.")
        keys = (set(group.propagated) - set(tags)) | set(propagated)
        ctx.db[Group].put(replace(group, tags=held, propagated=tuple(sorted(keys))))
    return {}


@op("DeleteTags")
def delete_tags(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Take tags from groups; a value that is named must be the tag's."""
    for group, given in _by_group(ctx, req):
        gone = {t["Key"] for t in given if t.get("Value") is None or t["Value"] == group.tags.get(t["Key"])}
        left = {key: value for key, value in group.tags.items() if key not in gone}
        kept = tuple(key for key in group.propagated if key in left)
        ctx.db[Group].put(replace(group, tags=left, propagated=kept))
    return {}


@op("DescribeTags")
def describe_tags(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """The tags of all groups that the filters admit."""
    found = [tag for group in ctx.db[Group].all() for tag in show_tags(group)]
    return {"Tags": list(filters.apply(req.get("Filters"), _FILTERS, found))}
