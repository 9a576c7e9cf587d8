"""The metrics of AWS/EC2, derived from what instances did.

https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/viewing_metrics_with_cloudwatch.html
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from functools import cache
from typing import NamedTuple

import msgspec

from cloudjar.base.caller import service as service_caller
from cloudjar.kit import metrics
from cloudjar.kit.context import Ctx, World
from cloudjar.kit.metrics import Metric, Point
from cloudjar.planes.compute.port import ComputePort
from cloudjar.services.ec2.metering import bursting, measuring
from cloudjar.services.ec2.metering.records import Facts, Load, Stretch
from cloudjar.spec import instance_types

NAMESPACE = "AWS/EC2"
_BASIC, _DETAILED = 300, 60


class Piece(NamedTuple):
    """A part of a stretch that lies in one period: where it begins and ends, and what the instance is."""

    start: float
    stop: float
    begun: float
    stretch: Stretch
    facts: Facts

    @property
    def seconds(self) -> float:
        return self.stop - self.start


class Kind(NamedTuple):
    """How a metric follows from pieces: `amount` of each, added up or (`level`) as it is at the end.

    `every`: seconds between its points whatever the monitoring is; 0: as the monitoring says.
    """

    unit: str
    amount: Callable[[Piece], float | None]
    level: bool = False
    every: int = 0
    nitro: bool = False
    burst: bool = False


def _per_second(name: str) -> Callable[[Piece], float]:
    return lambda piece: float(getattr(piece.stretch.rates, name)) * piece.seconds


def _credit(name: str) -> Callable[[Piece], float | None]:
    """A pot at the end of a piece."""

    def amount(piece: Piece) -> float | None:
        burst, held = instance_types.burst(piece.facts.type), piece.stretch.credits
        if burst is None or held is None:
            return None
        cpus = min(piece.stretch.rates.cpus, piece.facts.vcpus)
        passed = piece.stop - piece.begun
        after = bursting.after(held, burst, cpus, passed, unlimited=piece.stretch.unlimited)
        return float(getattr(after, name))

    return amount


def _spent(piece: Piece) -> float | None:
    return piece.stretch.rates.cpus / 60 * piece.seconds if piece.stretch.credits is not None else None


KINDS: dict[str, Kind] = {
    "CPUUtilization": Kind("Percent", lambda p: p.stretch.rates.cpus / p.facts.vcpus * 100 * p.seconds),
    "NetworkIn": Kind("Bytes", _per_second("received_bytes")),
    "NetworkOut": Kind("Bytes", _per_second("sent_bytes")),
    "NetworkPacketsIn": Kind("Count", _per_second("received_packets")),
    "NetworkPacketsOut": Kind("Count", _per_second("sent_packets")),
    "EBSReadOps": Kind("Count", _per_second("read_ops"), nitro=True),
    "EBSWriteOps": Kind("Count", _per_second("write_ops"), nitro=True),
    "EBSReadBytes": Kind("Bytes", _per_second("read_bytes"), nitro=True),
    "EBSWriteBytes": Kind("Bytes", _per_second("written_bytes"), nitro=True),
    "StatusCheckFailed": Kind("Count", lambda p: float(p.stretch.failed), level=True, every=60),
    "StatusCheckFailed_Instance": Kind("Count", lambda p: float(p.stretch.failed), level=True, every=60),
    "StatusCheckFailed_System": Kind("Count", lambda _: 0.0, level=True, every=60),
    "StatusCheckFailed_AttachedEBS": Kind("Count", lambda _: 0.0, level=True, every=60, nitro=True),
    "CPUCreditUsage": Kind("Count", _spent, every=300, burst=True),
    "CPUCreditBalance": Kind("Count", _credit("available"), level=True, every=300, burst=True),
    "CPUSurplusCreditBalance": Kind("Count", _credit("surplus"), level=True, every=300, burst=True),
    "CPUSurplusCreditsCharged": Kind("Count", _credit("charged"), level=True, every=300, burst=True),
}


@cache
def _names(kind: str) -> tuple[str, ...]:
    """The metrics of an instance type."""
    nitro = instance_types.facts(kind).get("Hypervisor") == "nitro"
    burstable = instance_types.burst(kind) is not None
    return tuple(n for n, k in KINDS.items() if (nitro or not k.nitro) and (burstable or not k.burst))


_OF_MANY = {"ImageId": "image", "InstanceType": "type", "AutoScalingGroupName": "group"}


def _matches(metric: Metric, key: str, facts: Facts) -> bool:
    """Whether an instance is in what a metric's dimensions name."""
    if not metric.dimensions:
        return True
    if len(metric.dimensions) > 1:
        return False
    name, value = metric.dimensions[0]
    if name == "InstanceId":
        return key == value
    return name in _OF_MANY and bool(value) and getattr(facts, _OF_MANY[name]) == value


