"""What customers' own metrics cost: each hour in which something was put, once.

They come by `PutMetricData`, and out of log events. https://aws.amazon.com/cloudwatch/pricing/ (metrics are prorated by
the hour, and metered when they are sent)
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from cloudjar.kit.context import Ctx
from cloudjar.kit.metrics import Metric
from cloudjar.kit.usage import Meter
from cloudjar.store.points import key_of

METRIC = Meter("AmazonCloudWatch", "CW:MetricMonitorUsage", "MetricStorage", "Metrics")
_HOURS = "metric hours"


def charge(ctx: Ctx, metrics: Iterable[Metric]) -> None:
    """Charge metrics that are put now, in the running transaction. What an hour's bill has already is remembered, for
    as long as the hour."""
    start = ctx.now.replace(minute=0, second=0, microsecond=0)
    held: dict[datetime, set[tuple[str, str, Metric]]] = ctx.world.ports.setdefault(_HOURS, {})
    if start not in held:
        held.clear()
        held[start] = set()
    seen = held[start]
    new = {metric for metric in metrics if (ctx.account, ctx.region, metric) not in seen}
    if new:
        ctx.world.state.database.undone(held.clear)
    for metric in sorted(new):
        resource = f"{metric.namespace}/{metric.name}{key_of(metric.dimensions)}"
        usage = ctx.world.ports["usage"]
        usage.used(ctx.account, ctx.region, resource, METRIC, start, start + timedelta(hours=1))
        seen.add((ctx.account, ctx.region, metric))
