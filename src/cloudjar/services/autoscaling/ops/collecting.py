"""Which metrics of a group are collected.

https://docs.aws.amazon.com/autoscaling/ec2/userguide/ec2-auto-scaling-metrics.html
"""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from cloudjar.kit.context import Ctx
from cloudjar.kit.operation import op
from cloudjar.services.autoscaling import errors, rules
from cloudjar.services.autoscaling.metrics import NAMES
from cloudjar.services.autoscaling.records import Group

_GRANULARITY = "1Minute"


def _named(req: dict[str, Any]) -> tuple[str, ...]:
    """The metrics of a request; none means all."""
    given = tuple(req.get("Metrics") or NAMES)
    unknown = [name for name in given if name not in NAMES]
    if unknown:
        raise errors.invalid(f"Invalid metrics: [{', '.join(unknown)}]")
    return given


@op("EnableMetricsCollection")
def enable_metrics_collection(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Collect metrics of a group from now on."""
    group = rules.alive(ctx.db[Group].need(req["AutoScalingGroupName"]))
    if req["Granularity"] != _GRANULARITY:
        raise errors.invalid(f"Granularity must be {_GRANULARITY}")
    wanted = {*group.metrics, *_named(req)}
    ctx.db[Group].put(replace(group, metrics=tuple(name for name in NAMES if name in wanted)))
    return {}


@op("DisableMetricsCollection")
def disable_metrics_collection(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Collect them no more."""
    group = rules.alive(ctx.db[Group].need(req["AutoScalingGroupName"]))
    unwanted = _named(req)
    ctx.db[Group].put(replace(group, metrics=tuple(name for name in group.metrics if name not in unwanted)))
    return {}


@op("DescribeMetricCollectionTypes")
def describe_metric_collection_types(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """The metrics that there are."""
    return {
        "Metrics": [{"Metric": name} for name in NAMES],
        "Granularities": [{"Granularity": _GRANULARITY}],
    }
