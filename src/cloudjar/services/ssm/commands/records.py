"""What is stored of commands."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import msgspec

from cloudjar.kit.record import Record, record

PENDING, RUNNING, SUCCESS, FAILED = "Pending", "InProgress", "Success", "Failed"
TIMED_OUT, CANCELLING, CANCELLED = "TimedOut", "Cancelling", "Cancelled"
OPEN = (PENDING, RUNNING, CANCELLING)
DELIVERY, EXECUTION, TERMINATED = "DeliveryTimedOut", "ExecutionTimedOut", "Terminated"
NOBODY = "NoInstancesInTag"


class Work(msgspec.Struct, frozen=True, kw_only=True):
    """One step with its parameters filled in; `script` is what a shell runs."""

    name: str
    script: str = ""
    folder: str = ""
    seconds: int = 3600
    skipped: str = ""
    """Why nodes pass it over; empty: they do not."""
    on_failure: str = ""
    on_success: str = ""


@record("ssm", "command", everywhere=True)
class Command(Record, frozen=True, kw_only=True):
    """A command as it was sent; how it went is told by its invocations."""

    id: str
    document: str
    version: str = ""
    comment: str = ""
    parameters: dict[str, list[str]] = {}
    instance_ids: tuple[str, ...] = ()
    """As asked for; those that targets meant have invocations only."""
    targets: tuple[dict[str, Any], ...] = ()
    work: tuple[Work, ...]
    requested: datetime
    seconds: int
    """How long it may take until a node has it."""
    most_at_once: str = "50"
    most_errors: str = "0"
    status: str = PENDING
    details: str = PENDING
    cancelled: bool = False

    @property
    def deadline(self) -> datetime:
        """When it is no longer delivered."""
        return self.requested + timedelta(seconds=self.seconds)

    @property
    def expires(self) -> datetime:
        """When all is over at the latest."""
        return self.deadline + timedelta(seconds=sum(step.seconds for step in self.work))


class Done(msgspec.Struct, frozen=True, kw_only=True):
    """How a step went on a node."""

    name: str
    status: str
    details: str
    code: int = -1
    out: str = ""
    err: str = ""
    began: datetime | None = None
    ended: datetime | None = None


@record("ssm", "invocation", index=("command_id", "instance_id"), parent=("ssm/command", "command_id"))
class Invocation(Record, frozen=True, kw_only=True):
    """A command on a node. `done` are its steps so far; `began` is when the one under way began."""

    id: str
    command_id: str
    instance_id: str
    instance_name: str = ""
    status: str = PENDING
    details: str = PENDING
    done: tuple[Done, ...] = ()
    began: datetime | None = None
    cancelled: bool = False

    @property
    def job(self) -> str:
        """The plane's name of the step under way."""
        return f"{self.command_id}.{len(self.done)}"


def invocation_key(command_id: str, instance_id: str) -> str:
    """The key of an invocation."""
    return f"{command_id}:{instance_id}"
