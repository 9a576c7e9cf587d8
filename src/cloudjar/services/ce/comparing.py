"""Two months side by side.

https://docs.aws.amazon.com/aws-cost-management/latest/APIReference/API_GetCostAndUsageComparisons.html
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from cloudjar.billing import dimensions
from cloudjar.billing.ledger import month_end
from cloudjar.billing.measured import ZERO, Line
from cloudjar.services.ce import errors
from cloudjar.services.ce.asking import Asking, amount, asks
from cloudjar.services.ce.usage import MOST_GROUPS, Names, Sum, checked_metrics

_MONTHS = 13


@asks("GetCostAndUsageComparisons")
def get_cost_and_usage_comparisons(asking: Asking, req: dict[str, Any]) -> dict[str, Any]:
    """What a metric came to in each of two months, and the difference; in all, or by at most two names."""
    (metric,) = checked_metrics([req["MetricForComparison"]])
    groups = list(req.get("GroupBy") or ())
    if len(groups) > MOST_GROUPS:
        raise errors.invalid(f"Group by supports at most {MOST_GROUPS} definitions.")
    months = [_month(asking, req[name], name) for name in ("BaselineTimePeriod", "ComparisonTimePeriod")]
    sums = [_sums(asking, req, groups, month) for month in months]
    empty = Sum(1)
    shown = []
    for names in sorted(sums[0].keys() | sums[1].keys()):
        before, after = (held.get(names, empty) for held in sums)
        if before.counts(0) or after.counts(0):
            compared = _compared(metric, before, after)
            shown.append({"CostAndUsageSelector": _selector(groups, names), "Metrics": compared})
    totals = [_sums(asking, req, [], month).get((), empty) for month in months]
    return {
        "CostAndUsageComparisons": shown if groups else [],
        "TotalCostAndUsage": _compared(metric, totals[0], totals[1]),
    }


def _month(asking: Asking, period: Mapping[str, str], name: str) -> datetime:
    """The month that a period is; raises ValidationException."""
    try:
        start, end = (datetime.fromisoformat(period[side][:10]).replace(tzinfo=UTC) for side in ("Start", "End"))
    except ValueError:
        raise errors.invalid(f"{name} is not valid.") from None
    if start.day != 1 or end != month_end(start):
        raise errors.invalid(f"{name} must start and end on the first day of a month, and be exactly one month long.")
    now = asking.now
    ago = (now.year - start.year) * 12 + now.month - start.month
    if not 0 <= ago <= _MONTHS:
        raise errors.invalid(f"{name} must be within the last {_MONTHS} months.")
    return start


def _sums(
    asking: Asking, req: Mapping[str, Any], groups: list[dict[str, Any]], month: datetime
) -> dict[Names, Sum]:
    namings = [asking.naming(group) for group in groups]

    def key(line: Line) -> tuple[Names, Decimal]:
        return tuple(name(line) for name in namings), dimensions.normalized(line)

    keep = asking.keep(req.get("Filter"))
    _, found = asking.ledger.sums(month, month_end(month), "MONTHLY", keep=keep, key=key)
    sums: dict[Names, Sum] = {}
    for (names, factor), group in found.items():
        sums.setdefault(names, Sum(1)).add(group, factor)
    return sums


def _selector(groups: list[dict[str, Any]], names: Names) -> dict[str, Any]:
    """The expression that means a group's lines."""
    parts = []
    for group, name in zip(groups, names, strict=True):
        key, kind = group.get("Key") or "", group.get("Type") or "DIMENSION"
        place = {"TAG": "Tags", "COST_CATEGORY": "CostCategories"}.get(kind, "Dimensions")
        value = name if place == "Dimensions" else name.partition("$")[2]
        parts.append({place: {"Key": key, "Values": [value]}})
    return parts[0] if len(parts) == 1 else {"And": parts}


def _compared(metric: str, before: Sum, after: Sum) -> dict[str, Any]:
    first, second = before.shown([metric], 0)[metric], after.shown([metric], 0)[metric]
    difference = Decimal(second["Amount"]) - Decimal(first["Amount"])
    units = {one["Unit"] for one in (first, second)} - {"N/A"}
    return {
        metric: {
            "BaselineTimePeriodAmount": first["Amount"],
            "ComparisonTimePeriodAmount": second["Amount"],
            "Difference": amount(difference or ZERO),
            "Unit": units.pop() if len(units) == 1 else "N/A",
        }
    }
