"""Recommendations: told, and answered."""

from __future__ import annotations

from typing import Any

from cloudjar.kit import filters
from cloudjar.kit.context import Ctx
from cloudjar.kit.operation import op
from cloudjar.kit.record import arn_of
from cloudjar.services.rds import errors, recommending
from cloudjar.services.rds.recommending import Advice

_GETTERS = {
    "recommendation-id": lambda one: one.id,
    "status": lambda one: one.status,
    "severity": lambda one: one.kind.severity,
    "type-id": lambda one: one.kind.type_id,
    "dbi-resource-id": lambda one: one.db.resource_id,
    "cluster-resource-id": lambda one: None,
    "pg-arn": lambda one: None,
    "cluster-pg-arn": lambda one: None,
}


@op("DescribeDBRecommendations")
def describe_db_recommendations(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """What could be better about instances, as they are now."""
    after, before = req.get("LastUpdatedAfter"), req.get("LastUpdatedBefore")
    found = [
        one
        for one in recommending.every(ctx)
        if (after is None or one.updated >= after) and (before is None or one.updated <= before)
    ]
    return {"DBRecommendations": [_shown(one) for one in filters.apply(req.get("Filters"), _GETTERS, found)]}


@op("ModifyDBRecommendation")
def modify_db_recommendation(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Dismiss one, or have it again. What it recommends is done by who changes the instance."""
    if req.get("RecommendedActionUpdates"):
        raise errors.not_built("The parameter RecommendedActionUpdates")
    found = next((one for one in recommending.every(ctx) if one.id == req["RecommendationId"]), None)
    if found is None:
        raise errors.invalid(f"Invalid recommendation ID: {req['RecommendationId']}")
    status = req.get("Status")
    if status is None:
        return {"DBRecommendation": _shown(found)}
    if status not in ("active", "dismissed"):
        raise errors.invalid(f"Invalid status: {status}. Valid values: active, dismissed")
    return {"DBRecommendation": _shown(recommending.answer(ctx, found, status))}


def _shown(one: Advice) -> dict[str, Any]:
    kind = one.kind
    action = {
        "ActionId": f"{one.id[:8]}-action",
        "Title": kind.recommendation,
        "Description": kind.recommendation,
        "Operation": kind.operation,
        "Parameters": [
            {"Key": "dbInstanceIdentifier", "Value": one.db.id},
            *({"Key": name, "Value": value} for name, value in kind.parameters),
        ],
        "ApplyModes": ["manual"],
        "Status": "ready",
    }
    return {
        "RecommendationId": one.id,
        "TypeId": kind.type_id,
        "Severity": kind.severity,
        "ResourceArn": arn_of(one.db),
        "Status": one.status,
        "CreatedTime": one.db.created,
        "UpdatedTime": one.updated,
        "Detection": f"{kind.detection}: {one.db.id}",
        "Recommendation": kind.recommendation,
        "Description": f"{kind.detection}.",
        "Reason": f"{kind.detection}.",
        "RecommendedActions": [action],
        "Category": kind.category,
        "Source": "RDS",
        "TypeDetection": kind.detection,
        "TypeRecommendation": kind.recommendation,
        "Impact": kind.impact,
    }
