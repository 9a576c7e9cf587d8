"""The functions of metric math.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/using-metric-math.html#metric-math-syntax
"""

from __future__ import annotations

import math
import operator
import statistics
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from itertools import pairwise
from typing import NamedTuple

from cloudjar.services.cloudwatch.math.values import Fault, Series, Value, both, each, number, series, several

MOST_INSTANTS = 100_800
"""Periods that a function may fill: as many as an answer may hold data points."""


class Window(NamedTuple):
    """What is asked about: [start, stop) in Unix seconds, and the grid of periods in it."""

    start: float
    stop: float
    period: int
    sliding: bool = False

    def instants(self, period: int = 0) -> list[float]:
        """Where periods begin."""
        step = period or self.period
        first = self.start if self.sliding else self.start + (-self.start) % step
        number = max(0, math.ceil((self.stop - first) / step))
        if number > MOST_INSTANTS:
            raise Fault(f"The time range has more than {MOST_INSTANTS} periods")
        return [first + step * n for n in range(number)]


Function = Callable[[Sequence[Value], Window], Value]

OPERATORS: dict[str, Callable[[float, float], float]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": operator.truediv,
    "^": operator.pow,
    "==": lambda a, b: float(a == b),
    "!=": lambda a, b: float(a != b),
    "<": lambda a, b: float(a < b),
    ">": lambda a, b: float(a > b),
    "<=": lambda a, b: float(a <= b),
    ">=": lambda a, b: float(a >= b),
    "AND": lambda a, b: float(bool(a) and bool(b)),
    "OR": lambda a, b: float(bool(a) or bool(b)),
}
_UNARY: dict[str, Callable[[float], float]] = {
    "NEGATE": operator.neg,
    "ABS": abs,
    "CEIL": math.ceil,
    "FLOOR": math.floor,
    "LOG": math.log,
    "LOG10": math.log10,
}
_MANY: dict[str, Callable[[list[float]], float]] = {
    "AVG": statistics.fmean,
    "SUM": math.fsum,
    "MIN": min,
    "MAX": max,
    "STDDEV": lambda held: statistics.stdev(held) if len(held) > 1 else 0.0,
}
_CLOCK: dict[str, Callable[[datetime], float]] = {
    "MINUTE": lambda at: at.minute,
    "HOUR": lambda at: at.hour,
    "DAY": lambda at: at.isoweekday(),
    "DATE": lambda at: at.day,
    "MONTH": lambda at: at.month,
    "YEAR": lambda at: at.year,
    "EPOCH": lambda at: at.timestamp(),
}


def call(name: str, args: Sequence[Value], window: Window) -> Value:
    """A function or operator applied; raises `Fault`."""
    if name in OPERATORS:
        return both(args[0], args[1], name, OPERATORS[name])
    if name in _UNARY:
        return each(_only(name, args), name, _UNARY[name])
    if name in _MANY:
        return _many(name, _only(name, args))
    if name in _CLOCK:
        held = series(_only(name, args), name)
        return held.of({at: float(_CLOCK[name](datetime.fromtimestamp(at, UTC))) for at in held.values})
    function = _NAMED.get(name)
    if function is None:
        raise Fault(f"Unknown function '{name}'" if name not in ABSENT else f"The function {name} is not built here")
    return function(args, window)


ABSENT = frozenset(("ANOMALY_DETECTION_BAND", "DB_PERF_INSIGHTS", "INSIGHT_RULE_METRIC", "LAMBDA"))
"""Functions of AWS that are not built."""


def _only(name: str, args: Sequence[Value]) -> Value:
    if len(args) != 1:
        raise Fault(f"{name} takes one argument")
    return args[0]


def _many(name: str, value: Value) -> Value:
    """Of one series a number; of several the series of what they have at each instant."""
    join = _MANY[name]
    if isinstance(value, Series):
        return float(join(list(value.values.values()))) if value.values else math.nan
    held = several(value, name)
    at_each: dict[float, list[float]] = {}
    for one in held:
        for at, amount in one.values.items():
            at_each.setdefault(at, []).append(amount)
    period = max((one.period for one in held), default=60)
    return Series({}, period).of({at: float(join(found)) for at, found in sorted(at_each.items())})


def _per_series(name: str, change: Callable[[Series, Window], dict[float, float]]) -> Function:
    def apply(args: Sequence[Value], window: Window) -> Value:
        value = _only(name, args)
        if isinstance(value, list):
            return [one.of(change(one, window)) for one in value]
        held = series(value, name)
        return held.of(change(held, window))

    return apply


def _steps(held: Series, change: Callable[[float, float, float, float], float]) -> dict[float, float]:
    """Of each value and the one before it: (instant before, value before, instant, value)."""
    held_at = held.values
    return {at: change(before, held_at[before], at, held_at[at]) for before, at in pairwise(sorted(held_at))}


def _running(held: Series, _: Window) -> dict[float, float]:
    total, made = 0.0, {}
    for at in sorted(held.values):
        total += held.values[at]
        made[at] = total
    return made


