"""Metrics for whoever has some to tell: services put points, or derive them when somebody asks.

A service that counts something now and then calls `put`. What follows from what is stored anyway (a machine's load, a
load balancer's counters) is better derived: a `Source`, declared with `derives`, is asked for the points of a span
when they are read, so that nothing has to be polled. Namespaces that begin with ``AWS/`` are services' alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from typing import NamedTuple, Protocol

from cloudjar.kit.context import World
from cloudjar.kit.metric_taps import taps
from cloudjar.store.lines import Line, Lines
from cloudjar.store.point_columns import Chunk, of_points
from cloudjar.store.points import KEPT, Point, Points, key_of, merged, pairs_of, together

__all__ = [
    "KEPT",
    "Line",
    "Metric",
    "Point",
    "Source",
    "derives",
    "points",
    "put",
    "put_all",
    "read",
    "resolution_for",
    "value",
    "values",
]

Dimensions = tuple[tuple[str, str], ...]


class Metric(NamedTuple):
    """A metric's whole name; `dimensions` are (name, value) pairs, by name."""

    namespace: str
    name: str
    dimensions: Dimensions = ()


class Source(Protocol):
    """What derives the metrics of one namespace. All reads, from any thread."""

    service: str
    """botocore's name of the service, which is loaded before it is asked."""

    def metrics(self, world: World, account: str, region: str, since: float) -> Iterable[Metric]:
        """Every metric that has points since an instant (Unix seconds)."""
        ...

    def read(
        self, world: World, account: str, region: str, metric: Metric, start: float, stop: float
    ) -> Iterable[Point]:
        """Its points that begin in [start, stop), in periods of `step`; only of periods that are over."""
        ...

    def step(self, world: World, account: str, region: str, metric: Metric) -> int:
        """Seconds between its points now; 0 when it has none now and will have none without a `moved`."""
        ...


_SOURCES: dict[str, Source] = {}
_WATCHED = "metric_watch"


def derives(namespace: str, source: Source) -> None:
    """Declare who derives the metrics of a namespace (at import)."""
    _SOURCES[namespace] = source


_SERVICES = {
    "AWS/ApplicationELB": "elbv2",
    "AWS/AutoScaling": "autoscaling",
    "AWS/Billing": "budgets",
    "AWS/EC2": "ec2",
    "AWS/Events": "events",
    "AWS/NetworkELB": "elbv2",
    "AWS/RDS": "rds",
    "AWS/SQS": "sqs",
    "AWS/Scheduler": "scheduler",
    "AWS/Usage": "cloudwatch",
}
"""Who has to be loaded before a namespace is asked for."""


def source(world: World, namespace: str) -> Source | None:
    """Who derives a namespace; its service is loaded when it is not yet."""
    service = _SERVICES.get(namespace)
    if service is not None and namespace not in _SOURCES:
        world.load(service)
    return _SOURCES.get(namespace)


def sources(world: World) -> Iterator[tuple[str, Source]]:
    """Every namespace that is derived."""
    for namespace in _SERVICES:
        source(world, namespace)
    yield from sorted(_SOURCES.items())


def derived(world: World) -> Iterator[tuple[str, Source]]:
    """The namespaces of which metrics are never put: only derived."""
    for namespace in _SERVICES:
        found = source(world, namespace)
        if found is not None:
            yield namespace, found


def points(world: World) -> Points:
    """Where points are kept."""
    held: Points | None = world.ports.get("metric points")
    if held is None:
        held = Points(world.state.database)
        world.state.database.query(
            f"CREATE TABLE IF NOT EXISTS {_WATCHED} (account TEXT, region TEXT, namespace TEXT, name TEXT, "
            "dimensions TEXT, tbl TEXT, key TEXT, PRIMARY KEY (account, region, namespace, name, dimensions, tbl, key)"
            ") WITHOUT ROWID"
        )
        world.ports["metric points"] = held
        world.state.database.undone(lambda: world.ports.pop("metric points", None))
    return held


def value(at: datetime, amount: float, unit: str = "None", count: float = 1) -> Point:
    """One measurement, or `count` equal ones."""
    return Point(at.timestamp(), unit, count, amount * count, amount, amount, ((amount, count),))


def put(
    world: World, account: str, region: str, metric: Metric, measured: Iterable[Point], *, fine: bool = False
) -> None:
    """Store measurements in the running transaction, and wake who watches the metric. `fine`: by the second."""
    put_all(world, account, region, [(metric, fine, list(measured))])


def put_all(
    world: World, account: str, region: str, measured: Sequence[tuple[Metric, bool, Sequence[Point]]]
) -> None:
    """The same for several metrics: (metric, whether by the second, measurements)."""
    points(world).add(account, region, measured, now=world.clock.now().timestamp())
    taps(world).offer(account, region, measured)
    watches = _watches(world, account, region)
    if watches:
        for metric, _, _ in measured:
            if metric in watches:
                moved(world, account, region, metric)


def _watches(world: World, account: str, region: str) -> frozenset[Metric]:
    """Every metric of an account and region that somebody watches; remembered until that changes."""
    held: dict[tuple[str, str], frozenset[Metric]] = world.ports.setdefault(_WATCHED, {})
    found = held.get((account, region))
    if found is None:
        points(world)
        rows = world.state.database.query(
            f"SELECT DISTINCT namespace, name, dimensions FROM {_WATCHED} WHERE account=? AND region=?",
            (account, region),
        )
        found = held[account, region] = frozenset(Metric(row[0], row[1], pairs_of(row[2])) for row in rows)
        world.state.database.undone(held.clear)
    return found


