"""Policies at work: an alarm goes off, a target is moved.

https://docs.aws.amazon.com/autoscaling/application/userguide/application-auto-scaling-target-tracking.html
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from msgspec.structs import replace

from cloudjar.kit import alarm_actions, scaling
from cloudjar.kit.alarm_actions import Alarm
from cloudjar.kit.context import Ctx
from cloudjar.services.application_autoscaling import errors, targets
from cloudjar.services.application_autoscaling.records import Policy, Target, policy_arn
from cloudjar.services.application_autoscaling.targets import IN, OUT


@alarm_actions.acts("application-autoscaling")
def alarmed(ctx: Ctx, alarm: Alarm, arn: str) -> None:
    """An alarm goes off whose action is a policy."""
    with ctx.world.state.database.transaction():
        policy = next((p for p in ctx.db[Policy].all() if policy_arn(p) == arn), None)
        target = ctx.db[Target].get(policy.target) if policy is not None else None
        if policy is None or target is None:
            raise errors.invalid(f"There is no scaling policy {arn}")
        if alarm.value is None or alarm.threshold is None:
            return
        now = targets.capacity(ctx, target)
        wanted = _wanted(ctx, target, policy, alarm, now)
        cause = f"monitor alarm {alarm.name} in state {alarm.state} triggered policy {policy.name}"
        _move(ctx, target, policy, now, max(target.least, min(target.most, wanted)), cause)
        if wanted > target.most == now:
            reason = {"Code": "AlreadyAtMaxCapacity", "MaxCapacity": target.most, "CurrentCapacity": now}
            _not_scaled(ctx, target, cause, reason)
        elif wanted < target.least == now:
            reason = {"Code": "AlreadyAtMinCapacity", "MinCapacity": target.least, "CurrentCapacity": now}
            _not_scaled(ctx, target, cause, reason)


def _not_scaled(ctx: Ctx, target: Target, cause: str, reason: dict[str, Any]) -> None:
    noun = targets.need_dimension(ctx, target).noun
    why = f"Attempting to scale, but the {noun} is at its limit already."
    targets.tell(ctx, target, why, cause, "Successful", "", (reason,))


def _wanted(ctx: Ctx, target: Target, policy: Policy, alarm: Alarm, now: int) -> int:
    """Before bounds. What a scale-out has brought already is no reason for another one while it cools down."""
    assert alarm.value is not None
    assert alarm.threshold is not None
    cooling_out = _holds(target.out_until, ctx.now)
    base = target.out_from if cooling_out else now
    out = _after(policy, alarm.value, alarm.threshold, base)
    if out > now:
        return out
    if cooling_out or _holds(target.in_until, ctx.now):
        return now
    less = _after(policy, alarm.value, alarm.threshold, now)
    if policy.kind == "StepScaling" or less >= now:
        return min(now, less)
    if not _is_low(policy, alarm) or policy.configuration.get("DisableScaleIn") or not _agreed(ctx, policy):
        return now
    return less


def _holds(until: datetime | None, now: datetime) -> bool:
    return until is not None and now < until


def _after(policy: Policy, value: float, threshold: float, base: int) -> int:
    if policy.kind == "TargetTrackingScaling":
        return scaling.tracked(max(base, 1), value, policy.configuration["TargetValue"])
    bar = scaling.step(policy.steps, value, threshold)
    if bar is None:
        raise errors.invalid(f"There are no step adjustments for the metric value {value}")
    least = policy.configuration.get("MinAdjustmentMagnitude") or 0
    return scaling.adjusted(policy.configuration["AdjustmentType"], bar.by, base, least)


def _is_low(policy: Policy, alarm: Alarm) -> bool:
    return len(policy.alarms) == 2 and alarm.name == policy.alarms[1]


def _agreed(ctx: Ctx, policy: Policy) -> bool:
    """A target is scaled in only when all of its target tracking policies that may do so would."""
    others = [
        other.alarms[1]
        for other in ctx.db[Policy].all(target=policy.target)
        if other.key != policy.key and other.alarms and not other.configuration.get("DisableScaleIn")
    ]
    if not others:
        return True
    target = ctx.db[Target].need(policy.target)
    caller = targets.acting(ctx, target)
    found = ctx.call("cloudwatch", "DescribeAlarms", {"AlarmNames": others}, caller=caller)["MetricAlarms"]
    return all(alarm["StateValue"] == "ALARM" for alarm in found)


def _move(ctx: Ctx, target: Target, policy: Policy, now: int, wanted: int, cause: str) -> None:
    suspended = OUT if wanted > now else IN
    if wanted == now or suspended in target.suspended or not targets.move(ctx, target, wanted, cause):
        return
    until = ctx.now + timedelta(seconds=_cooldown(ctx, target, policy, grows=wanted > now))
    if wanted > now:
        fresh = not _holds(target.out_until, ctx.now)
        base = now if fresh else target.out_from
        ctx.db[Target].put(replace(target, out_until=until, out_from=base, in_until=None))
    else:
        ctx.db[Target].put(replace(target, in_until=until))


def _cooldown(ctx: Ctx, target: Target, policy: Policy, *, grows: bool) -> int:
    member = "Cooldown"
    if policy.kind == "TargetTrackingScaling":
        member = "ScaleOutCooldown" if grows else "ScaleInCooldown"
    given = policy.configuration.get(member)
    return targets.need_dimension(ctx, target).cooldown if given is None else int(given)