def _fill(args: Sequence[Value], window: Window) -> Value:
    if len(args) != 2:
        raise Fault("FILL takes a metric and what to fill with")
    value, by = args
    if isinstance(value, list):
        return [series(_fill((one, by), window), "FILL") for one in value]
    held = series(value, "FILL")
    made = dict(held.values)
    known = sorted(held.values)
    for at in window.instants(held.period):
        if at in made:
            continue
        before = max((k for k in known if k < at), default=None)
        after = min((k for k in known if k > at), default=None)
        found = _filled(held, by, at, before, after)
        if found is not None:
            made[at] = found
    return held.of(dict(sorted(made.items())))


def _filled(held: Series, by: Value, at: float, before: float | None, after: float | None) -> float | None:
    if isinstance(by, float):
        return by
    if isinstance(by, Series):
        return by.values.get(at)
    if by == "REPEAT":
        return None if before is None else held.values[before]
    if by == "LINEAR":
        if before is None or after is None:
            return None
        share = (at - before) / (after - before)
        return held.values[before] + (held.values[after] - held.values[before]) * share
    raise Fault("FILL fills with a number, a metric, REPEAT or LINEAR")


def _if(args: Sequence[Value], _: Window) -> Value:
    if len(args) not in (2, 3):
        raise Fault("IF takes a condition and one or two values")
    condition, then = args[0], args[1]
    other: Value = args[2] if len(args) == 3 else math.nan
    if isinstance(condition, float):
        return then if condition else other
    asked = series(condition, "IF")
    made = {}
    for at, true in asked.values.items():
        chosen = then if true else other
        found = chosen.values.get(at) if isinstance(chosen, Series) else number(chosen, "IF")
        if found is not None:
            made[at] = found
    return asked.of(made)


def _sort(args: Sequence[Value], _: Window) -> Value:
    if not 2 <= len(args) <= 4 or not isinstance(args[1], str):
        raise Fault("SORT takes an array, AVG, MIN, MAX or SUM, ASC or DESC, and how many")
    join = _MANY.get(args[1])
    order = args[2] if len(args) > 2 else "ASC"
    if join is None or order not in ("ASC", "DESC"):
        raise Fault("SORT takes an array, AVG, MIN, MAX or SUM, ASC or DESC, and how many")
    held = [one for one in several(args[0], "SORT") if one.values]
    held.sort(key=lambda one: join(list(one.values.values())), reverse=order == "DESC")
    return held[: int(number(args[3], "SORT"))] if len(args) == 4 else held


def _slice(args: Sequence[Value], _: Window) -> Value:
    held = several(args[0], "SLICE")
    bounds = [int(number(arg, "SLICE")) for arg in args[1:]]
    match bounds:
        case [at]:
            return held[at] if 0 <= at < len(held) else []
        case [first, last]:
            return held[first:last]
    raise Fault("SLICE takes an array and one or two places")


def _time_series(args: Sequence[Value], window: Window) -> Value:
    amount = number(_only("TIME_SERIES", args), "TIME_SERIES")
    return Series({}, window.period).of(dict.fromkeys(window.instants(), amount))


def _end(name: str, place: int) -> Function:
    def apply(args: Sequence[Value], _: Window) -> Value:
        value = _only(name, args)
        if isinstance(value, Series):
            return value.values[sorted(value.values)[place]] if value.values else math.nan
        held = several(value, name)
        return held[place] if held else []

    return apply


def _counted(args: Sequence[Value], _: Window) -> Value:
    value = _only("DATAPOINT_COUNT", args)
    if isinstance(value, Series):
        return float(len(value.values))
    return _many("SUM", [one.of(dict.fromkeys(one.values, 1.0)) for one in several(value, "DATAPOINT_COUNT")])


_NAMED: dict[str, Function] = {
    "DATAPOINT_COUNT": _counted,
    "DIFF": _per_series("DIFF", lambda held, _: _steps(held, lambda t0, v0, t1, v1: v1 - v0)),
    "DIFF_TIME": _per_series("DIFF_TIME", lambda held, _: _steps(held, lambda t0, v0, t1, v1: t1 - t0)),
    "FILL": _fill,
    "FIRST": _end("FIRST", 0),
    "IF": _if,
    "LAST": _end("LAST", -1),
    "METRIC_COUNT": lambda args, _: float(len(several(_only("METRIC_COUNT", args), "METRIC_COUNT"))),
    "PERIOD": lambda args, _: float(series(_only("PERIOD", args), "PERIOD").period),
    "RATE": _per_series("RATE", lambda held, _: _steps(held, lambda t0, v0, t1, v1: (v1 - v0) / (t1 - t0))),
    "REMOVE_EMPTY": lambda args, _: [one for one in several(_only("REMOVE_EMPTY", args), "REMOVE_EMPTY") if one.values],
    "RUNNING_SUM": _per_series("RUNNING_SUM", _running),
    "SLICE": _slice,
    "SORT": _sort,
    "TIME_SERIES": _time_series,
}
