"""What the admin API tells of a call's authorisation: everything that was kept of it, as data."""

from __future__ import annotations

from typing import Any

import msgspec

from cloudjar.kit.audit import Audit, AuditEvent
from cloudjar.policy import tell

_REFUSED = ('"verdict":"implicitDeny"', '"verdict":"explicitDeny"')
_ALL_TIME = 1e12


def explained(event: AuditEvent) -> dict[str, Any]:
    """A call and how it was decided; `authorization` is `policy.tell.Told`, None for what was not asked so far."""
    told = tell.read(event.decision)
    return {
        "request": event.request_id,
        "call": f"{event.service}:{event.operation}",
        "time": event.time,
        "account": event.account,
        "region": event.region,
        "caller": event.caller_arn,
        "error": event.error_code,
        "message": event.error_message,
        "authorization": None if told is None else msgspec.to_builtins(told),
    }


def refused(event: AuditEvent) -> bool:
    """Whether it was authorisation that refused the call."""
    return any(mark in event.decision for mark in _REFUSED)


def newest_refusal(audit: Audit, accounts: list[str]) -> AuditEvent | None:
    """The newest call of any account that was refused for want of permission."""
    found = [event for one in accounts for event in audit.find(one, "", 0.0, _ALL_TIME, refused, 1)]
    return max(found, key=lambda event: event.time, default=None)
