"""Metrics that follow from what is logged: those of metric filters, and the group's own in ``AWS/Logs``.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/MonitoringLogData.html
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime

from cloudjar.kit import custom_metrics, metrics
from cloudjar.kit.context import Ctx
from cloudjar.kit.metrics import Metric, Point
from cloudjar.services.logs import embedded
from cloudjar.services.logs.patterns.filter import Pattern, Values, compiled
from cloudjar.services.logs.patterns.scanner import TooSlow, number
from cloudjar.services.logs.records import STANDARD, LogGroup, MetricFilter, Transformation

Message = tuple[int, bytes]
"""Time in milliseconds and UTF-8."""
_MINUTE = 60_000
_NAMESPACE = "AWS/Logs"


def observed(ctx: Ctx, group: LogGroup, events: Sequence[Message], size: int) -> None:
    """Put what a batch says; inside its transaction."""
    now = ctx.now
    for dimensions in ((), (("LogGroupName", group.name),)):
        for name, amount, unit in (("IncomingBytes", size, "Bytes"), ("IncomingLogEvents", len(events), "None")):
            _put(ctx, Metric(_NAMESPACE, name, dimensions), [metrics.value(now, amount, unit)])
    if group.group_class != STANDARD:
        return
    _embedded(ctx, group, events)
    for one in ctx.db[MetricFilter].all(group=group.name):
        for metric, points in _points(ctx, one, events):
            _put(ctx, metric, points)
            custom_metrics.charge(ctx, (metric,))


def _embedded(ctx: Ctx, group: LogGroup, events: Sequence[Message]) -> None:
    """Put the metrics that events bring with them; what is not understood is counted."""
    found: dict[tuple[Metric, bool], list[Point]] = {}
    wrong = 0
    for _, raw in events:
        try:
            for metric, fine, point in embedded.measured(raw):
                found.setdefault((metric, fine), []).append(point)
        except embedded.Malformed:
            wrong += 1
    if found:
        measured = [(metric, fine, points) for (metric, fine), points in found.items()]
        metrics.put_all(ctx.world, ctx.account, ctx.region, measured)
        custom_metrics.charge(ctx, (metric for metric, _ in found))
    if wrong:
        point = metrics.value(ctx.now, wrong, "None")
        _put(ctx, Metric(_NAMESPACE, "EMFValidationErrors", (("LogGroupName", group.name),)), [point])


def _put(ctx: Ctx, metric: Metric, points: list[Point]) -> None:
    metrics.put(ctx.world, ctx.account, ctx.region, metric, points)


def _points(ctx: Ctx, one: MetricFilter, events: Sequence[Message]) -> Iterator[tuple[Metric, list[Point]]]:
    made, pattern = one.transformation, compiled(one.pattern)
    found: dict[Metric, list[Point]] = {}
    minutes: set[int] = set()
    for time, raw in events:
        message = raw.decode()
        values = _match(pattern, message)
        amount = None if values is None else _amount(made, pattern, message, values)
        metric = None if values is None else _metric(made, pattern, message, values)
        if amount is not None and metric is not None:
            found.setdefault(metric, []).append(metrics.value(_instant(time), amount, made.unit or "None"))
            minutes.add(time // _MINUTE)
    if made.default is not None:
        plain = Metric(made.namespace, made.name)
        idle = sorted({time // _MINUTE for time, _ in events} - minutes)
        for minute in idle:
            if not _has_points(ctx, plain, minute):
                found.setdefault(plain, []).append(
                    metrics.value(_instant(minute * _MINUTE), made.default, made.unit or "None")
                )
    yield from found.items()


def _match(pattern: Pattern, message: str) -> Values | None:
    try:
        return pattern.match(message)
    except TooSlow:
        return None


def _instant(time: int) -> datetime:
    return datetime.fromtimestamp(time / 1000, UTC)


def _value(selector: str, pattern: Pattern, message: str, values: Values) -> str | None:
    return values.get(selector) or pattern.value(message, selector)


def _amount(made: Transformation, pattern: Pattern, message: str, values: Values) -> float | None:
    """The number that an event counts for; None when what was to be taken out of it is none."""
    text = _value(made.value, pattern, message, values) if made.value.startswith("$") else made.value
    found = None if text is None else number(text)
    return None if found is None else float(found)


def _metric(made: Transformation, pattern: Pattern, message: str, values: Values) -> Metric | None:
    """The metric of an event; None when it lacks one of the dimensions."""
    dimensions = {
        name: _value(selector, pattern, message, values) for name, selector in made.dimensions.items()
    }
    known = tuple(sorted((name, value) for name, value in dimensions.items() if value))
    return Metric(made.namespace, made.name, known) if len(known) == len(dimensions) else None


def _has_points(ctx: Ctx, metric: Metric, minute: int) -> bool:
    start = minute * 60.0
    return bool(metrics.read(ctx.world, ctx.account, ctx.region, metric, period=60, start=start, stop=start + 60))
