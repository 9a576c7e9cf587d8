"""Trusted Advisor by the Support API.

https://docs.aws.amazon.com/awssupport/latest/APIReference/API_DescribeTrustedAdvisorCheckResult.html
"""

from __future__ import annotations

from typing import Any

from cloudjar.base.errors import AwsError
from cloudjar.kit import advice
from cloudjar.kit.advice import Check, Outcome
from cloudjar.kit.context import Ctx
from cloudjar.kit.operation import op

_LANGUAGES = ("en", "ja", "zh", "zh_TW", "fr", "de", "id", "it", "ko", "pt_BR", "es")


def _check(ctx: Ctx, key: str) -> Check:
    for check in advice.advisor(ctx.world).checks():
        if check.id == key:
            return check
    raise AwsError("InvalidParameterValueException", f"Invalid parameter value: checkId {key} does not exist.")


def _speaks(req: dict[str, Any]) -> None:
    if req.get("language", "en") not in _LANGUAGES:
        raise AwsError("InvalidParameterValueException", f"Invalid parameter value: language {req['language']}.")


def _look(ctx: Ctx, req: dict[str, Any]) -> Ctx:
    """Before it is answered: what was not looked at for a day is looked at now, on a thread."""
    asked = [req["checkId"]] if "checkId" in req else req["checkIds"]
    advice.advisor(ctx.world).look(ctx, [_check(ctx, key).id for key in asked])
    return ctx


@op("DescribeTrustedAdvisorChecks")
def describe_trusted_advisor_checks(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Every check, with the names of its report's columns."""
    _speaks(req)
    return {
        "checks": [
            {
                "id": check.id,
                "name": check.name,
                "description": check.description,
                "category": check.category,
                "metadata": list(check.columns),
            }
            for check in advice.advisor(ctx.world).checks()
        ]
    }


@op("DescribeTrustedAdvisorCheckResult", prepare=_look)
def describe_trusted_advisor_check_result(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """What a check found."""
    _speaks(req)
    who, outcome = advice.advisor(ctx.world), _outcome(ctx, req["checkId"])
    flagged = [
        {
            "status": finding.status,
            "region": finding.region,
            "resourceId": who.key(outcome.check.id, finding),
            "isSuppressed": finding.excluded,
            "metadata": list(finding.values),
        }
        for finding in outcome.findings
    ]
    return {"result": {**_summary(outcome), "flaggedResources": flagged}}


@op("DescribeTrustedAdvisorCheckSummaries", prepare=_look)
def describe_trusted_advisor_check_summaries(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """The counts of some checks."""
    found = [_outcome(ctx, key) for key in req["checkIds"]]
    return {"summaries": [{**_summary(one), "hasFlaggedResources": bool(one.flagged)} for one in found]}


@op("RefreshTrustedAdvisorCheck")
def refresh_trusted_advisor_check(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Have a check look again; it does so in the background."""
    check = _check(ctx, req["checkId"])
    advice.advisor(ctx.world).refresh(ctx, check.id)
    return {"status": _refresh(ctx, check.id)}


@op("DescribeTrustedAdvisorCheckRefreshStatuses")
def describe_trusted_advisor_check_refresh_statuses(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """How refreshes stand."""
    return {"statuses": [_refresh(ctx, _check(ctx, key).id) for key in req["checkIds"]]}


def _refresh(ctx: Ctx, key: str) -> dict[str, Any]:
    status, millis = advice.advisor(ctx.world).refreshing(ctx, key)
    return {"checkId": key, "status": status, "millisUntilNextRefreshable": millis}


def _outcome(ctx: Ctx, key: str) -> Outcome:
    found = advice.advisor(ctx.world).outcome(ctx, key)
    if found is None:  # a refresh is on its way that has not come to its end
        return Outcome(_check(ctx, key), ctx.now, "not_available", ())
    return found


def _summary(outcome: Outcome) -> dict[str, Any]:
    cost = {}
    if outcome.check.category == "cost_optimizing":
        money = {"estimatedMonthlySavings": outcome.savings, "estimatedPercentMonthlySavings": 0.0}
        cost = {"costOptimizing": money}
    return {
        "checkId": outcome.check.id,
        "timestamp": outcome.at.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "status": outcome.state,
        "resourcesSummary": {
            "resourcesProcessed": len(outcome.findings),
            "resourcesFlagged": len(outcome.flagged),
            "resourcesIgnored": 0,
            "resourcesSuppressed": sum(1 for finding in outcome.findings if finding.excluded),
        },
        "categorySpecificSummary": cost,
    }
