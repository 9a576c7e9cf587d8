"""Scaling policies at work: set off by hand or by an alarm.

https://docs.aws.amazon.com/autoscaling/ec2/userguide/scale-your-group.html
"""

from __future__ import annotations

from datetime import timedelta

from msgspec.structs import replace

from cloudjar.kit import alarm_actions, scaling
from cloudjar.kit.alarm_actions import Alarm
from cloudjar.kit.context import Ctx
from cloudjar.kit.record import arn_of
from cloudjar.services.autoscaling import errors
from cloudjar.services.autoscaling.activities import at
from cloudjar.services.autoscaling.records import DELETING, Group, Member, Policy
from cloudjar.services.autoscaling.rules import suspended

_APPLICATIONS = ":resource/"
"""What only the ARNs of Application Auto Scaling's policies have."""


@alarm_actions.acts("autoscaling")
def alarmed(ctx: Ctx, alarm: Alarm, arn: str) -> None:
    """An alarm goes off whose action is a policy; a policy for other services' capacity is Application Auto
    Scaling's."""
    if _APPLICATIONS in arn:
        theirs = alarm_actions.action(ctx, "application-autoscaling")
        if theirs is None:
            raise errors.not_built("Application Auto Scaling")
        theirs(ctx, alarm, arn)
        return
    with ctx.world.state.database.transaction():
        policy = next((p for p in ctx.db[Policy].all() if arn_of(p) == arn), None)
        group = ctx.db[Group].get(policy.group) if policy is not None else None
        if policy is None or group is None:
            raise errors.invalid(f"There is no scaling policy {arn}")
        if group.status == DELETING or not policy.enabled or suspended(group, "AlarmNotification"):
            return
        wanted = _on_alarm(ctx, group, policy, alarm)
        text = f"a monitor alarm {alarm.name} in state {alarm.state} triggered policy {policy.name}"
        resize(ctx, group, wanted, text)


def _on_alarm(ctx: Ctx, group: Group, policy: Policy, alarm: Alarm) -> int:
    if policy.kind == "SimpleScaling":
        if group.cooled is not None and ctx.now < group.cooled:
            return group.desired
        return scaling.adjusted(policy.adjustment, policy.by, group.desired, policy.magnitude or policy.step)
    if alarm.value is None or alarm.threshold is None:
        return group.desired
    if policy.kind == "StepScaling":
        return by_step(ctx, group, policy, alarm.value, alarm.threshold)
    return _by_target(ctx, group, policy, alarm)


def _by_target(ctx: Ctx, group: Group, policy: Policy, alarm: Alarm) -> int:
    """Out for what is ready to work; in only when all are, and when that is not disabled."""
    assert alarm.value is not None
    target = policy.tracking["TargetValue"]
    warming = warming_up(ctx, group, policy)
    if alarm.name.startswith(f"TargetTracking-{group.name}-AlarmHigh-"):
        return max(group.desired, scaling.tracked(max(1, group.desired - warming), alarm.value, target))
    if warming or policy.tracking["DisableScaleIn"]:
        return group.desired
    return min(group.desired, scaling.tracked(group.desired, alarm.value, target))


def by_step(ctx: Ctx, group: Group, policy: Policy, value: float, threshold: float) -> int:
    """Instances that are still warming up are part of what a scale-out has brought already; no scale-in before."""
    bar = scaling.step(policy.steps, value, threshold)
    if bar is None:
        raise errors.invalid(f"There are no step adjustments for the specified metric value {value}")
    warming = warming_up(ctx, group, policy)
    least = policy.magnitude or policy.step
    wanted = scaling.adjusted(policy.adjustment, bar.by, group.desired, least)
    if wanted <= group.desired:
        return group.desired if warming else wanted
    ready = max(0, group.desired - warming)
    return max(group.desired, scaling.adjusted(policy.adjustment, bar.by, ready, least))


def warming_up(ctx: Ctx, group: Group, policy: Policy) -> int:
    """How much of a group's capacity does not count yet."""
    given = (policy.warmup, group.warmup, group.cooldown)
    seconds = next(s for s in given if s is not None)
    held = [m for m in ctx.db[Member].all(group=group.name) if m.counts]
    return sum(
        m.weight for m in held if m.in_service is None or ctx.now < m.in_service + timedelta(seconds=seconds)
    )


def resize(ctx: Ctx, group: Group, wanted: int, text: str) -> None:
    """Set the desired capacity within the group's bounds; `text` says who did."""
    wanted = max(group.least, min(group.most, wanted))
    if wanted == group.desired:
        return
    reason = at(ctx.now, f"{text} changing the desired capacity from {group.desired} to {wanted}.")
    ctx.db[Group].put(replace(group, desired=wanted, reason=reason, failures=0, retry_at=None))
