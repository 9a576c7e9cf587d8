"""PutEventSelectors and GetEventSelectors."""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from cloudjar.kit.context import Ctx
from cloudjar.kit.operation import op
from cloudjar.services.cloudtrail.access import reading
from cloudjar.services.cloudtrail.selectors import rules
from cloudjar.services.cloudtrail.trails import errors, finding
from cloudjar.services.cloudtrail.trails.destinations import trail_arn
from cloudjar.services.cloudtrail.trails.records import Trail


@op("PutEventSelectors")
def put_event_selectors(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Basic selectors or advanced ones, which take each other's place."""
    held = finding.need_own(ctx, req["TrailName"])
    given, fine = rules.whole(req.get("EventSelectors")), rules.whole(req.get("AdvancedEventSelectors"))
    if (given is None) == (fine is None):
        raise errors.selectors("Specify either EventSelectors or AdvancedEventSelectors, but not both.")
    if fine is not None:
        changed = replace(held, advanced=rules.advanced(fine), selectors=[])
    else:
        chosen = rules.basic(given or [])
        changed = replace(held, advanced=[], selectors=[] if chosen == [rules.DEFAULT] else chosen)
    ctx.db[Trail].put(changed)
    return _shown(changed)


@op("GetEventSelectors", access=reading("cloudtrail:GetEventSelectors", "TrailName"))
def get_event_selectors(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """What selects a trail's events; a new trail gets all management events."""
    return _shown(finding.need(ctx, req["TrailName"]))


def _shown(trail: Trail) -> dict[str, Any]:
    found: dict[str, Any] = {"TrailARN": trail_arn(trail)}
    if trail.advanced:
        found["AdvancedEventSelectors"] = trail.advanced
    else:
        found["EventSelectors"] = trail.selectors or [rules.DEFAULT]
    return found
