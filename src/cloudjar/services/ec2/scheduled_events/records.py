"""A scheduled event and an event window as they are stored."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from cloudjar.kit.record import Record, record

TABLE = "ec2/instance-event"


@record(
    "ec2",
    "instance-event",
    index=("instance_id",),
    missing=("InvalidInstanceEventIDNotFound", "The instance event ID '{key}' does not exist"),
)
class ScheduledEvent(Record, frozen=True, kw_only=True):
    """`state` is active, completed or canceled; without a `deadline` its start cannot be changed."""

    id: str
    instance_id: str
    code: str
    text: str
    start: datetime
    end: datetime | None = None
    deadline: datetime | None = None
    state: str = "active"
    done: datetime | None = None


@record(
    "ec2",
    "instance-event-window",
    missing=("InvalidInstanceEventWindowId.NotFound", "The instance event window ID '{key}' does not exist"),
)
class EventWindow(Record, frozen=True, kw_only=True):
    """Hours of the week, as ranges or as a cron expression, and the instances, by id, tag or host, that have it."""

    id: str
    name: str = ""
    ranges: tuple[dict[str, Any], ...] = ()
    cron: str = ""
    instances: tuple[str, ...] = ()
    instance_tags: tuple[tuple[str, str], ...] = ()
    hosts: tuple[str, ...] = ()
    tags: dict[str, str] = {}
