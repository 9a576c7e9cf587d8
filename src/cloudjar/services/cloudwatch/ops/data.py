"""Several metrics at once, and mathematics on them.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_GetMetricData.html
"""

from __future__ import annotations

import base64
import math
import re
from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple

from cloudjar.base.errors import AwsError
from cloudjar.kit import metrics
from cloudjar.kit.context import Ctx
from cloudjar.kit.operation import op
from cloudjar.services.cloudwatch import errors, labels, queries, selecting
from cloudjar.services.cloudwatch.math.values import Series
from cloudjar.services.cloudwatch.queries import Asker, Query
from cloudjar.wire.rendered import Column

_MANY = re.compile(r"\b(SEARCH|METRICS|SORT|SLICE)\b|\[")
"""Expressions that may be several series, which keep their names."""
MOST_POINTS = 100_800


class Result(NamedTuple):
    """A series that a query shows, oldest first."""

    id: str
    label: str
    at: Sequence[float]
    values: Sequence[float]


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
    results = [result for query in asked if query.shown for result in _results(asker, query)]
    newest = req.get("ScanBy") != "TimestampAscending"
    return _page(results, _offset(req.get("NextToken")), most, newest=newest)


def _results(asker: Asker, query: Query) -> list[Result]:
    line = asker.line(query)
    if line is not None and query.metric is not None and "${" not in (query.label or ""):
        label = query.metric.name if query.label is None else query.label
        return [Result(query.id, label, line.at, line.values)]
    return [
        Result(query.id, label_of(query, one), at := sorted(one.values), [one.values[each] for each in at])
        for one in asker.result(query.id)
    ]


def label_of(query: Query, found: Series) -> str:
    """What a series of a query is called."""
    if query.label is not None:
        return labels.filled(query.label, found)
    several = selecting.is_select(query.expression) or _MANY.search(query.expression) is not None
    return found.label if query.metric is not None or (several and found.label) else query.id


def _page(results: list[Result], offset: int, most: int, *, newest: bool) -> dict[str, Any]:
    """Data points `offset` to `offset + most` of all results in a row."""
    shown, passed, instants = [], 0, Instants(newest=newest)
    for result in results:
        first, count = max(0, offset - passed), len(result.at)
        last = min(max(0, offset + most - passed), count)
        passed += count
        if first >= last and (count or offset):
            continue
        kept = slice(count - last, count - first) if newest else slice(first, last)
        values = result.values[kept][::-1] if newest else result.values[kept]
        shown.append(
            {
                "Id": result.id,
                "Label": result.label,
                "Timestamps": instants.of(result.at, kept),
                "Values": Column(values) if math.isfinite(sum(values)) else list(values),
                "StatusCode": "Complete" if passed <= offset + most else "PartialData",
            }
        )
    answer: dict[str, Any] = {"MetricDataResults": shown, "Messages": []}
    if passed > offset + most:
        answer["NextToken"] = base64.urlsafe_b64encode(f"points:{offset + most}".encode()).decode()
    return answer


class Instants:
    """The instants of an answer: most results have the same, which are made and written once."""

    def __init__(self, *, newest: bool) -> None:
        self._newest = newest
        self._made: dict[float, datetime] = {}
        self._columns: dict[tuple[int, int, int], tuple[Sequence[float], Column]] = {}

    def of(self, at: Sequence[float], kept: slice) -> Column:
        """Some of a result's, in the order of the answer."""
        place = (id(at), kept.start, kept.stop)
        known = self._columns.get(place)
        if known is None:
            made = [self._made.get(one) or self._made.setdefault(one, metrics.instant(one)) for one in at[kept]]
            known = self._columns[place] = (at, Column(made[::-1] if self._newest else made))
        return known[1]


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
