"""Lifecycle hooks: instances wait while somebody does something about them.

https://docs.aws.amazon.com/autoscaling/ec2/userguide/lifecycle-hooks.html
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from msgspec.structs import replace

from cloudjar.base import arn as arns
from cloudjar.base.errors import AwsError
from cloudjar.kit.context import Ctx
from cloudjar.kit.operation import op
from cloudjar.services.autoscaling import errors, members, rules, telling
from cloudjar.services.autoscaling.records import LAUNCHING, TERMINATING, Group, Hook, Member, Wait, hook_key
from cloudjar.services.autoscaling.views import show_hook

_MOST = 50
RESULTS = ("CONTINUE", "ABANDON")


@op("PutLifecycleHook")
def put_lifecycle_hook(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Make a hook, or change the one of that name; instances that wait already go on waiting as they were."""
    group = rules.alive(ctx.db[Group].need(req["AutoScalingGroupName"]))
    add_hook(ctx, group.name, req)
    return {}


def add_hook(ctx: Ctx, group: str, given: dict[str, Any]) -> Hook:
    """Store a hook of a request."""
    name = given["LifecycleHookName"]
    known = ctx.db[Hook].get(hook_key(group, name))
    transition = given.get("LifecycleTransition") or (known.transition if known else "")
    if transition not in (LAUNCHING, TERMINATING):
        raise errors.invalid(f"Lifecycle Transition is required and must be one of {LAUNCHING}, {TERMINATING}")
    base = known or Hook(key=hook_key(group, name), group=group, name=name, transition=transition)
    changes: dict[str, Any] = {"transition": transition}
    if given.get("NotificationMetadata") is not None:
        changes["metadata"] = given["NotificationMetadata"]
    if given.get("HeartbeatTimeout") is not None:
        changes["heartbeat"] = _heartbeat(given["HeartbeatTimeout"])
    if given.get("DefaultResult") is not None:
        changes["default"] = _result(given["DefaultResult"])
    changes |= _target(ctx, group, base, given)
    if known is not None:
        return ctx.db[Hook].put(replace(base, **changes))
    if ctx.db[Hook].count(group=group) >= _MOST:
        raise errors.limit(f"You may only have {_MOST} lifecycle hooks per AutoScalingGroup.")
    return ctx.db[Hook].add(replace(base, **changes))


def _target(ctx: Ctx, group: str, base: Hook, given: dict[str, Any]) -> dict[str, str]:
    """Who is told of the hook's actions; AWS tries it with a message at once. An empty target ends that."""
    if given.get("NotificationTargetARN") is None and given.get("RoleARN") is None:
        return {}
    target, role = given.get("NotificationTargetARN"), given.get("RoleARN") or base.role
    target = base.target if target is None else target
    if not target:
        return {"target": "", "role": ""}
    arn = arns.parse(target)
    if arn is None or arn.service not in ("sns", "sqs"):
        raise errors.invalid(f"Invalid notification target ARN: {target}")
    if not role:
        raise errors.invalid("Role ARN is required when a notification target is specified")
    held = ctx.db[Group].need(group)
    try:
        telling.tested(ctx, held, target, telling.in_role(ctx, held, role))
    except AwsError as error:
        raise errors.invalid(
            f"Unable to publish test message to notification target {target} using IAM role {role}. Please check your "
            f"target and role configuration and try to put lifecycle hook again. ({error.message})"
        ) from error
    return {"target": target, "role": role}


def _heartbeat(seconds: int) -> int:
    if not 30 <= seconds <= 7200:
        raise errors.invalid("Lifecycle hook heartbeat timeout must be between 30 and 7200 seconds.")
    return seconds


def _result(text: str) -> str:
    if text not in RESULTS:
        raise errors.invalid("Lifecycle action result must be CONTINUE or ABANDON.")
    return text


@op("DescribeLifecycleHooks")
def describe_lifecycle_hooks(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """The hooks of a group."""
    group = ctx.db[Group].need(req["AutoScalingGroupName"])
    wanted = req.get("LifecycleHookNames")
    found = [h for h in ctx.db[Hook].all(group=group.name) if not wanted or h.name in wanted]
    return {"LifecycleHooks": [show_hook(hook) for hook in found]}


@op("DeleteLifecycleHook")
def delete_lifecycle_hook(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Delete a hook; what waits for it is let go on: a launch is abandoned, a termination continues."""
    group = ctx.db[Group].need(req["AutoScalingGroupName"])
    hook = _need(ctx, group, req["LifecycleHookName"])
    for member in ctx.db[Member].all(group=group.name):
        for wait in member.waits:
            if wait.hook == hook.name:
                result = "ABANDON" if hook.transition == LAUNCHING else "CONTINUE"
                members.complete(ctx, group, member, wait, result)
    ctx.db[Hook].drop(hook)
    return {}


def _need(ctx: Ctx, group: Group, name: str) -> Hook:
    hook = ctx.db[Hook].get(hook_key(group.name, name))
    if hook is None:
        raise errors.invalid(f"No Lifecycle Hook found with name {name} for AutoScalingGroup {group.name}")
    return hook


def _waiting(ctx: Ctx, group: Group, req: dict[str, Any]) -> tuple[Member, Wait]:
    """The action that a request means, by its token or its instance."""
    token, instance = req.get("LifecycleActionToken"), req.get("InstanceId")
    if not token and not instance:
        raise errors.invalid("Either LifecycleActionToken or InstanceId must be specified")
    for member in ctx.db[Member].all(group=group.name):
        for wait in member.waits:
            named = wait.token == token if token else member.id == instance
            if named and wait.hook == req["LifecycleHookName"] and instance in (None, member.id):
                return member, wait
    what = f"token {token}" if token else f"instance ID {instance}"
    raise errors.invalid(f"No active Lifecycle Action found with {what}")


@op("CompleteLifecycleAction")
def complete_lifecycle_action(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """The work about an instance is done, or has failed."""
    group = ctx.db[Group].need(req["AutoScalingGroupName"])
    _need(ctx, group, req["LifecycleHookName"])
    result = _result(req["LifecycleActionResult"])
    member, wait = _waiting(ctx, group, req)
    members.complete(ctx, group, member, wait, result)
    return {}


@op("RecordLifecycleActionHeartbeat")
def record_lifecycle_action_heartbeat(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """The work goes on: wait for another heartbeat, up to the hook's global timeout."""
    group = ctx.db[Group].need(req["AutoScalingGroupName"])
    hook = _need(ctx, group, req["LifecycleHookName"])
    member, wait = _waiting(ctx, group, req)
    until = min(wait.limit, ctx.now + timedelta(seconds=hook.heartbeat))
    longer = Wait(wait.hook, wait.token, until, wait.limit)
    ctx.db[Member].put(replace(member, waits=tuple(longer if w == wait else w for w in member.waits)))
    return {}
