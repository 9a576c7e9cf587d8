"""Metrics Insights: ``SELECT AVG(CPUUtilization) FROM SCHEMA("AWS/EC2", InstanceId) GROUP BY InstanceId ...``.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/cloudwatch-metrics-insights-querylanguage.html
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

from cloudjar.kit import metrics
from cloudjar.kit.context import World
from cloudjar.kit.metrics import Drawn, Line, Metric
from cloudjar.services.cloudwatch.math.functions import Window
from cloudjar.services.cloudwatch.math.values import Fault, Series
from cloudjar.services.cloudwatch.searching import among

MOST = 500
"""Series of an answer."""
_TOKEN = re.compile(r"""\s*(?:("(?:[^"\\]|\\.)*")|('(?:[^'\\]|\\.)*')|(!=|[(),=])|([\w./:-]+))\s*""")
_FUNCTIONS = {"AVG": "Average", "COUNT": "SampleCount", "MAX": "Maximum", "MIN": "Minimum", "SUM": "Sum"}
_JOIN: dict[str, Callable[[float, float], float]] = {"MAX": max, "MIN": min}


class Condition(NamedTuple):
    """A dimension that must (not) have one of these values."""

    name: str
    values: frozenset[str]
    same: bool


class Select(NamedTuple):
    """A query, read. `dimensions` is None without a schema; `order` is a function's name or ""."""

    function: str
    metric: str
    namespace: str
    dimensions: frozenset[str] | None
    where: tuple[Condition, ...]
    by: tuple[str, ...]
    order: str
    descending: bool
    limit: int


def is_select(expression: str) -> bool:
    """Whether an expression is such a query."""
    return re.match(r"\s*SELECT\b", expression, re.IGNORECASE) is not None


def parse(text: str) -> Select:
    """Read a query; raises `Fault`."""
    return _Reader(text).select()


class _Reader:
    def __init__(self, text: str) -> None:
        self._tokens: list[tuple[str, bool]] = []
        rest = text.strip()
        while rest:
            match = _TOKEN.match(rest)
            if match is None:
                raise Fault(f"The query cannot be read at '{rest[:20]}'")
            quoted = match[1] or match[2]
            self._tokens.append((_plain(quoted), True) if quoted else (match[3] or match[4], False))
            rest = rest[match.end() :]

    def _is(self, *words: str) -> bool:
        """Whether these words are next, which are taken then."""
        head = self._tokens[: len(words)]
        if [(word.upper(), quoted) for word, quoted in head] != [(word, False) for word in words]:
            return False
        del self._tokens[: len(words)]
        return True

    def _need(self, *words: str) -> None:
        if not self._is(*words):
            found = self._tokens[0][0] if self._tokens else "the end"
            raise Fault(f"Expected {' '.join(words)}, found {found}")

    def _name(self, what: str) -> str:
        if not self._tokens or (not self._tokens[0][1] and self._tokens[0][0] in "(),=!="):
            raise Fault(f"Expected {what}")
        return self._tokens.pop(0)[0]

    def _names(self, what: str) -> list[str]:
        found = [self._name(what)]
        while self._is(","):
            found.append(self._name(what))
        return found

    def select(self) -> Select:
        self._need("SELECT")
        function = self._function()
        self._need("(")
        metric = self._name("a metric")
        self._need(")")
        self._need("FROM")
        schema = self._is("SCHEMA")
        if schema:
            self._need("(")
        parts = self._names("a namespace") if schema else [self._name("a namespace")]
        if schema:
            self._need(")")
        where = self._where()
        by = tuple(self._names("a dimension")) if self._is("GROUP", "BY") else ()
        order, descending = self._order()
        limit = self._limit()
        if self._tokens:
            raise Fault(f"The query goes on with '{self._tokens[0][0]}', which is not understood")
        for name in (*by, *(condition.name for condition in where)):
            if name.startswith("tag.") or name == "AWS.AccountId":
                raise Fault(f"{name} is not built in Cloudjar yet")
        dimensions = frozenset(parts[1:]) if schema and parts[1:] else None
        return Select(function, metric, parts[0], dimensions, where, by, order, descending, limit)

    def _function(self) -> str:
        name = self._name("a function").upper()
        if name not in _FUNCTIONS:
            raise Fault(f"{name} is none of {', '.join(_FUNCTIONS)}")
        return name

    def _where(self) -> tuple[Condition, ...]:
        if not self._is("WHERE"):
            return ()
        found = [self._condition()]
        while self._is("AND"):
            found.append(self._condition())
        if self._is("OR"):
            raise Fault("OR in WHERE is not understood")
        return tuple(found)

    def _condition(self) -> Condition:
        if self._is("("):
            inner = self._condition()
            self._need(")")
            return inner
        name = self._name("a dimension")
        same = not self._is("!=")
        if same:
            self._need("=")
        return Condition(name, frozenset((self._name("a value"),)), same)

    def _order(self) -> tuple[str, bool]:
        if not self._is("ORDER", "BY"):
            return "", False
        order = self._function()
        self._need("(")
        self._need(")")
        descending = self._is("DESC")
        if not descending:
            self._is("ASC")
        return order, descending

    def _limit(self) -> int:
        if not self._is("LIMIT"):
            return MOST
        text = self._name("a number")
        if not text.isdigit() or not 0 < int(text) <= MOST:
            raise Fault(f"LIMIT must be a number from 1 to {MOST}")
        return int(text)


