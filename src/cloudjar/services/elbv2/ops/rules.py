"""Rules of listeners: made, listed, changed, ordered, removed."""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from cloudjar.base.errors import AwsError
from cloudjar.kit.context import Ctx
from cloudjar.kit.operation import op
from cloudjar.services.elbv2 import actions, errors, holding, naming, tagging
from cloudjar.services.elbv2.ops.listeners import checked_actions
from cloudjar.services.elbv2.records import Listener, LoadBalancer, Rule
from cloudjar.services.elbv2.views import default_rule_arn, show_default_rule, show_rule

_LIMIT = ("elasticloadbalancing", "L-7EED9B64")
_LAST = 50000


@op("CreateRule")
def create_rule(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """A rule that is tried before the listener's default, in the order of priorities."""
    listener = ctx.db[Listener].need(req["ListenerArn"])
    if req.get("Transforms"):
        raise errors.not_built("A transform")
    if listener.kind == "net":
        raise errors.validation("Rules are not supported for listeners of network load balancers")
    conditions = actions.conditions(req["Conditions"])
    made = _actions(ctx, listener, req["Actions"])
    _check_priorities(ctx, listener.arn, {"": req["Priority"]})
    limit = ctx.limit(*_LIMIT)
    if limit is not None and ctx.db[Rule].count(load_balancer_arn=listener.load_balancer_arn) >= limit:
        raise AwsError("TooManyRules", f"The maximum number of rules has been reached for listener '{listener.arn}'")
    path = f"{listener.path}/{naming.suffix()}"
    rule = Rule(
        arn=naming.arn(ctx, f"listener-rule/app/{path}"), path=path, listener_arn=listener.arn,
        load_balancer_arn=listener.load_balancer_arn, priority=req["Priority"], conditions=conditions, actions=made,
        tags=tagging.asked(req),
    )  # fmt: skip
    return _stored(ctx, ctx.db[Rule].add(rule))


def _stored(ctx: Ctx, rule: Rule) -> dict[str, Any]:
    holding.check_targets(ctx, ctx.db[LoadBalancer].need(rule.load_balancer_arn))
    return {"Rules": [show_rule(rule)]}


def _actions(ctx: Ctx, listener: Listener, given: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return checked_actions(ctx, ctx.db[LoadBalancer].need(listener.load_balancer_arn), given, listener.protocol)


def _check_priorities(ctx: Ctx, listener_arn: str, wanted: dict[str, int]) -> None:
    """Rule ARN ("" for a new one) to priority."""
    if any(not 1 <= priority <= _LAST for priority in wanted.values()):
        raise errors.validation(f"Priority must be between 1 and {_LAST}")
    others = [r.priority for r in ctx.db[Rule].all(listener_arn=listener_arn) if r.arn not in wanted]
    everybody = [*others, *wanted.values()]
    if len(set(everybody)) < len(everybody):
        raise AwsError("PriorityInUse", "The specified priority is in use.")


@op("DescribeRules")
def describe_rules(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Rules of a listener with its default last, or by ARN."""
    if req.get("RuleArns"):
        return {"Rules": [_shown(ctx, arn) for arn in req["RuleArns"]]}
    if not req.get("ListenerArn"):
        raise errors.validation("You must specify either listener rule ARNs or a listener ARN")
    listener = ctx.db[Listener].need(req["ListenerArn"])
    rules = sorted(ctx.db[Rule].all(listener_arn=listener.arn), key=lambda rule: rule.priority)
    return {"Rules": [*(show_rule(rule) for rule in rules), show_default_rule(listener)]}


def _shown(ctx: Ctx, arn: str) -> dict[str, Any]:
    default = _default_of(ctx, arn)
    return show_default_rule(default) if default else show_rule(ctx.db[Rule].need(arn))


def _default_of(ctx: Ctx, arn: str) -> Listener | None:
    """The listener whose default rule has an ARN."""
    listener = ctx.db[Listener].get(arn.rpartition("/")[0].replace(":listener-rule/", ":listener/", 1))
    return listener if listener is not None and default_rule_arn(listener) == arn else None


@op("ModifyRule")
def modify_rule(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Change a rule's conditions or action."""
    if req.get("Transforms") or req.get("ResetTransforms"):
        raise errors.not_built("A transform")
    if _default_of(ctx, req["RuleArn"]) is not None:
        raise AwsError("OperationNotPermitted", f"Default rule '{req['RuleArn']}' cannot be modified")
    rule = ctx.db[Rule].need(req["RuleArn"])
    if req.get("Conditions"):
        rule = replace(rule, conditions=actions.conditions(req["Conditions"]))
    if req.get("Actions"):
        rule = replace(rule, actions=_actions(ctx, ctx.db[Listener].need(rule.listener_arn), req["Actions"]))
    return _stored(ctx, ctx.db[Rule].put(rule))


@op("DeleteRule")
def delete_rule(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Remove a rule; a default stays."""
    if _default_of(ctx, req["RuleArn"]) is not None:
        raise AwsError("OperationNotPermitted", f"Default rule '{req['RuleArn']}' cannot be deleted")
    ctx.db[Rule].drop(ctx.db[Rule].need(req["RuleArn"]))
    return {}


@op("SetRulePriorities")
def set_rule_priorities(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Give rules of one listener other places, all at once."""
    pairs = req["RulePriorities"]
    if not pairs or any(not pair.get("RuleArn") or pair.get("Priority") is None for pair in pairs):
        raise errors.validation("A rule ARN and a priority must be specified")
    wanted = {pair["RuleArn"]: pair["Priority"] for pair in pairs}
    if any(_default_of(ctx, arn) for arn in wanted):
        raise AwsError("OperationNotPermitted", "The priority of a default rule cannot be changed")
    rules = [ctx.db[Rule].need(arn) for arn in wanted]
    if len({rule.listener_arn for rule in rules}) > 1:
        raise errors.validation("All rules must belong to the same listener")
    _check_priorities(ctx, rules[0].listener_arn, wanted)
    changed = [ctx.db[Rule].put(replace(rule, priority=wanted[rule.arn])) for rule in rules]
    return {"Rules": [show_rule(rule) for rule in changed]}
