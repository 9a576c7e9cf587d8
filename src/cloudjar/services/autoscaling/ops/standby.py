"""Standby: instances that the group keeps and does not count.

https://docs.aws.amazon.com/autoscaling/ec2/userguide/as-enter-exit-standby.html
"""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from cloudjar.kit.context import Ctx
from cloudjar.kit.operation import op
from cloudjar.services.autoscaling import activities, errors, life, rules
from cloudjar.services.autoscaling.activities import at
from cloudjar.services.autoscaling.members import LIFE
from cloudjar.services.autoscaling.ops.members import of_group
from cloudjar.services.autoscaling.records import Group
from cloudjar.services.autoscaling.views import show_activities


@op("EnterStandby")
def enter_standby(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Put instances aside; the group launches others for them, unless its capacity shrinks by them."""
    group = rules.alive(ctx.db[Group].need(req["AutoScalingGroupName"]))
    found = of_group(ctx, group, req.get("InstanceIds") or [])
    shrink = req["ShouldDecrementDesiredCapacity"]
    if shrink and group.desired - len(found) < group.least:
        raise errors.sizes(group.name, group.least, group.most, group.desired, "place into standby", len(found))
    done = []
    for member in found:
        if member.state != "InService":
            raise errors.invalid(f"The instance {member.id} is not in InService.")
        text = f"instance {member.id} was moved to standby in response to a user request"
        if shrink:
            text += f", shrinking the capacity from {group.desired} to {group.desired - 1}"
            group = ctx.db[Group].put(replace(group, desired=group.desired - 1))
        made = activities.begin(
            ctx,
            group,
            f"Moving EC2 instance to Standby: {member.id}",
            at(ctx.now, f"{text}."),
            zone=member.zone,
            subnet=member.subnet,
            instance=member.id,
        )
        done.append(made.id)
        life.advance(ctx, group.name, LIFE.move(ctx, member, "EnteringStandby", activity=made.id))
    return {"Activities": show_activities(ctx, done)}


@op("ExitStandby")
def exit_standby(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Take instances back; the desired capacity grows by them."""
    group = rules.alive(ctx.db[Group].need(req["AutoScalingGroupName"]))
    found = of_group(ctx, group, req.get("InstanceIds") or [])
    if group.desired + len(found) > group.most:
        raise errors.sizes(group.name, group.least, group.most, group.desired, "take out of standby", len(found))
    done = []
    for member in found:
        if member.state != "Standby":
            raise errors.invalid(f"The instance {member.id} is not in Standby.")
        text = f"instance {member.id} was moved out of standby in response to a user request, increasing the capacity "
        made = activities.begin(
            ctx,
            group,
            f"Moving EC2 instance out of Standby: {member.id}",
            at(ctx.now, f"{text}from {group.desired} to {group.desired + 1}."),
            zone=member.zone,
            subnet=member.subnet,
            instance=member.id,
        )
        activities.moved(ctx, made.id, "PreInService", 30)
        group = ctx.db[Group].put(replace(group, desired=group.desired + 1))
        done.append(made.id)
        LIFE.move(ctx, member, "Pending", activity=made.id, health="Healthy", why_unhealthy="")
    return {"Activities": show_activities(ctx, done)}