def any_is_watched(world: World, account: str, region: str) -> bool:
    """Whether anybody watches any metric of an account and region."""
    return bool(_watches(world, account, region))


def moved(world: World, account: str, region: str, metric: Metric) -> None:
    """Wake who watches a metric: it has points again (or is about to), in the running transaction."""
    if metric not in _watches(world, account, region):
        return
    rows = world.state.database.query(
        f"SELECT tbl, key FROM {_WATCHED} WHERE account=? AND region=? AND namespace=? AND name=? AND dimensions=?",
        (account, region, metric.namespace, metric.name, key_of(metric.dimensions)),
    )
    for table, key in rows:
        world.state.wakes.wake(table, account, region, key, purpose="data")


def watch(world: World, account: str, region: str, table: str, key: str, metrics: Iterable[Metric]) -> None:
    """Have a record woken (purpose ``data``) whenever one of these metrics gets points; replaces what it watched."""
    points(world)
    held = world.ports.setdefault(_WATCHED, {})
    held.clear()
    world.state.database.undone(held.clear)
    run = world.state.database.execute
    run(f"DELETE FROM {_WATCHED} WHERE account=? AND region=? AND tbl=? AND key=?", (account, region, table, key))
    for metric in metrics:
        run(
            f"INSERT OR IGNORE INTO {_WATCHED} VALUES (?,?,?,?,?,?,?)",
            (account, region, metric.namespace, metric.name, key_of(metric.dimensions), table, key),
        )


def watched(world: World, account: str, region: str, namespace: str) -> Iterator[Metric]:
    """The metrics of a namespace that somebody watches."""
    points(world)
    rows = world.state.database.query(
        f"SELECT DISTINCT name, dimensions FROM {_WATCHED} WHERE account=? AND region=? AND namespace=?",
        (account, region, namespace),
    )
    for name, text in rows:
        yield Metric(namespace, name, pairs_of(text))


def resolution_for(period: int, origin: float) -> int:
    """The coarsest resolution of which periods that begin at `origin` can be made."""
    return next(r for r in sorted(KEPT, reverse=True) if period % r == 0 and origin % r == 0)


def read(
    world: World,
    account: str,
    region: str,
    metric: Metric,
    *,
    period: int,
    start: float,
    stop: float,
    origin: float | None = None,
) -> list[Point]:
    """Points of `period` seconds that begin in [start, stop), oldest first and by unit.

    Periods are counted from `origin` (`start` when it is not given); what was measured in a period that only begins
    before `stop` is all in it.
    """
    first = start if origin is None else origin
    stop += (first - stop) % period
    held = points(world)
    found: list[Point] = []
    derived = source(world, metric.namespace)
    if derived is not None:
        found += derived.read(world, account, region, metric, start, stop)
    series = held.find(account, region, *metric)
    if series is not None:
        resolution = resolution_for(period, first)
        found += held.read(series, resolution, start, stop, world.clock.now().timestamp())
    return merged(found, period, first)


PLAIN = frozenset(("SampleCount", "Average", "Sum", "Minimum", "Maximum"))
"""Statistics that `lines` knows."""


class Drawn(NamedTuple):
    """A plain statistic of a metric by period (seconds, counted from `start`); of all units together, or of one."""

    metric: Metric
    stat: str
    period: int
    start: float
    unit: str = ""


def lines(world: World, account: str, region: str, wanted: Sequence[Drawn], stop: float) -> list[Line]:
    """The lines of several metrics, each from its start on until `stop`. Columns of stored points are read all at once
    and as they are, so that long spans of many metrics cost little."""
    held, now = points(world), world.clock.now().timestamp()
    groups: dict[tuple[int, float], list[int]] = {}
    for place, one in enumerate(wanted):
        groups.setdefault((one.period, one.start), []).append(place)
    found: dict[int, Line] = {}
    for (period, start), places in groups.items():
        resolution, end = resolution_for(period, start), stop + (start - stop) % period
        ids = held.found(account, region, [wanted[place].metric for place in places])
        bounds = any(wanted[place].stat in ("Minimum", "Maximum") for place in places)
        known = {one for one in ids if one is not None}
        columns = held.columns(known, resolution, start, end, now, bounds=bounds)
        drawing = Lines(period, start, resolution)
        for place, series in zip(places, ids, strict=True):
            _, stat, _, _, unit = one = wanted[place]
            chunks = columns[series] if series is not None else []
            if unit:
                chunks = [chunk for chunk in chunks if chunk.unit == unit]
            found[place] = drawing.draw(stat, chunks, _derived(world, account, region, one, end))
    return [found[place] for place in range(len(wanted))]


def _derived(world: World, account: str, region: str, one: Drawn, stop: float) -> list[Chunk]:
    """What is derived, a chunk for each point."""
    derived = source(world, one.metric.namespace)
    if derived is None:
        return []
    read = derived.read(world, account, region, one.metric, one.start, stop)
    return [chunk for point in read if one.unit in ("", point.unit) for chunk in of_points((point,))]


def values(
    world: World, account: str, region: str, metric: Metric, stat: str, *, period: int, start: float, stop: float,
    unit: str = "",
) -> dict[float, float]:  # fmt: skip
    """The line of one metric, as values by instant."""
    return lines(world, account, region, [Drawn(metric, stat, period, start, unit)], stop)[0].points


def blended(found: Iterable[Point]) -> list[Point]:
    """Points of all units as one series."""
    held: dict[float, list[Point]] = {}
    for point in found:
        held.setdefault(point.at, []).append(point)
    return [together(held[at], at, held[at][0].unit) for at in sorted(held)]


def instant(seconds: float) -> datetime:
    """Unix seconds as AWS shows them."""
    return datetime.fromtimestamp(seconds, UTC)
