"""Event buses.

https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_CreateEventBus.html
"""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from cloudjar.base import arn as arns
from cloudjar.kit.context import Ctx
from cloudjar.kit.operation import op
from cloudjar.services.events import errors, finding, views
from cloudjar.services.events.ops.tagging import given_tags
from cloudjar.services.events.records import DEFAULT, Bus, Rule


def _settings(req: dict[str, Any]) -> dict[str, Any]:
    """What of a request is kept of a bus."""
    if req.get("LogConfig") and req["LogConfig"].get("Level", "OFF") != "OFF":
        raise errors.not_built("LogConfig of event buses")
    if req.get("KmsKeyIdentifier"):
        raise errors.not_built("KmsKeyIdentifier of event buses")
    changed: dict[str, Any] = {}
    if "Description" in req:
        changed["description"] = req["Description"]
    dead = req.get("DeadLetterConfig")
    if dead is not None:
        changed["dead_letters"] = dead_letters(dead)
    return changed


def dead_letters(config: dict[str, Any]) -> str:
    """The queue of a DeadLetterConfig; raises ValidationException."""
    text = config.get("Arn") or ""
    arn = arns.parse(text)
    if text and (arn is None or arn.service != "sqs"):
        raise errors.parameter("DeadLetterConfig.Arn", "The ARN of a dead-letter queue must be that of an SQS queue.")
    if text.endswith(".fifo"):
        raise errors.parameter("DeadLetterConfig.Arn", "A dead-letter queue cannot be a FIFO queue.")
    return text


@op("CreateEventBus")
def create_event_bus(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """A custom bus."""
    name = req["Name"]
    if req.get("EventSourceName") or name.startswith("aws.partner/"):
        raise errors.not_built("Partner event buses")
    if "/" in name:
        raise errors.invalid("Event bus name must not contain '/'.")
    if name == DEFAULT or ctx.db[Bus].get(name) is not None:
        raise errors.exists(f"Event bus {name} already exists.")
    now = ctx.now.timestamp()
    bus = Bus(name=name, made=now, changed=now, tags=given_tags(req))
    made = ctx.db[Bus].add(replace(bus, **_settings(req)))
    return {"EventBusArn": ctx.arn(made), **views.bus_settings(made)}


@op("UpdateEventBus")
def update_event_bus(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Change what is said of a bus."""
    bus = finding.stored(ctx, finding.bus(ctx, req.get("Name")))
    after = ctx.db[Bus].put(replace(bus, changed=ctx.now.timestamp(), **_settings(req)))
    return {"Arn": ctx.arn(after), "Name": after.name, **views.bus_settings(after)}


@op("DescribeEventBus")
def describe_event_bus(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """One bus."""
    bus = finding.bus(ctx, req.get("Name"))
    return {**views.bus(ctx, bus), **views.bus_settings(bus)}


@op("ListEventBuses")
def list_event_buses(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """The account's buses, the default one among them."""
    held = {bus.name: bus for bus in (finding.bus(ctx, DEFAULT), *ctx.db[Bus].all())}
    prefix = req.get("NamePrefix") or ""
    found = [views.bus(ctx, held[name]) for name in sorted(held) if name.startswith(prefix)]
    return views.page(req, "EventBuses", found)


@op("DeleteEventBus")
def delete_event_bus(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Remove a custom bus without rules; succeeds also when there is none."""
    if req["Name"] == DEFAULT:
        raise errors.invalid("Cannot delete event bus default.")
    bus = ctx.db[Bus].get(req["Name"])
    if bus is not None:
        if any(not rule.managed_by for rule in ctx.db[Rule].all(bus=bus.name)):
            raise errors.invalid(f"Event bus {bus.name} can't be deleted since it has rules.")
        ctx.db[Bus].drop(bus)
    return {}
