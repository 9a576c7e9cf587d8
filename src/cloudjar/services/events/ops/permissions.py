"""Policies of buses, statement by statement or whole.

https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_PutPermission.html
"""

from __future__ import annotations

import json
from typing import Any

from msgspec.structs import replace

from cloudjar.base.errors import AwsError
from cloudjar.kit.context import Ctx
from cloudjar.kit.operation import op
from cloudjar.policy.document import parse
from cloudjar.policy.grammar import Flavour, PolicySyntaxError
from cloudjar.services.events import errors, finding
from cloudjar.services.events.records import Bus

_SIZE = "L-FC354966"


def _document(bus: Bus) -> dict[str, Any]:
    if not bus.policy:
        return {"Version": "2012-10-17", "Statement": []}
    found: dict[str, Any] = json.loads(bus.policy)
    if isinstance(found["Statement"], dict):
        found["Statement"] = [found["Statement"]]
    return found


def _keep(ctx: Ctx, bus: Bus, policy: str) -> None:
    limit = ctx.limit("events", _SIZE)
    if limit is not None and len(policy.encode()) > limit:
        raise AwsError("PolicyLengthExceededException", "The event bus policy is too long.", 400)
    ctx.db[Bus].put(replace(finding.stored(ctx, bus), policy=policy, changed=ctx.now.timestamp()))


def _statement(ctx: Ctx, bus: Bus, req: dict[str, Any]) -> dict[str, Any]:
    for member in ("StatementId", "Action", "Principal"):
        if not req.get(member):
            raise errors.invalid(f"Parameter {member} must be specified.")
    if req["Action"] != "events:PutEvents":
        raise errors.invalid("Provided value in parameter 'action' is not supported.")
    principal = req["Principal"]
    made: dict[str, Any] = {
        "Sid": req["StatementId"],
        "Effect": "Allow",
        "Principal": "*" if principal == "*" else {"AWS": f"arn:aws:iam::{principal}:root"},
        "Action": req["Action"],
        "Resource": ctx.arn(bus),
    }
    condition = req.get("Condition")
    if condition is not None:
        if condition["Type"] != "StringEquals" or condition["Key"] != "aws:PrincipalOrgID":
            raise errors.parameter("Condition")
        if principal != "*":
            raise errors.invalid("Value of the parameter 'principal' must be * when the parameter 'condition' is set.")
        made["Condition"] = {"StringEquals": {"aws:PrincipalOrgID": condition["Value"]}}
    return made


@op("PutPermission")
def put_permission(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Let somebody else put events on a bus: one statement, or the whole policy."""
    bus = finding.bus(ctx, req.get("EventBusName"))
    if req.get("Policy") is not None:
        if any(req.get(member) for member in ("StatementId", "Action", "Principal", "Condition")):
            raise errors.invalid("Policy can't be specified together with StatementId, Action, Principal or Condition.")
        _keep(ctx, bus, _checked(req["Policy"]))
        return {}
    made, document = _statement(ctx, bus, req), _document(bus)
    document["Statement"] = [one for one in document["Statement"] if one.get("Sid") != made["Sid"]] + [made]
    _keep(ctx, bus, json.dumps(document, separators=(",", ":")))
    return {}


def _checked(text: str) -> str:
    try:
        parse(text, Flavour.RESOURCE)
    except PolicySyntaxError as error:
        raise errors.parameter("Policy", str(error)) from error
    return text


@op("RemovePermission")
def remove_permission(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Take a statement away, or all of them."""
    bus = finding.bus(ctx, req.get("EventBusName"))
    if not bus.policy:
        raise errors.not_found("EventBus does not have a policy.")
    if req.get("RemoveAllPermissions"):
        _keep(ctx, bus, "")
        return {}
    if not req.get("StatementId"):
        raise errors.invalid("Parameter StatementId must be specified.")
    document = _document(bus)
    left = [one for one in document["Statement"] if one.get("Sid") != req["StatementId"]]
    if len(left) == len(document["Statement"]):
        raise errors.not_found("Statement with the provided id does not exist.")
    document["Statement"] = left
    _keep(ctx, bus, json.dumps(document, separators=(",", ":")) if left else "")
    return {}
