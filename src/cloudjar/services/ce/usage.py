"""Cost and usage, grouped and filtered.

https://docs.aws.amazon.com/aws-cost-management/latest/APIReference/API_GetCostAndUsage.html
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from cloudjar.billing import dimensions
from cloudjar.billing.ledger import Group, Period, Step, one_unit
from cloudjar.billing.measured import ZERO, Line
from cloudjar.services.ce import errors, periods
from cloudjar.services.ce.asking import Asking, amount, asks

Names = tuple[str, ...]
METRICS = {
    "AmortizedCost": "amortized",
    "BlendedCost": "blended",
    "NetAmortizedCost": "amortized",
    "NetUnblendedCost": "unblended",
    "UnblendedCost": "unblended",
    "UsageQuantity": "usage",
    "NormalizedUsageAmount": "normalized",
}
"""Metric -> what of the ledger it is. There are no discounts beside those that lines bear: net is the same."""
MOST_GROUPS = 2
_RESOURCE_DAYS = 14


class Sum:
    """What one group comes to."""

    def __init__(self, count: int) -> None:
        self.unit = ""
        self.columns = {name: [ZERO] * count for name in ("amortized", "blended", "unblended", "usage", "normalized")}

    def add(self, group: Group[Any], factor: Decimal) -> None:
        """Count lines of one normalization factor."""
        self.unit = one_unit(self.unit, group.unit)
        for name, more in (
            ("amortized", group.amortized), ("blended", group.blended), ("unblended", group.unblended),
            ("usage", group.usage),
        ):  # fmt: skip
            column = self.columns[name]
            for index, value in enumerate(more):
                column[index] += value
        if factor:
            column = self.columns["normalized"]
            for index, value in enumerate(group.usage):
                column[index] += value * factor

    def shown(self, metrics: Sequence[str], index: int) -> dict[str, Any]:
        """AWS's Metrics."""
        return {
            name: {"Amount": amount(self.columns[METRICS[name]][index]), "Unit": self._unit(name)} for name in metrics
        }

    def _unit(self, metric: str) -> str:
        if metric == "UsageQuantity":
            return self.unit or "N/A"
        return "NU-Hrs" if metric == "NormalizedUsageAmount" else "USD"

    def counts(self, index: int) -> bool:
        """Whether there is anything to show in a period."""
        return any(column[index] for column in self.columns.values())


@asks("GetCostAndUsage")
def get_cost_and_usage(asking: Asking, req: dict[str, Any]) -> dict[str, Any]:
    """Costs and usage by period, in all or by at most two names."""
    step: Step = req["Granularity"]
    start, end = periods.past(req, asking.now, step)
    return _answer(asking, req, start, end, step, resources=False)


@asks("GetCostAndUsageWithResources")
def get_cost_and_usage_with_resources(asking: Asking, req: dict[str, Any]) -> dict[str, Any]:
    """The same with resources among the names, of the last fourteen days."""
    step: Step = req["Granularity"]
    start, end = periods.past(req, asking.now, step)
    if start < periods.midnight(asking.now) - timedelta(days=_RESOURCE_DAYS):
        raise errors.invalid(errors.HOURS_TOO_OLD)
    if not req["Filter"] and not req.get("GroupBy"):
        raise errors.invalid("GetCostAndUsageWithResources requires a filter or a group by resource.")
    return _answer(asking, req, start, end, step, resources=True)


def _answer(
    asking: Asking, req: Mapping[str, Any], start: datetime, end: datetime, step: Step, *, resources: bool
) -> dict[str, Any]:
    metrics = checked_metrics(req.get("Metrics") or ["UnblendedCost"])
    groups = list(req.get("GroupBy") or ())
    if len(groups) > MOST_GROUPS:
        raise errors.invalid(f"Group by supports at most {MOST_GROUPS} definitions.")
    if not resources and any(group.get("Key") == "RESOURCE_ID" for group in groups):
        raise errors.invalid("Group Definition is invalid: Dimension RESOURCE_ID is not supported")
    names = [asking.naming(group) for group in groups]
    keep = asking.keep(req.get("Filter"))

    def key(line: Line) -> tuple[Names, Decimal]:
        return tuple(name(line) for name in names), dimensions.normalized(line)

    spans, found = asking.ledger.sums(start, end, step, keep=keep, key=key, resources=resources)
    sums: dict[Names, Sum] = {}
    for (name, factor), group in found.items():
        sums.setdefault(name, Sum(len(spans))).add(group, factor)
    answer: dict[str, Any] = {
        "ResultsByTime": [
            _period(asking, period, step, index, sums, metrics, grouped=bool(groups))
            for index, period in enumerate(spans)
        ],
        "DimensionValueAttributes": _attributes(asking, groups, sums),
    }
    return {**answer, "GroupDefinitions": groups} if groups else answer


def checked_metrics(given: Sequence[str]) -> list[str]:
    """Metrics of a request; raises ValidationException."""
    unknown = [name for name in given if name not in METRICS]
    if unknown:
        raise errors.invalid(f"Metric(s) {unknown} are not valid: choose from {sorted(METRICS)}")
    return list(given)


def _period(
    asking: Asking, period: Period, step: Step, index: int, sums: Mapping[Names, Sum], metrics: list[str], *,
    grouped: bool,
) -> dict[str, Any]:  # fmt: skip
    shown: dict[str, Any] = {
        "TimePeriod": periods.shown(period, step),
        "Total": {},
        "Groups": [],
        "Estimated": period.end > periods.month_of(asking.now),
    }
    if not grouped:
        shown["Total"] = sums.get((), Sum(index + 1)).shown(metrics, index)
        return shown
    shown["Groups"] = [
        {"Keys": list(names), "Metrics": held.shown(metrics, index)}
        for names, held in sorted(sums.items())
        if held.counts(index)
    ]
    return shown


def _attributes(asking: Asking, groups: Sequence[Mapping[str, Any]], sums: Mapping[Names, Sum]) -> list[dict[str, Any]]:
    places = [index for index, group in enumerate(groups) if group.get("Key") == "LINKED_ACCOUNT"]
    accounts = sorted({names[index] for names in sums for index in places})
    return [{"Value": one, "Attributes": {"description": asking.account_name(one)}} for one in accounts]
