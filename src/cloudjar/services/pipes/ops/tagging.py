"""Tags of pipes.

https://docs.aws.amazon.com/eventbridge/latest/pipes-reference/API_TagResource.html
"""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from cloudjar.base import arn as arns
from cloudjar.kit import tags
from cloudjar.kit.context import Ctx
from cloudjar.kit.operation import op
from cloudjar.services.pipes import errors
from cloudjar.services.pipes.records import Pipe


def checked_tags(found: dict[str, str]) -> dict[str, str]:
    """Tags that may be; raises ValidationException."""
    return tags.admitted(
        found,
        reserved=errors.invalid("Tag keys starting with 'aws:' are reserved for AWS use."),
        too_many=errors.invalid("The number of tags exceeds the limit."),
    )


def _pipe(ctx: Ctx, text: str) -> Pipe:
    arn = arns.parse(text)
    name = arn.name if arn is not None else text
    here = arn is not None and (arn.account, arn.region) == (ctx.account, ctx.region)
    found = ctx.db[Pipe].get(name) if here else None
    if found is None:
        raise errors.no_pipe(name)
    return found


@op("TagResource")
def tag_resource(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Add tags, or give them other values."""
    pipe = _pipe(ctx, req["resourceArn"])
    ctx.db[Pipe].put(replace(pipe, tags=checked_tags({**pipe.tags, **req["tags"]})))
    return {}


@op("UntagResource")
def untag_resource(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Take tags away."""
    pipe = _pipe(ctx, req["resourceArn"])
    ctx.db[Pipe].put(replace(pipe, tags=tags.without(pipe.tags, req["tagKeys"])))
    return {}


@op("ListTagsForResource")
def list_tags_for_resource(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """The tags of a pipe."""
    return {"tags": _pipe(ctx, req["resourceArn"]).tags}
