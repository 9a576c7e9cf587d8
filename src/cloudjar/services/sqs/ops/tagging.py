"""Tags of queues."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from msgspec.structs import replace

from cloudjar.kit.context import Ctx
from cloudjar.kit.operation import op
from cloudjar.services.sqs import errors, finding

_LIMIT = 50


def checked(tags: Mapping[str, str]) -> dict[str, str]:
    """Tags that may be: lengths, reserved prefix, number."""
    for key, value in tags.items():
        if not 1 <= len(key) <= 128:
            raise errors.invalid("Tag keys must be between 1 and 128 characters in length.")
        if len(value) > 256:
            raise errors.invalid("Tag values must be between 0 and 256 characters in length.")
        if key.lower().startswith("aws:"):
            raise errors.invalid("Tag keys starting with 'aws:' are reserved.")
    if len(tags) > _LIMIT:
        raise errors.invalid(f"Too many tags added for queue: {_LIMIT} at most.")
    return dict(tags)


@op("TagQueue")
def tag_queue(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Add tags, or give them other values."""
    queue = finding.queue(ctx, req)
    tags = checked({**queue.tags, **checked(req["Tags"])})
    ctx.db.at(queue.account, queue.region)[type(queue)].put(replace(queue, tags=tags))
    return {}


@op("UntagQueue")
def untag_queue(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Take tags away."""
    queue = finding.queue(ctx, req)
    tags = {key: value for key, value in queue.tags.items() if key not in req["TagKeys"]}
    ctx.db.at(queue.account, queue.region)[type(queue)].put(replace(queue, tags=tags))
    return {}


@op("ListQueueTags")
def list_queue_tags(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """A queue's tags."""
    return {"Tags": finding.queue(ctx, req).tags}
