"""What costs money: custom metrics in each hour in which something was put, alarms and dashboards while they are there.

https://aws.amazon.com/cloudwatch/pricing/ (metrics are prorated by the hour, and metered when they are sent)
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from decimal import Decimal

from cloudjar.kit.context import Ctx
from cloudjar.kit.metrics import Metric
from cloudjar.kit.usage import Meter, meters
from cloudjar.services.cloudwatch.records import Alarm, Dashboard
from cloudjar.store.points import key_of

METRIC = Meter("AmazonCloudWatch", "CW:MetricMonitorUsage", "MetricStorage", "Metrics")


def count(ctx: Ctx, metric: Metric, start: datetime, length: timedelta) -> None:
    """A custom metric that was put in an hour costs that hour, once."""
    resource = f"{metric.namespace}/{metric.name}{key_of(metric.dimensions)}"
    ctx.world.ports["usage"].used(ctx.account, ctx.region, resource, METRIC, start, start + length)


_HOURS = "metric hours"


def count_all(ctx: Ctx, metrics: Iterable[Metric]) -> None:
    """Custom metrics that are put now. What an hour's bill has already is remembered, for as long as the hour."""
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
        count(ctx, metric, start, timedelta(hours=1))
        seen.add((ctx.account, ctx.region, metric))


@meters(Alarm)
def alarm_months(alarm: Alarm) -> Iterable[Meter]:
    """An alarm for each metric that it watches, dearer when it looks more often than each minute."""
    judged = alarm.judged
    if judged is None:
        return (Meter("AmazonCloudWatch", "CW:CompositeAlarmMonitorUsage", "", "Alarms"),)
    watched = sum(query.metric is not None for query in judged.queries) or 1
    kind = "CW:HighResAlarmMonitorUsage" if judged.period < 60 else "CW:AlarmMonitorUsage"
    return (Meter("AmazonCloudWatch", kind, "", "Alarms", Decimal(watched)),)


@meters(Dashboard)
def dashboard_months(_: Dashboard) -> Iterable[Meter]:
    """Each dashboard."""
    return (Meter("AmazonCloudWatch", "DashboardsUsageHour", "", "Dashboards"),)
