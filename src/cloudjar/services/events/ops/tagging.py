"""Tags of buses and rules.

https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_TagResource.html
"""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from cloudjar.base import arn as arns
from cloudjar.base.errors import AwsError
from cloudjar.kit import tags
from cloudjar.kit.context import Ctx
from cloudjar.kit.operation import op
from cloudjar.services.events import errors, finding
from cloudjar.services.events.records import Bus, Rule


def given_tags(req: dict[str, Any]) -> dict[str, str]:
    """The tags of a request, checked."""
    return _checked(tags.from_list(req.get("Tags") or ()))


def _checked(found: dict[str, str]) -> dict[str, str]:
    return tags.admitted(
        found,
        reserved=errors.invalid("Tag keys starting with 'aws:' are reserved for AWS use."),
        too_many=AwsError("LimitExceededException", "The number of tags exceeds the limit.", 400),
    )


def _tagged(ctx: Ctx, text: str) -> Bus | Rule:
    arn = arns.parse(text)
    if arn is None or arn.service != "events" or arn.type not in ("rule", "event-bus"):
        raise errors.parameter("ResourceARN", "Provided Arn is not in correct format.")
    name = arn.name
    if (arn.account, arn.region) == (ctx.account, ctx.region):
        if arn.type == "event-bus":
            return finding.stored(ctx, finding.bus(ctx, name)) if ctx.world.state.database.in_transaction else (
                finding.bus(ctx, name)
            )
        found = ctx.db[Rule].get(name)
        if found is not None:
            return found
    bus, _, rule = name.rpartition("/")
    raise errors.no_bus(name) if arn.type == "event-bus" else errors.no_rule(rule, bus or "default")


def _keep(ctx: Ctx, item: Bus | Rule, held: dict[str, str]) -> None:
    if isinstance(item, Bus):
        ctx.db[Bus].put(replace(item, tags=held))
    else:
        ctx.db[Rule].put(replace(item, tags=held))


@op("TagResource")
def tag_resource(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Add tags, or give them other values."""
    item = _tagged(ctx, req["ResourceARN"])
    _keep(ctx, item, _checked({**item.tags, **given_tags(req)}))
    return {}


@op("UntagResource")
def untag_resource(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Take tags away."""
    item = _tagged(ctx, req["ResourceARN"])
    _keep(ctx, item, tags.without(item.tags, req["TagKeys"]))
    return {}


@op("ListTagsForResource")
def list_tags_for_resource(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """The tags of a bus or a rule."""
    return {"Tags": tags.as_list(_tagged(ctx, req["ResourceARN"]).tags)}
