"""Points of AWS/ApplicationELB and AWS/NetworkELB: what nodes have counted since they were last read; pure but `tell`.

https://docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-cloudwatch-metrics.html
https://docs.aws.amazon.com/elasticloadbalancing/latest/network/load-balancer-cloudwatch-metrics.html
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from msgspec.structs import replace

from cloudjar.kit import metrics
from cloudjar.kit.machine import Step
from cloudjar.kit.metrics import Dimensions, Metric, Point
from cloudjar.planes.proxy.port import WINDOW, Counted, ProxyPort
from cloudjar.services.elbv2.metering.records import NodeCount, Reading
from cloudjar.services.elbv2.planning import group_name
from cloudjar.services.elbv2.records import LoadBalancer, TargetGroup, Zone

APPLICATION, NETWORK = "AWS/ApplicationELB", "AWS/NetworkELB"
MINUTE = timedelta(minutes=1)


class Since(NamedTuple):
    """What a node has counted since it was last read, its targets' seconds per answer, and what is open now."""

    amounts: dict[str, int]
    seconds: dict[str, float]
    active: int | None


class Measured(NamedTuple):
    """One metric's share of a minute: `times` times `amount`."""

    name: str
    dimensions: Dimensions
    unit: str
    amount: float
    times: float = 1


def balancer_name(balancer: LoadBalancer) -> str:
    """The dimension ``LoadBalancer``."""
    return balancer.arn.rpartition(":loadbalancer/")[2]


def target_group_name(group: TargetGroup) -> str:
    """The dimension ``TargetGroup``."""
    return group.arn.rpartition(":")[2]


def next_minute(now: datetime) -> datetime:
    """When the minute that runs is over."""
    return now.replace(second=0, microsecond=0) + MINUTE


def since(before: Mapping[str, Reading], now: Iterable[Counted]) -> Since:
    """What was counted between two readings, over all processes of a node."""
    amounts: dict[str, int] = {}
    shares: dict[str, list[tuple[float, int]]] = {}
    active = None
    for one in now:
        last = before.get(one.born, Reading(amounts={}))
        active = one.active
        for name, count in one.amounts.items():
            amounts[name] = amounts.get(name, 0) + max(0, count - last.amounts.get(name, 0))
        for group, mean in one.means.items():
            name = f"requests {group}"
            spans = last.amounts.get(name, 0), one.amounts.get(name, 0)
            if spans[1] > spans[0]:
                milliseconds = mean_between(last.means.get(group, 0), mean, *spans)
                shares.setdefault(group, []).append((milliseconds / 1000, spans[1] - spans[0]))
    seconds = {g: sum(s * n for s, n in held) / sum(n for _, n in held) for g, held in shares.items()}
    return Since(amounts, seconds, active)


def mean_between(before: float, after: float, first: int, last: int) -> float:
    """The mean of the requests `first` to `last`, of a mean that runs over the last `WINDOW` ones, before and after."""
    if last <= WINDOW:
        return max(0.0, (after * last - before * first) / (last - first))
    kept = (1 - 1 / WINDOW) ** (last - first)
    return max(0.0, (after - before * kept) / (1 - kept))


def application(balancer: LoadBalancer, seen: Mapping[str, Since], groups: Iterable[TargetGroup]) -> Iterator[Measured]:
    """What an Application Load Balancer's nodes counted, by the node's zone."""
    own = ("LoadBalancer", balancer_name(balancer))
    named = {group_name(group): group for group in groups}
    per_target: dict[str, int] = {}
    for zone, found in seen.items():
        whole: Dimensions = (own,)
        there: Dimensions = (("AvailabilityZone", zone), own)
        took = found.amounts
        for dimensions in (whole, there):
            yield from _by_itself(dimensions, took)
        yield from _connections(whole, found, named)
        for name, group in named.items():
            requests = took.get(f"requests {name}", 0)
            per_target[name] = per_target.get(name, 0) + requests
            of = ("TargetGroup", target_group_name(group))
            ways: tuple[Dimensions, ...] = (whole, there, (*whole, of), (*there, of))
            for dimensions in ways:
                yield from _of_targets(dimensions, name, found)
    for name, requests in per_target.items():
        well = sum(probed.state == "healthy" for probed in named[name].health.values()) or len(named[name].targets)
        if requests and well:
            of = ("TargetGroup", target_group_name(named[name]))
            each: tuple[Dimensions, ...] = ((own, of), (of,))
            for dimensions in each:
                yield Measured("RequestCountPerTarget", dimensions, "None", requests / well)


_OWN = {"3xx": "HTTPCode_ELB_3XX_Count", "4xx": "HTTPCode_ELB_4XX_Count", "5xx": "HTTPCode_ELB_5XX_Count"}


