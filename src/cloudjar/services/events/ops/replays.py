"""Replays of archived events.

https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_StartReplay.html
"""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from cloudjar.base import arn as arns
from cloudjar.base.errors import AwsError
from cloudjar.kit.context import Ctx
from cloudjar.kit.operation import op
from cloudjar.services.events import archiving, errors, finding, replaying, views
from cloudjar.services.events.records import Archive, Replay, Rule


@op("StartReplay")
def start_replay(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Put an archive's events of some time on its bus once more."""
    destination = req["Destination"]
    archive = _archive(ctx, req["EventSourceArn"])
    _check_bus(ctx, destination["Arn"], archive)
    begin, end = req["EventStartTime"], req["EventEndTime"]
    if end <= begin:
        raise errors.parameter("EventEndTime", "EventStartTime must be before EventEndTime.")
    if ctx.db[Replay].get(req["ReplayName"]) is not None:
        raise errors.exists(f"Replay {req['ReplayName']} already exists.")
    rules = destination.get("FilterArns") or []
    for text in rules:
        arn = arns.parse(text)
        if arn is None or arn.type != "rule" or ctx.db[Rule].get(arn.name) is None:
            raise errors.parameter("Destination.FilterArns", f"Rule {text} does not exist.")
    held = ctx.db[Replay].add(
        Replay(
            name=req["ReplayName"],
            archive=req["EventSourceArn"],
            bus=archive.bus,
            rules=rules,
            description=req.get("Description") or "",
            begin=begin.timestamp(),
            end=end.timestamp(),
            state=replaying.STARTING,
            started=ctx.now.timestamp(),
        )
    )
    return {"ReplayArn": ctx.arn(held), "State": held.state, "ReplayStartTime": views.when(held.started)}


def _archive(ctx: Ctx, text: str) -> Archive:
    name = archiving.name_of(text)
    if not name:
        raise errors.parameter("EventSourceArn", "Must contain an archive ARN.")
    found = ctx.db[Archive].get(name)
    if found is None or ctx.arn(found) != text:
        raise errors.parameter("EventSourceArn", f"Archive {name} does not exist.")
    return found


def _check_bus(ctx: Ctx, text: str, archive: Archive) -> None:
    arn = arns.parse(text)
    if arn is None or arn.service != "events" or arn.type != "event-bus":
        raise errors.parameter("Destination.Arn", "Must contain an event bus ARN.")
    finding.bus(ctx, text)
    if text != archive.bus:
        raise errors.parameter("Destination.Arn", "Cross event bus replay is not permitted.")


def _replay(ctx: Ctx, name: str) -> Replay:
    found = ctx.db[Replay].get(name)
    if found is None:
        raise errors.not_found(f"Replay {name} does not exist.")
    return found


def _show(held: Replay) -> dict[str, Any]:
    return {
        "ReplayName": held.name,
        "EventSourceArn": held.archive,
        "State": held.state,
        "StateReason": held.reason or None,
        "EventStartTime": views.when(held.begin),
        "EventEndTime": views.when(held.end),
        "EventLastReplayedTime": views.when(held.reached[0]),
        "ReplayStartTime": views.when(held.started),
        "ReplayEndTime": views.when(held.stopped),
    }


@op("DescribeReplay")
def describe_replay(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """One replay."""
    held = _replay(ctx, req["ReplayName"])
    destination: dict[str, Any] = {"Arn": held.bus, "FilterArns": held.rules or None}
    more = {"ReplayArn": ctx.arn(held), "Description": held.description or None, "Destination": destination}
    return {**_show(held), **more}


@op("ListReplays")
def list_replays(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Replays by name, archive or state."""
    given = [member for member in ("NamePrefix", "EventSourceArn", "State") if req.get(member)]
    if len(given) > 1:
        raise errors.invalid("At most one filter is allowed for ListReplays. Use either : State, EventSourceArn, or "
                             "NamePrefix.")  # fmt: skip
    found = [
        _show(held)
        for held in ctx.db[Replay].all()
        if held.name.startswith(req.get("NamePrefix") or "")
        and held.archive == (req.get("EventSourceArn") or held.archive)
        and held.state == (req.get("State") or held.state)
    ]
    return views.page(req, "Replays", found)


@op("CancelReplay")
def cancel_replay(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Have a replay that goes on end here."""
    held = _replay(ctx, req["ReplayName"])
    if held.state not in replaying.GOING_ON:
        raise AwsError(
            "IllegalStatusException", f"Replay {held.name} is not in a valid state for this operation.", 400
        )
    held = ctx.db[Replay].put(replace(held, state=replaying.CANCELLING))
    return {"ReplayArn": ctx.arn(held), "State": held.state}
