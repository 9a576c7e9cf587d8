"""Scaling policies: simple and step, executed by hand. Those that need CloudWatch's metrics are refused.

https://docs.aws.amazon.com/autoscaling/ec2/userguide/as-scaling-simple-step.html
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from msgspec.structs import replace

from cloudjar.base import ids
from cloudjar.kit.context import Ctx
from cloudjar.kit.operation import op
from cloudjar.kit.record import arn_of
from cloudjar.services.autoscaling import adjusting, errors, rules
from cloudjar.services.autoscaling.activities import at
from cloudjar.services.autoscaling.ops.capacity import cooled
from cloudjar.services.autoscaling.records import Bar, Group, Member, Policy, hook_key

_MOST = 50
_STEPS = 20
_KINDS = ("SimpleScaling", "StepScaling", "TargetTrackingScaling", "PredictiveScaling")
_STATISTICS = ("Minimum", "Maximum", "Average")


@op("PutScalingPolicy")
def put_scaling_policy(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Make a policy, or replace the one of that name."""
    group = rules.alive(ctx.db[Group].need(req["AutoScalingGroupName"]))
    kind = req.get("PolicyType") or "SimpleScaling"
    if kind not in _KINDS:
        raise errors.invalid(f"Invalid policy type: {kind}")
    if kind in ("TargetTrackingScaling", "PredictiveScaling"):
        raise errors.not_built(f"The policy type {kind}, which needs the metrics and alarms of CloudWatch,")
    if req.get("AdjustmentType") not in adjusting.TYPES:
        raise errors.invalid(f"Adjustment type must be one of {', '.join(adjusting.TYPES)}")
    rules.not_negative(req, "Cooldown", "EstimatedInstanceWarmup", "MinAdjustmentMagnitude", "MinAdjustmentStep")
    key = hook_key(group.name, req["PolicyName"])
    known = ctx.db[Policy].get(key)
    policy = Policy(
        key=key,
        group=group.name,
        name=req["PolicyName"],
        uuid=known.uuid if known else ids.uuid4(),
        kind=kind,
        adjustment=req["AdjustmentType"],
        magnitude=req.get("MinAdjustmentMagnitude") or 0,
        step=req.get("MinAdjustmentStep") or 0,
        enabled=req.get("Enabled") is not False,
    )
    policy = replace(policy, **(_simple(req) if kind == "SimpleScaling" else _step(req)))
    if known is not None:
        stored = ctx.db[Policy].put(replace(policy, account=known.account, region=known.region))
    elif ctx.db[Policy].count(group=group.name) >= _MOST:
        raise errors.limit(f"You may only have {_MOST} scaling policies per AutoScalingGroup.")
    else:
        stored = ctx.db[Policy].add(policy)
    return {"PolicyARN": arn_of(stored), "Alarms": []}


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
    wrong = adjusting.fault(steps)
    if wrong:
        raise errors.invalid(wrong)
    statistic = req.get("MetricAggregationType") or "Average"
    if statistic not in _STATISTICS:
        raise errors.invalid(f"Metric aggregation type must be one of {', '.join(_STATISTICS)}")
    return {"steps": steps, "aggregation": statistic, "warmup": req.get("EstimatedInstanceWarmup")}


def show_policy(policy: Policy) -> dict[str, Any]:
    """AWS's ScalingPolicy."""
    simple = policy.kind == "SimpleScaling"
    return {
        "AutoScalingGroupName": policy.group,
        "PolicyName": policy.name,
        "PolicyARN": arn_of(policy),
        "PolicyType": policy.kind,
        "AdjustmentType": policy.adjustment,
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
        "Alarms": [],
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
    return {"ScalingPolicies": [show_policy(p) for p in found if not kinds or p.kind in kinds]}


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
    """Delete a policy."""
    ctx.db[Policy].drop(_need(ctx, req))
    return {}


@op("DescribeAdjustmentTypes")
def describe_adjustment_types(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """What the number of an adjustment can mean."""
    return {"AdjustmentTypes": [{"AdjustmentType": name} for name in adjusting.TYPES]}


@op("ExecutePolicy")
def execute_policy(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Do now what the policy would do if its alarm went off."""
    policy = _need(ctx, req)
    group = rules.alive(ctx.db[Group].need(policy.group))
    if not policy.enabled:
        raise errors.invalid(f"The policy {policy.name} is disabled")
    if policy.kind == "SimpleScaling":
        if req.get("HonorCooldown"):
            cooled(ctx, group)
        wanted = adjusting.adjusted(policy, policy.by, group.desired)
    else:
        wanted = _by_step(ctx, group, policy, req)
    wanted = max(group.least, min(group.most, wanted))
    if wanted != group.desired:
        text = f"a user request executed policy {policy.name} changing the desired capacity from {group.desired} to "
        ctx.db[Group].put(
            replace(group, desired=wanted, reason=at(ctx.now, f"{text}{wanted}."), failures=0, retry_at=None)
        )
    return {}


def _by_step(ctx: Ctx, group: Group, policy: Policy, req: dict[str, Any]) -> int:
    """Instances that are still warming up are part of what a scale-out has brought already; no scale-in before."""
    value, threshold = req.get("MetricValue"), req.get("BreachThreshold")
    if value is None or threshold is None:
        raise errors.invalid("MetricValue and BreachThreshold are required for policies of type StepScaling")
    if req.get("HonorCooldown"):
        raise errors.invalid("HonorCooldown is not supported for policies of type StepScaling")
    bar = adjusting.step(policy.steps, value, threshold)
    if bar is None:
        raise errors.invalid(f"There are no step adjustments for the specified metric value {value}")
    warming = _warming(ctx, group, policy)
    wanted = adjusting.adjusted(policy, bar.by, group.desired)
    if wanted <= group.desired:
        return group.desired if warming else wanted
    return max(group.desired, adjusting.adjusted(policy, bar.by, max(0, group.desired - warming)))


def _warming(ctx: Ctx, group: Group, policy: Policy) -> int:
    given = (policy.warmup, group.warmup, group.cooldown)
    seconds = next(s for s in given if s is not None)
    held = [m for m in ctx.db[Member].all(group=group.name) if m.counts]
    return sum(m.in_service is None or ctx.now < m.in_service + timedelta(seconds=seconds) for m in held)