def _by_itself(dimensions: Dimensions, took: Mapping[str, int]) -> Iterator[Measured]:
    """Answers that are the balancer's own: all that were given but those of targets."""
    for kind, name in _OWN.items():
        count = took.get(kind, 0) - sum(n for of, n in took.items() if of.startswith(f"{kind} "))
        if count > 0:
            yield Measured(name, dimensions, "Count", 1, count)
            if kind == "3xx":
                yield Measured("HTTP_Redirect_Count", dimensions, "Count", 1, count)


def _connections(dimensions: Dimensions, found: Since, named: Iterable[str]) -> Iterator[Measured]:
    fresh = found.amounts.get("connections", 0) + sum(found.amounts.get(f"connections {g}", 0) for g in named)
    if fresh:
        yield Measured("NewConnectionCount", dimensions, "Count", fresh)
    if found.active:
        yield Measured("ActiveConnectionCount", dimensions, "Count", found.active)
    if found.amounts.get("bytes"):
        yield Measured("ProcessedBytes", dimensions, "Bytes", found.amounts["bytes"])


def _of_targets(dimensions: Dimensions, group: str, found: Since) -> Iterator[Measured]:
    took = found.amounts
    requests = took.get(f"requests {group}", 0)
    if requests:
        yield Measured("RequestCount", dimensions, "Count", 1, requests)
    answered = 0
    for kind in ("2xx", "3xx", "4xx", "5xx"):
        count = took.get(f"{kind} {group}", 0)
        answered += count
        if count:
            yield Measured(f"HTTPCode_Target_{kind.upper()}_Count", dimensions, "Count", 1, count)
    if answered and group in found.seconds:
        yield Measured("TargetResponseTime", dimensions, "Seconds", found.seconds[group], answered)
    failed = took.get(f"errors {group}", 0)
    if failed:
        yield Measured("TargetConnectionErrorCount", dimensions, "Count", 1, failed)


_FLOWS = {"tcp": "NewFlowCount_TCP", "tls": "NewFlowCount_TLS", "udp": "NewFlowCount_UDP"}


def network(balancer: LoadBalancer, seen: Mapping[str, Since]) -> Iterator[Measured]:
    """What a Network Load Balancer's nodes counted, by the node's zone."""
    own = ("LoadBalancer", balancer_name(balancer))
    for zone, found in seen.items():
        ways: tuple[Dimensions, ...] = ((own,), (("AvailabilityZone", zone), own))
        for dimensions in ways:
            flows = {name: found.amounts.get(kind, 0) for kind, name in _FLOWS.items()}
            yield Measured("NewFlowCount", dimensions, "Count", sum(flows.values()))
            for name, count in flows.items():
                if count:
                    yield Measured(name, dimensions, "Count", count)
            if found.active is not None:
                yield Measured("ActiveFlowCount", dimensions, "Count", found.active)
            yield Measured("ProcessedBytes", dimensions, "Bytes", found.amounts.get("bytes", 0))
            yield Measured("ProcessedPackets", dimensions, "Count", found.amounts.get("packets", 0))


def tell(step: Step, balancer: LoadBalancer, zones: Iterable[Zone], groups: list[TargetGroup]) -> None:
    """Read the nodes' counters and put what they say of the minute that is over."""
    proxies: ProxyPort = step.port("proxy")
    read = {zone: proxies.counted(zone.node) for zone in zones}
    minute = next_minute(step.ctx.now) - 2 * MINUTE
    with step.world.state.database.transaction():
        seen = {zone.name: _advance(step, zone.node, now) for zone, now in read.items() if now}
        app = balancer.kind == "app"
        found = application(balancer, seen, groups) if app else network(balancer, seen)
        space = APPLICATION if app else NETWORK
        for metric, points in _points(space, found, minute).items():
            metrics.put(step.world, balancer.account, balancer.region, metric, points)


def _advance(step: Step, node: str, now: tuple[Counted, ...]) -> Since:
    """What a node counted since its last reading, which becomes this one."""
    held = step.db[NodeCount].get(node) or step.db[NodeCount].add(NodeCount(node=node))
    readings = {one.born: Reading(amounts=one.amounts, means=one.means) for one in now}
    step.db[NodeCount].put(replace(held, readings=readings))
    return since(held.readings, now)


def _points(space: str, found: Iterable[Measured], minute: datetime) -> dict[Metric, list[Point]]:
    points: dict[Metric, list[Point]] = {}
    for one in found:
        metric = Metric(space, one.name, one.dimensions)
        points.setdefault(metric, []).append(
            metrics.value(minute.astimezone(UTC), one.amount, one.unit, one.times)
        )
    return points
