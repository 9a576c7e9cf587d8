"""Groups: made, changed, listed, deleted.

https://docs.aws.amazon.com/autoscaling/ec2/userguide/auto-scaling-groups.html
"""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from cloudjar.base import ids
from cloudjar.kit import filters
from cloudjar.kit.context import Ctx
from cloudjar.kit.operation import op
from cloudjar.services.autoscaling import errors, life, linked_role, members, origin, pool, rules, settings, traffic
from cloudjar.services.autoscaling.activities import at
from cloudjar.services.autoscaling.ops import traffic as traffic_ops
from cloudjar.services.autoscaling.ops.hooks import add_hook
from cloudjar.services.autoscaling.records import DELETING, Group, Member
from cloudjar.services.autoscaling.views import show_group

_FILTERS: dict[str, filters.Getter] = {}


@op("CreateAutoScalingGroup")
def create_auto_scaling_group(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Make a group; its instances are launched afterwards."""
    rules.refuse(req)
    name = req["AutoScalingGroupName"]
    if ctx.db[Group].get(name) is not None:
        raise errors.group_exists(name)
    least, most = req["MinSize"], req["MaxSize"]
    desired = req["DesiredCapacity"] if req.get("DesiredCapacity") is not None else least
    rules.sizes(least, most, desired)
    given = req.get("ServiceLinkedRoleARN")
    role = linked_role.checked(ctx, given) if given else linked_role.make(ctx)
    zones, subnets = rules.where(ctx, req.get("AvailabilityZones"), req.get("VPCZoneIdentifier"), role)
    tags, propagated = rules.tags(req.get("Tags"), name)
    text = f"a user request created an AutoScalingGroup changing the desired capacity from 0 to {desired}."
    group = Group(
        name=name,
        uuid=ids.uuid4(),
        created=ctx.now,
        least=least,
        most=most,
        desired=desired,
        zones=zones,
        subnets=subnets,
        tags=tags,
        propagated=propagated,
        role_arn=role,
        reason=at(ctx.now, text) if desired else "",
    )
    group = replace(group, **settings.of_request(ctx, req), **origin.of_request(ctx, req, role, None))
    group = ctx.db[Group].add(group)
    traffic.attach(ctx, group, traffic_ops.wanted(req))
    for spec in req.get("LifecycleHookSpecificationList") or ():
        add_hook(ctx, name, spec)
    return {}


@op("UpdateAutoScalingGroup")
def update_auto_scaling_group(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Change what is named; the capacity follows afterwards."""
    rules.refuse(req)
    group = rules.alive(ctx.db[Group].need(req["AutoScalingGroupName"]))
    least = req["MinSize"] if req.get("MinSize") is not None else group.least
    most = req["MaxSize"] if req.get("MaxSize") is not None else group.most
    if req.get("DesiredCapacity") is not None:
        desired = req["DesiredCapacity"]
    else:
        desired = max(least, min(most, group.desired))
    rules.sizes(least, most, desired)
    given = req.get("ServiceLinkedRoleARN")
    role = linked_role.checked(ctx, given) if given else group.role_arn
    changes = {**settings.of_request(ctx, req), **origin.of_request(ctx, req, role, group)}
    if req.get("VPCZoneIdentifier") is not None or req.get("AvailabilityZones"):
        changes["zones"], changes["subnets"] = rules.where(
            ctx, req.get("AvailabilityZones"), req.get("VPCZoneIdentifier"), role
        )
    if desired != group.desired:
        text = (
            f"a user request update of AutoScalingGroup constraints to min: {least}, max: {most}, desired: {desired} "
            f"changing the desired capacity from {group.desired} to {desired}."
        )
        changes["reason"] = at(ctx.now, text)
    # Whoever changes a group that could not launch wants it to try again now.
    ctx.db[Group].put(
        replace(group, least=least, most=most, desired=desired, role_arn=role, failures=0, retry_at=None, **changes)
    )
    return {}


@op("DescribeAutoScalingGroups")
def describe_auto_scaling_groups(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Groups by name or by their tags, with their instances; names that are not there are passed over."""
    wanted = req.get("AutoScalingGroupNames")
    found = [g for g in ctx.db[Group].all() if not wanted or g.name in wanted]
    admitted = filters.apply(req.get("Filters"), _FILTERS, found)
    shown = req.get("IncludeInstances") is not False
    return {
        "AutoScalingGroups": [
            show_group(
                g, ctx.db[Member].all(group=g.name), traffic.arns(ctx, g.name), pool.of_group(ctx, g.name),
                instances=shown,
            )
            for g in admitted
        ]
    }


@op("DeleteAutoScalingGroup")
def delete_auto_scaling_group(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Delete an empty group, or, when forced, one with all its instances."""
    group = ctx.db[Group].need(req["AutoScalingGroupName"])
    settings.check_deletion(group, forced=bool(req.get("ForceDelete")))
    held = ctx.db[Member].all(group=group.name)
    if not held:
        life.drop(ctx, group)
        return {}
    if not req.get("ForceDelete"):
        if all(member.ending for member in held):
            raise errors.in_progress(
                "You cannot delete an AutoScalingGroup while there are scaling activities in progress for that group."
            )
        raise errors.in_use(
            "You cannot delete an AutoScalingGroup while there are instances or pending Spot instance request(s) "
            "still in the group."
        )
    text = f"a user request force-deleted AutoScalingGroup changing the desired capacity from {group.desired} to 0."
    reason = at(ctx.now, text)
    group = ctx.db[Group].put(replace(group, least=0, most=0, desired=0, status=DELETING, reason=reason))
    counting = sum(member.counts for member in held)
    for member in held:
        if not member.ending:
            cause = members.capacity_cause(ctx, group, "taken out of service", "", counting, 0)
            members.begin_end(ctx, group, member, cause)
    return {}
