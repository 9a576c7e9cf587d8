"""The life of a member, each move in the running transaction.

https://docs.aws.amazon.com/autoscaling/ec2/userguide/ec2-auto-scaling-lifecycle.html
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from msgspec.structs import replace

from cloudjar.base import ids
from cloudjar.base.errors import AwsError
from cloudjar.kit.context import Ctx
from cloudjar.kit.machine import Machine
from cloudjar.kit.record import arn_of
from cloudjar.services.autoscaling import activities, launching, linked_role, telling
from cloudjar.services.autoscaling.activities import at, causes
from cloudjar.services.autoscaling.launching import Place, Source
from cloudjar.services.autoscaling.records import LAUNCHING, TERMINATING, Group, Hook, Member, Wait

LIFE = Machine(
    Member,
    start="Pending",
    moves="""
    Pending             -> Pending:Wait | InService | Terminating
    Pending:Wait        -> Pending:Proceed | Terminating
    Pending:Proceed     -> InService | Terminating
    InService           -> EnteringStandby | Detaching | Terminating | Warmed:Pending
    EnteringStandby     -> Standby | Terminating
    Standby             -> Pending | Detaching | Terminating
    Detaching           -> Detached
    Terminating         -> Terminating:Wait | Terminating:Proceed
    Terminating:Wait    -> Terminating:Proceed
    Warmed:Pending      -> Warmed:Pending:Wait | Warmed:Stopped | Warmed:Running | Warmed:Terminating
    Warmed:Pending:Wait -> Warmed:Pending:Proceed | Warmed:Terminating
    Warmed:Pending:Proceed -> Warmed:Stopped | Warmed:Running | Warmed:Terminating
    Warmed:Stopped      -> Pending | Warmed:Terminating
    Warmed:Running      -> Pending | Warmed:Terminating
    Warmed:Terminating  -> Warmed:Terminating:Wait | Warmed:Terminating:Proceed
    Warmed:Terminating:Wait -> Warmed:Terminating:Proceed
    """,
)
_EVENTS = {LAUNCHING: "EC2 Instance-launch Lifecycle Action", TERMINATING: "EC2 Instance-terminate Lifecycle Action"}


def vm_state(ctx: Ctx, member_id: str) -> str:
    """What EC2 says of an instance; ``terminated`` when it has forgotten it."""
    vm: Any = ctx.find("ec2", "instance", member_id)
    return "terminated" if vm is None else str(vm.state)


def launch(
    ctx: Ctx, group: Group, origin: Source, place: Place, cause: str, *, warmed: bool = False
) -> Member:
    """Launch one instance into the group or its warm pool; raises EC2's refusal, and then nothing has happened."""
    with ctx.world.state.database.transaction():
        caller = linked_role.acting(ctx, group)
        made = launching.run(ctx, group, origin, place, caller)
        instance = made["InstanceId"]
        activity = activities.begin(
            ctx,
            group,
            f"Launching a new EC2 instance: {instance}",
            cause,
            zone=made["Placement"]["AvailabilityZone"],
            subnet=made["SubnetId"],
            instance=instance,
        )
        activities.moved(ctx, activity.id, "PreInService", 30)
        return ctx.db[Member].add(
            Member(
                id=instance,
                group=group.name,
                type=made["InstanceType"],
                zone=made["Placement"]["AvailabilityZone"],
                subnet=made["SubnetId"],
                image=made["ImageId"],
                state=f"Warmed:{LIFE.start}" if warmed else LIFE.start,
                protected=group.protect_new,
                launch_configuration=origin.configuration,
                template_id=origin.template_id,
                template_name=origin.template_name,
                template_version=origin.template_version,
                weight=origin.weight,
                weighed=origin.weighed,
                market=origin.market,
                configured=origin.made or ctx.now,
                launched=ctx.now,
                activity=activity.id,
            )
        )


def into_service(ctx: Ctx, member: Member) -> Member:
    """Its instance is up and its hooks are done."""
    activities.end(ctx, member.activity, kind="launch")
    return LIFE.move(ctx, member, "InService", in_service=ctx.now, waits=(), activity="")


def begin_end(ctx: Ctx, group: Group, member: Member, cause: str) -> Member:
    """Set a member on its way out; whatever was going on with it is cancelled."""
    activities.end(ctx, member.activity, "Cancelled", kind="launch")
    activity = activities.begin(
        ctx,
        group,
        f"Terminating EC2 instance: {member.id}",
        cause,
        zone=member.zone,
        subnet=member.subnet,
        instance=member.id,
    )
    state = "Warmed:Terminating" if member.warmed else "Terminating"
    return LIFE.move(ctx, member, state, waits=(), activity=activity.id)


