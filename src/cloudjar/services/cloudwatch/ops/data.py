"""Several metrics at once, and mathematics on them.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_GetMetricData.html
"""

from __future__ import annotations

import base64
import re
from datetime import datetime
from typing import Any, NamedTuple

from cloudjar.base.errors import AwsError
from cloudjar.kit import metrics
from cloudjar.kit.context import Ctx
from cloudjar.kit.operation import op
from cloudjar.services.cloudwatch import errors, labels, queries, selecting
from cloudjar.services.cloudwatch.math.values import Series
from cloudjar.services.cloudwatch.queries import Asker, Query

_MANY = re.compile(r"\b(SEARCH|METRICS|SORT|SLICE)\b|\[")
"""Expressions that may be several series, which keep their names."""
MOST_POINTS = 100_800


class Result(NamedTuple):
    """A series that a query shows."""

    id: str
    label: str
    points: list[tuple[float, float]]


@op("GetMetricData", pages=False)
def get_metric_data(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Every query's series, newest first unless asked otherwise, cut into pages of data points."""
    start, end = req["StartTime"], req["EndTime"]
    if start >= end:
        raise errors.invalid("The parameter StartTime must be less than the parameter EndTime.")
    asked = queries.read(req["MetricDataQueries"], "MetricDataQueries", ctx.account)
    if not asked:
        raise errors.invalid("The parameter MetricDataQueries must not be empty.")
    most = req.get("MaxDatapoints") or MOST_POINTS
    if not 0 < most <= MOST_POINTS:
        raise errors.invalid(f"The value {most} for parameter MaxDatapoints is invalid.")
    asker = Asker(ctx.world, ctx.account, ctx.region, asked, start.timestamp(), end.timestamp())
    newest = req.get("ScanBy") != "TimestampAscending"
    results = [
        Result(query.id, label_of(query, one), sorted(one.values.items(), reverse=newest))
        for query in asked
        if query.shown
        for one in asker.result(query.id)
    ]
    return _page(results, _offset(req.get("NextToken")), most)


def label_of(query: Query, found: Series) -> str:
    """What a series of a query is called."""
    if query.label is not None:
        return labels.filled(query.label, found)
    several = selecting.is_select(query.expression) or _MANY.search(query.expression) is not None
    return found.label if query.metric is not None or (several and found.label) else query.id


def _page(results: list[Result], offset: int, most: int) -> dict[str, Any]:
    """Data points `offset` to `offset + most` of all results in a row."""
    shown, passed = [], 0
    instants: dict[float, datetime] = {}  # most results have the same
    for result in results:
        first = max(0, offset - passed)
        kept = result.points[first : max(0, offset + most - passed)]
        passed += len(result.points)
        if not kept and (result.points or offset):
            continue
        shown.append(
            {
                "Id": result.id,
                "Label": result.label,
                "Timestamps": [instants.get(at) or instants.setdefault(at, metrics.instant(at)) for at, _ in kept],
                "Values": [value for _, value in kept],
                "StatusCode": "Complete" if passed <= offset + most else "PartialData",
            }
        )
    answer: dict[str, Any] = {"MetricDataResults": shown, "Messages": []}
    if passed > offset + most:
        answer["NextToken"] = base64.urlsafe_b64encode(f"points:{offset + most}".encode()).decode()
    return answer


def _offset(token: str | None) -> int:
    if not token:
        return 0
    try:
        kind, _, number = base64.urlsafe_b64decode(token.encode()).decode().partition(":")
        if kind == "points":
            return int(number)
    except ValueError:
        pass
    raise AwsError("InvalidNextToken", "Invalid pagination token", 400)
