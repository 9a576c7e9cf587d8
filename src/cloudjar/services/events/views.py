"""Records as EventBridge shows them."""

from __future__ import annotations

import base64
import binascii
from datetime import UTC, datetime
from typing import Any

from cloudjar.kit.context import Ctx
from cloudjar.kit.record import arn_of
from cloudjar.services.events import errors
from cloudjar.services.events.records import DEFAULT, Bus, Rule

_PAGE = 100


def when(seconds: float) -> datetime | None:
    """Unix seconds as a time; None for 0."""
    return datetime.fromtimestamp(seconds, UTC) if seconds else None


def page(req: dict[str, Any], member: str, found: list[Any]) -> dict[str, Any]:
    """A page of a list: the model tells EventBridge's paginators only in part."""
    start = 0
    if req.get("NextToken"):
        try:
            start = int(base64.urlsafe_b64decode(req["NextToken"].encode()).decode())
        except (ValueError, binascii.Error):
            raise errors.parameter("NextToken") from None
    end = max(start, 0) + int(req.get("Limit") or _PAGE)
    answer: dict[str, Any] = {member: found[max(start, 0) : end]}
    if end < len(found):
        answer["NextToken"] = base64.urlsafe_b64encode(str(end).encode()).decode()
    return answer


def bus(ctx: Ctx, held: Bus) -> dict[str, Any]:
    """A bus as lists have it."""
    return {
        "Name": held.name,
        "Arn": arn_of(held),
        "Description": held.description or None,
        "Policy": held.policy or None,
        "CreationTime": when(held.made),
        "LastModifiedTime": when(held.changed),
    }


def bus_settings(held: Bus) -> dict[str, Any]:
    """What can be set of a bus."""
    dead = {"Arn": held.dead_letters} if held.dead_letters else None
    return {"Description": held.description or None, "DeadLetterConfig": dead}


def rule(held: Rule) -> dict[str, Any]:
    """A rule."""
    return {
        "Name": held.name,
        "Arn": held.arn,
        "EventPattern": held.pattern or None,
        "State": held.state,
        "Description": held.description or None,
        "ScheduleExpression": held.schedule or None,
        "RoleArn": held.role or None,
        "ManagedBy": held.managed_by or None,
        "EventBusName": held.bus or DEFAULT,
    }
