"""Targets: registered, deregistered, and how they are.

https://docs.aws.amazon.com/elasticloadbalancing/latest/application/target-group-health-checks.html
"""

from __future__ import annotations

from datetime import timedelta
from ipaddress import IPv4Address, IPv4Network
from typing import Any

from msgspec.structs import replace

from cloudjar.base.errors import AwsError
from cloudjar.kit import interfaces
from cloudjar.kit.context import Ctx
from cloudjar.kit.operation import op
from cloudjar.services.elbv2 import defaults, errors, holding
from cloudjar.services.elbv2.life import over
from cloudjar.services.elbv2.ops.target_groups import wake_users
from cloudjar.services.elbv2.records import Registered, TargetGroup
from cloudjar.services.elbv2.views import show_health, users, zones_of

_PRIVATE = [IPv4Network(block) for block in ("10.0.0.0/8", "100.64.0.0/10", "172.16.0.0/12", "192.168.0.0/16")]
_LIMIT = ("elasticloadbalancing", "L-A0D0B863")


@op("RegisterTargets")
def register_targets(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Add targets; one that is draining is taken back."""
    group = ctx.db[TargetGroup].need(req["TargetGroupArn"])
    held = {(t.id, t.port): t for t in group.targets if not over(t.draining_until, ctx.now)}
    for asked in req["Targets"]:
        target = _target(ctx, group, asked)
        held[target.id, target.port] = target
    limit = ctx.limit(*_LIMIT)
    if limit is not None and len(held) > limit:
        raise AwsError("TooManyTargets", "The maximum number of targets has been reached.")
    ctx.db[TargetGroup].put(replace(group, targets=tuple(held.values())))
    holding.check_users(ctx, group.arn)
    wake_users(ctx, group.arn)
    return {}


def _target(ctx: Ctx, group: TargetGroup, asked: dict[str, Any]) -> Registered:
    port = asked.get("Port") or group.port
    if group.target_type == "instance":
        return _instance(ctx, group, asked["Id"], port)
    return _address(ctx, group, asked, port)


def _instance(ctx: Ctx, group: TargetGroup, instance_id: str, port: int) -> Registered:
    vm: Any = ctx.find("ec2", "instance", instance_id)
    if vm is None or vm.vpc_id != group.vpc_id:
        known = f"The following targets are not in the target group VPC '{group.vpc_id}'"
        why = known if vm else "The following instance IDs are not valid"
        raise AwsError("InvalidTarget", f"{why}: '{instance_id}'")
    if vm.state != "running":
        raise AwsError(
            "InvalidTarget",
            f"The following targets are not in a running state and cannot be registered: '{instance_id}'",
        )
    address = interfaces.lender(ctx).address_of(ctx, instance_id)
    return Registered(id=instance_id, port=port, address=address, home=vm.zone, since=ctx.now)


def _address(ctx: Ctx, group: TargetGroup, asked: dict[str, Any], port: int) -> Registered:
    try:
        address = IPv4Address(asked["Id"])
    except ValueError:
        raise errors.validation(f"The IP address '{asked['Id']}' is not a valid IPv4 address") from None
    vpc: Any = ctx.find("ec2", "vpc", group.vpc_id)
    inside = any(address in IPv4Network(block.cidr) for block in vpc.cidrs)
    zone = asked.get("AvailabilityZone") or ""
    if not inside and zone != "all":
        raise errors.validation(
            f"The Availability Zone must be specified as 'all' for the IP address '{address}', which is outside the VPC"
        )
    if not inside and not any(address in block for block in _PRIVATE):
        raise errors.validation(f"The IP address '{address}' is not within an allowed range")
    if inside and not zone:
        zone = interfaces.lender(ctx).zone_of(ctx, group.vpc_id, str(address))
    return Registered(id=str(address), port=port, address=str(address), zone=zone, since=ctx.now)


@op("DeregisterTargets")
def deregister_targets(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Targets get no new requests; those that are under way may end within the deregistration delay."""
    group = ctx.db[TargetGroup].need(req["TargetGroupArn"])
    asked = {(t["Id"], t.get("Port")) for t in req["Targets"]}
    delay = int(defaults.whole(defaults.of_group(group), group.attributes)["deregistration_delay.timeout_seconds"])
    until = ctx.now + timedelta(seconds=delay)
    used = bool(users(ctx, group.arn))
    kept = []
    for target in group.targets:
        leaves = (target.id, target.port) in asked or (target.id, None) in asked
        if not leaves:
            kept.append(target)
        elif used and delay:
            kept.append(replace(target, draining_until=target.draining_until or until))
    ctx.db[TargetGroup].put(replace(group, targets=tuple(kept)))
    wake_users(ctx, group.arn)
    return {}


@op("DescribeTargetHealth")
def describe_target_health(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """What probes of the group's targets came to; a target that is not registered is unused."""
    group = ctx.db[TargetGroup].need(req["TargetGroupArn"])
    zones = zones_of(ctx, group.arn)
    held = [t for t in group.targets if not over(t.draining_until, ctx.now)]
    if not req.get("Targets"):
        return {"TargetHealthDescriptions": [show_health(group, target, zones) for target in held]}
    found = []
    for asked in req["Targets"]:
        port = asked.get("Port") or group.port
        target = next((t for t in held if (t.id, t.port) == (asked["Id"], port)), None)
        found.append(show_health(group, target, zones) if target else _unknown(asked["Id"], port))
    return {"TargetHealthDescriptions": found}


def _unknown(target_id: str, port: int) -> dict[str, Any]:
    said = {
        "State": "unused",
        "Reason": "Target.NotRegistered",
        "Description": "Target is not registered to the target group",
    }
    return {"Target": {"Id": target_id, "Port": port}, "TargetHealth": said}
