"""Checks and recommendations as Trusted Advisor's own API shows them."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from datetime import datetime
from typing import Any, NamedTuple

from cloudjar.base import arn as arns
from cloudjar.kit.advice import Check, Finding, Outcome
from cloudjar.services.trustedadvisor.engine import ENGINE


class Recommendation(NamedTuple):
    """A check's outcome in an account, with when it was first and last seen to change."""

    account: str
    outcome: Outcome
    created: datetime
    changed: datetime

    @property
    def id(self) -> str:
        """A UUID that follows from account and check."""
        text = hashlib.sha256(f"{self.account} {self.outcome.check.id}".encode()).hexdigest()
        return "-".join((text[:8], text[8:12], "4" + text[13:16], "8" + text[17:20], text[20:32]))

    @property
    def arn(self) -> str:
        return arns.make("trustedadvisor", "", self.account, f"recommendation/{self.id}")

    def arn_of(self, finding: Finding) -> str:
        """The ARN of a resource in it."""
        key = ENGINE.key(self.outcome.check.id, finding)
        return arns.make("trustedadvisor", "", self.account, f"recommendation-resource/{self.id}/{key}")


def check_arn(check: Check) -> str:
    """``arn:aws:trustedadvisor:::check/7DAFEmoDos``."""
    return arns.make("trustedadvisor", "", "", f"check/{check.id}")


def show_check(check: Check) -> dict[str, Any]:
    """AWS's ``CheckSummary``."""
    return {
        "id": check.id,
        "arn": check_arn(check),
        "name": check.name,
        "description": check.description,
        "pillars": [check.category],
        "awsServices": list(check.services),
        "source": "ta_check",
        "metadata": {str(number): name for number, name in enumerate(check.columns)},
    }


def show_recommendation(one: Recommendation) -> dict[str, Any]:
    """AWS's ``RecommendationSummary``."""
    outcome = one.outcome
    shown = {
        "id": one.id,
        "arn": one.arn,
        "type": "standard",
        "checkArn": check_arn(outcome.check),
        "status": outcome.state,
        "pillars": [outcome.check.category],
        "source": "ta_check",
        "awsServices": list(outcome.check.services),
        "name": outcome.check.name,
        "resourcesAggregates": _counted(outcome.findings),
        "createdAt": one.created,
        "lastUpdatedAt": outcome.at,
    }
    if outcome.check.category == "cost_optimizing":
        money = {"estimatedMonthlySavings": outcome.savings, "estimatedPercentMonthlySavings": 0.0}
        shown["pillarSpecificAggregates"] = {"costOptimizing": money}
    return shown


def _counted(findings: Iterable[Finding]) -> dict[str, int]:
    counts = {"okCount": 0, "warningCount": 0, "errorCount": 0, "excludedCount": 0}
    for finding in findings:
        counts["excludedCount" if finding.excluded else f"{finding.status}Count"] += 1
    return counts


def show_resource(one: Recommendation, finding: Finding) -> dict[str, Any]:
    """AWS's ``RecommendationResourceSummary``."""
    return {
        "id": ENGINE.key(one.outcome.check.id, finding),
        "arn": one.arn_of(finding),
        "awsResourceId": finding.resource,
        "regionCode": finding.region if finding.region != "-" else "us-east-1",
        "status": finding.status,
        "metadata": {str(number): value for number, value in enumerate(finding.values)},
        "lastUpdatedAt": one.outcome.at,
        "exclusionStatus": "excluded" if finding.excluded else "included",
        "recommendationArn": one.arn,
    }
