"""Other starts of scheduled events, and event windows.

https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/event-windows.html
"""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from cloudjar.base.errors import AwsError
from cloudjar.kit import tags
from cloudjar.kit.context import Ctx
from cloudjar.kit.operation import op
from cloudjar.services.ec2 import errors
from cloudjar.services.ec2.hosts.records import Host
from cloudjar.services.ec2.instances.records import Instance
from cloudjar.services.ec2.lookup import by_path, describe, need, need_all
from cloudjar.services.ec2.scheduled_events.hours import of_cron, of_ranges
from cloudjar.services.ec2.scheduled_events.records import EventWindow, ScheduledEvent
from cloudjar.services.ec2.scheduled_events.scheduling import show_event

PER_REGION = 200
FILTERS = by_path(
    {
        "dedicated-host-id": "AssociationTarget.DedicatedHostIds",
        "event-window-name": "Name",
        "instance-id": "AssociationTarget.InstanceIds",
        "instance-tag": "AssociationTarget.InstanceTags[].Key",
        "instance-tag-key": "AssociationTarget.Tags[].Key",
        "instance-tag-value": "AssociationTarget.Tags[].Value",
    }
)


@op("ModifyInstanceEventStartTime")
def modify_instance_event_start_time(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """A later start, up to the deadline, of an event that has one."""
    vm = need(ctx, Instance, req["InstanceId"])
    event = ctx.db[ScheduledEvent].need(req["InstanceEventId"])
    if event.instance_id != vm.id or event.state != "active":
        raise AwsError("InvalidInstanceEventIDNotFound", f"The instance event ID '{event.id}' does not exist")
    start = req["NotBefore"]
    if event.deadline is None:
        raise AwsError("UnsupportedOperation", f"The start of an event '{event.code}' cannot be changed.")
    if start <= ctx.now or start > event.deadline:
        raise errors.invalid_parameter(
            f"{start:%Y-%m-%dT%H:%M:%SZ}", "notBefore", "It must be in the future and not after notBeforeDeadline."
        )
    length = event.end - event.start if event.end is not None else None
    moved = ctx.db[ScheduledEvent].put(replace(event, start=start, end=start + length if length is not None else None))
    return {"Event": show_event(moved)}


@op("CreateInstanceEventWindow")
def create_instance_event_window(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """A window without instances."""
    if ctx.db[EventWindow].count() >= PER_REGION:
        raise AwsError(
            "InstanceEventWindowLimitExceeded", f"You have reached the limit of {PER_REGION} event windows per Region."
        )
    made = EventWindow(id=ctx.new_id("iew"), tags=tags.specified(req, "instance-event-window"))
    return {"InstanceEventWindow": show_window(ctx.db[EventWindow].add(_with_hours(made, req)))}


def _with_hours(window: EventWindow, req: dict[str, Any]) -> EventWindow:
    ranges, cron = req.get("TimeRanges"), req.get("CronExpression")
    if ranges and cron:
        raise errors.combination("Specify either TimeRanges or CronExpression.")
    if ranges:
        of_ranges(ranges)
        window = replace(window, ranges=tuple(dict(one) for one in ranges), cron="")
    if cron:
        of_cron(cron)
        window = replace(window, cron=cron, ranges=())
    return replace(window, name=req["Name"]) if req.get("Name") else window


@op("ModifyInstanceEventWindow")
def modify_instance_event_window(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Another name, other hours."""
    window = need(ctx, EventWindow, req["InstanceEventWindowId"])
    return {"InstanceEventWindow": show_window(ctx.db[EventWindow].put(_with_hours(window, req)))}


@op("DescribeInstanceEventWindows")
def describe_instance_event_windows(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Windows by id, or all."""
    found = describe(ctx, req, EventWindow, "InstanceEventWindowIds", show_window, FILTERS)
    return {"InstanceEventWindows": found}


@op("DeleteInstanceEventWindow")
def delete_instance_event_window(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Remove a window; one that instances have only when that is forced."""
    window = need(ctx, EventWindow, req["InstanceEventWindowId"])
    if _has(window) and not req.get("ForceDelete"):
        raise errors.dependency("instance event window", window.id)
    ctx.db[EventWindow].drop(window)
    return {"InstanceEventWindowState": {"InstanceEventWindowId": window.id, "State": "deleting"}}


def _has(window: EventWindow) -> bool:
    return bool(window.instances or window.instance_tags or window.hosts)


@op("AssociateInstanceEventWindow")
def associate_instance_event_window(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Give a window to instances, to those with a tag, or to hosts: one kind of them."""
    window, asked = need(ctx, EventWindow, req["InstanceEventWindowId"]), req["AssociationTarget"]
    keys, hosts, held = asked.get("InstanceIds") or [], asked.get("DedicatedHostIds") or [], _pairs(asked)
    kinds = (keys or window.instances, held or window.instance_tags, hosts or window.hosts)
    if sum(bool(value) for value in kinds) != 1:
        raise errors.combination("An event window has one kind of targets: instances, instance tags, or hosts.")
    need_all(ctx, Instance, keys)
    need_all(ctx, Host, hosts)
    for other in ctx.db[EventWindow].all():
        if other.id != window.id and (set(keys) & set(other.instances) or set(hosts) & set(other.hosts)):
            raise errors.combination(f"A target is associated with the window '{other.id}' already.")
    wanted = replace(
        window,
        instances=tuple(dict.fromkeys((*window.instances, *keys))),
        instance_tags=tuple(dict.fromkeys((*window.instance_tags, *held))),
        hosts=tuple(dict.fromkeys((*window.hosts, *hosts))),
    )
    return {"InstanceEventWindow": show_window(ctx.db[EventWindow].put(wanted))}


def _pairs(asked: dict[str, Any]) -> tuple[tuple[str, str], ...]:
    return tuple((one.get("Key") or "", one.get("Value") or "") for one in asked.get("InstanceTags") or ())


@op("DisassociateInstanceEventWindow")
def disassociate_instance_event_window(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Take a window away."""
    window, asked = need(ctx, EventWindow, req["InstanceEventWindowId"]), req["AssociationTarget"]
    keys, hosts, held = asked.get("InstanceIds") or (), asked.get("DedicatedHostIds") or (), _pairs(asked)
    wanted = replace(
        window,
        instances=tuple(key for key in window.instances if key not in keys),
        instance_tags=tuple(pair for pair in window.instance_tags if pair not in held),
        hosts=tuple(key for key in window.hosts if key not in hosts),
    )
    return {"InstanceEventWindow": show_window(ctx.db[EventWindow].put(wanted))}


def show_window(window: EventWindow) -> dict[str, Any]:
    """AWS's InstanceEventWindow."""
    return {
        "AssociationTarget": {
            "InstanceIds": list(window.instances),
            "Tags": [{"Key": key, "Value": value} for key, value in window.instance_tags],
            "DedicatedHostIds": list(window.hosts),
        },
        "CronExpression": window.cron or None,
        "InstanceEventWindowId": window.id,
        "Name": window.name or None,
        "State": "active",
        "Tags": tags.as_list(window.tags) if window.tags else None,
        "TimeRanges": list(window.ranges) or None,
    }
