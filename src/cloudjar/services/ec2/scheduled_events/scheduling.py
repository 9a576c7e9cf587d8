"""Scheduling an event, what it does when it is due, and how it is told.

https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/monitoring-instances-status-check_sched.html
"""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from typing import Any

from msgspec.structs import replace

from cloudjar.base.errors import AwsError
from cloudjar.kit.context import Ctx
from cloudjar.services.ec2 import errors
from cloudjar.services.ec2.instances.life import LIFE
from cloudjar.services.ec2.instances.records import Instance
from cloudjar.services.ec2.scheduled_events.hours import next_in, of_cron, of_ranges
from cloudjar.services.ec2.scheduled_events.records import EventWindow, ScheduledEvent

CODES = {
    "instance-reboot": "scheduled reboot",
    "instance-retirement": "The instance is running on degraded hardware",
    "instance-stop": "The instance is running on degraded hardware",
    "system-maintenance": "scheduled maintenance",
    "system-reboot": "scheduled reboot",
}
_MOVABLE = ("instance-reboot", "system-reboot", "system-maintenance")
_LASTS = timedelta(hours=2)
_DEADLINE = timedelta(days=7)
"""How much later than AWS set it an event may start."""


def schedule(ctx: Ctx, vm: Instance, code: str, start: datetime) -> ScheduledEvent:
    """An event of a code, at an instant or, when the instance has a window, at the window's next hour."""
    if code not in CODES:
        raise errors.invalid_value(f"There is no event '{code}': {', '.join(CODES)}.")
    if not vm.alive:
        raise AwsError("IncorrectInstanceState", f"The instance '{vm.id}' is terminated.")
    window = window_of(ctx, vm)
    if window is not None:
        start = next_in(of_ranges(window.ranges) if window.ranges else of_cron(window.cron), start)
    lasting, movable = code not in ("instance-stop", "instance-retirement"), code in _MOVABLE
    return ctx.db[ScheduledEvent].add(
        ScheduledEvent(
            id=ctx.new_id("instance-event"),
            instance_id=vm.id,
            code=code,
            text=CODES[code],
            start=start,
            end=start + _LASTS if lasting else None,
            deadline=start + _DEADLINE if movable else None,
        )
    )


def window_of(ctx: Ctx, vm: Instance) -> EventWindow | None:
    """The event window that an instance has, by its id, a tag or its host."""
    for window in ctx.db[EventWindow].all():
        tagged = any(vm.tags.get(key) == value for key, value in window.instance_tags)
        if (window.ranges or window.cron) and (vm.id in window.instances or tagged or vm.host_id in window.hosts):
            return window
    return None


def carry_out(ctx: Ctx, event: ScheduledEvent) -> None:
    """It is time: the instance is stopped or rebooted; maintenance leaves it alone. Whoever is down stays down."""
    vm = ctx.db[Instance].get(event.instance_id)
    if vm is not None and vm.state == "running":
        if event.code in ("instance-stop", "instance-retirement"):
            code = "Server.ScheduledStop"
            LIFE.move(
                ctx, vm, "stopping", state_code=code, forced=False,
                state_reason=f"{code}: Stopped due to a scheduled retirement",
                transition_reason=f"Service initiated ({ctx.now:%Y-%m-%d %H:%M:%S} GMT)",
            )  # fmt: skip
        elif event.code != "system-maintenance":
            ctx.db[Instance].put(replace(vm, reboots=vm.reboots + 1))
    finish(ctx, event, "completed")


def finish(ctx: Ctx, event: ScheduledEvent, state: str) -> None:
    """It is over: carried out, or not needed any more."""
    ctx.db[ScheduledEvent].put(replace(event, state=state, done=ctx.now))


def show_event(event: ScheduledEvent) -> dict[str, Any]:
    """AWS's InstanceStatusEvent."""
    mark = "" if event.state == "active" else f"[{event.state.capitalize()}] "
    return {
        "InstanceEventId": event.id,
        "Code": event.code,
        "Description": mark + event.text,
        "NotAfter": event.end,
        "NotBefore": event.start,
        "NotBeforeDeadline": event.deadline,
    }


def events_of(ctx: Ctx, instance_id: str) -> list[ScheduledEvent]:
    """An instance's events, the earliest first."""
    return sorted(ctx.db[ScheduledEvent].all(instance_id=instance_id), key=lambda event: (event.start, event.id))


def told_guest(ctx: Ctx, vm: Instance) -> dict[str, str]:
    """``events/maintenance/`` of IMDS: what is to come and what was."""
    found = events_of(ctx, vm.id)
    told = {
        "scheduled": [_document(event) for event in found if event.state == "active"],
        "history": [_document(event) for event in found if event.state != "active"],
    }
    return {name: json.dumps(items) for name, items in told.items()}


def _document(event: ScheduledEvent) -> dict[str, str]:
    shown = show_event(event)
    times = {name: shown[name] for name in ("NotBefore", "NotAfter", "NotBeforeDeadline") if shown[name] is not None}
    return {
        "Code": event.code,
        "Description": shown["Description"],
        "EventId": event.id,
        "State": event.state,
        **{name: f"{value:%d %b %Y %H:%M:%S} GMT" for name, value in times.items()},
    }
