"""Tags of parameters and documents.

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
from cloudjar.services.ssm.documents.records import Document
from cloudjar.services.ssm.records import Parameter


def check_tags(given: Mapping[str, str]) -> None:
    """Raise for keys that AWS keeps to itself, and for too many."""
    for key in given:
        if key.lower().startswith("aws:"):
            raise errors.invalid(f"Tag keys can't start with the reserved prefix aws: {key}")
    if len(given) > tags.LIMIT:
        raise errors.too_many_tags()


Tagged = Parameter | Document


def _need(ctx: Ctx, req: dict[str, Any]) -> Tagged:
    found: Tagged | None
    if req["ResourceType"] == "Document":
        found = ctx.db[Document].get(req["ResourceId"])
    elif req["ResourceType"] == "Parameter":
        found = lookup.find(ctx, req["ResourceId"])
    else:
        raise errors.not_built(f"Tagging of {req['ResourceType']} by Systems Manager")
    if found is None:
        raise errors.no_resource()
    return found


def _put(ctx: Ctx, item: Tagged, after: dict[str, str]) -> None:
    if isinstance(item, Document):
        ctx.db[Document].put(replace(item, tags=after))
    else:
        ctx.db[Parameter].put(replace(item, tags=after))


@op("AddTagsToResource")
def add_tags_to_resource(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """More tags, or other values."""
    item = _need(ctx, req)
    after = {**item.tags, **tags.from_list(req["Tags"])}
    check_tags(after)
    _put(ctx, item, after)
    return {}


@op("RemoveTagsFromResource")
def remove_tags_from_resource(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Fewer tags."""
    item = _need(ctx, req)
    gone = set(req["TagKeys"])
    _put(ctx, item, {key: value for key, value in item.tags.items() if key not in gone})
    return {}


@op("ListTagsForResource")
def list_tags_for_resource(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """The tags of a parameter or a document."""
    return {"TagList": tags.as_list(_need(ctx, req).tags)}
