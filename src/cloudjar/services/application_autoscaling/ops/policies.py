"""Scaling policies: made, listed, removed.

https://docs.aws.amazon.com/autoscaling/application/APIReference/API_PutScalingPolicy.html
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from msgspec.structs import replace

from cloudjar.base import ids
from cloudjar.kit import scaling
from cloudjar.kit.context import Ctx
from cloudjar.kit.operation import op
from cloudjar.kit.scaling import Bar
from cloudjar.services.application_autoscaling import errors, targets
from cloudjar.services.application_autoscaling.records import Policy, Target, place, policy_arn

_MOST = 50
_STEPS = 20
_MEMBERS = {
    "StepScaling": "StepScalingPolicyConfiguration",
    "TargetTrackingScaling": "TargetTrackingScalingPolicyConfiguration",
    "PredictiveScaling": "PredictiveScalingPolicyConfiguration",
}


@op("PutScalingPolicy")
def put_scaling_policy(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Make a policy, or change the one of that name; the alarms of one that tracks a target are its own."""
    targets.dimension_of(ctx, req)
    target = targets.need(ctx, req)
    kind = req.get("PolicyType") or "StepScaling"
    if kind == "PredictiveScaling":
        raise errors.not_built("Predictive scaling")
    given = req.get(_MEMBERS[kind])
    others = [member for other, member in _MEMBERS.items() if other != kind and req.get(member)]
    key = f"{target.id}/{req['PolicyName']}"
    known = ctx.db[Policy].get(key)
    if others or (not given and known is None):
        raise errors.invalid(f"Policies of type {kind} need {_MEMBERS[kind]} and no other configuration")
    if known is not None and known.kind != kind:
        raise errors.invalid(f"The type of the policy {known.name} cannot be changed")
    configuration = given or (known.configuration if known else {})
    fields = _step(configuration) if kind == "StepScaling" else _tracking(ctx, target, configuration)
    stored = _stored(ctx, target, kind, req["PolicyName"], known, fields)
    if kind == "TargetTrackingScaling":
        stored = ctx.db[Policy].put(replace(stored, alarms=_put_alarms(ctx, target, stored)))
    return {"PolicyARN": policy_arn(stored), "Alarms": _alarms_of(ctx, target, stored)}


def _stored(
    ctx: Ctx, target: Target, kind: str, name: str, known: Policy | None, fields: dict[str, Any]
) -> Policy:
    if known is not None:
        return ctx.db[Policy].put(replace(known, **fields))
    if ctx.db[Policy].count(target=target.id) >= _MOST:
        raise errors.limit(f"You may only have {_MOST} scaling policies per scalable target.")
    made = Policy(
        key=f"{target.id}/{name}", target=target.id, name=name, uuid=ids.uuid4(), namespace=target.namespace,
        resource=target.resource, dimension=target.dimension, kind=kind, created=ctx.now, **fields,
    )  # fmt: skip
    return ctx.db[Policy].add(made)


def _step(given: Mapping[str, Any]) -> dict[str, Any]:
    if not given.get("AdjustmentType") or not given.get("StepAdjustments"):
        raise errors.invalid("AdjustmentType and StepAdjustments must be specified for a step scaling policy")
    if (given.get("Cooldown") or 0) < 0:
        raise errors.invalid("Cooldown cannot be negative")
    steps = tuple(
        Bar(s["ScalingAdjustment"], s.get("MetricIntervalLowerBound"), s.get("MetricIntervalUpperBound"))
        for s in given["StepAdjustments"]
    )
    if len(steps) > _STEPS:
        raise errors.limit(f"You may only have {_STEPS} step adjustments per scaling policy.")
    wrong = scaling.fault(steps)
    if wrong:
        raise errors.invalid(wrong)
    return {"steps": steps, "configuration": dict(given)}


def _tracking(ctx: Ctx, target: Target, given: Mapping[str, Any]) -> dict[str, Any]:
    predefined, customized = given.get("PredefinedMetricSpecification"), given.get("CustomizedMetricSpecification")
    if bool(predefined) == bool(customized):
        raise errors.invalid(
            "Exactly one of PredefinedMetricSpecification and CustomizedMetricSpecification must be specified"
        )
    if given["TargetValue"] <= 0:
        raise errors.invalid("TargetValue must be greater than 0")
    if predefined and predefined["PredefinedMetricType"] not in targets.need_dimension(ctx, target).metrics:
        raise errors.invalid(
            f"The metric type {predefined['PredefinedMetricType']} is not supported for {target.dimension}"
        )
    single = [name for name in ("MetricName", "Namespace", "Statistic") if (customized or {}).get(name)]
    if customized and (bool(customized.get("Metrics")) == bool(single) or len(single) not in (0, 3)):
        raise errors.invalid("A customized metric is either MetricName, Namespace and Statistic, or Metrics")
    return {"configuration": dict(given)}


