"""Tags, in KMS's own spelling: TagKey and TagValue.

https://docs.aws.amazon.com/kms/latest/developerguide/tagging-keys.html
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from msgspec.structs import replace

from cloudjar.kit import tags
from cloudjar.kit.context import Ctx
from cloudjar.kit.operation import op
from cloudjar.services.kms import access, errors, finding
from cloudjar.services.kms.records import Key
from cloudjar.services.kms.views import show_tags


def checked(items: Iterable[Mapping[str, Any]], present: Mapping[str, str] | None = None) -> dict[str, str]:
    """Tags of a request laid over those present; raises TagException."""
    given = [(str(item["TagKey"]), str(item.get("TagValue") or "")) for item in items]
    if len({name for name, _ in given}) != len(given):
        raise errors.tag("Duplicate tag keys")
    if any(name.lower().startswith("aws:") for name, _ in given):
        raise errors.tag("aws: prefixed tag key names are not allowed for external use.")
    merged = {**(present or {}), **dict(given)}
    if len(merged) > tags.LIMIT:
        raise errors.tag("Too many tags")
    return merged


@op("TagResource", keys=access.of_request)
def tag_resource(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Tags added to a key, or given other values."""
    key = finding.staying(finding.need(ctx, req["KeyId"], action="TagResource"))
    ctx.db[Key].put(replace(key, tags=checked(req["Tags"], key.tags)))
    return {}


@op("UntagResource", keys=access.of_request)
def untag_resource(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Tags taken off a key; those that are not there are passed over."""
    key = finding.staying(finding.need(ctx, req["KeyId"], action="UntagResource"))
    gone = frozenset(req["TagKeys"])
    ctx.db[Key].put(replace(key, tags={name: value for name, value in key.tags.items() if name not in gone}))
    return {}


@op("ListResourceTags", keys=access.of_request)
def list_resource_tags(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """A key's tags."""
    key = finding.need(ctx, req["KeyId"], action="ListResourceTags")
    return {"Tags": show_tags(key.tags), "Truncated": False}
