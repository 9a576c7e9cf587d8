"""Evaluates a metric alarm: reads what it watches and judges it; says when to look again."""

from __future__ import annotations

import json
from datetime import datetime
from typing import NamedTuple

from cloudjar.base.errors import AwsError
from cloudjar.kit import metrics
from cloudjar.kit.context import World
from cloudjar.services.cloudwatch import judging, selecting, statistics, telling
from cloudjar.services.cloudwatch.judging import Datapoint, Rule, Verdict
from cloudjar.services.cloudwatch.queries import Asker
from cloudjar.services.cloudwatch.records import Alarm, Judged


class Evaluation(NamedTuple):
    """A verdict, the facts behind it (JSON), the newest value, and when to look again (None: when data come)."""

    verdict: Verdict
    data: str
    value: float | None
    again: datetime | None


def evaluate(world: World, alarm: Alarm) -> Evaluation:
    """What the alarm's state should be now."""
    judged = alarm.judged
    assert judged is not None
    now = world.clock.now().timestamp()
    step = _step(world, alarm, judged)
    end = now - now % step
    seen = _datapoints(world, alarm, judged, end)
    rule = Rule(judged.periods, judged.to_alarm, judged.threshold, judged.comparison, _missing(judged))
    verdict = judging.judge(rule, seen)
    if verdict.state is not None and _too_few(world, alarm, judged, end):
        verdict = Verdict(None)
    newest = next((point.value for point in reversed(seen) if point.value is not None), None)
    start = end - judged.period * len(seen)
    alive = newest is not None or _alive(world, alarm, judged, start)
    return Evaluation(
        verdict, _facts(world, judged, verdict, seen), newest, metrics.instant(end + step) if alive else None
    )


def _missing(judged: Judged) -> str:
    if any(query.metric is not None and query.metric.namespace == "AWS/DynamoDB" for query in judged.queries):
        return "ignore"
    return judged.missing or "missing"


def _step(world: World, alarm: Alarm, judged: Judged) -> int:
    """How often the alarm is looked at: each minute (ten seconds for high resolution), or as often as there is news."""
    if judged.wall_clock:
        return judged.period
    step = 60 if judged.period >= 60 else 10
    for query in judged.queries:
        source = metrics.source(world, query.metric.namespace) if query.metric is not None else None
        if source is not None and query.metric is not None:
            step = max(step, min(source.step(world, alarm.account, alarm.region, query.metric), judged.period))
    return step


def _datapoints(world: World, alarm: Alarm, judged: Judged, end: float) -> list[Datapoint]:
    """The evaluation range, oldest first."""
    length = judged.periods + judging.SPARE
    start = end - judged.period * length
    asker = Asker(world, alarm.account, alarm.region, judged.queries, start, end, sliding=True)
    try:
        found = asker.result(judged.watched)
    except AwsError:
        found = []
    values = found[0].values if len(found) == 1 else {}
    return [Datapoint(at, values.get(at)) for at in (start + judged.period * n for n in range(length))]


def _too_few(world: World, alarm: Alarm, judged: Judged, end: float) -> bool:
    """Percentiles of few samples say little; an alarm can ask that they be left alone."""
    if judged.low_samples != "ignore" or not judged.plain or not judged.extended:
        return False
    query = judged.queries[0]
    assert query.metric is not None
    if not statistics.is_percentile(query.stat):
        return False
    share = float(query.stat[1:]) / 100
    needed = 10 / (1 - share) if share >= 0.5 and share < 1 else 10 / max(share, 1e-9)
    start = end - judged.period * judged.periods
    found = metrics.read(
        world, alarm.account, alarm.region, query.metric, period=judged.period, start=start, stop=end
    )
    return any(point.samples < needed for point in found)


def _alive(world: World, alarm: Alarm, judged: Judged, start: float) -> bool:
    """Whether anything that is watched has data in the range or will have; else only new data can change the state."""
    for query in judged.queries:
        if query.metric is None:
            if "SEARCH" in query.expression or selecting.is_select(query.expression):
                return True
            continue
        source = metrics.source(world, query.metric.namespace)
        if source is not None and source.step(world, alarm.account, alarm.region, query.metric):
            return True
        held = metrics.points(world)
        series = held.find(alarm.account, alarm.region, *query.metric)
        if series is not None and held.last(series) >= start - judged.period:
            return True
    return False


def _facts(world: World, judged: Judged, verdict: Verdict, seen: list[Datapoint]) -> str:
    """``StateReasonData``."""
    now = world.clock.now()
    newest = list(seen[-judged.periods :])
    facts: dict[str, object] = {"version": "1.0", "queryDate": telling.stamp(now)}
    if newest:
        facts["startDate"] = telling.stamp(metrics.instant(newest[0].at))
    if judged.plain:
        query = judged.queries[0]
        facts["statistic" if not judged.extended else "extendedStatistic"] = query.stat
        if query.unit:
            facts["unit"] = query.unit
    facts["period"] = judged.period
    facts["recentDatapoints"] = [p.value for p in newest if p.value is not None]
    facts["threshold"] = judged.threshold
    facts["evaluatedDatapoints"] = [
        {"timestamp": telling.stamp(metrics.instant(point.at)), "value": point.value}
        for point in verdict.decided or reversed(newest)
        if point.value is not None
    ]
    return json.dumps(facts)
