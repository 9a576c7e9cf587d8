"""Putting metric data.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutMetricData.html
"""

from __future__ import annotations

from typing import Any

from cloudjar.kit import custom_metrics, metrics
from cloudjar.kit.context import Ctx
from cloudjar.kit.metrics import Metric, Point
from cloudjar.kit.operation import op
from cloudjar.services.cloudwatch import datums, errors


def _keys(_: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    return {"cloudwatch:namespace": req["Namespace"]}


@op("PutMetricData", keys=_keys)
def put_metric_data(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Store data points; metrics come into being with their first."""
    namespace = req["Namespace"]
    if namespace.startswith("AWS/") or not namespace.strip():
        raise errors.value(f"The value {namespace} for parameter Namespace is invalid.")
    if req.get("EntityMetricData"):
        raise errors.not_built("Metric data with entities (EntityMetricData)")
    if not req.get("MetricData"):
        raise errors.missing("The parameter MetricData is required.")
    held: dict[tuple[Metric, bool], list[Point]] = {}
    for datum in datums.read(req["MetricData"], ctx.now):
        key = Metric(namespace, datum.name, datum.dimensions), datum.fine
        held.setdefault(key, []).append(datum.point)
    metrics.put_all(ctx.world, ctx.account, ctx.region, [(*key, points) for key, points in held.items()])
    custom_metrics.charge(ctx, (metric for metric, _ in held))
    return {}
