"""The reconciler of a group: what is wanted is the group's record, what is there are its members and their instances.

One look is one transaction: members move on with their instances, then the capacity is brought to what is desired.
EC2's state-change events, the group's own alarms and every write about the group make it look again.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from msgspec.structs import replace

from cloudjar.base.errors import AwsError
from cloudjar.kit import faults
from cloudjar.kit.context import Ctx, World
from cloudjar.kit.db import Db, State, watches
from cloudjar.kit.events import hears
from cloudjar.kit.machine import Step, on_boot, reconciler
from cloudjar.kit.record import Record
from cloudjar.services.autoscaling import (
    launching,
    linked_role,
    members,
    metrics,
    pool,
    rebalancing,
    refreshing,
    refusals,
    succession,
    termination,
    tracking,
    traffic,
)
from cloudjar.services.autoscaling.activities import at
from cloudjar.services.autoscaling.launching import Place
from cloudjar.services.autoscaling.records import (
    DELETING,
    GROUP,
    LAUNCHING,
    TERMINATING,
    Activity,
    Forecast,
    Group,
    Hook,
    Member,
    Notice,
    Notification,
    Policy,
    Refresh,
    Scheduled,
    Tally,
    Traffic,
    WarmPool,
)
from cloudjar.services.autoscaling.rules import suspended

_GONE = ("shutting-down", "terminated")


@reconciler(Group)
def converge(step: Step, _: Group | None) -> None:
    """One look at a group, and the alarm for the next."""
    with step.world.state.database.transaction():
        group = step.db[Group].get(step.key)
        if group is None:
            return
        look(step.ctx, group)
        due = _next(step.ctx, group.name)
    if due is not None:
        step.again("due", due)


@hears("aws.ec2", "EC2 Instance State-change Notification")
def instance_changed(world: World, account: str, region: str, detail: dict[str, Any]) -> None:
    """An instance changed, whoever did it: its group looks."""
    member = Db(world.state, account, region)[Member].get(detail["instance-id"])
    if member is not None:
        world.state.wakes.wake(GROUP, account, region, member.group)


@watches("ec2/instance")
def instance_written(state: State, item: Record) -> None:
    """An instance is found impaired, or well again: its group looks."""
    member = Db(state, item.account, item.region)[Member].get(str(getattr(item, "id", "")))
    if member is not None and getattr(item, "impaired", None) is not None:
        state.wakes.wake(GROUP, item.account, item.region, member.group)


@hears(faults.SOURCE, faults.CHANGED)
def power_changed(world: World, account: str, region: str, detail: dict[str, Any]) -> None:
    """A zone's power went or came back."""
    at_start(world)


@on_boot("autoscaling")
def at_start(world: World) -> None:
    """Whatever happened while the jar was down: every group looks."""
    for group in Db(world.state, "", "").everywhere(Group):
        world.state.wakes.wake(GROUP, group.account, group.region, group.name)


def look(ctx: Ctx, group: Group) -> None:
    """Hear what the target groups say, move the members on, then the capacity."""
    traffic.learn(ctx, group)
    for member in ctx.db[Member].all(group=group.name):
        advance(ctx, group.name, member)
    now = ctx.db[Group].need(group.name)
    if now.status == DELETING and not ctx.db[Member].count(group=now.name):
        drop(ctx, now)
    else:
        balance(ctx, now)
        now = ctx.db[Group].need(now.name)
        pool.balance(ctx, now)
        metrics.tally(ctx, ctx.db[Group].need(now.name), pool.size(now, pool.of_group(ctx, now.name)))


def drop(ctx: Ctx, group: Group) -> None:
    """The group is gone, with all that is about it; its activities are remembered."""
    for policy in ctx.db[Policy].all(group=group.name):
        tracking.drop_alarms(ctx, policy, linked_role.acting(ctx, group))
    for kind in (Forecast, Hook, Notice, Notification, Policy, Refresh, Scheduled, Tally, Traffic):
        for item in ctx.db[kind].all(group=group.name):
            ctx.db[kind].drop(item)
    warm = pool.of_group(ctx, group.name)
    if warm is not None:
        ctx.db[WarmPool].drop(warm)
    for activity in ctx.db[Activity].all(group=group.name):
        ctx.db[Activity].put(replace(activity, group_deleted=True))
    ctx.db[Group].drop(group)


# -- members
def advance(ctx: Ctx, name: str, member: Member) -> None:
    """As many moves of one member as can be made now."""
    for _ in range(8):
        after = _move(ctx, ctx.db[Group].need(name), member)
        if after is None or after == member:
            return
        member = after


