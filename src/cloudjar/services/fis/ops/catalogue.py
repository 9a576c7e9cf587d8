"""What can be done to what; tags; the safety lever.

https://docs.aws.amazon.com/fis/latest/APIReference/API_ListActions.html
"""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from cloudjar.base import arn as arns
from cloudjar.kit import tags
from cloudjar.kit.context import Ctx
from cloudjar.kit.operation import op
from cloudjar.services.fis import errors
from cloudjar.services.fis.catalogue import ACTIONS, TYPES
from cloudjar.services.fis.records import Experiment, SafetyLever, Template
from cloudjar.services.fis.views import show_action, show_lever, show_type


@op("ListActions")
def list_actions(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """The actions that are built."""
    return {"actions": [show_action(name, ctx.region, whole=False) for name in ACTIONS]}


@op("GetAction")
def get_action(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """One action, with its parameters."""
    if req["id"] not in ACTIONS:
        raise errors.missing("Action", req["id"])
    return {"action": show_action(req["id"], ctx.region, whole=True)}


@op("ListTargetResourceTypes")
def list_target_resource_types(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """The kinds of targets that are built."""
    return {"targetResourceTypes": [show_type(name, whole=False) for name in TYPES]}


@op("GetTargetResourceType")
def get_target_resource_type(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """One kind of target, with its parameters."""
    if req["resourceType"] not in TYPES:
        raise errors.missing("Target resource type", req["resourceType"])
    return {"targetResourceType": show_type(req["resourceType"], whole=True)}


def _tagged(ctx: Ctx, arn: str) -> Template | Experiment:
    parsed = arns.parse(arn)
    if parsed is not None and parsed.account == ctx.account and parsed.region == ctx.region:
        if parsed.type == "experiment-template":
            return ctx.db[Template].need(parsed.name)
        if parsed.type == "experiment":
            return ctx.db[Experiment].need(parsed.name)
    raise errors.missing("Resource", arn)


def _retag(ctx: Ctx, item: Template | Experiment, held: dict[str, str]) -> None:
    if isinstance(item, Template):
        ctx.db[Template].put(replace(item, tags=held))
    else:
        ctx.db[Experiment].put(replace(item, tags=held))


@op("TagResource")
def tag_resource(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Add tags, or give them other values."""
    item = _tagged(ctx, req["resourceArn"])
    _retag(ctx, item, tags.within_limit({**item.tags, **req["tags"]}))
    return {}


@op("UntagResource")
def untag_resource(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Take tags away; all of them when none is named."""
    item = _tagged(ctx, req["resourceArn"])
    named = req.get("tagKeys")
    _retag(ctx, item, {key: value for key, value in item.tags.items() if named and key not in named})
    return {}


@op("ListTagsForResource")
def list_tags_for_resource(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """A template's or an experiment's tags."""
    return {"tags": _tagged(ctx, req["resourceArn"]).tags}


def _lever(ctx: Ctx, name: str) -> SafetyLever:
    if name != "default":
        raise errors.missing("Safety lever", name)
    return ctx.db[SafetyLever].get(name) or SafetyLever(account=ctx.account, region=ctx.region)


@op("GetSafetyLever")
def get_safety_lever(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """The lever, which is there without anybody's doing."""
    return {"safetyLever": show_lever(_lever(ctx, req["id"]))}


@op("UpdateSafetyLeverState")
def update_safety_lever_state(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Engaged, it stops every experiment, and none can be started."""
    before = _lever(ctx, req["id"])
    lever = replace(before, engaged=req["state"]["status"] == "engaged", reason=req["state"]["reason"])
    held = ctx.db[SafetyLever]
    stored = held.add(lever) if held.get(lever.id) is None else held.put(lever)
    if lever.engaged:
        for item in ctx.db[Experiment].all():
            if not item.over:
                ctx.db[Experiment].put(replace(item, asked_to_stop=True))
    return {"safetyLever": show_lever(stored)}
