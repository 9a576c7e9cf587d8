"""Rules.

https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_PutRule.html
"""

from __future__ import annotations

import json
from typing import Any

from msgspec.structs import replace

from cloudjar.kit.context import Ctx
from cloudjar.kit.operation import op
from cloudjar.services.events import access, checks, errors, finding, hearing, schedules, views
from cloudjar.services.events.ops.tagging import given_tags
from cloudjar.services.events.outbox import outbox
from cloudjar.services.events.records import DEFAULT, DISABLED, ENABLED, Rule, path_of

_FIELDS = ("id", "account", "source", "time", "region", "resources", "detail-type")


@op("PutRule", keys=access.keys_of_rule)
def put_rule(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Make a rule, or make it anew: what is not said is as by default then, but targets and tags stay."""
    bus = finding.bus(ctx, req.get("EventBusName"))
    pattern, schedule = req.get("EventPattern") or "", req.get("ScheduleExpression") or ""
    if not pattern and not schedule:
        raise errors.invalid("Parameter(s) EventPattern or ScheduleExpression must be specified.")
    if schedule:
        if bus.name != DEFAULT:
            raise errors.invalid("ScheduleExpression is supported only on the default event bus.")
        checks.schedule(schedule)
    if pattern:
        checks.pattern(ctx, pattern)
    asked = Rule(
        path=path_of(bus.name, req["Name"]),
        name=req["Name"],
        bus=bus.name,
        pattern=pattern,
        schedule=schedule,
        state=req.get("State") or ENABLED,
        description=req.get("Description") or "",
        role=req.get("RoleArn") or "",
    )
    known = ctx.db[Rule].get(asked.path)
    if known is not None:
        if known.managed_by:
            raise errors.managed(known.name)
        after = replace(
            asked, account=known.account, region=known.region, targets=known.targets, tags=known.tags, next=known.next
        )
        again = (known.schedule, known.state == DISABLED) != (schedule, after.state == DISABLED)
        held = ctx.db[Rule].put(after)
    else:
        held, again = ctx.db[Rule].add(replace(asked, tags=given_tags(req))), bool(schedule)
    if again:
        held = schedules.begin(ctx, held)
    hearing.listen(ctx.world)
    return {"RuleArn": held.arn}


@op("DescribeRule")
def describe_rule(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """One rule."""
    found = finding.rule(ctx, req.get("EventBusName"), req["Name"])
    return {**views.rule(found), "CreatedBy": found.account}


@op("ListRules")
def list_rules(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """The rules of a bus, by name."""
    bus, prefix = finding.bus(ctx, req.get("EventBusName")), req.get("NamePrefix") or ""
    found = [rule for rule in ctx.db[Rule].all(bus=bus.name) if rule.name.startswith(prefix)]
    return {"Rules": [views.rule(rule) for rule in found]}


@op("ListRuleNamesByTarget")
def list_rule_names_by_target(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """The names of the rules of a bus that have a target."""
    bus, wanted = finding.bus(ctx, req.get("EventBusName")), req["TargetArn"]
    found = [
        rule.name
        for rule in ctx.db[Rule].all(bus=bus.name)
        if any(target["Arn"] == wanted for target in rule.targets)
    ]
    return {"RuleNames": found}


def _switch(ctx: Ctx, req: dict[str, Any], state: str) -> dict[str, Any]:
    found = finding.changeable(ctx, req.get("EventBusName"), req["Name"])
    if (found.state == DISABLED) != (state == DISABLED):
        schedules.begin(ctx, ctx.db[Rule].put(replace(found, state=state)))
    return {}


@op("EnableRule")
def enable_rule(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Have a rule match again."""
    return _switch(ctx, req, ENABLED)


@op("DisableRule")
def disable_rule(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Have a rule match nothing."""
    return _switch(ctx, req, DISABLED)


@op("DeleteRule")
def delete_rule(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Remove a rule without targets; succeeds also when there is none. A service's rule only goes by force."""
    bus = finding.bus(ctx, req.get("EventBusName"))
    found = ctx.db[Rule].get(path_of(bus.name, req["Name"]))
    if found is None:
        return {}
    if found.managed_by and not req.get("Force"):
        raise errors.managed(found.name)
    if found.targets:
        raise errors.invalid("Rule can't be deleted since it has targets.")
    outbox(ctx.world).forget(found.place)
    ctx.db[Rule].drop(found)
    return {}


@op("TestEventPattern", writes=False)
def test_event_pattern(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Whether a pattern matches an event."""
    checks.pattern(ctx, req["EventPattern"])
    try:
        event = json.loads(req["Event"])
    except (ValueError, RecursionError):
        raise errors.parameter("Event") from None
    if not isinstance(event, dict) or any(name not in event for name in _FIELDS):
        raise errors.parameter("Event")
    return {"Result": checks.compiled(req["EventPattern"]).matches(event)}
