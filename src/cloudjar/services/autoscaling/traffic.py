"""Target groups of a group: its members are registered there while they are in service, leave before they end, and are
replaced when the probes say that they are not well, if the group is to heed them.

https://docs.aws.amazon.com/autoscaling/ec2/userguide/autoscaling-load-balancer.html
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any

from msgspec.structs import replace

from cloudjar.base.errors import AwsError
from cloudjar.kit.context import Ctx
from cloudjar.kit.db import Db, State, watches
from cloudjar.kit.record import Record
from cloudjar.services.autoscaling import activities, errors, linked_role
from cloudjar.services.autoscaling.records import GROUP, Group, Member, Traffic, hook_key
from cloudjar.services.autoscaling.rules import suspended

MOST = 50
"""Target groups per group."""
_AT_ONCE = 10


@watches("elasticloadbalancing/targetgroup")
def target_group_changed(state: State, item: Record) -> None:
    """Probes came to something else, a target has drained: the groups that are behind it look."""
    arn = str(getattr(item, "arn", ""))
    for source in Db(state, item.account, item.region)[Traffic].all(arn=arn):
        state.wakes.wake(GROUP, source.account, source.region, source.group)


# -- which
def sources(ctx: Ctx, group: str) -> list[Traffic]:
    """The sources of a group, those that are on their way out too."""
    return ctx.db[Traffic].all(group=group)


def arns(ctx: Ctx, group: str) -> list[str]:
    """The target groups whose requests a group's members get."""
    return [source.arn for source in sources(ctx, group) if not source.leaving]


def attach(ctx: Ctx, group: Group, wanted: Sequence[str]) -> None:
    """Have target groups send requests to the group's members; those that do already are passed over."""
    fresh = [arn for arn in dict.fromkeys(wanted) if arn not in arns(ctx, group.name)]
    if len(fresh) > _AT_ONCE:
        raise errors.invalid(f"Trying to update too many Target Groups at once. The limit is {_AT_ONCE}")
    if len(arns(ctx, group.name)) + len(fresh) > MOST:
        raise errors.limit(f"You may only attach up to {MOST} target groups to an Auto Scaling group.")
    _check(ctx, group, fresh)
    for arn in fresh:
        key = hook_key(group.name, arn)
        known = ctx.db[Traffic].get(key)
        if known is not None:
            ctx.db[Traffic].put(replace(known, state="Adding"))
        else:
            ctx.db[Traffic].add(Traffic(key=key, group=group.name, arn=arn))


def _check(ctx: Ctx, group: Group, wanted: list[str]) -> None:
    if not wanted:
        return
    caller = linked_role.acting(ctx, group)
    try:
        found = ctx.call("elbv2", "DescribeTargetGroups", {"TargetGroupArns": wanted}, caller=caller)["TargetGroups"]
    except AwsError:
        found = []
    if {item["TargetGroupArn"] for item in found} != set(wanted):
        raise errors.invalid("Provided Target Groups may not be valid. Please ensure they exist and try again.")
    for item in found:
        if item["TargetType"] != "instance":
            raise errors.invalid(
                f"Provided Target Groups may not be valid: the target type of {item['TargetGroupArn']} is not instance."
            )
    vpcs = {getattr(ctx.find("ec2", "subnet", subnet), "vpc_id", "") for subnet in group.subnets}
    if vpcs and {item["VpcId"] for item in found} != vpcs:
        raise errors.invalid("The target groups and the subnets of an Auto Scaling group must be in the same VPC.")


def detach(ctx: Ctx, group: Group, unwanted: Sequence[str]) -> None:
    """Have target groups send nothing any more; what is under way may end."""
    held = {source.arn: source for source in sources(ctx, group.name) if not source.leaving}
    missing = [arn for arn in unwanted if arn not in held]
    if missing:
        raise errors.invalid(
            "Trying to remove Target Groups that are not part of the group. Target Groups: " + ", ".join(missing)
        )
    for arn in unwanted:
        ctx.db[Traffic].put(replace(held[arn], state="Removing"))


def forget(ctx: Ctx, group: str) -> None:
    """The group is gone."""
    for source in sources(ctx, group):
        ctx.db[Traffic].drop(source)


