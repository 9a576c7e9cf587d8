"""``AWS/Scheduler``: what became of invocations, counted by the minute; CloudWatch derives its metrics from the counts.

An invocation adds one to a number that is there, or begins one: a year of them is a year of small numbers. What is
older than CloudWatch keeps minutes for is kept by five minutes, then by the hour, then not at all.

https://docs.aws.amazon.com/scheduler/latest/UserGuide/monitoring-cloudwatch.html
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import pairwise

from cloudjar.kit import metrics, own_tables
from cloudjar.kit.context import World
from cloudjar.kit.metrics import KEPT, Metric, Point
from cloudjar.services.scheduler.records import Schedule
from cloudjar.store.database import Database

NAMESPACE = "AWS/Scheduler"
_GROUP = "ScheduleGroup"
_PORT = "scheduler.counts"
_SCHEMA = (
    "CREATE TABLE IF NOT EXISTS scheduler_count (span INTEGER, at INTEGER, account TEXT, region TEXT, name TEXT, "
    "grp TEXT, amount INTEGER, PRIMARY KEY (span, at, account, region, name, grp)) WITHOUT ROWID",
)
_ADD = (
    "INSERT INTO scheduler_count VALUES (60,?,?,?,?,?,?) ON CONFLICT DO UPDATE SET amount = amount + excluded.amount"
)
_COARSER = (
    "INSERT INTO scheduler_count SELECT ?, at - at % ?, account, region, name, grp, sum(amount) FROM scheduler_count "
    "WHERE span=? AND at<? GROUP BY 2, 3, 4, 5, 6 ON CONFLICT DO UPDATE SET amount = amount + excluded.amount"
)
_SPANS = (60, 300, 3600)
_DAY = 86_400
_ACTIVE = 3600
"""Seconds after an invocation in which its metrics are taken to go on."""


class Counts:
    """The table. Writes are inside the caller's transaction."""

    def __init__(self, world: World) -> None:
        self._database: Database = world.state.database
        self._day = -1
        """The day on which what is old was last made coarser, in this life."""
        own_tables.create(self._database, _SCHEMA)

    def add(self, account: str, region: str, group: str, counted: Mapping[str, int], now: float) -> None:
        """Something happened to an invocation of a group's schedule."""
        at = int(now)
        if at // _DAY != self._day:
            self._thin(at)
        for name, amount in counted.items():
            if amount:
                self._database.execute(_ADD, (at - at % 60, account, region, name, group, amount))

    def _thin(self, now: int) -> None:
        self._day = now // _DAY
        run = self._database.execute
        for span, coarser in pairwise(_SPANS):
            old = (now - KEPT[span]) // coarser * coarser
            run(_COARSER, (coarser, coarser, span, old))
            run("DELETE FROM scheduler_count WHERE span=? AND at<?", (span, old))
        run("DELETE FROM scheduler_count WHERE span=3600 AND at<?", (now - KEPT[3600],))

    def names(self, account: str, region: str, since: float) -> list[tuple[str, str]]:
        """(metric, group) of everything that was counted since an instant."""
        asked = "SELECT DISTINCT name, grp FROM scheduler_count WHERE span=? AND at>? AND account=? AND region=?"
        found = {
            (row[0], row[1])
            for span in _SPANS
            for row in self._database.query(asked, (span, since - span, account, region))
        }
        return sorted(found)

    def read(
        self, account: str, region: str, name: str, group: str | None, start: float, stop: float
    ) -> list[tuple[int, int]]:
        """(begin of a period, how many) of the periods that begin in [start, stop), oldest first; None: of all
        groups."""
        rows = self._database.query(
            "SELECT at, sum(amount) FROM scheduler_count WHERE span IN (60, 300, 3600) AND at>=? AND at<? "
            "AND account=? AND region=? AND name=? AND (? IS NULL OR grp=?) GROUP BY at ORDER BY at",
            (start, stop, account, region, name, group, group),
        )
        return [(row[0], row[1]) for row in rows]


def counts(world: World) -> Counts:
    """The table of a jar."""
    return own_tables.of_jar(world, _PORT, lambda: Counts(world))


def count(world: World, schedule: Schedule, counted: Mapping[str, int]) -> None:
    """Something became of an invocation; in a transaction."""
    account, region = schedule.account, schedule.region
    counts(world).add(account, region, schedule.group, counted, world.clock.now().timestamp())
    if metrics.any_is_watched(world, account, region):
        for name, amount in counted.items():
            if amount:
                for dimensions in ((), ((_GROUP, schedule.group),)):
                    metrics.moved(world, account, region, Metric(NAMESPACE, name, dimensions))


class Source:
    """Answers for the namespace: of all schedules, and of each group."""

    service = "scheduler"

    def metrics(self, world: World, account: str, region: str, since: float) -> Iterable[Metric]:
        """Those of which something was counted since."""
        found = counts(world).names(account, region, since)
        for name in sorted({name for name, _ in found}):
            yield Metric(NAMESPACE, name)
        for name, group in found:
            yield Metric(NAMESPACE, name, ((_GROUP, group),))

    def step(self, world: World, account: str, region: str, metric: Metric) -> int:
        """A minute, while something was counted not long ago."""
        now = world.clock.now().timestamp()
        return 60 if self._counted(world, account, region, metric, now - _ACTIVE, now + 1) else 0

    def read(
        self, world: World, account: str, region: str, metric: Metric, start: float, stop: float
    ) -> Iterable[Point]:
        """Its points of the minutes that are over: each measurement was a one."""
        now = world.clock.now().timestamp()
        for at, amount in self._counted(world, account, region, metric, start, min(stop, now - now % 60)):
            yield Point(float(at), "Count", float(amount), float(amount), 1.0, 1.0, ((1.0, float(amount)),))

    def _counted(
        self, world: World, account: str, region: str, metric: Metric, start: float, stop: float
    ) -> list[tuple[int, int]]:
        dimensions = dict(metric.dimensions)
        group = dimensions.pop(_GROUP, None)
        return [] if dimensions else counts(world).read(account, region, metric.name, group, start, stop)


metrics.derives(NAMESPACE, Source())
