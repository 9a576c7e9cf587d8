"""Targets of rules.

https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_PutTargets.html
"""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from cloudjar.kit.context import Ctx
from cloudjar.kit.operation import op
from cloudjar.services.events import access, errors, finding, targets
from cloudjar.services.events.records import Rule

MOST = 5


@op("PutTargets", keys=access.keys_of_rule)
def put_targets(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Add targets to a rule, or change those of these ids."""
    rule = finding.changeable(ctx, req.get("EventBusName"), req["Rule"])
    asked = [targets.checked(ctx, one, scheduled=bool(rule.schedule)) for one in req["Targets"]]
    if len({one["Id"] for one in asked}) < len(asked):
        raise errors.invalid("Duplicate target ids are not allowed in one request.")
    held = {target["Id"]: target for target in rule.targets}
    held.update({one["Id"]: one for one in asked})
    if len(held) > MOST:
        raise errors.too_many()
    ctx.db[Rule].put(replace(rule, targets=list(held.values())))
    return {"FailedEntryCount": 0, "FailedEntries": []}


@op("RemoveTargets")
def remove_targets(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Take targets away by their ids; those that are not there are told."""
    rule = finding.changeable(ctx, req.get("EventBusName"), req["Rule"], force=bool(req.get("Force")))
    held = {target["Id"]: target for target in rule.targets}
    failed = [
        {
            "TargetId": one,
            "ErrorCode": "ResourceNotFoundException",
            "ErrorMessage": f"Rule {rule.name} does not have a target with the Id {one}.",
        }
        for one in req["Ids"]
        if held.pop(one, None) is None
    ]
    ctx.db[Rule].put(replace(rule, targets=list(held.values())))
    return {"FailedEntryCount": len(failed), "FailedEntries": failed}


@op("ListTargetsByRule")
def list_targets_by_rule(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """A rule's targets."""
    rule = finding.rule(ctx, req.get("EventBusName"), req["Rule"])
    return {"Targets": list(rule.targets)}
