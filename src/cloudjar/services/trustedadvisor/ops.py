"""Checks, what they recommend, and what shall be left out.

https://docs.aws.amazon.com/trustedadvisor/latest/APIReference/Welcome.html
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from cloudjar.kit.advice import Finding
from cloudjar.kit.context import Ctx
from cloudjar.kit.operation import op
from cloudjar.services.trustedadvisor import errors
from cloudjar.services.trustedadvisor.engine import ENGINE
from cloudjar.services.trustedadvisor.records import Exclusion, Kept
from cloudjar.services.trustedadvisor.views import (
    Recommendation,
    check_arn,
    show_check,
    show_recommendation,
    show_resource,
)


def look(ctx: Ctx, req: dict[str, Any]) -> Ctx:
    """Before it is answered: what is older than a day is looked at again, on a thread."""
    ENGINE.look(ctx, [check.id for check in ENGINE.checks()])
    return ctx


@op("ListChecks")
def list_checks(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Every check, narrowed."""
    found = [check for check in ENGINE.checks() if req.get("source", "ta_check") == "ta_check"]
    for name, wanted in (("pillar", req.get("pillar")), ("service", req.get("awsService"))):
        if wanted:
            found = [c for c in found if wanted == c.category or (name == "service" and wanted in c.services)]
    return {"checkSummaries": [show_check(check) for check in found]}


def _recommendations(ctx: Ctx) -> Iterator[Recommendation]:
    """One of each check that could look."""
    for check in ENGINE.checks():
        kept, outcome = ctx.db[Kept].get(check.id), ENGINE.outcome(ctx, check.id)
        if kept is None or outcome is None or outcome.state == "not_available":
            continue
        yield Recommendation(ctx.account, outcome, kept.created or outcome.at, kept.changed or outcome.at)


def _need(ctx: Ctx, arn: str) -> Recommendation:
    for one in _recommendations(ctx):
        if one.arn == arn:
            return one
    raise errors.no_recommendation(arn)


def _fits(one: Recommendation, req: dict[str, Any]) -> bool:
    check, at = one.outcome.check, one.outcome.at
    asked = (
        ("type", "standard"), ("status", one.outcome.state), ("pillar", check.category), ("source", "ta_check"),
        ("checkIdentifier", check_arn(check)),
    )  # fmt: skip
    return (
        all(req.get(name) in (None, "", has) for name, has in asked)
        and (not req.get("awsService") or req["awsService"] in check.services)
        and (not req.get("afterLastUpdatedAt") or at > req["afterLastUpdatedAt"])
        and (not req.get("beforeLastUpdatedAt") or at < req["beforeLastUpdatedAt"])
    )


@op("ListRecommendations", prepare=look)
def list_recommendations(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """What every check came to, narrowed."""
    found = [show_recommendation(one) for one in _recommendations(ctx) if _fits(one, req)]
    return {"recommendationSummaries": found}


@op("GetRecommendation", prepare=look)
def get_recommendation(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """One of them."""
    one = _need(ctx, req["recommendationIdentifier"])
    return {"recommendation": {**show_recommendation(one), "description": one.outcome.check.description}}


@op("ListRecommendationResources", prepare=look)
def list_recommendation_resources(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """The resources behind one, narrowed."""
    one = _need(ctx, req["recommendationIdentifier"])
    shown = [show_resource(one, finding) for finding in one.outcome.findings]
    for asked, member in (("status", "status"), ("exclusionStatus", "exclusionStatus"), ("regionCode", "regionCode")):
        if req.get(asked):
            shown = [resource for resource in shown if resource[member] == req[asked]]
    return {"recommendationResourceSummaries": shown}


@op("UpdateRecommendationLifecycle")
def update_recommendation_lifecycle(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Refused of every recommendation there is: AWS moves prioritized ones alone, which an account team sends."""
    _need(ctx, req["recommendationIdentifier"])
    raise errors.not_prioritized()


@op("BatchUpdateRecommendationResourceExclusion")
def batch_update_recommendation_resource_exclusion(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Leave resources out of their checks' outcomes, or take them in again; each that is not there is told apart."""
    places: dict[str, tuple[str, Finding]] = {}
    for one in _recommendations(ctx):
        for finding in one.outcome.findings:
            places[one.arn_of(finding)] = (one.outcome.check.id, finding)
    failed = []
    for asked in req["recommendationResourceExclusions"]:
        if asked["arn"] not in places:
            failed.append({
                "arn": asked["arn"],
                "errorCode": "RESOURCE_NOT_FOUND",
                "errorMessage": f"Recommendation resource {asked['arn']} was not found",
            })
            continue
        check, finding = places[asked["arn"]]
        _exclude(ctx, check, f"{check}/{ENGINE.key(check, finding)}", excluded=asked["isExcluded"])
    return {"batchUpdateRecommendationResourceExclusionErrors": failed}


def _exclude(ctx: Ctx, check: str, place: str, *, excluded: bool) -> None:
    held = ctx.db[Exclusion].get(place)
    if excluded and held is None:
        ctx.db[Exclusion].add(Exclusion(place=place, check=check))
    elif not excluded and held is not None:
        ctx.db[Exclusion].drop(held)
