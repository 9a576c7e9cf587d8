"""Records as Scheduler shows them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from cloudjar.kit.record import arn_of
from cloudjar.services.scheduler.records import Group, Schedule


def when(seconds: float) -> datetime | None:
    """Unix seconds as a time; None for 0."""
    return datetime.fromtimestamp(seconds, UTC) if seconds else None


def schedule(one: Schedule) -> dict[str, Any]:
    """A schedule."""
    return {
        "Arn": one.arn,
        "GroupName": one.group,
        "Name": one.name,
        "ScheduleExpression": one.expression,
        "ScheduleExpressionTimezone": one.zone,
        "StartDate": when(one.start),
        "EndDate": when(one.end),
        "Description": one.description or None,
        "State": one.state,
        "CreationDate": when(one.made),
        "LastModificationDate": when(one.changed),
        "Target": one.target,
        "FlexibleTimeWindow": {"Mode": "FLEXIBLE", "MaximumWindowInMinutes": one.window}
        if one.window
        else {"Mode": "OFF"},
        "ActionAfterCompletion": "DELETE" if one.delete_after else "NONE",
    }


def summary(one: Schedule) -> dict[str, Any]:
    """A schedule in a list."""
    return {
        "Arn": one.arn,
        "GroupName": one.group,
        "Name": one.name,
        "State": one.state,
        "CreationDate": when(one.made),
        "LastModificationDate": when(one.changed),
        "Target": {"Arn": one.target["Arn"]},
    }


def group(one: Group) -> dict[str, Any]:
    """A group."""
    return {
        "Arn": arn_of(one),
        "Name": one.name,
        "State": one.state,
        "CreationDate": when(one.made),
        "LastModificationDate": when(one.changed),
    }