class Instances:
    """Implements `kit.metrics.Source`."""

    service = "ec2"

    def metrics(self, world: World, account: str, region: str, since: float) -> Iterable[Metric]:
        """By instance, and by image, type, Auto Scaling group and all together."""
        found: set[Metric] = set()
        for key, facts in _subjects(world, account, region, since):
            shown = (("InstanceId", key),)
            many = [((name, getattr(facts, field)),) for name, field in _OF_MANY.items() if getattr(facts, field)]
            if not facts.detailed:
                many = [one for one in many if one[0][0] == "AutoScalingGroupName"]
            for name in _names(facts.type):
                found.add(Metric(NAMESPACE, name, shown))
                if not KINDS[name].burst:
                    found.update(Metric(NAMESPACE, name, one) for one in many)
                if not KINDS[name].burst and facts.detailed:
                    found.add(Metric(NAMESPACE, name, ()))
        return found

    def step(self, world: World, account: str, region: str, metric: Metric) -> int:
        """A minute or five while an instance of it runs, else 0."""
        kind = KINDS.get(metric.name)
        if kind is None:
            return 0
        steps = [
            kind.every or (_DETAILED if load.detailed else _BASIC)
            for load in _db(world, account, region).db[Load].all(open=True)
            if _matches(metric, load.id, load.facts)
        ]
        return min(steps, default=0)

    def read(
        self, world: World, account: str, region: str, metric: Metric, start: float, stop: float
    ) -> Iterable[Point]:
        """Points of periods that are over, of each instance by itself."""
        kind = KINDS.get(metric.name)
        if kind is None:
            return []
        now = world.clock.now().timestamp()
        alone = bool(metric.dimensions) and metric.dimensions[0][0] == "InstanceId"
        by_group = bool(metric.dimensions) and metric.dimensions[0][0] == "AutoScalingGroupName"
        found: list[Point] = []
        for key, facts in _matching(world, account, region, metric, start):
            if metric.name not in _names(facts.type):
                continue
            pieces = _pieces(world, account, region, key, facts, kind, start, min(stop + _BASIC, now))
            if not (alone or by_group):
                pieces = (piece for piece in pieces if piece.stretch.detailed)
            found += [p for p in _points(kind, pieces, now) if start <= p.at < stop]
        return found


def _db(world: World, account: str, region: str) -> Ctx:
    return Ctx(world, account, region, service_caller("cloudjar.internal", account))


def _subjects(world: World, account: str, region: str, since: float) -> Iterator[tuple[str, Facts]]:
    """Every instance that ran since an instant."""
    seen = {}
    for subject in measuring.segments(world).subjects(account, region, since):
        seen[subject.key] = msgspec.msgpack.decode(subject.facts, type=Facts)
    for load in _db(world, account, region).db[Load].all(open=True):
        seen[load.id] = load.facts
    yield from sorted(seen.items())


def _matching(world: World, account: str, region: str, metric: Metric, since: float) -> Iterator[tuple[str, Facts]]:
    for key, facts in _subjects(world, account, region, since):
        if _matches(metric, key, facts):
            yield key, facts


def _pieces(
    world: World, account: str, region: str, key: str, facts: Facts, kind: Kind, start: float, stop: float
) -> Iterator[Piece]:
    """What an instance did in a span, cut at the borders of periods."""
    stretches = [
        (segment.start, segment.stop, msgspec.msgpack.decode(segment.data, type=Stretch))
        for segment in measuring.segments(world).between(key, start, stop)
    ]
    load = _db(world, account, region).db[Load].get(key)
    if load is not None and load.open and load.since.timestamp() < stop:
        host: ComputePort = world.ports["compute"]
        used = measuring.rates(load, host.usage(key))
        stretches.append((load.since.timestamp(), stop, measuring.stretch(load, used)))
    for begun, ended, stretch in stretches:
        period = kind.every or (_DETAILED if stretch.detailed else _BASIC)
        at = max(begun, start)
        while at < min(ended, stop):
            border = at - at % period + period
            yield Piece(at, min(border, ended, stop), begun, stretch, facts)
            at = border


def _points(kind: Kind, pieces: Iterable[Piece], now: float) -> list[Point]:
    periods: dict[tuple[float, int], list[Piece]] = {}
    for piece in pieces:
        period = kind.every or (_DETAILED if piece.stretch.detailed else _BASIC)
        periods.setdefault((piece.start - piece.start % period, period), []).append(piece)
    found = []
    for (at, period), held in sorted(periods.items()):
        if at + period > now:
            continue
        value = _value(kind, held)
        if value is not None:
            found.append(Point(at, kind.unit, 1.0, value, value, value, ((value, 1.0),)))
    return found


def _value(kind: Kind, held: list[Piece]) -> float | None:
    amounts = [amount for piece in held if (amount := kind.amount(piece)) is not None]
    if not amounts:
        return None
    if kind.level:
        return max(amounts) if kind.every == _DETAILED else amounts[-1]
    total = sum(amounts)
    return total / sum(piece.seconds for piece in held) if kind.unit == "Percent" else total


metrics.derives(NAMESPACE, Instances())