def unhealthy(ctx: Ctx, group: Group, member: Member) -> tuple[Group, Member]:
    """Take an unhealthy member out; its successor's activity will say that it is one."""
    cause = at(ctx.now, f"an instance was taken out of service in response to {member.why_unhealthy}.")
    group = ctx.db[Group].put(replace(group, replacing=group.replacing + 1))
    return group, begin_end(ctx, group, member, cause)


def finish(ctx: Ctx, member: Member) -> None:
    """The instance is gone, and the member with it."""
    activities.end(ctx, member.activity, kind="terminate")
    ctx.db[Member].drop(member)


def stand_by(ctx: Ctx, member: Member) -> Member:
    """It is put aside."""
    activities.end(ctx, member.activity)
    return LIFE.move(ctx, member, "Standby", activity="")


def detach(ctx: Ctx, member: Member) -> None:
    """It runs on, and is nobody's any more."""
    activities.end(ctx, member.activity)
    launching.mark(ctx, member.id, "")
    ctx.db[Member].drop(LIFE.move(ctx, member, "Detached"))


def hooks(ctx: Ctx, group: str, transition: str) -> list[Hook]:
    """The hooks of a group for one transition."""
    return [hook for hook in ctx.db[Hook].all(group=group) if hook.transition == transition]


def hold(ctx: Ctx, group: Group, member: Member, wanted: list[Hook]) -> Member:
    """Keep a member waiting until its lifecycle actions are completed, and tell EventBridge of each."""
    waits = tuple(
        Wait(h.name, ids.uuid4(), ctx.now + timedelta(seconds=h.heartbeat), ctx.now + timedelta(seconds=h.longest))
        for h in wanted
    )
    for hook, wait in zip(wanted, waits, strict=True):
        _announce(ctx, group, member, hook, wait)
    activities.moved(ctx, member.activity, "MidLifecycleAction", 40)
    return LIFE.move(ctx, member, f"{member.state}:Wait", waits=waits)


def _announce(ctx: Ctx, group: Group, member: Member, hook: Hook, wait: Wait) -> None:
    launching_one = hook.transition == LAUNCHING
    pool = "WarmPool" if member.warmed else "AutoScalingGroup"
    detail = {
        "LifecycleActionToken": wait.token,
        "AutoScalingGroupName": group.name,
        "LifecycleHookName": hook.name,
        "EC2InstanceId": member.id,
        "LifecycleTransition": hook.transition,
        "Origin": "EC2" if launching_one else pool,
        "Destination": pool if launching_one else "EC2",
    }
    if hook.metadata:
        detail["NotificationMetadata"] = hook.metadata
    ctx.emit(activities.SOURCE, _EVENTS[hook.transition], detail, (arn_of(group),))
    telling.of_hook(ctx, group, hook, detail)


def complete(ctx: Ctx, group: Group, member: Member, wait: Wait, result: str) -> Member:
    """One lifecycle action is over. ABANDON ends a launch at once, and skips what else a termination waits for."""
    left = tuple(each for each in member.waits if each != wait)
    phase = member.state.removesuffix(":Wait")
    if result == "ABANDON" and not member.ending:
        cause = at(
            ctx.now,
            f"an instance was taken out of service in response to an abandoned lifecycle action of hook {wait.hook}.",
        )
        return begin_end(ctx, group, member, cause)
    if left and result != "ABANDON":
        return ctx.db[Member].put(replace(member, waits=left))
    return LIFE.move(ctx, member, f"{phase}:Proceed", waits=())


def end_instance(ctx: Ctx, group: Group, member: Member) -> None:
    """Have EC2 terminate it; protection against termination by users does not bind a group."""
    caller = linked_role.acting(ctx, group)
    named = {"InstanceIds": [member.id]}
    try:
        ctx.call("ec2", "TerminateInstances", named, caller=caller)
    except AwsError as error:
        if error.code != "OperationNotPermitted":
            raise
        open_again = {"InstanceId": member.id, "DisableApiTermination": {"Value": False}}
        ctx.call("ec2", "ModifyInstanceAttribute", open_again, caller=caller)
        ctx.call("ec2", "TerminateInstances", named, caller=caller)


def capacity_cause(ctx: Ctx, group: Group, verb: str, change: str, before: int, after: int) -> str:
    """Why an instance comes or goes: who changed the desired capacity, and what that made of it."""
    direction = "increasing" if after > before else "shrinking"
    text = f"an instance was {verb} in response to a difference between desired and actual capacity, {direction} "
    return causes(group.reason, at(ctx.now, f"{text}the capacity from {before} to {after}.{change}"))


def launch_cause(ctx: Ctx, group: Group, held: int) -> str:
    """Why a group that holds so many launches one more."""
    if group.replacing and not group.reason:
        return at(ctx.now, "an instance was launched in response to an unhealthy instance needing to be replaced.")
    return capacity_cause(ctx, group, "started", "", held, group.desired)
