"""Metrics that only count (invocations, matched events): a number by the minute, from which CloudWatch derives them.

An event adds one to a number that is there, or begins one: there is nothing to put together or to pack, and a year of
them is a year of small numbers. What is older than CloudWatch keeps minutes for is kept by five minutes, then by the
hour, then not at all. Each measurement is a one: what counts by more at a time is to be put (`metrics.put`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import lru_cache
from itertools import pairwise

from cloudjar.kit import metrics, own_tables
from cloudjar.kit.context import World
from cloudjar.kit.metrics import KEPT, Metric, Point
from cloudjar.store.database import Database
from cloudjar.store.points import key_of, pairs_of

Dimensions = tuple[tuple[str, str], ...]
_PORT = "counted metrics"
_SCHEMA = (
    "CREATE TABLE IF NOT EXISTS metric_count (span INTEGER, at INTEGER, account TEXT, region TEXT, namespace TEXT, "
    "dimensions TEXT, name TEXT, amount INTEGER, "
    "PRIMARY KEY (span, at, account, region, namespace, dimensions, name)) WITHOUT ROWID",
)
_ADD = "INSERT INTO metric_count VALUES (60,?,?,?,?,?,?,?) ON CONFLICT DO UPDATE SET amount = amount + excluded.amount"
_COARSER = (
    "INSERT INTO metric_count SELECT ?, at - at % ?, account, region, namespace, dimensions, name, sum(amount) "
    "FROM metric_count WHERE span=? AND at<? GROUP BY 2, 3, 4, 5, 6, 7 "
    "ON CONFLICT DO UPDATE SET amount = amount + excluded.amount"
)
_SPANS = (60, 300, 3600)
_DAY = 86_400
_ACTIVE = 3600
"""Seconds after an event in which its metric is taken to go on."""
_text = lru_cache(maxsize=4096)(key_of)


class Counts:
    """The table. Writes are inside the caller's transaction."""

    def __init__(self, world: World) -> None:
        self._database: Database = world.state.database
        self._day = -1
        """The day on which what is old was last made coarser, in this life."""
        own_tables.create(self._database, _SCHEMA)

    def add(
        self, account: str, region: str, namespace: str, dimensions: Dimensions, counted: Mapping[str, int], now: float
    ) -> None:
        """So many of each name happened."""
        at = int(now)
        if at // _DAY != self._day:
            self._thin(at)
        minute, text = at - at % 60, _text(dimensions)
        for name, amount in counted.items():
            if amount:
                self._database.execute(_ADD, (minute, account, region, namespace, text, name, amount))

    def _thin(self, now: int) -> None:
        self._day = now // _DAY
        run = self._database.execute
        for span, coarser in pairwise(_SPANS):
            old = (now - KEPT[span]) // coarser * coarser
            run(_COARSER, (coarser, coarser, span, old))
            run("DELETE FROM metric_count WHERE span=? AND at<?", (span, old))
        run("DELETE FROM metric_count WHERE span=3600 AND at<?", (now - KEPT[3600],))

    def names(self, account: str, region: str, namespace: str, since: float) -> list[tuple[str, Dimensions]]:
        """(name, dimensions) of everything that was counted since an instant."""
        asked = (
            "SELECT DISTINCT name, dimensions FROM metric_count WHERE span=? AND at>? AND account=? AND region=? "
            "AND namespace=?"
        )
        found = {
            (row[0], row[1])
            for span in _SPANS
            for row in self._database.query(asked, (span, since - span, account, region, namespace))
        }
        return [(name, pairs_of(text)) for name, text in sorted(found)]

    def read(
        self, account: str, region: str, metric: Metric, start: float, stop: float, *, total: bool = False
    ) -> list[tuple[int, int]]:
        """(begin of a period, how many) of the periods that begin in [start, stop), oldest first; `total`: of all
        dimensions."""
        text = None if total else _text(metric.dimensions)
        rows = self._database.query(
            "SELECT at, sum(amount) FROM metric_count WHERE span IN (60, 300, 3600) AND at>=? AND at<? "
            "AND account=? AND region=? AND namespace=? AND name=? AND (? IS NULL OR dimensions=?) "
            "GROUP BY at ORDER BY at",
            (start, stop, account, region, metric.namespace, metric.name, text, text),
        )
        return [(row[0], row[1]) for row in rows]


def counts(world: World) -> Counts:
    """The table of a jar."""
    return own_tables.of_jar(world, _PORT, lambda: Counts(world))


class Counted:
    """A namespace of which (also) such metrics are derived. `totals`: without dimensions, a name is of all that have
    some."""

    def __init__(self, namespace: str, service: str, *, totals: bool = False) -> None:
        self.namespace, self.service, self._totals = namespace, service, totals
        metrics.derives(namespace, self)

    def count(self, world: World, account: str, region: str, dimensions: Dimensions, **counted: int) -> None:
        """So many of each name happened; in a transaction."""
        now = world.clock.now().timestamp()
        counts(world).add(account, region, self.namespace, dimensions, counted, now)
        if metrics.any_is_watched(world, account, region):
            for name, amount in counted.items():
                for of in (dimensions, ()) if amount else ():
                    metrics.moved(world, account, region, Metric(self.namespace, name, of))

    def metrics(self, world: World, account: str, region: str, since: float) -> Iterable[Metric]:
        """Those of which something was counted since."""
        found = counts(world).names(account, region, self.namespace, since)
        if self._totals:
            yield from (Metric(self.namespace, name) for name in sorted({name for name, _ in found}))
        for name, dimensions in found:
            yield Metric(self.namespace, name, dimensions)

    def step(self, world: World, account: str, region: str, metric: Metric) -> int:
        """A minute, while something was counted not long ago."""
        now = world.clock.now().timestamp()
        return 60 if self._read(world, account, region, metric, now - _ACTIVE, now + 1) else 0

    def read(
        self, world: World, account: str, region: str, metric: Metric, start: float, stop: float
    ) -> Iterable[Point]:
        """Its points, that of the minute that goes on among them: what was counted is told at once."""
        for at, amount in self._read(world, account, region, metric, start, stop):
            yield Point(float(at), "Count", float(amount), float(amount), 1.0, 1.0, ((1.0, float(amount)),))

    def _read(
        self, world: World, account: str, region: str, metric: Metric, start: float, stop: float
    ) -> list[tuple[int, int]]:
        total = self._totals and not metric.dimensions
        return counts(world).read(account, region, metric, start, stop, total=total)
