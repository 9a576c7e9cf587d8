"""Event history.

https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_LookupEvents.html
"""

from __future__ import annotations

import base64
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from cloudjar.base.errors import AwsError
from cloudjar.kit.audit import Audit, AuditEvent
from cloudjar.kit.context import Ctx
from cloudjar.kit.operation import op
from cloudjar.services.cloudtrail.views import show_event, source_of, typed_resources

HISTORY = timedelta(days=90)
_PAGE = 50

_ATTRIBUTES: dict[str, Callable[[AuditEvent, str], bool]] = {
    "EventId": lambda event, value: event.id == value,
    "EventName": lambda event, value: event.operation == value,
    "ReadOnly": lambda event, value: event.reads == (value.lower() == "true"),
    "Username": lambda event, value: event.caller_name == value,
    "EventSource": lambda event, value: source_of(event.service) == value,
    "AccessKeyId": lambda event, value: event.access_key_id == value,
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
    offset = _offset(req.get("NextToken"))
    audit: Audit = ctx.world.ports["audit"]
    found = audit.find(ctx.account, ctx.region, start, end, _keep(attributes), limit + 1, offset)
    result: dict[str, Any] = {"Events": [show_event(event) for event in found[:limit]]}
    if len(found) > limit:
        result["NextToken"] = base64.urlsafe_b64encode(str(offset + limit).encode()).decode()
    return result


def _range(ctx: Ctx, req: dict[str, Any]) -> tuple[float, float]:
    oldest = ctx.now - HISTORY
    start = max(req.get("StartTime") or oldest, oldest)
    end = req.get("EndTime") or ctx.now + timedelta(seconds=1)
    if start > end:
        raise AwsError("InvalidTimeRangeException", "The start time must be earlier than the end time.", 400)
    return start.timestamp(), end.timestamp()


def _keep(attributes: list[dict[str, str]]) -> Callable[[AuditEvent], bool]:
    if not attributes:
        return lambda _: True
    test, value = _ATTRIBUTES[attributes[0]["AttributeKey"]], attributes[0]["AttributeValue"]
    return lambda event: test(event, value)


def _offset(token: str | None) -> int:
    if not token:
        return 0
    try:
        return max(int(base64.urlsafe_b64decode(token.encode())), 0)
    except ValueError:
        raise AwsError("InvalidNextTokenException", "Invalid token.", 400) from None
