"""How many of what, and what could be saved.

https://docs.aws.amazon.com/compute-optimizer/latest/APIReference/API_GetRecommendationSummaries.html
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from decimal import Decimal
from typing import Any, NamedTuple

from cloudjar.billing.rightsizing import MONTH
from cloudjar.services.compute_optimizer import advising, savings
from cloudjar.services.compute_optimizer.ops import groups, instances, volumes
from cloudjar.services.compute_optimizer.ops.idle import Idle, idle
from cloudjar.services.compute_optimizer.seeing import Seeing, sees

_NAMES = {
    "Ec2Instance": ("Underprovisioned", "Overprovisioned", "Optimized"),
    "AutoScalingGroup": ("NotOptimized", "Optimized"),
    "EbsVolume": ("NotOptimized", "Optimized"),
}
_IDLE = {
    "EC2Instance": "Ec2Instance", "AutoScalingGroup": "AutoScalingGroup", "EBSVolume": "EbsVolume",
    "RDSDBInstance": "RdsDBInstance",
}  # fmt: skip
_RISKS = {"High": "high", "Medium": "medium", "Low": "low", "VeryLow": "veryLow"}


class Told(NamedTuple):
    """One resource in a summary; dollars a month."""

    finding: str
    reasons: list[str]
    risk: str
    spent: Decimal
    saved: Decimal


@sees("GetRecommendationSummaries")
def get_recommendation_summaries(seeing: Seeing, _: dict[str, Any]) -> dict[str, Any]:
    """By kind of resource."""
    nothing = list(idle(seeing))
    found = {
        "Ec2Instance": [
            Told(one.verdict.finding, one.verdict.reasons, advising.risk(one.verdict.load),
                 one.verdict.price * MONTH, one.verdict.saved * MONTH)
            for one in instances.advised(seeing)
        ],
        "AutoScalingGroup": [
            Told(one.finding, [], advising.risk(one.verdict.load),
                 one.verdict.price * MONTH * int(one.group["DesiredCapacity"]), one.saved * MONTH)
            for one in groups.advised(seeing)
        ],
        "EbsVolume": [
            Told(one.finding, [], volumes.risk(one), one.cost, one.saved) for one in volumes.advised(seeing)
        ],
        "RdsDBInstance": [],
    }  # fmt: skip
    shown = [_summary(seeing, kind, told, [one for one in nothing if _IDLE[one.kind] == kind])
             for kind, told in found.items()]  # fmt: skip
    return {"recommendationSummaries": shown}


def _summary(seeing: Seeing, kind: str, told: list[Told], nothing: list[Idle]) -> dict[str, Any]:
    counts = Counter(one.finding for one in told)
    spent, saved = _sum(one.spent for one in told), _sum(one.saved for one in told)
    useless = _sum(one.cost for one in nothing)
    shown: dict[str, Any] = {
        "recommendationResourceType": kind,
        "accountId": seeing.ctx.account,
        "summaries": [_counted(name, counts[name], told) for name in _NAMES.get(kind, ())],
        "savingsOpportunity": savings.opportunity(saved, spent),
        "idleSummaries": [
            {"name": name, "value": float(sum(one.finding == name for one in nothing))}
            for name in ("Idle", "Unattached")
        ],
        "idleSavingsOpportunity": savings.opportunity(useless, useless),
        "inferredWorkloadSavings": [],
    }
    if told:
        risks = Counter(one.risk for one in told)
        shown["currentPerformanceRiskRatings"] = {member: risks[name] for name, member in _RISKS.items()}
    return shown


def _counted(name: str, count: int, told: list[Told]) -> dict[str, Any]:
    shown: dict[str, Any] = {"name": name, "value": float(count)}
    direction = {"Underprovisioned": "MemoryUnderprovisioned", "Overprovisioned": "MemoryOverprovisioned"}.get(name)
    if direction:
        number = sum(direction in one.reasons for one in told)
        shown["reasonCodeSummaries"] = [{"name": direction, "value": float(number)}]
    return shown


def _sum(amounts: Iterable[Decimal]) -> Decimal:
    return sum(amounts, Decimal(0))