def _plain(quoted: str) -> str:
    return re.sub(r"\\(.)", r"\1", quoted[1:-1])


def run(world: World, account: str, region: str, asked: Select, window: Window) -> list[Series]:
    """The series of a query over a span of time; one without groups, though it be empty."""
    groups: dict[tuple[str, ...], list[Metric]] = {}
    for metric in among(world, account, region, asked.namespace, asked.metric, window.start):
        held = dict(metric.dimensions)
        if asked.dimensions not in (None, held.keys()) or any(name not in held for name in asked.by):
            continue
        if all((held.get(one.name) in one.values) == one.same for one in asked.where):
            groups.setdefault(tuple(held[name] for name in asked.by), []).append(metric)
    if not asked.by:
        groups = groups or {(): []}
    found = [
        Series(_joined(world, account, region, asked.function, members, window), window.period,
               " ".join(values) or asked.metric)
        for values, members in sorted(groups.items())
    ]  # fmt: skip
    if asked.order:
        found.sort(key=lambda one: _weight(asked.order, one.values.values()), reverse=asked.descending)
    return found[: asked.limit]


def _weight(order: str, values: Iterable[float]) -> float:
    held = list(values)
    if not held:
        return float("-inf")
    return {"AVG": sum(held) / len(held), "COUNT": float(len(held)), "MAX": max(held), "MIN": min(held)}.get(
        order, sum(held)
    )


def _joined(
    world: World, account: str, region: str, function: str, members: Sequence[Metric], window: Window
) -> dict[float, float]:
    """A function over the values of several metrics, by period."""
    total: dict[float, float] = {}
    samples: dict[float, float] = {}
    join = _JOIN.get(function, float.__add__)
    stat = "Sum" if function == "AVG" else _FUNCTIONS[function]
    for line in _lines(world, account, region, members, stat, window):
        for at, value in zip(line.at, line.values, strict=True):
            total[at] = join(total[at], value) if at in total else value
    if function == "AVG":
        for line in _lines(world, account, region, members, "SampleCount", window):
            for at, value in zip(line.at, line.values, strict=True):
                samples[at] = samples.get(at, 0.0) + value
    if function == "AVG":
        total = {at: value / samples[at] for at, value in total.items() if samples.get(at)}
    return dict(sorted(total.items()))


def _lines(
    world: World, account: str, region: str, members: Sequence[Metric], stat: str, window: Window
) -> list[Line]:
    start = window.start if window.sliding else window.start - window.start % window.period
    wanted = [Drawn(metric, stat, window.period, start) for metric in members]
    return metrics.lines(world, account, region, wanted, window.stop)
