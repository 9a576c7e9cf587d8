"""Tags of parameters.

https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_AddTagsToResource.html
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from msgspec.structs import replace

from cloudjar.kit import tags
from cloudjar.kit.context import Ctx
from cloudjar.kit.operation import op
from cloudjar.services.ssm import errors, lookup
from cloudjar.services.ssm.records import Parameter


def check_tags(given: Mapping[str, str]) -> None:
    """Raise for keys that AWS keeps to itself, and for too many."""
    for key in given:
        if key.lower().startswith("aws:"):
            raise errors.invalid(f"Tag keys can't start with the reserved prefix aws: {key}")
    if len(given) > tags.LIMIT:
        raise errors.too_many_tags()


def _need(ctx: Ctx, req: dict[str, Any]) -> Parameter:
    if req["ResourceType"] != "Parameter":
        raise errors.not_built(f"Tagging of {req['ResourceType']} by Systems Manager")
    found = lookup.find(ctx, req["ResourceId"])
    if found is None:
        raise errors.no_resource()
    return found


@op("AddTagsToResource")
def add_tags_to_resource(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """More tags, or other values."""
    parameter = _need(ctx, req)
    after = {**parameter.tags, **tags.from_list(req["Tags"])}
    check_tags(after)
    ctx.db[Parameter].put(replace(parameter, tags=after))
    return {}


@op("RemoveTagsFromResource")
def remove_tags_from_resource(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Fewer tags."""
    parameter = _need(ctx, req)
    gone = set(req["TagKeys"])
    left = {key: value for key, value in parameter.tags.items() if key not in gone}
    ctx.db[Parameter].put(replace(parameter, tags=left))
    return {}


@op("ListTagsForResource")
def list_tags_for_resource(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """The tags of a parameter."""
    return {"TagList": tags.as_list(_need(ctx, req).tags)}
