"""Recommendations for Auto Scaling groups of one type.

https://docs.aws.amazon.com/compute-optimizer/latest/APIReference/API_GetAutoScalingGroupRecommendations.html
"""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Any, NamedTuple

from cloudjar.billing import rightsizing
from cloudjar.services.compute_optimizer import advising, preferring
from cloudjar.services.compute_optimizer.advising import Verdict
from cloudjar.services.compute_optimizer.ops.instances import FILTERS, architectures, paged
from cloudjar.services.compute_optimizer.preferring import Preferred
from cloudjar.services.compute_optimizer.seeing import Seeing, chosen, lacking, sees

DIMENSION = "AutoScalingGroupName"


class Advised(NamedTuple):
    """A group and what is said of its type."""

    group: dict[str, Any]
    verdict: Verdict
    preferred: Preferred

    @property
    def finding(self) -> str:
        """Of groups AWS says no more than this."""
        return "Optimized" if self.verdict.finding == "Optimized" else "NotOptimized"

    @property
    def saved(self) -> Decimal:
        """Dollars an hour, of as many instances as it wants."""
        return self.verdict.saved * int(self.group["DesiredCapacity"])


def advised(seeing: Seeing, *, arm: bool = False) -> Iterator[Advised]:
    """Groups that have instances, all of one type and not of a policy that mixes them, measured for long enough."""
    ctx = seeing.ctx
    for group in seeing.groups:
        kinds = {one["InstanceType"] for one in group.get("Instances") or () if one.get("InstanceType")}
        if len(kinds) != 1 or group.get("MixedInstancesPolicy"):
            continue
        preferred = preferring.effective(ctx, "AutoScalingGroup", group["AutoScalingGroupARN"])
        load = rightsizing.used(
            ctx.world, ctx.account, ctx.region, group["AutoScalingGroupName"], seeing.since(preferred.days),
            seeing.stop, named=DIMENSION,
        )  # fmt: skip
        if load.enough:
            yield Advised(group, advising.judge(seeing, kinds.pop(), load, preferred, arm=arm), preferred)


@sees("GetAutoScalingGroupRecommendations")
def get_auto_scaling_group_recommendations(seeing: Seeing, req: dict[str, Any]) -> dict[str, Any]:
    """Groups of one type, what their instances used, and which types would do."""
    which, arm = architectures(req)
    shown = [_shown(seeing, one, which) for one in advised(seeing, arm=arm)]
    known = (one["autoScalingGroupArn"] for one in shown)
    wrong = list(lacking(seeing, req.get("autoScalingGroupArns") or (), known, "Auto Scaling group"))
    filters = {name: FILTERS[name] for name in ("Finding", "InferredWorkloadTypes")}
    found = chosen(shown, req, "autoScalingGroupArns", "autoScalingGroupArn", filters)
    return paged("GetAutoScalingGroupRecommendations", req, "autoScalingGroupRecommendations", found, wrong)


def _shown(seeing: Seeing, one: Advised, which: list[str]) -> dict[str, Any]:
    group, verdict, days = one.group, one.verdict, one.preferred.days
    options = []
    for rank, option in enumerate(verdict.options, 1):
        about = advising.show_option(verdict, option, rank)
        del about["platformDifferences"]
        options.append({"configuration": _configuration(group, option.kind), **about})
    return {
        "accountId": seeing.ctx.account,
        "autoScalingGroupArn": group["AutoScalingGroupARN"],
        "autoScalingGroupName": group["AutoScalingGroupName"],
        "finding": one.finding,
        "utilizationMetrics": advising.utilization(
            seeing, verdict.load, (DIMENSION, group["AutoScalingGroupName"]), days
        ),
        "lookBackPeriodInDays": float(days),
        "currentConfiguration": _configuration(group, verdict.kind),
        "recommendationOptions": options,
        "lastRefreshTimestamp": seeing.now,
        "currentPerformanceRisk": advising.risk(verdict.load),
        "effectiveRecommendationPreferences": preferring.shown(one.preferred, which),
        "inferredWorkloadTypes": [],
    }


def _configuration(group: dict[str, Any], kind: str) -> dict[str, Any]:
    return {
        "desiredCapacity": group["DesiredCapacity"],
        "minSize": group["MinSize"],
        "maxSize": group["MaxSize"],
        "instanceType": kind,
        "type": "SingleInstanceType",
    }