def _move(ctx: Ctx, group: Group, member: Member) -> Member | None:
    """One move; the same member when there is none to make, None when it is gone."""
    instance = members.vm_state(ctx, member.id)
    match member.state:
        case "Pending":
            return _pending(ctx, group, member, instance)
        case "Pending:Wait" | "Terminating:Wait" | "Warmed:Pending:Wait" | "Warmed:Terminating:Wait":
            return _waiting(ctx, group, member, instance)
        case "Warmed:Pending" | "Warmed:Pending:Proceed" | "Warmed:Stopped" | "Warmed:Running":
            return pool.move(ctx, group, member, instance)
        case "Warmed:Terminating":
            wanted = members.hooks(ctx, group.name, TERMINATING) if pool.end_hooks(ctx, group) else []
            if wanted and instance == "running":
                return members.hold(ctx, group, member, wanted)
            return members.LIFE.move(ctx, member, "Warmed:Terminating:Proceed")
        case "Pending:Proceed":
            return _serve(ctx, group, member)
        case "InService":
            return _watch(ctx, group, _keep_traffic(ctx, group, member), instance)
        case "EnteringStandby" | "Detaching" | "Terminating":
            return _leave(ctx, group, member, instance)
        case "Terminating:Proceed" | "Warmed:Terminating:Proceed":
            return _end(ctx, group, member, instance)
    return member


def _pending(ctx: Ctx, group: Group, member: Member, instance: str) -> Member:
    if instance in _GONE or instance == "stopped":
        why = "an EC2 instance health check indicating that it ended before it was in service"
        _, after = members.unhealthy(ctx, group, replace(member, why_unhealthy=why))
        return after
    if instance != "running":
        return member
    wanted = members.hooks(ctx, group.name, LAUNCHING) if member.in_service is None else []
    return members.hold(ctx, group, member, wanted) if wanted else _serve(ctx, group, member)


def _serve(ctx: Ctx, group: Group, member: Member) -> Member:
    """Into service, behind the group's target groups."""
    if not refusals.may_try(ctx, group):
        return member
    try:
        return members.into_service(ctx, traffic.enter(ctx, group, member))
    except AwsError as error:
        refusals.not_now(ctx, group, member.activity, error)
        return member


def _keep_traffic(ctx: Ctx, group: Group, member: Member) -> Member:
    """In the target groups that the group has by now, and in no other."""
    unwanted = [s.arn for s in traffic.sources(ctx, group.name) if s.leaving]
    try:
        member = traffic.leave(ctx, group, member, at_once=False, only=unwanted)
        return traffic.enter(ctx, group, member) if refusals.may_try(ctx, group) else member
    except AwsError as error:
        refusals.not_now(ctx, group, "", error)
        return member


def _leave(ctx: Ctx, group: Group, member: Member, instance: str) -> Member | None:
    """Out of the target groups; on when the requests that were under way have ended. A dead instance has none."""
    try:
        member = traffic.leave(ctx, group, member, at_once=instance != "running")
    except AwsError as error:
        refusals.not_now(ctx, group, member.activity, error)
        return member
    if member.draining:
        return member
    if member.state == "EnteringStandby":
        return members.stand_by(ctx, member)
    if member.state == "Detaching":
        members.detach(ctx, member)
        return None
    wanted = members.hooks(ctx, group.name, TERMINATING)
    if wanted and instance not in _GONE:
        return members.hold(ctx, group, member, wanted)
    return members.LIFE.move(ctx, member, "Terminating:Proceed")


def _waiting(ctx: Ctx, group: Group, member: Member, instance: str) -> Member:
    """What was not completed in time ends as its hook says."""
    if instance in _GONE and member.ending:
        return members.LIFE.move(ctx, member, member.state.replace(":Wait", ":Proceed"), waits=())
    if instance in _GONE and member.warmed:
        return pool.move(ctx, group, member, instance)
    if instance in _GONE:
        return _pending(ctx, group, member, instance)
    for wait in member.waits:
        if wait.until <= ctx.now:
            hook = next((h for h in ctx.db[Hook].all(group=group.name) if h.name == wait.hook), None)
            return members.complete(ctx, group, member, wait, "CONTINUE" if hook is None else hook.default)
    return member


def _watch(ctx: Ctx, group: Group, member: Member, instance: str) -> Member:
    if instance not in ("running", "pending") and not suspended(group, "HealthCheck") and member.health == "Healthy":
        why = "an EC2 health check indicating it has been terminated or stopped"
        member = ctx.db[Member].put(replace(member, health="Unhealthy", why_unhealthy=why))
    elif not suspended(group, "HealthCheck") and member.health == "Healthy" and _is_impaired(ctx, group, member):
        why = "an EC2 instance status checks failure"
        member = ctx.db[Member].put(replace(member, health="Unhealthy", why_unhealthy=why))
    if member.health != "Healthy":
        if suspended(group, "ReplaceUnhealthy") or suspended(group, "Terminate"):
            return member
        return succession.ill(ctx, group, member, instance)
    if member.at_risk and group.capacity_rebalance and not suspended(group, "Terminate"):
        return succession.at_risk(ctx, group, member)
    if group.lifetime and ctx.now >= member.launched + timedelta(seconds=group.lifetime):
        if suspended(group, "Terminate"):
            return member
        text = "an instance was taken out of service in response to exceeding the maximum instance lifetime."
        return members.begin_end(ctx, group, member, at(ctx.now, text))
    return member


