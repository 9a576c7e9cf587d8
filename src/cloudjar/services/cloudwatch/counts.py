"""``AWS/Usage`` ``ResourceCount``: how much of a quota is used; derived from what is metered and from what is counted.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch-Service-Quota-Integration.html
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from functools import cache

from cloudjar.kit.context import World
from cloudjar.kit.metrics import Dimensions, Metric, Point
from cloudjar.kit.record import Record, RecordMeta, by_quota
from cloudjar.kit.usage import Span
from cloudjar.spec import instance_types, usage_metrics
from cloudjar.spec.usage_metrics import COUNTED, CPUS, NAMESPACE, RESOURCES, Code

_MINUTE, _FIVE, _DAY = 60, 300, 86_400
_FAR = 2**40
_HOMES = {"elasticloadbalancing": "elbv2"}
"""botocore's name of the service behind a code of Service Quotas, where they differ."""


def metrics(world: World, account: str, region: str, since: float) -> Iterator[Metric]:
    """Those of which there was anything since an instant (Unix seconds)."""
    groups = {usage_metrics.cpu_class(span.meter.usage_type) for span in _spans(world, account, region, since)}
    for metric in CPUS.values():
        if metric.group in groups:
            yield Metric(NAMESPACE, RESOURCES, metric.dimensions)
    for code in world.state.usage.counts.known(account, region):
        changes = list(_records(world, account, region, code))
        ends = [at for at, _ in changes[1:]] + [_FAR]
        if any(count and end > since for (_, count), end in zip(changes, ends, strict=True)):
            yield Metric(NAMESPACE, RESOURCES, COUNTED[code].dimensions)


def code_of(metric: Metric) -> Code | None:
    """The quota that a metric counts against."""
    if metric.namespace != NAMESPACE or metric.name != RESOURCES:
        return None
    return _by_dimensions().get(metric.dimensions)


@cache
def _by_dimensions() -> dict[Dimensions, Code]:
    return {held: code for (name, held), code in usage_metrics.quotas_by_dimensions().items() if name == RESOURCES}


def read(
    world: World, account: str, region: str, code: Code, start: float, stop: float
) -> Iterator[Point]:
    """A point for each minute (of more than a day: each five minutes) that is over and in which there was anything."""
    now = world.clock.now().timestamp()
    step = _MINUTE if stop - start <= _DAY else _FIVE
    changes, place = list(_changes(world, account, region, code, start)), 0
    at = -(-start // step) * step
    while at < stop and at + step <= now:
        while place + 1 < len(changes) and changes[place + 1][0] < at + step:
            place += 1
        count = changes[place][1] if changes else 0
        if count:
            yield Point(at, "None", 1.0, float(count), float(count), float(count), ((float(count), 1.0),))
        at += step


def _changes(world: World, account: str, region: str, code: Code, since: float) -> Iterable[tuple[float, int]]:
    """(Unix seconds, how many from then on), oldest first."""
    if code in CPUS:
        return _cpus(world, account, region, CPUS[code].group, since)
    return _records(world, account, region, code)


def _cpus(world: World, account: str, region: str, group: str, since: float) -> list[tuple[float, int]]:
    """Virtual CPUs of instances that were metered."""
    edges: dict[float, int] = {}
    for span in _spans(world, account, region, since):
        if usage_metrics.cpu_class(span.meter.usage_type) != group:
            continue
        cpus = instance_types.size(span.meter.usage_type.partition(":")[2]).vcpus
        edges[span.start.timestamp()] = edges.get(span.start.timestamp(), 0) + cpus
        if span.end is not None:
            edges[span.end.timestamp()] = edges.get(span.end.timestamp(), 0) - cpus
    held, found = 0, [(0.0, 0)]
    for at in sorted(edges):
        held += edges[at]
        found.append((at, held))
    return found


def _spans(world: World, account: str, region: str, since: float) -> Iterator[Span]:
    start = datetime.fromtimestamp(since, UTC)
    for span in world.state.usage.spans(start, world.clock.now(), account):
        if span.region == region and span.meter.service == "AmazonEC2":
            yield span


def _records(world: World, account: str, region: str, code: Code) -> Iterator[tuple[float, int]]:
    """Records that count against the quota."""
    world.load(_HOMES.get(code[0], code[0]))
    held = by_quota(code)
    now = sum(_count(world, account, region, declared, code) for declared in held)
    for minute, count in world.state.usage.counts.changes(account, region, code, now):
        yield minute * 60.0, count


def _count(world: World, account: str, region: str, declared: RecordMeta[Record], code: Code) -> int:
    found = world.state.tables.all(declared.spec, account, region if declared.regional else "", {})
    rules = [quota.counts for quota in declared.quotas if quota.code == code and not quota.per]
    return sum(1 for item in found for rule in rules if rule is None or rule(item))
