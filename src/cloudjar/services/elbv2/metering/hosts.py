"""How many targets are well, minute by minute: derived from when that changed.

https://docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-cloudwatch-metrics.html#target-metric-table
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from msgspec.structs import replace

from cloudjar.base.caller import service as service_caller
from cloudjar.kit import metrics
from cloudjar.kit.context import Ctx, World
from cloudjar.kit.db import Db
from cloudjar.kit.machine import Step
from cloudjar.kit.metrics import Metric, Point
from cloudjar.services.elbv2.metering.counting import APPLICATION, NETWORK, balancer_name, target_group_name
from cloudjar.services.elbv2.metering.records import Change, HostCount
from cloudjar.services.elbv2.records import LoadBalancer, TargetGroup

_MINUTE = 60
_KEPT = 1000
"""Changes that are remembered of each target group."""
_FIELDS = {"HealthyHostCount": "healthy", "UnHealthyHostCount": "unhealthy"}
_NOBODY = -1


def learn(step: Step, balancer: LoadBalancer, groups: Iterable[TargetGroup]) -> None:
    """Note how many targets are well now, where that is otherwise than before."""
    now = step.ctx.now.timestamp()
    with step.world.state.database.transaction():
        table = step.db[HostCount]
        current = {f"{balancer.arn} {group.arn}": group for group in groups}
        for old in table.all(arn=balancer.arn):
            if old.key not in current:
                _note(step, old, Change(now, _NOBODY, _NOBODY))
        for key, group in current.items():
            known = table.get(key) or table.add(
                HostCount(
                    key=key, arn=balancer.arn, balancer=balancer_name(balancer), group=target_group_name(group)
                )
            )
            _note(step, known, _counted(group, now))


def forget(step: Step, arn: str) -> None:
    """A load balancer is gone: nobody looks at its targets any more."""
    with step.world.state.database.transaction():
        for old in step.db[HostCount].all(arn=arn):
            _note(step, old, Change(step.ctx.now.timestamp(), _NOBODY, _NOBODY))


def _counted(group: TargetGroup, now: float) -> Change:
    there = {target.place for target in group.targets if target.draining_until is None and not target.stopped}
    states = [probed.state for place, probed in group.health.items() if place in there]
    return Change(now, states.count("healthy"), states.count("unhealthy"))


def _note(step: Step, known: HostCount, change: Change) -> None:
    last = known.changes[-1] if known.changes else None
    if last is not None and (last.healthy, last.unhealthy) == (change.healthy, change.unhealthy):
        return
    step.db[HostCount].put(replace(known, changes=(*known.changes, change)[-_KEPT:]))
    if last is None or last.healthy == _NOBODY:
        for name in _FIELDS:
            metrics.moved(step.world, known.account, known.region, _metric(known, name))


def _metric(known: HostCount, name: str) -> Metric:
    space = APPLICATION if known.balancer.startswith("app/") else NETWORK
    return Metric(space, name, (("LoadBalancer", known.balancer), ("TargetGroup", known.group)))


class Hosts:
    """Implements `kit.metrics.Source`."""

    service = "elbv2"

    def __init__(self, space: str, kind: str) -> None:
        self._space = space
        self._kind = kind

    def metrics(self, world: World, account: str, region: str, since: float) -> Iterable[Metric]:
        """Of every target group that a load balancer of this kind sends to."""
        for known in _db(world, account, region)[HostCount].all():
            last = known.changes[-1] if known.changes else None
            looked = last is not None and (last.healthy != _NOBODY or last.at > since)
            if looked and known.balancer.startswith(self._kind):
                yield from (_metric(known, name) for name in _FIELDS)

    def read(
        self, world: World, account: str, region: str, metric: Metric, start: float, stop: float
    ) -> Iterable[Point]:
        """A point for every minute that is over, of how it was at its end."""
        known = _known(world, account, region, metric)
        if known is None:
            return []
        end = min(stop, world.clock.now().timestamp() - _MINUTE + 1e-6)
        return [
            Point(at, "Count", 1.0, count, count, count, ((count, 1.0),))
            for at, count in _levels(known.changes, _FIELDS[metric.name], start, end)
        ]

    def step(self, world: World, account: str, region: str, metric: Metric) -> int:
        """A minute, while somebody looks."""
        known = _known(world, account, region, metric)
        return _MINUTE if known is not None and known.changes and known.changes[-1].healthy != _NOBODY else 0


def _levels(changes: tuple[Change, ...], field: str, start: float, stop: float) -> Iterator[tuple[float, float]]:
    """(minute, level at its end) of every minute that begins in [start, stop)."""
    at = start - start % _MINUTE
    if at < start:
        at += _MINUTE
    if changes:
        first = changes[0].at - changes[0].at % _MINUTE
        at = max(at, first)
    place = 0
    while at < stop and changes:
        while place + 1 < len(changes) and changes[place + 1].at < at + _MINUTE:
            place += 1
        level = getattr(changes[place], field)
        if level != _NOBODY:
            yield at, float(level)
        elif place + 1 == len(changes):
            return
        at += _MINUTE


def _known(world: World, account: str, region: str, metric: Metric) -> HostCount | None:
    if metric.name not in _FIELDS:
        return None
    named = dict(metric.dimensions)
    if set(named) != {"LoadBalancer", "TargetGroup"}:
        return None
    found = _db(world, account, region)[HostCount].all(balancer=named["LoadBalancer"], group=named["TargetGroup"])
    return found[0] if found else None


def _db(world: World, account: str, region: str) -> Db:
    return Ctx(world, account, region, service_caller("cloudjar.internal", account)).db


metrics.derives(APPLICATION, Hosts(APPLICATION, "app/"))
metrics.derives(NETWORK, Hosts(NETWORK, "net/"))
