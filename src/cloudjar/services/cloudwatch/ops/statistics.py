"""Statistics of one metric.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_GetMetricStatistics.html
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from cloudjar.kit import metrics
from cloudjar.kit.context import Ctx
from cloudjar.kit.metrics import Metric, Point
from cloudjar.kit.operation import op
from cloudjar.services.cloudwatch import datums, errors, periods, statistics

MOST = 1440


@op("GetMetricStatistics")
def get_metric_statistics(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Periods counted from the start time, each with the statistics asked for; by unit where units differ."""
    plain, extended = req.get("Statistics") or [], req.get("ExtendedStatistics") or []
    if not plain and not extended:
        raise errors.missing("Must specify either Statistics or ExtendedStatistics")
    if plain and extended:
        raise errors.combination("The parameters Statistics and ExtendedStatistics cannot both be specified.")
    for name in extended:
        if name in statistics.PLAIN or statistics.parse(name) is None:
            raise errors.value(f"The value {name} for parameter ExtendedStatistics is not supported.")
    period = periods.checked(req["Period"])
    start, end = _span(req["StartTime"], req["EndTime"], period, ctx.now)
    metric = Metric(req["Namespace"], req["MetricName"], datums.dimensions(req.get("Dimensions") or ()))
    found = metrics.read(ctx.world, ctx.account, ctx.region, metric, period=period, start=start, stop=end)
    unit = req.get("Unit")
    shown = [_show(point, plain, extended) for point in found if unit in (None, point.unit)]
    return {"Label": req["MetricName"], "Datapoints": shown}


def _span(start: datetime, end: datetime, period: int, now: datetime) -> tuple[float, float]:
    if start >= end:
        raise errors.combination("The parameter StartTime must be less than the parameter EndTime.")
    asked = -(-(end - start) // timedelta(seconds=period))
    if asked > MOST:
        raise errors.combination(
            f"You have requested up to {asked:,} datapoints, which exceeds the limit of {MOST:,}. You may reduce the "
            "datapoints requested by increasing Period, or decreasing the time range."
        )
    return periods.rounded(start, period, now), end.timestamp()


def _show(point: Point, plain: list[str], extended: list[str]) -> dict[str, Any]:
    shown: dict[str, Any] = {"Timestamp": metrics.instant(point.at), "Unit": point.unit}
    for name in plain:
        shown[name] = _value(name, point)
    if extended:
        shown["ExtendedStatistics"] = {n: v for n in extended if (v := _value(n, point)) is not None}
    return shown


def _value(name: str, point: Point) -> float | None:
    statistic = statistics.parse(name)
    return None if statistic is None else statistic(point)
