"""What costs money: custom metrics in each hour in which something was put.

https://aws.amazon.com/cloudwatch/pricing/ (metrics are prorated by the hour, and metered when they are sent)
"""

from __future__ import annotations

from datetime import datetime, timedelta

from cloudjar.kit.context import Ctx
from cloudjar.kit.metrics import Metric
from cloudjar.kit.usage import Meter
from cloudjar.store.points import key_of

METRIC = Meter("AmazonCloudWatch", "CW:MetricMonitorUsage", "MetricStorage", "Metrics")


def count(ctx: Ctx, metric: Metric, start: datetime, length: timedelta) -> None:
    """A custom metric that was put in an hour costs that hour, once."""
    resource = f"{metric.namespace}/{metric.name}{key_of(metric.dimensions)}"
    ctx.world.ports["usage"].used(ctx.account, ctx.region, resource, METRIC, start, start + length)
