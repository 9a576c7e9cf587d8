"""Attributes of load balancers and target groups."""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from cloudjar.kit.context import Ctx
from cloudjar.kit.operation import op
from cloudjar.services.elbv2 import defaults
from cloudjar.services.elbv2.ops.target_groups import wake_users
from cloudjar.services.elbv2.records import LoadBalancer, TargetGroup


@op("DescribeLoadBalancerAttributes")
def describe_load_balancer_attributes(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Every attribute with its value."""
    balancer = ctx.db[LoadBalancer].need(req["LoadBalancerArn"])
    return {"Attributes": _listed(defaults.whole(defaults.BALANCER, balancer.attributes))}


@op("ModifyLoadBalancerAttributes")
def modify_load_balancer_attributes(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Change attributes; those that are not built are refused."""
    balancer = ctx.db[LoadBalancer].need(req["LoadBalancerArn"])
    now = defaults.changed(defaults.BALANCER, balancer.attributes, _asked(req))
    ctx.db[LoadBalancer].put(replace(balancer, attributes=now))
    return {"Attributes": _listed(defaults.whole(defaults.BALANCER, now))}


@op("DescribeTargetGroupAttributes")
def describe_target_group_attributes(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Every attribute with its value."""
    group = ctx.db[TargetGroup].need(req["TargetGroupArn"])
    return {"Attributes": _listed(defaults.whole(defaults.GROUP, group.attributes))}


@op("ModifyTargetGroupAttributes")
def modify_target_group_attributes(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Change attributes; those that are not built are refused."""
    group = ctx.db[TargetGroup].need(req["TargetGroupArn"])
    now = defaults.changed(defaults.GROUP, group.attributes, _asked(req))
    ctx.db[TargetGroup].put(replace(group, attributes=now))
    wake_users(ctx, group.arn)
    return {"Attributes": _listed(defaults.whole(defaults.GROUP, now))}


def _asked(req: dict[str, Any]) -> dict[str, str]:
    return {a["Key"]: a.get("Value") or "" for a in req["Attributes"]}


def _listed(attributes: dict[str, str]) -> list[dict[str, str]]:
    return [{"Key": key, "Value": value} for key, value in attributes.items()]
