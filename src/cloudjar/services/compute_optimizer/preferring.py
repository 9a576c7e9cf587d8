"""What recommendations are made by: an account's preferences, and those of its Auto Scaling groups before them."""

from __future__ import annotations

from typing import Any, NamedTuple

from cloudjar.base import arn as arns
from cloudjar.kit.context import Ctx
from cloudjar.services.compute_optimizer.records import Preference

DAYS = {"DAYS_14": 14, "DAYS_32": 32}
_PERCENT = {"P90": 90.0, "P95": 95.0, "P99_5": 99.5}
_HEADROOM = {"PERCENT_30": 0.3, "PERCENT_20": 0.2, "PERCENT_10": 0.1, "PERCENT_0": 0.0}
DEFAULTS: dict[str, Any] = {
    "lookBackPeriod": "DAYS_14",
    "utilizationPreferences": [
        {"metricName": "CpuUtilization", "metricParameters": {"threshold": "P99_5", "headroom": "PERCENT_20"}},
        {"metricName": "MemoryUtilization", "metricParameters": {"headroom": "PERCENT_20"}},
    ],
    "preferredResources": [],
}
"""As AWS documents them."""


class Preferred(NamedTuple):
    """Preferences as they apply to one resource."""

    chosen: dict[str, Any]

    @property
    def days(self) -> int:
        """How far back to look."""
        return DAYS[self.chosen["lookBackPeriod"]]

    @property
    def percent(self) -> float:
        """Which percentile of the CPU's peaks has to fit."""
        return _PERCENT[self._of("CpuUtilization").get("threshold") or "P99_5"]

    @property
    def headroom(self) -> float:
        """Beside the CPU's percentile."""
        return _HEADROOM[self._of("CpuUtilization").get("headroom") or "PERCENT_20"]

    @property
    def memory_headroom(self) -> float:
        """Beside the memory's peak."""
        return _HEADROOM[self._of("MemoryUtilization").get("headroom") or "PERCENT_20"]

    def _of(self, metric: str) -> dict[str, str]:
        for one in self.chosen["utilizationPreferences"]:
            if one["metricName"] == metric:
                found: dict[str, str] = one["metricParameters"]
                return found
        return {}

    def allows(self, kind: str) -> bool:
        """Whether a type may be recommended: lists name types (``m5.large``) or families (``m5``)."""
        names = {kind, kind.partition(".")[0]}
        for one in self.chosen["preferredResources"]:
            included, excluded = one.get("includeList"), one.get("excludeList") or ()
            if (included and not names & set(included)) or names & set(excluded):
                return False
        return True


def effective(ctx: Ctx, kind: str, arn: str = "") -> Preferred:
    """Those of a resource of a kind: of itself, else of its account, else AWS's own."""
    found = dict(DEFAULTS)
    for scope, value in (("AccountId", ctx.account), ("ResourceArn", arn)):
        held = ctx.db[Preference].get(key(kind, scope, value)) if value else None
        if held is not None:
            found.update(held.chosen)
    return Preferred(found)


def key(kind: str, scope: str, value: str) -> str:
    """Where a preference is kept."""
    return f"{kind}/{scope}/{value}"


def shown(preferred: Preferred, architectures: list[str]) -> dict[str, Any]:
    """``effectiveRecommendationPreferences``."""
    return {
        "cpuVendorArchitectures": architectures,
        "enhancedInfrastructureMetrics": "Inactive",
        "inferredWorkloadTypes": "Inactive",
        **preferred.chosen,
        "savingsEstimationMode": {"source": "PublicPricing"},
    }


def is_group(arn: str) -> bool:
    """Whether an ARN is that of an Auto Scaling group."""
    found = arns.parse(arn)
    return found is not None and found.resource.startswith("autoScalingGroup:")
