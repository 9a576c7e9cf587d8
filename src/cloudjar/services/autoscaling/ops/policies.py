"""Scaling policies: made, listed, removed, executed by hand.

https://docs.aws.amazon.com/autoscaling/ec2/userguide/as-scaling-simple-step.html
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from msgspec.structs import replace

from cloudjar.base import ids
from cloudjar.kit import scaling
from cloudjar.kit.context import Ctx
from cloudjar.kit.operation import op
from cloudjar.kit.record import arn_of
from cloudjar.kit.scaling import Bar
from cloudjar.services.autoscaling import errors, executing, linked_role, predicting, rules, tracking
from cloudjar.services.autoscaling.ops.capacity import cooled
from cloudjar.services.autoscaling.records import Forecast, Group, Policy, hook_key

_MOST = 50
_STEPS = 20
_KINDS = ("SimpleScaling", "StepScaling", "TargetTrackingScaling", "PredictiveScaling")
_STATISTICS = ("Minimum", "Maximum", "Average")


@op("PutScalingPolicy")
def put_scaling_policy(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Make a policy, or replace the one of that name; the alarms of one that tracks a target are its own."""
    group = rules.alive(ctx.db[Group].need(req["AutoScalingGroupName"]))
    kind = req.get("PolicyType") or "SimpleScaling"
    if kind not in _KINDS:
        raise errors.invalid(f"Invalid policy type: {kind}")
    if kind == "PredictiveScaling":
        return _predictive(ctx, group, req)
    if req.get("PredictiveScalingConfiguration"):
        raise errors.invalid(f"PredictiveScalingConfiguration is not supported for policy type {kind}")
    if kind == "TargetTrackingScaling":
        stored = _stored(ctx, group, kind, req, _target(ctx, group, req))
        stored = ctx.db[Policy].put(replace(stored, alarms=tracking.put_alarms(ctx, group, stored)))
        return {"PolicyARN": arn_of(stored), "Alarms": tracking.alarms_of(ctx, stored)}
    if req.get("TargetTrackingConfiguration"):
        raise errors.invalid(f"TargetTrackingConfiguration is not supported for policy type {kind}")
    if req.get("AdjustmentType") not in scaling.TYPES:
        raise errors.invalid(f"Adjustment type must be one of {', '.join(scaling.TYPES)}")
    rules.not_negative(req, "Cooldown", "EstimatedInstanceWarmup", "MinAdjustmentMagnitude", "MinAdjustmentStep")
    shared = {
        "adjustment": req["AdjustmentType"],
        "magnitude": req.get("MinAdjustmentMagnitude") or 0,
        "step": req.get("MinAdjustmentStep") or 0,
    }
    stored = _stored(ctx, group, kind, req, {**shared, **(_simple(req) if kind == "SimpleScaling" else _step(req))})
    return {"PolicyARN": arn_of(stored), "Alarms": []}


def _predictive(ctx: Ctx, group: Group, req: dict[str, Any]) -> dict[str, Any]:
    if not req.get("PredictiveScalingConfiguration"):
        raise errors.invalid("PredictiveScalingConfiguration must be specified for policy type PredictiveScaling")
    for member in ("AdjustmentType", "ScalingAdjustment", "Cooldown", "StepAdjustments", "TargetTrackingConfiguration",
                   "EstimatedInstanceWarmup"):  # fmt: skip
        if req.get(member) is not None:
            raise errors.invalid(f"{member} is not supported for policy type PredictiveScaling")
    wanted = predicting.checked(ctx, group, req["PredictiveScalingConfiguration"])
    stored = _stored(ctx, group, "PredictiveScaling", req, {"predictive": wanted})
    predicting.begin(ctx, stored)
    return {"PolicyARN": arn_of(stored), "Alarms": []}


