"""Event history.

https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_LookupEvents.html
"""

from __future__ import annotations

import base64
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from cloudjar.base.errors import AwsError
from cloudjar.kit.audit import Audit, AuditEvent, Place
from cloudjar.kit.context import Ctx
from cloudjar.kit.operation import op
from cloudjar.services.cloudtrail.resources import typed_resources
from cloudjar.services.cloudtrail.views import access_key, show_event, source_of, username

HISTORY = timedelta(days=90)
_PAGE = 50
_LAST = 1 << 62

_ATTRIBUTES: dict[str, Callable[[AuditEvent, str], bool]] = {
    "EventId": lambda event, value: event.id == value,
    "EventName": lambda event, value: event.operation == value,
    "ReadOnly": lambda event, value: event.reads == (value.lower() == "true"),
    "Username": lambda event, value: username(event) == value,
    "EventSource": lambda event, value: source_of(event.service) == value,
    "AccessKeyId": lambda event, value: access_key(event) == value,
    "ResourceName": lambda event, value: any(r["ResourceName"] == value for r in typed_resources(event)),
    "ResourceType": lambda event, value: any(r["ResourceType"] == value for r in typed_resources(event)),
}


@op("LookupEvents", pages=False)
def lookup_events(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Events of the region, newest first, narrowed by at most one attribute."""
    attributes = req.get("LookupAttributes") or []
    if len(attributes) > 1:
        raise AwsError("InvalidLookupAttributesException", "You can specify only one lookup attribute.", 400)
    if req.get("EventCategory"):
        return {"Events": []}  # insight events exist only where a trail asks for them
    start, end = _range(ctx, req)
    limit = req.get("MaxResults") or _PAGE
    before = _place(req["NextToken"]) if req.get("NextToken") else (end, _LAST)
    audit: Audit = ctx.world.ports["audit"]
    name = next((a["AttributeValue"] for a in attributes if a["AttributeKey"] == "EventName"), "")
    found = audit.find_placed(ctx.account, ctx.region, start, before, _keep(attributes), limit + 1, name)
    result: dict[str, Any] = {"Events": [show_event(event) for _, event in found[:limit]]}
    if len(found) > limit:
        time, number = found[limit - 1][0]
        result["NextToken"] = base64.urlsafe_b64encode(f"{time!r} {number}".encode()).decode()
    return result


def _range(ctx: Ctx, req: dict[str, Any]) -> tuple[float, float]:
    oldest = ctx.now - HISTORY
    start = max(req.get("StartTime") or oldest, oldest)
    end = req.get("EndTime") or ctx.now + timedelta(seconds=1)
    if start > end:
        raise AwsError("InvalidTimeRangeException", "The start time must be earlier than the end time.", 400)
    return start.timestamp(), end.timestamp()


def _keep(attributes: list[dict[str, str]]) -> Callable[[AuditEvent], bool]:
    """What is looked for; data events are not in the history."""
    if not attributes:
        return _is_managing
    test, value = _ATTRIBUTES[attributes[0]["AttributeKey"]], attributes[0]["AttributeValue"]
    return lambda event: _is_managing(event) and test(event, value)


def _is_managing(event: AuditEvent) -> bool:
    return event.besides is None or not event.besides.data


def _place(token: str) -> Place:
    """Where the last page ended: events that were recorded since then shift nothing."""
    try:
        time, number = base64.urlsafe_b64decode(token.encode()).decode().split(" ")
        place = (float(time), int(number))
    except ValueError:
        place = (0.0, -1)
    if not 0 <= place[1] < _LAST:
        raise AwsError("InvalidNextTokenException", "Invalid token.", 400)
    return place
