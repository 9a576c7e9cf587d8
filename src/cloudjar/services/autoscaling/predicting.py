"""Predictive scaling: what policies forecast from the history of their metrics, and the capacity that is there before
the load is.

A forecast is made when a policy is put and every six hours of AWS's clock, for two days. A policy that scales has the
capacity of each hour there some time before the hour begins; it never takes any away.

https://docs.aws.amazon.com/autoscaling/ec2/userguide/ec2-auto-scaling-predictive-scaling.html
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from msgspec.structs import replace

from cloudjar.base.errors import AwsError
from cloudjar.kit import metrics
from cloudjar.kit.context import Ctx
from cloudjar.kit.machine import Step, reconciler
from cloudjar.kit.metrics import Metric
from cloudjar.services.autoscaling import errors, executing, forecasting, linked_role, traffic
from cloudjar.services.autoscaling.forecasting import HOUR
from cloudjar.services.autoscaling.records import DELETING, Forecast, Group, Policy
from cloudjar.services.autoscaling.rules import suspended
from cloudjar.services.autoscaling.tracking import LABEL

_EVERY = timedelta(hours=6)
_KEPT = 30 * 24 * HOUR
_PAIRS = {
    "ASGCPUUtilization": ("ASGTotalCPUUtilization", "ASGAverageCPUUtilization"),
    "ASGNetworkIn": ("ASGTotalNetworkIn", "ASGAverageNetworkIn"),
    "ASGNetworkOut": ("ASGTotalNetworkOut", "ASGAverageNetworkOut"),
    "ALBRequestCount": ("ALBTargetGroupRequestCount", "ALBRequestCountPerTarget"),
}
_OF_GROUP = {
    "ASGTotalCPUUtilization": "CPUUtilization", "ASGTotalNetworkIn": "NetworkIn", "ASGTotalNetworkOut": "NetworkOut",
}  # fmt: skip
_BALANCED = "ALBTargetGroupRequestCount"
_MINUTES = 60
_USUAL = 300
_SOURCES = ("PredefinedMetricPairSpecification", "PredefinedScalingMetricSpecification",
            "PredefinedLoadMetricSpecification", "CustomizedScalingMetricSpecification",
            "CustomizedLoadMetricSpecification", "CustomizedCapacityMetricSpecification")  # fmt: skip


def checked(ctx: Ctx, group: Group, given: Mapping[str, Any]) -> dict[str, Any]:
    """A predictive scaling configuration as it is kept; raises ValidationError."""
    specs = given["MetricSpecifications"]
    if len(specs) != 1:
        raise errors.invalid("Exactly one metric specification must be specified for predictive scaling")
    spec = specs[0]
    if spec["TargetValue"] <= 0:
        raise errors.invalid("TargetValue must be greater than 0")
    _check_sources(ctx, group, spec)
    breach = given.get("MaxCapacityBreachBehavior") or "HonorMaxCapacity"
    buffer, early = given.get("MaxCapacityBuffer"), given.get("SchedulingBufferTime")
    if buffer is not None and (breach != "IncreaseMaxCapacity" or not 0 <= buffer <= 100):
        raise errors.invalid("MaxCapacityBuffer must be between 0 and 100, and is for IncreaseMaxCapacity alone")
    if early is not None and not 0 <= early <= HOUR:
        raise errors.invalid("SchedulingBufferTime must be between 0 and 3600")
    return {**given, "Mode": given.get("Mode") or "ForecastOnly", "MaxCapacityBreachBehavior": breach}


def _check_sources(ctx: Ctx, group: Group, spec: Mapping[str, Any]) -> None:
    named = {name for name in _SOURCES if spec.get(name)}
    capacity = named - {"CustomizedCapacityMetricSpecification"}
    if capacity != {"PredefinedMetricPairSpecification"} and not (
        len(capacity) == 2 and {name[10:] for name in capacity} == {"ScalingMetricSpecification",
                                                                    "LoadMetricSpecification"}
    ):  # fmt: skip
        raise errors.invalid("A metric specification names a predefined pair, or one scaling and one load metric")
    if len(named) > len(capacity) and "CustomizedLoadMetricSpecification" not in named:
        raise errors.invalid("A customized capacity metric needs a customized load metric")
    for name in named:
        if name.startswith("Customized"):
            queries = spec[name]["MetricDataQueries"]
            if sum(query.get("ReturnData") is not False for query in queries) != 1:
                raise errors.invalid(f"Exactly one of the MetricDataQueries of {name} must return data")
        else:
            _check_label(ctx, group, spec[name])


def _check_label(ctx: Ctx, group: Group, given: Mapping[str, Any]) -> None:
    kind, label = given["PredefinedMetricType"], given.get("ResourceLabel")
    if not kind.startswith("ALB"):
        if label:
            raise errors.invalid(f"ResourceLabel cannot be specified for the metric type {kind}")
        return
    found = LABEL.fullmatch(label or "")
    if found is None:
        raise errors.invalid(f"A valid ResourceLabel must be specified for the metric type {kind}")
    if not any(arn.endswith(f":{found[2]}") for arn in traffic.arns(ctx, group.name)):
        raise errors.invalid(f"The target group {found[2]} is not attached to the Auto Scaling group {group.name}")


def begin(ctx: Ctx, policy: Policy) -> None:
    """Forecast from now on; a policy that was put again forgets what it forecast of another metric."""
    table = ctx.db[Forecast]
    known = table.get(policy.key)
    made = Forecast(key=policy.key, group=policy.group, policy=policy.name, updated=ctx.now)
    if known is None:
        table.add(made)
    else:
        table.put(replace(made, account=known.account, region=known.region))


def end(ctx: Ctx, policy: Policy) -> None:
    """Forecast no more."""
    known = ctx.db[Forecast].get(policy.key)
    if known is not None:
        ctx.db[Forecast].drop(known)


@reconciler(Forecast)
def follow(step: Step, item: Forecast | None) -> None:
    """Make the forecast that is due, have the capacity of the next hour there, and set the alarms for both."""
    if item is None:
        return
    with step.world.state.database.transaction():
        item = step.db[Forecast].get(step.key)
        policy = step.db[Policy].get(step.key)
        if item is None or policy is None:
            return
        group, now = step.db[Group].need(item.group), step.ctx.now
        if not item.made or item.updated + _EVERY <= now:
            item = step.db[Forecast].put(_made(step.ctx, group, policy, item))
        item = _scaled(step.ctx, group, policy, item)
        early = _early(policy)
        following = datetime.fromtimestamp(_hour(now + early) + HOUR, UTC) - early
    step.again("forecast", item.updated + _EVERY)
    step.again("scale", following)


def _early(policy: Policy) -> timedelta:
    seconds = policy.predictive.get("SchedulingBufferTime")
    return timedelta(seconds=_USUAL if seconds is None else seconds)


def _hour(moment: datetime) -> int:
    return int(moment.timestamp()) // HOUR * HOUR


def _made(ctx: Ctx, group: Group, policy: Policy, item: Forecast) -> Forecast:
    """The forecast with what the history tells now; of hours that are over, what was forecast stays."""
    spec = policy.predictive["MetricSpecifications"][0]
    first, now = _hour(ctx.now), ctx.now
    try:
        load, each = _history(ctx, group, spec, first)
    except AwsError:  # who may not read the metrics forecasts nothing
        load, each = {}, None
    item = replace(item, updated=now, made=True)
    if each is None or not forecasting.enough(load):
        return item
    loads = forecasting.forecast(load, first)
    capacities = {hour: forecasting.needed(value, each, spec["TargetValue"]) for hour, value in loads.items()}
    old = {hour: held for hour, held in item.hours.items() if first - _KEPT <= int(hour) < first}
    new = {str(hour): (loads[hour], capacities[hour]) for hour in loads}
    return replace(item, hours={**old, **new})


def _history(ctx: Ctx, group: Group, spec: Mapping[str, Any], end: int) -> tuple[dict[int, float], float | None]:
    """The load by hour, and what a unit of it makes of the metric on one instance."""
    if spec.get("CustomizedLoadMetricSpecification"):
        load = _asked(ctx, group, spec["CustomizedLoadMetricSpecification"]["MetricDataQueries"], end)
    else:
        load = _asked(ctx, group, [_predefined(group, *_load_of(spec))], end)
    if not spec.get("CustomizedScalingMetricSpecification"):
        return load, 1 / _samples(ctx, group, _load_of(spec)[0])
    scaling = _asked(ctx, group, spec["CustomizedScalingMetricSpecification"]["MetricDataQueries"], end)
    given = spec.get("CustomizedCapacityMetricSpecification")
    if given is None:
        return load, 1.0
    return load, forecasting.ratio(load, scaling, _asked(ctx, group, given["MetricDataQueries"], end))


def _load_of(spec: Mapping[str, Any]) -> tuple[str, str]:
    """The predefined load metric and its label."""
    pair = spec.get("PredefinedMetricPairSpecification")
    if pair:
        return _PAIRS[pair["PredefinedMetricType"]][0], pair.get("ResourceLabel") or ""
    given = spec.get("PredefinedLoadMetricSpecification") or spec["PredefinedScalingMetricSpecification"]
    kind = given["PredefinedMetricType"]
    of_scaling = {scaling: load for load, scaling in _PAIRS.values()}
    return of_scaling.get(kind, kind), given.get("ResourceLabel") or ""


def _predefined(group: Group, kind: str, label: str) -> dict[str, Any]:
    """The query for a predefined load metric: what all instances, or targets, had together in an hour."""
    if kind == _BALANCED:
        found = LABEL.fullmatch(label)
        assert found is not None  # checked when the policy was made
        dimensions = [{"Name": "LoadBalancer", "Value": found[1]}, {"Name": "TargetGroup", "Value": found[2]}]
        metric: dict[str, Any] = {"Namespace": "AWS/ApplicationELB", "MetricName": "RequestCount"}
    else:
        dimensions = [{"Name": "AutoScalingGroupName", "Value": group.name}]
        metric = {"Namespace": "AWS/EC2", "MetricName": _OF_GROUP[kind]}
    return {"Id": "load", "MetricStat": {"Metric": {**metric, "Dimensions": dimensions}, "Stat": "Sum"}}


def _samples(ctx: Ctx, group: Group, kind: str) -> float:
    """How many measurements of one instance are in an hour's sum: each is one at the target. Requests count by the
    minute."""
    if kind == _BALANCED:
        return _MINUTES
    source = metrics.source(ctx.world, "AWS/EC2")
    metric = Metric("AWS/EC2", _OF_GROUP[kind], (("AutoScalingGroupName", group.name),))
    every = source.step(ctx.world, ctx.account, ctx.region, metric) if source is not None else 0
    return HOUR / (every or _USUAL)


def _asked(ctx: Ctx, group: Group, queries: list[dict[str, Any]], end: int) -> dict[int, float]:
    """Hourly values of the last fourteen days, asked of CloudWatch in the name of the group's role."""
    asked = [
        {**query, "MetricStat": {**query["MetricStat"], "Period": HOUR}} if query.get("MetricStat") else
        {**query, "Period": HOUR}
        for query in queries
    ]  # fmt: skip
    begin_ = datetime.fromtimestamp(end, UTC) - timedelta(days=forecasting.DAYS)
    params: dict[str, Any] = {
        "MetricDataQueries": asked, "StartTime": begin_, "EndTime": datetime.fromtimestamp(end, UTC),
        "ScanBy": "TimestampAscending",
    }  # fmt: skip
    found = ctx.call("cloudwatch", "GetMetricData", params, caller=linked_role.acting(ctx, group))
    series = [one for one in found["MetricDataResults"] if one.get("Timestamps")]
    if not series:
        return {}
    return {_hour(at): float(value) for at, value in zip(series[0]["Timestamps"], series[0]["Values"], strict=True)}


def _scaled(ctx: Ctx, group: Group, policy: Policy, item: Forecast) -> Forecast:
    """Have the capacity of the hour that begins soon, once."""
    hour = _hour(ctx.now + _early(policy))
    held = item.hours.get(str(hour))
    if policy.predictive["Mode"] != "ForecastAndScale" or held is None or item.acted >= hour:
        return item
    item = ctx.db[Forecast].put(replace(item, acted=hour))
    if group.status == DELETING or not policy.enabled or suspended(group, "ScheduledActions"):
        return item
    wanted = math.ceil(held[1])
    if policy.predictive["MaxCapacityBreachBehavior"] == "IncreaseMaxCapacity":
        most = math.ceil(wanted * (1 + (policy.predictive.get("MaxCapacityBuffer") or 0) / 100))
        if most > group.most:
            group = ctx.db[Group].put(replace(group, most=most))
    if wanted > group.desired:
        executing.resize(ctx, group, wanted, f"predictive scaling policy {policy.name} was executed")
    return item