@op("GetPredictiveScalingForecast")
def get_predictive_scaling_forecast(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """What a policy has forecast of a span of time, in the past and up to two days ahead."""
    group = ctx.db[Group].need(req["AutoScalingGroupName"])
    policy = _need(ctx, {**req, "AutoScalingGroupName": group.name})
    if policy.kind != "PredictiveScaling":
        raise errors.invalid(f"The policy {policy.name} is not of type PredictiveScaling")
    start, stop = req["StartTime"], req["EndTime"]
    if not start < stop or stop - start > timedelta(days=30):
        raise errors.invalid("StartTime must be before EndTime, and at most 30 days before it")
    if stop > ctx.now + timedelta(days=2):
        raise errors.invalid("EndTime must be at most two days ahead")
    item = ctx.db[Forecast].need(policy.key)
    hours = sorted(int(hour) for hour in item.hours if start.timestamp() <= int(hour) <= stop.timestamp())
    at = [datetime.fromtimestamp(hour, UTC) for hour in hours]
    loads, capacities = ([item.hours[str(hour)][n] for hour in hours] for n in (0, 1))
    spec = policy.predictive["MetricSpecifications"][0]
    return {
        "LoadForecast": [{"Timestamps": at, "Values": loads, "MetricSpecification": spec}],
        "CapacityForecast": {"Timestamps": at, "Values": capacities},
        "UpdateTime": item.updated,
    }


def _stored(ctx: Ctx, group: Group, kind: str, req: dict[str, Any], fields: dict[str, Any]) -> Policy:
    key = hook_key(group.name, req["PolicyName"])
    known = ctx.db[Policy].get(key)
    policy = Policy(
        key=key,
        group=group.name,
        name=req["PolicyName"],
        uuid=known.uuid if known else ids.uuid4(),
        kind=kind,
        enabled=req.get("Enabled") is not False,
        alarms=known.alarms if known else (),
        **fields,
    )
    if known is not None and kind != "PredictiveScaling":
        predicting.end(ctx, known)
    if known is not None:
        if kind != "TargetTrackingScaling":
            tracking.drop_alarms(ctx, known, linked_role.acting(ctx, group))
            policy = replace(policy, alarms=())
        return ctx.db[Policy].put(replace(policy, account=known.account, region=known.region))
    if ctx.db[Policy].count(group=group.name) >= _MOST:
        raise errors.limit(f"You may only have {_MOST} scaling policies per AutoScalingGroup.")
    return ctx.db[Policy].add(policy)


def _target(ctx: Ctx, group: Group, req: dict[str, Any]) -> dict[str, Any]:
    if not req.get("TargetTrackingConfiguration"):
        raise errors.invalid("TargetTrackingConfiguration must be specified for policy type TargetTrackingScaling")
    for member in ("AdjustmentType", "ScalingAdjustment", "Cooldown", "StepAdjustments"):
        if req.get(member) is not None:
            raise errors.invalid(f"{member} is not supported for policy type TargetTrackingScaling")
    rules.not_negative(req, "EstimatedInstanceWarmup")
    wanted = tracking.checked(ctx, group, req["TargetTrackingConfiguration"])
    return {"tracking": wanted, "warmup": req.get("EstimatedInstanceWarmup")}


def _simple(req: dict[str, Any]) -> dict[str, Any]:
    if req.get("StepAdjustments"):
        raise errors.invalid("StepAdjustments are not supported for policy type SimpleScaling")
    if req.get("ScalingAdjustment") is None:
        raise errors.invalid("ScalingAdjustment must be specified for policy type SimpleScaling")
    return {"by": req["ScalingAdjustment"], "cooldown": req.get("Cooldown")}


def _step(req: dict[str, Any]) -> dict[str, Any]:
    if req.get("ScalingAdjustment") is not None or req.get("Cooldown") is not None:
        raise errors.invalid("ScalingAdjustment and Cooldown are not supported for policy type StepScaling")
    steps = tuple(
        Bar(s["ScalingAdjustment"], s.get("MetricIntervalLowerBound"), s.get("MetricIntervalUpperBound"))
        for s in req.get("StepAdjustments") or ()
    )
    if not steps:
        raise errors.invalid("At least one StepAdjustment must be specified for policy type StepScaling")
    if len(steps) > _STEPS:
        raise errors.limit(f"You may only have {_STEPS} step adjustments per scaling policy.")
    wrong = scaling.fault(steps)
    if wrong:
        raise errors.invalid(wrong)
    statistic = req.get("MetricAggregationType") or "Average"
    if statistic not in _STATISTICS:
        raise errors.invalid(f"Metric aggregation type must be one of {', '.join(_STATISTICS)}")
    return {"steps": steps, "aggregation": statistic, "warmup": req.get("EstimatedInstanceWarmup")}


def show_policy(policy: Policy, alarms: list[dict[str, str]]) -> dict[str, Any]:
    """AWS's ScalingPolicy."""
    simple = policy.kind == "SimpleScaling"
    return {
        "AutoScalingGroupName": policy.group,
        "PolicyName": policy.name,
        "PolicyARN": arn_of(policy),
        "PolicyType": policy.kind,
        "AdjustmentType": policy.adjustment or None,
        "MinAdjustmentMagnitude": policy.magnitude or None,
        "MinAdjustmentStep": policy.step or None,
        "ScalingAdjustment": policy.by if simple else None,
        "Cooldown": policy.cooldown,
        "StepAdjustments": [
            {
                "MetricIntervalLowerBound": bar.lower,
                "MetricIntervalUpperBound": bar.upper,
                "ScalingAdjustment": bar.by,
            }
            for bar in policy.steps
        ],
        "MetricAggregationType": policy.aggregation or None,
        "EstimatedInstanceWarmup": policy.warmup,
        "Alarms": alarms,
        "TargetTrackingConfiguration": policy.tracking or None,
        "PredictiveScalingConfiguration": policy.predictive or None,
        "Enabled": policy.enabled,
    }


@op("DescribePolicies")
def describe_policies(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Policies of a group, or of all; by name, ARN or kind."""
    name, wanted, kinds = req.get("AutoScalingGroupName"), req.get("PolicyNames"), req.get("PolicyTypes")
    if name:
        ctx.db[Group].need(name)
    items = ctx.db[Policy].all(group=name) if name else ctx.db[Policy].all()
    found = [p for p in items if not wanted or p.name in wanted or arn_of(p) in wanted]
    shown = [p for p in found if not kinds or p.kind in kinds]
    return {"ScalingPolicies": [show_policy(p, tracking.alarms_of(ctx, p)) for p in shown]}


def _need(ctx: Ctx, req: dict[str, Any]) -> Policy:
    """The policy of a request, by its ARN or by its name and group; it must be of the group that is named."""
    group, name = req.get("AutoScalingGroupName"), req["PolicyName"]
    if not group and not name.startswith("arn:"):
        raise errors.invalid("AutoScalingGroupName is required when the policy is not named by its ARN")
    items = ctx.db[Policy].all(group=group) if group else ctx.db[Policy].all()
    for policy in items:
        if arn_of(policy) == name or (group and policy.name == name):
            return policy
    raise errors.invalid("PolicyName not found - no policy found for the given policy name")


@op("DeletePolicy")
def delete_policy(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Delete a policy, and the alarms that were made for it."""
    policy = _need(ctx, req)
    tracking.drop_alarms(ctx, policy, linked_role.acting(ctx, ctx.db[Group].need(policy.group)))
    predicting.end(ctx, policy)
    ctx.db[Policy].drop(policy)
    return {}


@op("DescribeAdjustmentTypes")
def describe_adjustment_types(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """What the number of an adjustment can mean."""
    return {"AdjustmentTypes": [{"AdjustmentType": name} for name in scaling.TYPES]}


@op("ExecutePolicy")
def execute_policy(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Do now what the policy would do if its alarm went off."""
    policy = _need(ctx, req)
    group = rules.alive(ctx.db[Group].need(policy.group))
    if not policy.enabled:
        raise errors.invalid(f"The policy {policy.name} is disabled")
    if policy.kind in ("TargetTrackingScaling", "PredictiveScaling"):
        raise errors.invalid(f"Policies of type {policy.kind} cannot be executed by hand")
    if policy.kind == "SimpleScaling":
        if req.get("HonorCooldown"):
            cooled(ctx, group)
        wanted = scaling.adjusted(policy.adjustment, policy.by, group.desired, policy.magnitude or policy.step)
    else:
        wanted = _by_step(ctx, group, policy, req)
    executing.resize(ctx, group, wanted, f"a user request executed policy {policy.name}")
    return {}


def _by_step(ctx: Ctx, group: Group, policy: Policy, req: dict[str, Any]) -> int:
    value, threshold = req.get("MetricValue"), req.get("BreachThreshold")
    if value is None or threshold is None:
        raise errors.invalid("MetricValue and BreachThreshold are required for policies of type StepScaling")
    if req.get("HonorCooldown"):
        raise errors.invalid("HonorCooldown is not supported for policies of type StepScaling")
    return executing.by_step(ctx, group, policy, value, threshold)
