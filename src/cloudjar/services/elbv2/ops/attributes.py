"""Attributes of load balancers, target groups and listeners."""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from cloudjar.kit.context import Ctx
from cloudjar.kit.operation import op
from cloudjar.services.elbv2 import defaults
from cloudjar.services.elbv2.access_logs import life as access_logs
from cloudjar.services.elbv2.ops.target_groups import wake_users
from cloudjar.services.elbv2.records import Listener, LoadBalancer, TargetGroup


@op("DescribeLoadBalancerAttributes")
def describe_load_balancer_attributes(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Every attribute with its value."""
    balancer = ctx.db[LoadBalancer].need(req["LoadBalancerArn"])
    return {"Attributes": _listed(defaults.whole(defaults.of_balancer(balancer), balancer.attributes))}


@op("ModifyLoadBalancerAttributes")
def modify_load_balancer_attributes(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Change attributes; those that are not built are refused."""
    balancer = ctx.db[LoadBalancer].need(req["LoadBalancerArn"])
    now = defaults.changed("Load balancer", defaults.of_balancer(balancer), balancer.attributes, _asked(req))
    after = ctx.db[LoadBalancer].put(replace(balancer, attributes=now))
    for log in access_logs.kept(after):
        if any(name.startswith(f"{log}.") for name in _asked(req)):
            access_logs.check(ctx, after, log)
            access_logs.follow(ctx, after)
    return {"Attributes": _listed(defaults.whole(defaults.of_balancer(balancer), now))}


@op("DescribeTargetGroupAttributes")
def describe_target_group_attributes(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Every attribute with its value."""
    group = ctx.db[TargetGroup].need(req["TargetGroupArn"])
    return {"Attributes": _listed(defaults.whole(defaults.of_group(group), group.attributes))}


@op("ModifyTargetGroupAttributes")
def modify_target_group_attributes(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Change attributes; those that are not built are refused."""
    group = ctx.db[TargetGroup].need(req["TargetGroupArn"])
    now = defaults.changed("Target group", defaults.of_group(group), group.attributes, _asked(req))
    ctx.db[TargetGroup].put(replace(group, attributes=now))
    wake_users(ctx, group.arn)
    return {"Attributes": _listed(defaults.whole(defaults.of_group(group), now))}


@op("DescribeListenerAttributes")
def describe_listener_attributes(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Every attribute with its value."""
    listener = ctx.db[Listener].need(req["ListenerArn"])
    return {"Attributes": _listed(defaults.whole(defaults.of_listener(listener), listener.attributes))}


@op("ModifyListenerAttributes")
def modify_listener_attributes(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Change attributes; those that are not built are refused."""
    listener = ctx.db[Listener].need(req["ListenerArn"])
    now = defaults.changed("Listener", defaults.of_listener(listener), listener.attributes, _asked(req))
    ctx.db[Listener].put(replace(listener, attributes=now))
    return {"Attributes": _listed(defaults.whole(defaults.of_listener(listener), now))}


def _asked(req: dict[str, Any]) -> dict[str, str]:
    return {a["Key"]: a.get("Value") or "" for a in req["Attributes"]}


def _listed(attributes: dict[str, str]) -> list[dict[str, str]]:
    return [{"Key": key, "Value": value} for key, value in attributes.items()]
