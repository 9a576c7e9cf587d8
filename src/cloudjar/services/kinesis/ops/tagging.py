"""Tags of streams and consumers, by both of the interfaces that there are for them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from msgspec.structs import replace

from cloudjar.kit import tags
from cloudjar.kit.context import Ctx
from cloudjar.kit.operation import op
from cloudjar.services.kinesis import errors, finding
from cloudjar.services.kinesis.records import Consumer, Stream


def checked(found: Mapping[str, str]) -> dict[str, str]:
    """Tags that may be: lengths, reserved prefix, number."""
    for key, value in found.items():
        if not 1 <= len(key) <= 128 or len(value) > 256:
            raise errors.invalid("Tag keys have 1 to 128 characters, and values 256 at most.")
        if key.lower().startswith("aws:"):
            raise errors.invalid("Tag keys starting with 'aws:' are reserved.")
    if len(found) > tags.LIMIT:
        raise errors.invalid(f"Failed to add tags: a stream has {tags.LIMIT} at most.")
    return dict(found)


def _tagged(ctx: Ctx, item: Stream | Consumer, more: Mapping[str, str]) -> None:
    _put(ctx, item, checked({**item.tags, **more}))


def _untagged(ctx: Ctx, item: Stream | Consumer, keys: Iterable[str]) -> None:
    _put(ctx, item, tags.without(item.tags, keys))


def _put(ctx: Ctx, item: Stream | Consumer, held: dict[str, str]) -> None:
    db = ctx.db.at(item.account, item.region)
    if isinstance(item, Stream):
        db[Stream].put(replace(item, tags=held))
    else:
        db[Consumer].put(replace(item, tags=held))


@op("AddTagsToStream")
def add_tags_to_stream(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Add tags to a stream, or give them other values."""
    _tagged(ctx, finding.stream(ctx, req), req["Tags"])
    return {}


@op("RemoveTagsFromStream")
def remove_tags_from_stream(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Take tags of a stream away."""
    _untagged(ctx, finding.stream(ctx, req), req["TagKeys"])
    return {}


@op("ListTagsForStream")
def list_tags_for_stream(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """A stream's tags by key, a page at a time."""
    return tags.page(finding.stream(ctx, req).tags, req)


@op("TagResource")
def tag_resource(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Add tags to a stream or a consumer."""
    _tagged(ctx, finding.resource(ctx, req["ResourceARN"]), req["Tags"])
    return {}


@op("UntagResource")
def untag_resource(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Take tags of a stream or a consumer away."""
    _untagged(ctx, finding.resource(ctx, req["ResourceARN"]), req["TagKeys"])
    return {}


@op("ListTagsForResource")
def list_tags_for_resource(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """The tags of a stream or a consumer."""
    return {"Tags": tags.as_list(finding.resource(ctx, req["ResourceARN"]).tags)}
