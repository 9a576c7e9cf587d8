"""What policies are held against.

https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazoneventbridge.html
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from cloudjar.base import arn as arns
from cloudjar.kit import tags
from cloudjar.kit.context import Ctx
from cloudjar.kit.operation import Grant, by_arn, finds, keys_of_resource
from cloudjar.services.events import finding, passing
from cloudjar.services.events.records import Connection, Destination, Rule


def _rule(ctx: Ctx, arn: arns.Arn) -> Rule | None:
    """A rule's ARN ends in its name, behind the name of its bus."""
    return ctx.db[Rule].get(arn.resource.removeprefix("rule/"))


@by_arn("events", "connection")
def _connection(ctx: Ctx, arn: arns.Arn) -> Connection | None:
    """Behind its name a connection's ARN has an id, which policies may leave out."""
    return ctx.db[Connection].get(arn.name.partition("/")[0])


@finds("events:connection-of-destination")
def _of_destination(ctx: Ctx, name: str) -> str | None:
    """The connection that a destination uses."""
    found = ctx.db[Destination].get(name)
    return found.connection if found is not None else None


@by_arn("events", "api-destination")
def _destination(ctx: Ctx, arn: arns.Arn) -> Destination | None:
    """The same."""
    return ctx.db[Destination].get(arn.name.partition("/")[0])


for _noun in ("rule-on-default-event-bus", "rule-on-custom-event-bus"):
    by_arn("events", _noun)(_rule)


def of_events(ctx: Ctx, req: dict[str, Any]) -> Iterable[Grant]:
    """PutEvents: each bus that an entry is for, with what is said of its entries."""
    found: dict[str, list[dict[str, Any]]] = {}
    for entry in req.get("Entries") or ():
        found.setdefault(str(finding.bus_arn(ctx, entry.get("EventBusName"))), []).append(entry)
    for text, entries in found.items():
        arn = arns.parse(text)
        assert arn is not None
        bus = finding.bus_at(ctx, arn)
        keys: dict[str, Any] = {
            "events:source": sorted({entry.get("Source") or "" for entry in entries}),
            "events:detail-type": sorted({entry.get("DetailType") or "" for entry in entries}),
            "events:eventbusinvocation": "true" if any(_is_passed(ctx, entry) for entry in entries) else "false",
        }
        if bus is not None:
            keys = {**keys_of_resource("events", "event-bus", bus), **keys}
        yield Grant("events:PutEvents", text, keys, bus.policy if bus is not None else "", arn.account)


def _is_passed(ctx: Ctx, entry: dict[str, Any]) -> bool:
    return passing.passed(ctx.world, entry.get("TraceHeader")) is not None


def keys_of_rule(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Condition keys of what a rule is to match, and of its targets."""
    from cloudjar.services.events import checks

    keys: dict[str, Any] = {}
    if req.get("EventPattern"):
        keys.update(checks.exact_texts(req["EventPattern"]))
    if req.get("Targets"):
        keys["events:targetarn"] = sorted({target["Arn"] for target in req["Targets"]})
    return {**keys, **tags.in_request(req)} if "Tags" in req else keys