# -- members
def enter(ctx: Ctx, group: Group, member: Member) -> Member:
    """Register a member wherever it is not yet; raises the refusal of a target group."""
    missing = [a for a in arns(ctx, group.name) if a not in (*member.registered, *member.passed_over)]
    if not missing:
        return member
    if suspended(group, "AddToLoadBalancer"):
        return ctx.db[Member].put(replace(member, passed_over=(*member.passed_over, *missing)))
    done = [arn for arn in missing if _is_told(ctx, group, "RegisterTargets", arn, member)]
    return ctx.db[Member].put(
        replace(
            member,
            registered=(*member.registered, *done),
            draining=tuple(arn for arn in member.draining if arn not in done),
            passed_over=(*member.passed_over, *(arn for arn in missing if arn not in done)),
        )
    )


def leave(ctx: Ctx, group: Group, member: Member, *, at_once: bool, only: Iterable[str] | None = None) -> Member:
    """Take a member out of its target groups (or of some); `at_once`: nobody waits for requests that are under way."""
    gone = [arn for arn in member.registered if only is None or arn in only]
    for arn in gone:
        _is_told(ctx, group, "DeregisterTargets", arn, member)
    kept = tuple(arn for arn in member.registered if arn not in gone)
    draining = () if at_once else tuple(dict.fromkeys((*member.draining, *gone)))
    if gone and draining:
        activities.moved(ctx, member.activity, "WaitingForELBConnectionDraining", 20)
    passed_over = () if only is None else member.passed_over
    return ctx.db[Member].put(replace(member, registered=kept, draining=draining, passed_over=passed_over))


def _is_told(ctx: Ctx, group: Group, operation: str, arn: str, member: Member) -> bool:
    """Tell a target group of a member; False when there is no such target group any more."""
    asked = {"TargetGroupArn": arn, "Targets": [{"Id": member.id}]}
    try:
        ctx.call("elbv2", operation, asked, caller=linked_role.acting(ctx, group))
    except AwsError as error:
        if error.code != "TargetGroupNotFound":
            raise
        return False
    return True


# -- what they say
def heeded(group: Group) -> bool:
    """Whether the probes of target groups decide who is well."""
    return "ELB" in group.health_check.split(",")


def learn(ctx: Ctx, group: Group) -> None:
    """Ask the target groups how the members are, when somebody waits for it."""
    for source in sources(ctx, group.name):
        held = ctx.db[Member].all(group=group.name)
        waited_for = any(source.arn in m.draining for m in held)
        if heeded(group) or source.state != "InService" or waited_for:
            said = _health(ctx, group, source.arn)
            for member in held:
                _learn_of(ctx, group, member, source, said)
            _move_on(ctx, group, source, said)


def _health(ctx: Ctx, group: Group, arn: str) -> dict[str, str]:
    """How the targets are, by instance; nothing of a target group that is gone."""
    try:
        caller = linked_role.acting(ctx, group)
        found = ctx.call("elbv2", "DescribeTargetHealth", {"TargetGroupArn": arn}, caller=caller)
    except AwsError:
        return {}
    return {d["Target"]["Id"]: d["TargetHealth"]["State"] for d in found["TargetHealthDescriptions"]}


def _learn_of(ctx: Ctx, group: Group, member: Member, source: Traffic, said: dict[str, str]) -> None:
    state = said.get(member.id, "")
    changes: dict[str, Any] = {}
    if source.arn in member.draining and state != "draining":
        changes["draining"] = tuple(arn for arn in member.draining if arn != source.arn)
    ill = state == "unhealthy" and source.arn in member.registered
    watched = heeded(group) and not suspended(group, "HealthCheck") and not spared(group, member, ctx.now)
    if ill and watched and (member.state, member.health) == ("InService", "Healthy"):
        changes |= {"health": "Unhealthy", "why_unhealthy": "an ELB system health check failure"}
    if changes:
        ctx.db[Member].put(replace(member, **changes))


def spared(group: Group, member: Member, now: datetime) -> bool:
    """Whether a member is still within its grace period."""
    return member.in_service is not None and now < member.in_service + timedelta(seconds=group.grace)


def _move_on(ctx: Ctx, group: Group, source: Traffic, said: dict[str, str]) -> None:
    """A source is added when every member that is in service is registered, and in service when one is well."""
    held = ctx.db[Member].all(group=group.name)
    if source.leaving:
        if not any(source.arn in (*m.registered, *m.draining) for m in held):
            ctx.db[Traffic].drop(source)
        return
    serving = [m for m in held if m.state == "InService"]
    state = source.state
    if state == "Adding" and all(source.arn in (*m.registered, *m.passed_over) for m in serving):
        state = "Added"
    if state == "Added" and any(said.get(m.id) == "healthy" for m in serving):
        state = "InService"
    ctx.db[Traffic].put(replace(source, state=state))

