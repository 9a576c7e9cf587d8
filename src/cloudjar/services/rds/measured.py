"""The metrics of AWS/RDS, derived from what instances did and held.

https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/rds-metrics.html
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple

import msgspec

from cloudjar.base.caller import service as service_caller
from cloudjar.kit import metrics
from cloudjar.kit.context import Ctx, World
from cloudjar.kit.metrics import Metric, Point
from cloudjar.planes.compute.port import ComputePort
from cloudjar.services.rds import loads
from cloudjar.services.rds.loads import Facts, Load, Stretch
from cloudjar.services.rds.records import DbInstance

NAMESPACE = "AWS/RDS"
_STEP = 60
_AURORA = "aurora-postgresql"
_APART = ("postgres", "mariadb")
"""Engines whose storage is their instances' own."""
Amount = Callable[[Stretch, Facts], float | None]


class Kind(NamedTuple):
    """How a metric follows from a stretch: its unit, and how much of it there is at any moment."""

    unit: str
    amount: Amount
    engines: tuple[str, ...] = ()
    """Of which there is such a metric; empty: of all."""


def _rate(name: str) -> Amount:
    return lambda stretch, _: float(getattr(stretch.rates, name))


def _held(name: str) -> Amount:
    def amount(stretch: Stretch, _: Facts) -> float | None:
        return None if stretch.figures is None else getattr(stretch.figures, name)

    return amount


def _latency(of: str) -> Amount:
    """Seconds that an operation took."""

    def amount(stretch: Stretch, _: Facts) -> float:
        done = float(getattr(stretch.rates, f"{of}s"))
        return float(getattr(stretch.rates, f"{of}_ms")) / done / 1000 if done else 0.0

    return amount


def _lag(stretch: Stretch, _: Facts) -> float | None:
    """Of replicas alone."""
    seen = stretch.figures
    return None if seen is None or seen.lag_ms is None else seen.lag_ms / 1000


def _lag_ms(stretch: Stretch, _: Facts) -> float | None:
    """Of readers alone, to whom something comes."""
    seen = stretch.figures
    return None if seen is None or seen.lag_ms is None or seen.lag_ms < 0 else seen.lag_ms


def _freeable(stretch: Stretch, facts: Facts) -> float | None:
    return None if stretch.figures is None else max(facts.memory - stretch.figures.memory, 0.0)


KINDS: dict[str, Kind] = {
    "CPUUtilization": Kind("Percent", lambda stretch, facts: min(stretch.rates.cpus / facts.vcpus, 1.0) * 100),
    "DatabaseConnections": Kind("Count", _held("connections")),
    "FreeStorageSpace": Kind("Bytes", _held("free"), _APART),
    "FreeableMemory": Kind("Bytes", _freeable),
    "ReadIOPS": Kind("Count/Second", _rate("reads")),
    "WriteIOPS": Kind("Count/Second", _rate("writes")),
    "ReadThroughput": Kind("Bytes/Second", _rate("read_bytes")),
    "WriteThroughput": Kind("Bytes/Second", _rate("written_bytes")),
    "ReadLatency": Kind("Seconds", _latency("read")),
    "WriteLatency": Kind("Seconds", _latency("write")),
    "DiskQueueDepth": Kind("Count", lambda stretch, _: stretch.rates.queued_ms / 1000),
    "NetworkReceiveThroughput": Kind("Bytes/Second", _rate("received")),
    "NetworkTransmitThroughput": Kind("Bytes/Second", _rate("sent")),
    "SwapUsage": Kind("Bytes", lambda *_: 0.0),
    "TransactionLogsDiskUsage": Kind("Bytes", _held("log"), ("postgres",)),
    "MaximumUsedTransactionIDs": Kind("Count", _held("oldest"), ("postgres", _AURORA)),
    "OldestReplicationSlotLag": Kind("Bytes", _held("slots"), ("postgres",)),
    "ReplicaLag": Kind("Seconds", _lag, _APART),
    "AuroraReplicaLag": Kind("Milliseconds", _lag_ms, (_AURORA,)),
    "BinLogDiskUsage": Kind("Bytes", _held("binlog"), ("mariadb",)),
    "Deadlocks": Kind("Count/Second", _rate("deadlocks"), ("postgres", _AURORA)),
}
"""By name. No machine of the service has swap space."""
_DIMENSIONS = {"DBInstanceIdentifier": "id", "DatabaseClass": "kind", "EngineName": "engine"}