# -- alarms
def _watched(ctx: Ctx, target: Target, policy: Policy) -> dict[str, Any]:
    """What the alarms of a policy are on, as members of PutMetricAlarm."""
    customized = policy.configuration.get("CustomizedMetricSpecification")
    if customized:
        return scaling.customized(customized)
    given = policy.configuration["PredefinedMetricSpecification"]
    metric = targets.need_dimension(ctx, target).metrics[given["PredefinedMetricType"]]
    return metric(target.resource, given.get("ResourceLabel") or "")


def _put_alarms(ctx: Ctx, target: Target, policy: Policy) -> tuple[str, ...]:
    known = tuple(name[-36:] for name in policy.alarms)
    uuids = (known[0], known[1]) if len(known) == 2 else (ids.uuid4(), ids.uuid4())
    value = policy.configuration["TargetValue"]
    wanted = scaling.tracking_alarms(
        target.resource, policy_arn(policy), _watched(ctx, target, policy), value, uuids
    )
    for alarm in wanted:
        ctx.call("cloudwatch", "PutMetricAlarm", alarm, caller=targets.acting(ctx, target))
    return tuple(str(alarm["AlarmName"]) for alarm in wanted)


def drop_alarms(ctx: Ctx, target: Target, policy: Policy) -> None:
    """Remove the alarms that were made for a policy."""
    if policy.alarms:
        asked = {"AlarmNames": list(policy.alarms)}
        ctx.call("cloudwatch", "DeleteAlarms", asked, caller=targets.acting(ctx, target))


def _alarms_of(ctx: Ctx, target: Target, policy: Policy) -> list[dict[str, str]]:
    """The alarms that set a policy off, whoever made them."""
    asked = {"ActionPrefix": policy_arn(policy)}
    found = ctx.call("cloudwatch", "DescribeAlarms", asked, caller=targets.acting(ctx, target))
    shown = {a["AlarmName"]: a["AlarmArn"] for a in found.get("MetricAlarms") or ()}
    return [{"AlarmName": name, "AlarmARN": shown[name]} for name in sorted(shown)]


# -- the rest
@op("DescribeScalingPolicies")
def describe_scaling_policies(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Policies of a namespace, of a resource, by name."""
    if req.get("ScalableDimension") and not req.get("ResourceId"):
        raise errors.invalid("ResourceId must be specified together with ScalableDimension")
    wanted = req.get("PolicyNames")
    shown = []
    for policy in sorted(ctx.db[Policy].all(), key=lambda p: (p.resource, p.dimension, p.name)):
        target = ctx.db[Target].get(policy.target)
        if target is not None and _is_asked_for(req, policy) and (not wanted or policy.name in wanted):
            shown.append(show_policy(policy, _alarms_of(ctx, target, policy)))
    return {"ScalingPolicies": shown}


def _is_asked_for(req: Mapping[str, Any], policy: Policy) -> bool:
    return (
        policy.namespace == req["ServiceNamespace"]
        and req.get("ResourceId") in (None, "", policy.resource)
        and req.get("ScalableDimension") in (None, "", policy.dimension)
    )


def show_policy(policy: Policy, alarms: list[dict[str, str]]) -> dict[str, Any]:
    """AWS's ScalingPolicy."""
    return {
        "PolicyARN": policy_arn(policy),
        "PolicyName": policy.name,
        "ServiceNamespace": policy.namespace,
        "ResourceId": policy.resource,
        "ScalableDimension": policy.dimension,
        "PolicyType": policy.kind,
        _MEMBERS[policy.kind]: policy.configuration,
        "Alarms": alarms,
        "CreationTime": policy.created,
    }


@op("DeleteScalingPolicy")
def delete_scaling_policy(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Delete a policy, and the alarms that were made for it."""
    names = (req["ServiceNamespace"], req["ResourceId"], req["ScalableDimension"])
    found = ctx.db[Target].all(place=place(*names))
    policy = ctx.db[Policy].get(f"{found[0].id}/{req['PolicyName']}") if found else None
    if policy is None:
        raise errors.not_found("scaling policy", req["PolicyName"], *names)
    drop_alarms(ctx, found[0], policy)
    ctx.db[Policy].drop(policy)
    return {}
