"""Instances of groups: listed, judged, protected, ended, attached, detached.

https://docs.aws.amazon.com/autoscaling/ec2/userguide/ec2-auto-scaling-detach-attach-instances.html
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from msgspec.structs import replace

from cloudjar.kit.context import Ctx
from cloudjar.kit.operation import op
from cloudjar.services.autoscaling import activities, errors, launching, life, members, rules
from cloudjar.services.autoscaling.activities import at
from cloudjar.services.autoscaling.records import Group, Member
from cloudjar.services.autoscaling.views import show_activities, show_detailed_member


def managed(ctx: Ctx, instance_id: str) -> Member:
    """A member, whatever its group."""
    member = ctx.db[Member].get(instance_id)
    if member is None:
        raise errors.not_managed(instance_id)
    return member


def of_group(ctx: Ctx, group: Group, ids: list[str]) -> list[Member]:
    """Members of one group."""
    found = []
    for instance_id in dict.fromkeys(ids):
        member = ctx.db[Member].get(instance_id)
        if member is None or member.group != group.name:
            raise errors.not_part(instance_id, group.name)
        found.append(member)
    return found


@op("DescribeAutoScalingInstances")
def describe_auto_scaling_instances(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Those that are named and in a group, or all."""
    wanted = req.get("InstanceIds")
    found = [m for m in ctx.db[Member].all() if not wanted or m.id in wanted]
    return {"AutoScalingInstances": [show_detailed_member(m) for m in found]}


@op("SetInstanceHealth")
def set_instance_health(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Say that an instance is well or not; the group acts on it."""
    member = managed(ctx, req["InstanceId"])
    status = req["HealthStatus"]
    if status not in ("Healthy", "Unhealthy"):
        raise errors.invalid(f"HealthStatus must be Healthy or Unhealthy, not {status}")
    group = ctx.db[Group].need(member.group)
    spared = status == "Unhealthy" and req.get("ShouldRespectGracePeriod") is not False
    if spared and member.in_service is not None and ctx.now < member.in_service + timedelta(seconds=group.grace):
        return {}
    why = "a user health-check" if status == "Unhealthy" else ""
    ctx.db[Member].put(replace(member, health=status, why_unhealthy=why))
    return {}


@op("SetInstanceProtection")
def set_instance_protection(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Whether a shrinking group may take these instances."""
    group = ctx.db[Group].need(req["AutoScalingGroupName"])
    for member in of_group(ctx, group, req["InstanceIds"]):
        if member.state not in ("InService", "Pending", "Pending:Wait", "Pending:Proceed", "Standby"):
            raise errors.invalid(f"The instance {member.id} is not in InService or EnteringStandby or Standby.")
        ctx.db[Member].put(replace(member, protected=req["ProtectedFromScaleIn"]))
    return {}


@op("TerminateInstanceInAutoScalingGroup")
def terminate_instance(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """End one instance; the group launches another, unless its capacity shrinks by it."""
    if req.get("InstanceIds") or req.get("AutoScalingGroupName"):
        raise errors.not_built("Ending several instances at once")
    if not req.get("InstanceId"):
        raise errors.invalid("Instance Id must be specified")
    member = managed(ctx, req["InstanceId"])
    group = ctx.db[Group].need(member.group)
    if member.ending:
        return {"Activity": show_activities(ctx, [member.activity])[0]}
    text = f"instance {member.id} was taken out of service in response to a user request"
    if req["ShouldDecrementDesiredCapacity"] and member.counts:
        if group.desired <= group.least:
            raise errors.invalid(
                f"Currently, desiredSize equals minSize ({group.least}). Terminating instance without replacement will "
                "violate group's min size constraint. Either set shouldDecrementDesiredCapacity flag to false or lower "
                "group's min size."
            )
        text += f", shrinking the capacity from {group.desired} to {group.desired - 1}"
        group = ctx.db[Group].put(replace(group, desired=group.desired - 1))
    ended = members.begin_end(ctx, group, member, at(ctx.now, f"{text}."))
    return {"Activity": show_activities(ctx, [ended.activity])[0]}


@op("DetachInstances")
def detach_instances(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Let instances go: they run on, and the group knows them no more."""
    group = ctx.db[Group].need(req["AutoScalingGroupName"])
    found = of_group(ctx, group, req.get("InstanceIds") or [])
    shrink = req["ShouldDecrementDesiredCapacity"]
    counting = sum(m.counts for m in found)
    if shrink and group.desired - counting < group.least:
        raise errors.sizes(group.name, group.least, group.most, group.desired, "detach", len(found))
    done = []
    for member in found:
        if member.state not in ("InService", "Standby"):
            raise errors.invalid(f"The instance {member.id} is not in InService or Standby.")
        text = f"instance {member.id} was detached in response to a user request"
        if shrink and member.counts:
            text += f", shrinking the capacity from {group.desired} to {group.desired - 1}"
            group = ctx.db[Group].put(replace(group, desired=group.desired - 1))
        made = activities.begin(
            ctx, group, f"Detaching EC2 instance: {member.id}", at(ctx.now, f"{text}."),
            zone=member.zone, subnet=member.subnet, instance=member.id,
        )  # fmt: skip
        done.append(made.id)
        life.advance(ctx, group.name, members.LIFE.move(ctx, member, "Detaching", activity=made.id))
    return {"Activities": show_activities(ctx, done)}


@op("AttachInstances")
def attach_instances(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Take running instances into the group; the desired capacity grows by them."""
    group = rules.alive(ctx.db[Group].need(req["AutoScalingGroupName"]))
    ids = list(dict.fromkeys(req.get("InstanceIds") or []))
    if group.desired + len(ids) > group.most:
        raise errors.sizes(group.name, group.least, group.most, group.desired, "attach", len(ids))
    for instance_id in ids:
        vm = _attachable(ctx, group, instance_id)
        member = Member(
            id=vm.id,
            group=group.name,
            type=vm.type,
            zone=vm.zone,
            subnet=vm.subnet_id,
            image=vm.image_id,
            state="Pending",
            protected=group.protect_new,
            configured=ctx.now,
            launched=vm.launched,
        )
        text = "an instance was attached in response to a user request, increasing the capacity from "
        text += f"{group.desired} to {group.desired + 1}."
        made = activities.begin(
            ctx,
            group,
            f"Attaching an existing EC2 instance: {vm.id}",
            at(ctx.now, text),
            zone=vm.zone,
            subnet=vm.subnet_id,
            instance=vm.id,
        )
        group = ctx.db[Group].put(replace(group, desired=group.desired + 1))
        launching.mark(ctx, vm.id, group.name)
        life.advance(ctx, group.name, ctx.db[Member].add(replace(member, activity=made.id)))
    return {}


def _attachable(ctx: Ctx, group: Group, instance_id: str) -> Any:
    vm: Any = ctx.find("ec2", "instance", instance_id)
    if vm is None:
        raise errors.invalid(f"Invalid Instance ID(s): [{instance_id}] specified")
    known = ctx.db[Member].get(instance_id)
    if known is not None:
        raise errors.invalid(f"Instance {instance_id} is already part of AutoScalingGroup:{known.group}")
    if vm.state != "running":
        raise errors.invalid(f"Instance {instance_id} is not in correct state. Instance(s) must be in 'running' state.")
    if vm.zone not in group.zones:
        raise errors.invalid(
            f"The instance {instance_id} is in availability zone {vm.zone}, which is not one of the group's."
        )
    return vm
