"""Target groups and other traffic sources of a group: attached, detached, listed.

https://docs.aws.amazon.com/autoscaling/ec2/userguide/attach-load-balancer-asg.html
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from cloudjar.kit.context import Ctx
from cloudjar.kit.operation import op
from cloudjar.services.autoscaling import errors, rules, traffic
from cloudjar.services.autoscaling.records import Group

_KINDS = ("elb", "elbv2", "vpc-lattice")


@op("AttachLoadBalancerTargetGroups")
def attach_target_groups(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """The group's instances are registered afterwards."""
    group = rules.alive(ctx.db[Group].need(req["AutoScalingGroupName"]))
    traffic.attach(ctx, group, req["TargetGroupARNs"])
    return {}


@op("DetachLoadBalancerTargetGroups")
def detach_target_groups(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """The group's instances are deregistered afterwards, and drain."""
    group = rules.alive(ctx.db[Group].need(req["AutoScalingGroupName"]))
    traffic.detach(ctx, group, req["TargetGroupARNs"])
    return {}


@op("DescribeLoadBalancerTargetGroups")
def describe_target_groups(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """The target groups of a group, and how far they are."""
    group = ctx.db[Group].need(req["AutoScalingGroupName"])
    return {"LoadBalancerTargetGroups": [
        {"LoadBalancerTargetGroupARN": source.arn, "State": source.state}
        for source in traffic.sources(ctx, group.name)
    ]}  # fmt: skip


@op("AttachTrafficSources")
def attach_traffic_sources(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Attach target groups by the general name of what sends requests."""
    group = rules.alive(ctx.db[Group].need(req["AutoScalingGroupName"]))
    traffic.attach(ctx, group, identified(req["TrafficSources"]))
    return {}


@op("DetachTrafficSources")
def detach_traffic_sources(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Detach target groups by the general name of what sends requests."""
    group = rules.alive(ctx.db[Group].need(req["AutoScalingGroupName"]))
    traffic.detach(ctx, group, identified(req["TrafficSources"]))
    return {}


@op("DescribeTrafficSources")
def describe_traffic_sources(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """The traffic sources of a group, of one kind when asked."""
    group = ctx.db[Group].need(req["AutoScalingGroupName"])
    kind = req.get("TrafficSourceType")
    if kind and kind not in _KINDS:
        raise errors.invalid(f"Invalid traffic source type: {kind}")
    found = traffic.sources(ctx, group.name) if kind in (None, "", "elbv2") else []
    return {"TrafficSources": [
        {"TrafficSource": source.arn, "Identifier": source.arn, "Type": "elbv2", "State": source.state}
        for source in found
    ]}  # fmt: skip


def identified(given: Iterable[Mapping[str, Any]] | None) -> list[str]:
    """The ARNs of target groups that a request names as traffic sources."""
    found = []
    for source in given or ():
        kind, name = source.get("Type") or "", source["Identifier"]
        if kind and kind not in _KINDS:
            raise errors.invalid(f"Invalid traffic source type: {kind}")
        if not name.startswith("arn:"):
            raise errors.not_built("A Classic Load Balancer as a traffic source")
        if ":elasticloadbalancing:" not in name:
            raise errors.not_built("A traffic source other than a target group of a load balancer")
        found.append(name)
    return found


def wanted(req: Mapping[str, Any]) -> list[str]:
    """The target groups that a new group is to have."""
    by_arn, by_kind = req.get("TargetGroupARNs") or [], req.get("TrafficSources") or []
    if by_arn and by_kind:
        raise errors.invalid("TargetGroupARNs and TrafficSources cannot both be specified")
    return list(by_arn) or identified(by_kind)
