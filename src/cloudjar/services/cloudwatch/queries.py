"""Metric data queries: what `GetMetricData` and alarms ask. Checked here, and answered as time series.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_MetricDataQuery.html
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import msgspec

from cloudjar.base.errors import AwsError
from cloudjar.kit import metrics
from cloudjar.kit.context import World
from cloudjar.kit.metrics import Drawn, Line, Metric
from cloudjar.services.cloudwatch import datums, errors, periods, searching, selecting, statistics
from cloudjar.services.cloudwatch.math.evaluate import Sheet
from cloudjar.services.cloudwatch.math.functions import Window
from cloudjar.services.cloudwatch.math.parse import SyntaxFault, names, parse
from cloudjar.services.cloudwatch.math.values import Fault, Series
from cloudjar.spec import usage_metrics

MOST = 500
_ID = re.compile(r"[a-z][a-zA-Z0-9_]*")


class Query(msgspec.Struct, frozen=True, kw_only=True):
    """One query: a statistic of a metric, or an expression."""

    id: str
    metric: Metric | None = None
    stat: str = ""
    unit: str = ""
    period: int = 0
    expression: str = ""
    label: str | None = None
    shown: bool = True


def read(given: Iterable[Mapping[str, Any]], member: str, account: str) -> list[Query]:
    """The queries of a request; `member` is what the request calls them. Raises `AwsError`."""
    found: list[Query] = []
    for number, one in enumerate(given, 1):
        found.append(_query(one, f"{member}.member.{number}", account))
    if len(found) > MOST:
        raise errors.invalid(f"The collection {member} must not have a size greater than {MOST}.")
    known = {query.id for query in found}
    if len(known) < len(found):
        twice = next(q.id for q in found if sum(other.id == q.id for other in found) > 1)
        raise errors.invalid(f"The values for parameter id in {member} are not unique: {twice}")
    for query in found:
        if query.expression:
            _check_expression(query, known)
    return found


def _query(one: Mapping[str, Any], place: str, account: str) -> Query:
    if not _ID.fullmatch(one["Id"]):
        raise errors.invalid(
            f"The value {one['Id']} for parameter {place}.Id is not matching the expected pattern ^[a-z][a-zA-Z0-9_]*$."
        )
    asked, expression = one.get("MetricStat"), one.get("Expression")
    if (asked is None) == (not expression):
        raise errors.invalid(f"Exactly one of {place}.MetricStat and {place}.Expression must be specified.")
    if one.get("AccountId") not in (None, account):
        raise errors.not_built("Metrics of other accounts")
    shared = {"id": one["Id"], "label": one.get("Label"), "shown": one.get("ReturnData") is not False}
    if asked is None:
        period = one.get("Period") or 0
        return Query(expression=expression or "", period=_period(period, place) if period else 0, **shared)
    metric = asked["Metric"]
    if not metric.get("Namespace") or not metric.get("MetricName"):
        raise errors.invalid(f"{place}.MetricStat.Metric must have a Namespace and a MetricName.")
    if statistics.parse(asked["Stat"]) is None:
        raise errors.invalid(f"The value {asked['Stat']} for parameter {place}.MetricStat.Stat is not supported.")
    return Query(
        metric=Metric(metric["Namespace"], metric["MetricName"], datums.dimensions(metric.get("Dimensions") or ())),
        stat=asked["Stat"],
        unit=asked.get("Unit") or "",
        period=_period(asked["Period"], f"{place}.MetricStat"),
        **shared,
    )


def _period(period: int, place: str) -> int:
    try:
        return periods.checked(period)
    except AwsError:
        raise errors.invalid(
            f"The value {period} for parameter {place}.Period is invalid: 1, 5, 10, 20, 30 or a multiple of 60."
        ) from None


def _check_expression(query: Query, known: set[str]) -> None:
    try:
        if selecting.is_select(query.expression):
            selecting.parse(query.expression)
            return
        tree = parse(query.expression)
    except (Fault, SyntaxFault) as fault:
        raise wrong(query.id, str(fault)) from None
    unknown = sorted(names(tree) - known)
    if unknown:
        raise wrong(query.id, f"Undefined variable '{unknown[0]}'")


def wrong(name: str, why: str) -> AwsError:
    """An expression that cannot be evaluated."""
    return errors.invalid(f"Error in expression '{name}' [{why}]")


class Asker:
    """Queries of one account and region over a span of time (Unix seconds). Periods are counted from the span's
    beginning when it is `sliding`, else from 1970."""

    def __init__(
        self,
        world: World,
        account: str,
        region: str,
        queries: Sequence[Query],
        start: float,
        stop: float,
        *,
        sliding: bool = False,
    ) -> None:
        self._world, self._account, self._region = world, account, region
        self._start, self._stop, self._sliding = start, stop, sliding
        self._by_id = {query.id: query for query in queries}
        self._lines: dict[str, Line] | None = None
        self._least = min((query.period for query in queries if query.period), default=60)
        asked = [query for query in queries if query.metric is not None or selecting.is_select(query.expression)]
        ids = {query.id for query in asked}
        self._sheet = Sheet(
            {query.id: query.expression for query in queries if query.id not in ids},
            {query.id: lambda query=query: self._measure(query) for query in asked},  # type: ignore[misc]  # bound
            self._window,
            self._search,
            self._limit,
        )

    def result(self, name: str) -> list[Series]:
        """The series that a query shows; raises `AwsError`."""
        try:
            return self._sheet.result(name)
        except (Fault, SyntaxFault) as fault:
            raise wrong(name, str(fault)) from None

    def line(self, query: Query) -> Line | None:
        """A plain statistic of a metric, which needs no mathematics; None for every other query. Those of a request are
        read together."""
        if self._lines is None:
            plain = [one for one in self._by_id.values() if one.metric is not None and one.stat in metrics.PLAIN]
            wanted = [
                Drawn(one.metric, one.stat, one.period, self._begin(one.period), one.unit)
                for one in plain
                if one.metric is not None
            ]
            found = metrics.lines(self._world, self._account, self._region, wanted, self._stop)
            self._lines = {one.id: line for one, line in zip(plain, found, strict=True)}
        return self._lines.get(query.id)

    def _begin(self, period: int) -> float:
        return self._start if self._sliding else self._start - self._start % period

    def _window(self, name: str) -> Window:
        return Window(self._start, self._stop, self._by_id[name].period or self._least, self._sliding)

    def _measure(self, query: Query) -> Series | list[Series]:
        if query.metric is None:
            select, window = selecting.parse(query.expression), self._window(query.id)
            found = selecting.run(self._world, self._account, self._region, select, window)
            return found if select.by else found[0]
        line = self.line(query)
        if line is not None:
            return self._told(query.metric, query.stat, query.period, line.points)
        return self._series(query.metric, query.stat, query.period, query.unit)

    def _series(self, metric: Metric, stat: str, period: int, unit: str = "") -> Series:
        statistic = statistics.parse(stat)
        if statistic is None:
            raise Fault(f"Unknown statistic '{stat}'")
        values = self._values(metric, stat, statistic, period, self._begin(period), unit)
        return self._told(metric, stat, period, values)

    def _told(self, metric: Metric, stat: str, period: int, values: dict[float, float]) -> Series:
        facts = {"MetricName": metric.name, "Namespace": metric.namespace, "Stat": stat, "Period": str(period),
                 "AccountId": self._account, "Region": self._region,
                 **{f"Dim.{name}": value for name, value in metric.dimensions}}  # fmt: skip
        return Series(values, period, metric.name, facts)

    def _values(
        self, metric: Metric, stat: str, statistic: statistics.Statistic, period: int, start: float, unit: str
    ) -> dict[float, float]:
        world, account, region = self._world, self._account, self._region
        if stat in metrics.PLAIN:
            return metrics.values(
                world, account, region, metric, stat, period=period, start=start, stop=self._stop, unit=unit
            )
        found = metrics.read(world, account, region, metric, period=period, start=start, stop=self._stop)
        points = [point for point in found if unit in ("", point.unit)]
        if not unit:
            points = metrics.blended(points)
        return {p.at: value for p in points if (value := statistic(p)) is not None}

    def _search(self, text: str, stat: str, period: int) -> list[Series]:
        try:
            wanted = searching.parse(text)
        except searching.NotUnderstood as why:
            raise Fault(str(why)) from None
        found = searching.find(self._world, self._account, self._region, wanted, self._start)
        made = []
        for metric in found:
            one = self._series(metric, stat, period)
            made.append(one._replace(label=" ".join((*(value for _, value in metric.dimensions), metric.name))))
        return made

    def _limit(self, facts: Mapping[str, str]) -> float | None:
        """The quota that a metric of ``AWS/Usage`` is used of."""
        if facts.get("Namespace") != usage_metrics.NAMESPACE:
            return None
        held = sorted((name[4:], value) for name, value in facts.items() if name.startswith("Dim."))
        code = usage_metrics.quotas_by_dimensions().get((facts["MetricName"], tuple(held)))
        return None if code is None else self._world.state.quotas.limit(self._account, self._region, code)
