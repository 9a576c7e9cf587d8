"""What the coming days will come to, if they are like the past ones.

The mean of the last thirty whole days (fewer, when there were not as many since the first usage) goes on; the interval
follows from how much days differed. AWS's model is its own; of usage that has just begun or ended the mean knows
as much as AWS's would.

https://docs.aws.amazon.com/aws-cost-management/latest/APIReference/API_GetCostForecast.html
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from decimal import Decimal, localcontext
from statistics import NormalDist
from typing import Any

from cloudjar.base.errors import AwsError
from cloudjar.billing.ledger import DIGITS, Period
from cloudjar.billing.measured import ZERO
from cloudjar.services.ce import errors, periods
from cloudjar.services.ce.asking import Asking, amount, asks

_COSTS = {
    "BLENDED_COST": "blended", "UNBLENDED_COST": "unblended", "AMORTIZED_COST": "amortized",
    "NET_UNBLENDED_COST": "unblended", "NET_AMORTIZED_COST": "amortized",
}  # fmt: skip
_DAYS, _MONTHS_AHEAD, _DAYS_AHEAD = 30, 18, 93
_SHORT = "Insufficient amount of historical data to generate forecast"


@asks("GetCostForecast")
def get_cost_forecast(asking: Asking, req: dict[str, Any]) -> dict[str, Any]:
    """Costs to come."""
    metric = _COSTS.get(req["Metric"])
    if metric is None:
        raise errors.invalid(f"Metric {req['Metric']} is not supported: choose from {sorted(_COSTS)}")
    return _forecast(asking, req, metric)


@asks("GetUsageForecast")
def get_usage_forecast(asking: Asking, req: dict[str, Any]) -> dict[str, Any]:
    """Usage to come; the filter must leave one unit."""
    if req["Metric"] != "USAGE_QUANTITY":
        raise errors.invalid(f"Metric {req['Metric']} is not supported: choose from ['USAGE_QUANTITY']")
    return _forecast(asking, req, "usage")


def _forecast(asking: Asking, req: Mapping[str, Any], metric: str) -> dict[str, Any]:
    start, end = _future(req, asking.now)
    days, unit = history(asking, req, metric)
    level = NormalDist().inv_cdf(0.5 + int(req.get("PredictionIntervalLevel") or 80) / 200)
    with localcontext() as context:
        context.prec = DIGITS
        mean = sum(days, ZERO) / len(days)
        spread = (sum(((day - mean) ** 2 for day in days), ZERO) / len(days)).sqrt() * Decimal(str(level))
        results, total = [], ZERO
        for period in _cut(start, end, req["Granularity"]):
            length = Decimal((period.end - period.start).days)
            value, room = mean * length, spread * length.sqrt()
            total += value
            results.append({
                "TimePeriod": periods.shown(period, "DAILY"),
                "MeanValue": amount(value),
                "PredictionIntervalLowerBound": amount(max(value - room, ZERO)),
                "PredictionIntervalUpperBound": amount(value + room),
            })  # fmt: skip
        return {"Total": {"Amount": amount(total), "Unit": unit}, "ForecastResultsByTime": results}


def _future(req: Mapping[str, Any], now: datetime) -> tuple[datetime, datetime]:
    start, end, exact = periods.given(req)
    if exact or req["Granularity"] == "HOURLY":
        raise errors.invalid("Hourly granularity is not supported for forecasts")
    if start < periods.midnight(now):
        raise errors.invalid("Start date must be equal to or after today")
    daily = req["Granularity"] == "DAILY"
    most = periods.midnight(now) + timedelta(days=_DAYS_AHEAD if daily else 31 * _MONTHS_AHEAD)
    if end > most:
        raise errors.invalid(f"End date of a forecast must be at most {'3' if daily else _MONTHS_AHEAD} months ahead")
    return start, end


def history(asking: Asking, req: Mapping[str, Any], metric: str) -> tuple[list[Decimal], str]:
    """The last whole days since the first with usage, and the unit; raises DataUnavailableException."""
    today = periods.midnight(asking.now)
    first = today - timedelta(days=_DAYS)
    _, groups = asking.ledger.sums(first, today, "DAILY", keep=asking.keep(req.get("Filter")), key=lambda _: "")
    group = groups.get("")
    column: list[Decimal] = getattr(group, metric) if group is not None else []
    begun = next((index for index, value in enumerate(column) if value), None)
    if group is None or begun is None:
        raise errors.unavailable(_SHORT)
    unit = group.unit if metric == "usage" else "USD"
    if unit == "N/A":
        raise AwsError(
            "UnresolvableUsageUnitException",
            "Unable to resolve the usage unit: please narrow the filter to usage of one unit.",
            400,
        )
    # The first day may have begun in its middle: it tells little of the next ones where there are others.
    return (column[begun + 1 :] or column[begun:]), unit


def _cut(start: datetime, end: datetime, step: str) -> list[Period]:
    found = []
    while start < end:
        turn = periods.month_after(start) if step == "MONTHLY" else start + timedelta(days=1)
        found.append(Period(start, min(turn, end)))
        start = turn
    return found