def _is_impaired(ctx: Ctx, group: Group, member: Member) -> bool:
    """Whether an instance that runs fails its status checks, as far as anybody has seen, after its grace period."""
    vm: Any = ctx.find("ec2", "instance", member.id)
    off = ctx.world.faults.is_off(member.id, member.zone, ctx.account)
    return (off or vm.impaired is not None) and not traffic.spared(group, member, ctx.now)


def _end(ctx: Ctx, group: Group, member: Member, instance: str) -> Member | None:
    if instance == "terminated":
        members.finish(ctx, member)
        return None
    if instance != "shutting-down" and refusals.may_try(ctx, group):
        try:
            members.end_instance(ctx, group, member)
        except AwsError as error:
            refusals.not_now(ctx, group, member.activity, error)
    return member


# -- capacity
def size(held: list[Member]) -> int:
    """How much of a capacity members are."""
    return sum(m.weight for m in held)


def balance(ctx: Ctx, group: Group) -> None:
    """Launch what is missing, or take out what is too much."""
    held = [m for m in ctx.db[Member].all(group=group.name) if m.counts]
    surplus = size(held) - group.desired
    if surplus < 0:
        if not suspended(group, "Launch") and refusals.may_try(ctx, group):
            _grow(ctx, group, held)
    elif surplus > 0 and any(m.weight <= surplus for m in held):
        waiting = group.rebalancing and not group.reason and any(m.state != "InService" for m in held)
        if not waiting and not suspended(group, "Terminate"):
            _shrink(ctx, group, held)
    elif not rebalancing.begin(ctx, group, held):
        calm = replace(group, reason="", replacing=0, rebalancing=False)
        paused = not refusals.may_try(ctx, group)
        group = ctx.db[Group].put(calm if paused else replace(calm, failures=0, retry_at=None))
        refreshing.go_on(ctx, group, held)


def _grow(ctx: Ctx, group: Group, held: list[Member]) -> None:
    """Launch into the emptiest zones; when one refuses, into the next, and when all do, later."""
    options = launching.places(ctx, group)
    while size(held) < group.desired:
        made = _launch_somewhere(ctx, group, options, held)
        if made is None:
            return
        held.append(made)
        group = replace(ctx.db[Group].need(group.name), replacing=max(0, group.replacing - 1))
        group = ctx.db[Group].put(_cooling(ctx, replace(group, failures=0, retry_at=None), made.activity))


def _launch_somewhere(ctx: Ctx, group: Group, options: list[Place], held: list[Member]) -> Member | None:
    cause = members.launch_cause(ctx, group, size(held))
    try:
        if not options:
            raise AwsError("", "None of the subnets of the group exist")
        now = refreshing.effective(ctx, group)
        drawn = pool.draw(ctx, group, held, cause)
        if drawn is not None:
            return drawn
        origins = launching.sources(ctx, now, held, linked_role.acting(ctx, group))
    except AwsError as error:
        refusals.no_launch(ctx, group, cause, Place(group.zones[0]), error)
        return None
    tries = [(origin, place) for origin in origins for place in launching.spread(options, held)]
    for number, (origin, place) in enumerate(tries, 1):
        try:
            return members.launch(ctx, group, origin, place, cause)
        except AwsError as error:
            refusals.no_launch(ctx, group, cause, place, error, again=number == len(tries))
    return None


def _shrink(ctx: Ctx, group: Group, held: list[Member]) -> None:
    before = size(held)
    if group.rebalancing and not group.reason:
        group = replace(group, reason=rebalancing.why(ctx, group))
    while size(held) > group.desired:
        surplus = size(held) - group.desired
        fitting = [m for m in held if m.weight <= surplus]
        chosen = termination.choose(held, group, ctx.now, fitting)
        if chosen is None and group.status == DELETING and fitting:
            chosen = fitting[0]
        if chosen is None:
            return
        selected = "  " + at(ctx.now, f"instance {chosen.id} was selected for termination.")
        cause = members.capacity_cause(ctx, group, "taken out of service", selected, before, group.desired)
        ended = pool.take_back(ctx, group, chosen, cause) or members.begin_end(ctx, group, chosen, cause)
        ctx.db[Group].put(_cooling(ctx, ctx.db[Group].need(group.name), ended.activity))
        advance(ctx, group.name, ended)
        held = [m for m in held if m.id != chosen.id]


def _cooling(ctx: Ctx, group: Group, activity: str) -> Group:
    """The group after a scaling activity: simple scaling waits for a while."""
    return replace(group, cooled=ctx.now + timedelta(seconds=group.cooldown), last_activity=activity)


# -- time
def _next(ctx: Ctx, name: str) -> datetime | None:
    """When something will be due without anybody's doing."""
    group = ctx.db[Group].get(name)
    if group is None:
        return None
    times = refreshing.due(ctx, group)
    if group.retry_at is not None:
        times.append(group.retry_at)
    held = ctx.db[Member].all(group=name)
    times += succession.due(group, held)
    for member in held:
        times += [wait.until for wait in member.waits]
        if group.lifetime and member.state == "InService":
            times.append(member.launched + timedelta(seconds=group.lifetime))
        if group.grace and member.in_service is not None:
            times.append(member.in_service + timedelta(seconds=group.grace))
    return min((t for t in times if t > ctx.now), default=None)
