"""Tags of budgets and of their actions.

https://docs.aws.amazon.com/aws-cost-management/latest/APIReference/API_budgets_TagResource.html
"""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from cloudjar.base import arn as arns
from cloudjar.base.errors import AwsError
from cloudjar.kit import tags
from cloudjar.kit.context import Ctx
from cloudjar.kit.operation import op
from cloudjar.services.budgets import errors
from cloudjar.services.budgets.records import Action, Budget


def given_tags(req: dict[str, Any]) -> dict[str, str]:
    """The tags of a request, checked."""
    return _checked(tags.from_list(req.get("ResourceTags") or ()))


def _checked(found: dict[str, str]) -> dict[str, str]:
    if any(key.lower().startswith("aws:") for key in found):
        raise errors.invalid("Tag keys that begin with aws: are reserved.")
    if len(found) > tags.LIMIT:
        raise AwsError("ServiceQuotaExceededException", f"A resource can have up to {tags.LIMIT} tags.", 400)
    return found


def _tagged(ctx: Ctx, text: str) -> Budget | Action:
    arn = arns.parse(text)
    if arn is None or arn.service != "budgets" or arn.account != ctx.account:
        raise AwsError("NotFoundException", f"Unable to find the resource {text}.", 400)
    name, _, action = arn.resource.removeprefix("budget/").partition("/action/")
    if not action:
        return ctx.db[Budget].need(name)
    found = ctx.db[Action].need(action)
    if found.budget != name:
        raise ctx.db[Action].meta.not_found(action)
    return found


def _keep(ctx: Ctx, held: Budget | Action, found: dict[str, str]) -> None:
    if isinstance(held, Budget):
        ctx.db[Budget].put(replace(held, tags=found))
    else:
        ctx.db[Action].put(replace(held, tags=found))


@op("TagResource")
def tag_resource(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Add tags, or give them other values."""
    held = _tagged(ctx, req["ResourceARN"])
    _keep(ctx, held, _checked({**held.tags, **given_tags(req)}))
    return {}


@op("UntagResource")
def untag_resource(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Take tags away."""
    held = _tagged(ctx, req["ResourceARN"])
    _keep(ctx, held, {key: value for key, value in held.tags.items() if key not in req["ResourceTagKeys"]})
    return {}


@op("ListTagsForResource")
def list_tags_for_resource(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """The tags of a budget or an action."""
    return {"ResourceTags": tags.as_list(_tagged(ctx, req["ResourceARN"]).tags)}