def _matches(metric: Metric, facts: Facts) -> bool:
    if len(metric.dimensions) > 1:
        return False
    return all(name in _DIMENSIONS and getattr(facts, _DIMENSIONS[name]) == value for name, value in metric.dimensions)


def _has(name: str, facts: Facts) -> bool:
    return name in KINDS and (not KINDS[name].engines or facts.engine in KINDS[name].engines)


class Instances:
    """Implements `kit.metrics.Source`."""

    service = "rds"

    def metrics(self, world: World, account: str, region: str, since: float) -> Iterable[Metric]:
        """By instance, class and engine, and of all together; what nobody can tell here is not among them."""
        found: set[Metric] = set()
        for key, facts in _subjects(world, account, region, since):
            load = _ctx(world, account, region).db[Load].get(key)
            blind = load is not None and load.figures is None
            for name, kind in KINDS.items():
                if _has(name, facts) and not (blind and kind.amount(Stretch(loads.Rates(), None), facts) is None):
                    found.update(Metric(NAMESPACE, name, ((d, getattr(facts, f)),)) for d, f in _DIMENSIONS.items())
                    found.add(Metric(NAMESPACE, name, ()))
        return found

    def step(self, world: World, account: str, region: str, metric: Metric) -> int:
        """A minute while an instance of it runs, else 0."""
        held = _ctx(world, account, region).db[Load].all(open=True)
        runs = any(_matches(metric, load.facts) and _has(metric.name, load.facts) for load in held)
        return _STEP if runs else 0

    def read(
        self, world: World, account: str, region: str, metric: Metric, start: float, stop: float
    ) -> Iterable[Point]:
        """Points of minutes that are over, of each instance by itself."""
        now = world.clock.now().timestamp()
        found: list[Point] = []
        for key, facts in _subjects(world, account, region, start):
            if _matches(metric, facts) and _has(metric.name, facts):
                stretches = _stretches(world, account, region, key, start - _STEP, min(stop + _STEP, now))
                points = _points(KINDS[metric.name], facts, stretches, start - _STEP, min(stop + _STEP, now))
                found += [point for point in points if start <= point.at < stop]
        return found


def _ctx(world: World, account: str, region: str) -> Ctx:
    return Ctx(world, account, region, service_caller("cloudjar.internal", account))


def _subjects(world: World, account: str, region: str, since: float) -> Iterator[tuple[str, Facts]]:
    """Every instance that ran since an instant, by its resource id."""
    seen = {
        subject.key: msgspec.msgpack.decode(subject.facts, type=Facts)
        for subject in loads.segments(world).subjects(account, region, since)
    }
    for load in _ctx(world, account, region).db[Load].all(open=True):
        seen[load.id] = load.facts
    yield from sorted(seen.items())


def _stretches(
    world: World, account: str, region: str, key: str, start: float, stop: float
) -> Iterator[tuple[float, float, Stretch]]:
    """What an instance did in a span; the end of it as it is just now."""
    for segment in loads.segments(world).between(key, start, stop):
        yield segment.start, segment.stop, msgspec.msgpack.decode(segment.data, type=Stretch)
    ctx = _ctx(world, account, region)
    load = ctx.db[Load].get(key)
    if load is None or not load.open or load.since.timestamp() >= stop:
        return
    db = next((one for one in ctx.db[DbInstance].all() if one.resource_id == key), None)
    host: ComputePort = world.ports["compute"]
    usage = host.usage(db.machine) if db is not None else None
    used = load.rates if usage is None or db is None else loads.rates(
        load, usage, host.disk_use(db.machine).get(db.volume), load.figures
    )  # fmt: skip
    yield load.since.timestamp(), stop, Stretch(used, load.figures)


def _points(
    kind: Kind, facts: Facts, stretches: Iterable[tuple[float, float, Stretch]], start: float, stop: float
) -> list[Point]:
    """One point a minute: what there was in it, weighed by time."""
    sums: dict[float, tuple[float, float]] = {}
    for begun, ended, stretch in stretches:
        amount = kind.amount(stretch, facts)
        at = max(begun, start)
        while amount is not None and at < min(ended, stop):
            minute = at - at % _STEP
            until = min(minute + _STEP, ended, stop)
            total, seconds = sums.get(minute, (0.0, 0.0))
            sums[minute] = (total + amount * (until - at), seconds + until - at)
            at = until
    values = {at: total / seconds for at, (total, seconds) in sums.items() if seconds and at + _STEP <= stop}
    return [Point(at, kind.unit, 1.0, value, value, value, ((value, 1.0),)) for at, value in sorted(values.items())]


metrics.derives(NAMESPACE, Instances())
