"""Measurements that come thousands of times a second: added up in memory by the minute, written now and then.

For metrics and for quantities on the bill of what is only read (bytes that went out). What a write costs is counted in
its own transaction (`kit.quantities`); these are lost, by a second's worth, when the process is killed. Whoever asks
for a metric sees what is not written yet too.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable

from cloudjar.base.clock import monotonic
from cloudjar.kit import metrics
from cloudjar.kit.context import World
from cloudjar.kit.metrics import Metric, Point
from cloudjar.kit.quantities import Owner, Quantities, Tally

_PORT = "gauges"
_EVERY = 1.0
"""Seconds between two writings, while there is something to write."""
_DISTINCT = 100
"""Different values that a minute remembers by themselves."""
Series = tuple[str, str, Metric, str]
"""(account, region, metric, unit)."""


class _Minute:
    __slots__ = ("high", "low", "pairs", "samples", "total")

    def __init__(self) -> None:
        self.samples = 0.0
        self.total = 0.0
        self.low = float("inf")
        self.high = float("-inf")
        self.pairs: dict[float, float] | None = {}

    def add(self, value: float, count: float) -> None:
        self.samples += count
        self.total += value * count
        if value < self.low:
            self.low = value
        if value > self.high:
            self.high = value
        if self.pairs is not None:
            self.pairs[value] = self.pairs.get(value, 0) + count
            if len(self.pairs) > _DISTINCT:
                self.pairs = None

    def with_(self, other: _Minute) -> _Minute:
        """Both together."""
        self.samples += other.samples
        self.total += other.total
        self.low, self.high = min(self.low, other.low), max(self.high, other.high)
        if self.pairs is not None and other.pairs is not None:
            for value, count in other.pairs.items():
                self.pairs[value] = self.pairs.get(value, 0) + count
        else:
            self.pairs = None
        return self

    def point(self, at: float, unit: str) -> Point:
        pairs = None if self.pairs is None else tuple(sorted(self.pairs.items()))
        return Point(at, unit, self.samples, self.total, self.low, self.high, pairs)


class Gauges:
    """What was measured and not written yet. Thread-safe."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._lock = threading.Lock()
        self._held: dict[Series, dict[int, _Minute]] = {}
        self._counted: dict[tuple[Owner, Tally], int] = {}
        self._written = float("-inf")
        world.at_stop.append(self.write)
        world.at_move.append(self.write)

    def add(
        self, account: str, region: str, metric: Metric, value: float, unit: str = "Count", count: float = 1
    ) -> None:
        """One measurement of now, or `count` equal ones."""
        self.measure((account, region, metric, unit), self._world.clock.now().timestamp(), value, count)

    def measure(self, series: Series, now: float, value: float, count: float = 1) -> None:
        """The same for who does so thousands of times a second, and knows what time it is."""
        minute = int(now) // 60
        with self._lock:
            minutes = self._held.get(series)
            if minutes is None:
                minutes = self._held[series] = {}
            held = minutes.get(minute)
            if held is None:
                held = minutes[minute] = _Minute()
            held.add(value, count)

    def count(self, owner: Owner, tally: Tally, amount: int) -> None:
        """So much more for the bill."""
        with self._lock:
            self._counted[owner, tally] = self._counted.get((owner, tally), 0) + amount

    def tick(self) -> None:
        """Write when it is time to; in a transaction or not."""
        if (self._held or self._counted) and monotonic() - self._written >= _EVERY:
            self.write()

    def write(self) -> None:
        """Write everything, in the running transaction or one of its own."""
        with self._lock:
            held, self._held = self._held, {}
            counted, self._counted = self._counted, {}
        self._written = monotonic()
        if not held and not counted:
            return
        database = self._world.state.database
        with database.transaction():
            database.on_rollback(lambda: self._restore(held, counted))
            for (account, region, metric, unit), minutes in held.items():
                points = [minute.point(at * 60.0, unit) for at, minute in minutes.items()]
                metrics.put(self._world, account, region, metric, points)
            quantities: Quantities = self._world.ports["quantities"]
            for (owner, tally), amount in counted.items():
                quantities.add(owner, tally, amount)

    def _restore(self, held: dict[Series, dict[int, _Minute]], counted: dict[tuple[Owner, Tally], int]) -> None:
        """The transaction in which all this was written was undone."""
        with self._lock:
            for series, minutes in held.items():
                now = self._held.setdefault(series, {})
                for at, minute in minutes.items():
                    now[at] = minute if at not in now else minute.with_(now[at])
            for place, amount in counted.items():
                self._counted[place] = self._counted.get(place, 0) + amount

    def unwritten(self, account: str, region: str, metric: Metric, start: float, stop: float) -> list[Point]:
        """The points of a metric that are not written yet."""
        with self._lock:
            return [
                minute.point(at * 60.0, unit)
                for (of, where, named, unit), minutes in self._held.items()
                if (of, where, named) == (account, region, metric)
                for at, minute in minutes.items()
                if start <= at * 60 < stop
            ]

    def named(self, account: str, region: str, namespace: str) -> list[Metric]:
        """The metrics of a namespace that have such points."""
        with self._lock:
            return [
                metric
                for of, where, metric, _ in self._held
                if (of, where, metric.namespace) == (account, region, namespace)
            ]


def gauges(world: World) -> Gauges:
    """The jar's."""
    held: Gauges | None = world.ports.get(_PORT)
    if held is None:
        held = world.ports[_PORT] = Gauges(world)
    return held


class Unwritten:
    """The source of a namespace that is written through `Gauges` (`metrics.derives`): what is not stored yet."""

    def __init__(self, namespace: str, service: str) -> None:
        self._namespace = namespace
        self.service = service

    def metrics(self, world: World, account: str, region: str, since: float) -> Iterable[Metric]:  # noqa: ARG002 the port's
        """Those that have points which are not written yet."""
        return gauges(world).named(account, region, self._namespace)

    def step(self, world: World, account: str, region: str, metric: Metric) -> int:  # noqa: ARG002 the port's
        """None of its own: who watches is told when points are written."""
        return 0

    def read(
        self, world: World, account: str, region: str, metric: Metric, start: float, stop: float
    ) -> Iterable[Point]:
        """The points that are not written yet."""
        return gauges(world).unwritten(account, region, metric, start, stop)
