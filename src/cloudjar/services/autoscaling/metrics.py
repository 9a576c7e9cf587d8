"""A group's own metrics, derived from what it was at each change: nothing is counted by the minute until somebody asks.

https://docs.aws.amazon.com/autoscaling/ec2/userguide/ec2-auto-scaling-metrics.html
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime, timedelta

from msgspec.structs import replace

from cloudjar.kit import metrics
from cloudjar.kit.context import Ctx, World
from cloudjar.kit.db import Db
from cloudjar.kit.metrics import Metric, Point
from cloudjar.services.autoscaling.records import Group, Member, Tally

NAMESPACE = "AWS/AutoScaling"
_DIMENSION = "AutoScalingGroupName"
_KEPT = timedelta(days=15)
_MINUTE = 60
_KINDS = ("InService", "Pending", "Standby", "Terminating", "Total")
_WARM = ("Desired", "Warmed", "Pending", "Terminating", "Total")
NAMES = (
    "GroupMinSize", "GroupMaxSize", "GroupDesiredCapacity",
    *(f"Group{kind}Instances" for kind in _KINDS),
    *(f"Group{kind}Capacity" for kind in _KINDS),
    *(f"WarmPool{kind}Capacity" for kind in _WARM),
    "GroupAndWarmPoolDesiredCapacity", "GroupAndWarmPoolTotalCapacity",
)  # fmt: skip


def counted(group: Group, held: Sequence[Member], pool: int) -> dict[str, int]:
    """Every metric as it is now; `pool` is what the warm pool is to have. Pure."""
    own = [m for m in held if not m.state.startswith("Warmed:")]
    warm = [m for m in held if m.state.startswith("Warmed:")]
    found = {"GroupMinSize": group.least, "GroupMaxSize": group.most, "GroupDesiredCapacity": group.desired}
    for kind in _KINDS:
        of_kind = [m for m in own if kind == "Total" or m.state.partition(":")[0] == kind]
        found[f"Group{kind}Instances"] = len(of_kind)
        found[f"Group{kind}Capacity"] = sum(m.weight for m in of_kind)
    ready = [m for m in warm if m.state in ("Warmed:Stopped", "Warmed:Running")]
    pending = [m for m in warm if m.state.startswith("Warmed:Pending")]
    ending = [m for m in warm if m.state.startswith("Warmed:Terminating")]
    for kind, several in (("Warmed", ready), ("Pending", pending), ("Terminating", ending), ("Total", warm)):
        found[f"WarmPool{kind}Capacity"] = sum(m.weight for m in several)
    found["WarmPoolDesiredCapacity"] = pool
    found["GroupAndWarmPoolDesiredCapacity"] = group.desired + pool
    found["GroupAndWarmPoolTotalCapacity"] = found["GroupTotalCapacity"] + found["WarmPoolTotalCapacity"]
    return found


def tally(ctx: Ctx, group: Group, pool: int) -> None:
    """Write down what a group is, when it is otherwise than last time and somebody wants to know."""
    now = counted(group, ctx.db[Member].all(group=group.name), pool) if group.metrics else {}
    wanted = {name: now[name] for name in group.metrics}
    if wanted == group.tallied:
        return
    for old in ctx.db[Tally].all(group=group.name):
        if old.until is not None and old.until < ctx.now - _KEPT:
            ctx.db[Tally].drop(old)
        elif old.until is None:
            ctx.db[Tally].put(replace(old, until=ctx.now))
    if wanted:
        key = f"{group.name}/{ctx.now.timestamp():.6f}"
        _store(ctx, Tally(key=key, group=group.name, since=ctx.now, counts=wanted))
    ctx.db[Group].put(replace(group, tallied=wanted))
    for name in wanted:
        if name not in group.tallied:
            metrics.moved(ctx.world, ctx.account, ctx.region, Metric(NAMESPACE, name, ((_DIMENSION, group.name),)))


def _store(ctx: Ctx, item: Tally) -> None:
    """Of several changes at one instant the last one counts."""
    known = ctx.db[Tally].get(item.key)
    if known is None:
        ctx.db[Tally].add(item)
    else:
        ctx.db[Tally].put(replace(item, account=known.account, region=known.region))


class Groups:
    """Derives the metrics of AWS/AutoScaling."""

    service = "autoscaling"

    def metrics(self, world: World, account: str, region: str, since: float) -> Iterable[Metric]:
        """Every metric that was collected since an instant."""
        found = set()
        for item in Db(world.state, account, region)[Tally].all():
            if item.until is None or item.until.timestamp() >= since:
                found |= {Metric(NAMESPACE, name, ((_DIMENSION, item.group),)) for name in item.counts}
        return sorted(found)

    def read(
        self, world: World, account: str, region: str, metric: Metric, start: float, stop: float
    ) -> Iterator[Point]:
        """One point a minute while the metric was collected: what was so at the minute's end."""
        now = world.clock.now().timestamp()
        for item in Db(world.state, account, region)[Tally].all(group=_group(metric)):
            if metric.name in item.counts:
                until = min(now, stop + _MINUTE) if item.until is None else item.until.timestamp()
                yield from _points(item, metric.name, start, min(stop, now - _MINUTE + 1e-6), until)

    def step(self, world: World, account: str, region: str, metric: Metric) -> int:
        """Seconds between its points."""
        group = Db(world.state, account, region)[Group].get(_group(metric))
        return _MINUTE if group is not None and metric.name in group.metrics else 0


def _group(metric: Metric) -> str:
    return dict(metric.dimensions).get(_DIMENSION, "") if len(metric.dimensions) == 1 else ""


def _points(item: Tally, name: str, start: float, stop: float, until: float) -> Iterator[Point]:
    """The minutes in [start, stop) that end while the tally held."""
    since = item.since.timestamp()
    minute = max(math.ceil(start / _MINUTE), math.ceil(since / _MINUTE) - 1) * _MINUTE
    while minute < stop and minute + _MINUTE <= until:
        if minute + _MINUTE > since:
            yield metrics.value(datetime.fromtimestamp(minute, UTC), item.counts[name])
        minute += _MINUTE


metrics.derives(NAMESPACE, Groups())
