"""What happened to instances, snapshots and parameter groups, for fourteen days."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from cloudjar.kit import filters
from cloudjar.kit.context import Ctx
from cloudjar.kit.operation import op
from cloudjar.services.rds import errors, telling
from cloudjar.services.rds.records import Event

_USUAL = 60
"""Minutes that are shown when nothing is said."""


@op("DescribeEvents")
def describe_events(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Events of the last hour, or of the time that a request names."""
    source, kind = req.get("SourceIdentifier"), req.get("SourceType")
    if source and not kind:
        raise errors.combination("SourceType must be specified when SourceIdentifier is.")
    end = req.get("EndTime") or ctx.now
    begin = req.get("StartTime") or end - timedelta(minutes=req.get("Duration") or _USUAL)
    begin = max(begin, ctx.now - telling.KEPT)
    wanted = set(req.get("EventCategories") or ())
    found = [
        event
        for event in ctx.db[Event].all()
        if begin <= event.at <= end
        and kind in (None, "", event.kind)
        and (not source or source.lower() == event.source)
        and (not wanted or wanted & set(event.categories))
    ]
    found.sort(key=lambda event: (event.at, event.id))
    return {"Events": [_shown(event) for event in filters.apply(req.get("Filters"), {}, found)]}


def _shown(event: Event) -> dict[str, Any]:
    return {
        "SourceIdentifier": event.source,
        "SourceType": event.kind,
        "Message": event.message,
        "EventCategories": list(event.categories),
        "Date": event.at,
        "SourceArn": event.arn,
    }
