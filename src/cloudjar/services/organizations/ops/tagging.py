"""Tags of accounts, OUs, the root, policies and the resource policy.

https://docs.aws.amazon.com/organizations/latest/userguide/orgs_tagging.html
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from msgspec.structs import replace

from cloudjar.kit import tags as kit_tags
from cloudjar.kit.context import Ctx
from cloudjar.kit.record import Record
from cloudjar.services.organizations import errors
from cloudjar.services.organizations.access import operation
from cloudjar.services.organizations.records import Delegation, StoredPolicy
from cloudjar.services.organizations.tree import Node, Org


def checked_tags(items: Iterable[Mapping[str, Any]]) -> dict[str, str]:
    """Tags of a request: refuses duplicates, AWS's own prefix, and more than fifty."""
    found: dict[str, str] = {}
    for item in items:
        key = str(item["Key"])
        if key.lower().startswith("aws:"):
            raise errors.invalid("INVALID_SYSTEM_TAGS_PARAMETER", "You specified a tag key that is a system tag.")
        if key in found:
            raise errors.invalid(
                "DUPLICATE_TAG_KEY", "Tag keys must be unique among the tags attached to the same entity."
            )
        found[key] = str(item.get("Value") or "")
    if len(found) > kit_tags.LIMIT:
        raise errors.too_many_tags()
    return found


def _need(org: Org, id_: str) -> Node | StoredPolicy | Delegation:
    found: Node | StoredPolicy | Delegation | None
    if id_.startswith("rp-"):
        found = org.db[Delegation].get(id_)
    elif id_.startswith("p-"):
        found = org.db[StoredPolicy].get(id_)
    else:
        found = org.node(id_)
    if found is None:
        raise errors.missing("target")
    return found


def _store(org: Org, item: Any, tags: dict[str, str]) -> None:
    if len(tags) > kit_tags.LIMIT:
        raise errors.too_many_tags()
    kind: type[Record] = type(item)
    org.db[kind].put(replace(item, tags=tags))


@operation("TagResource")
def tag_resource(ctx: Ctx, org: Org, req: dict[str, Any]) -> dict[str, Any]:
    """Add tags, or other values for those that are there."""
    item = _need(org, req["ResourceId"])
    _store(org, item, {**item.tags, **checked_tags(req["Tags"])})
    return {}


@operation("UntagResource")
def untag_resource(ctx: Ctx, org: Org, req: dict[str, Any]) -> dict[str, Any]:
    """Take tags away; those that are not there are passed over."""
    item = _need(org, req["ResourceId"])
    _store(org, item, {key: value for key, value in item.tags.items() if key not in req["TagKeys"]})
    return {}


@operation("ListTagsForResource", by="reader")
def list_tags_for_resource(ctx: Ctx, org: Org, req: dict[str, Any]) -> dict[str, Any]:
    """The tags of one thing."""
    return {"Tags": kit_tags.as_list(_need(org, req["ResourceId"]).tags)}
