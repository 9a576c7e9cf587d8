"""Records in the API's form."""

from __future__ import annotations

from typing import Any

from cloudjar.kit.context import Ctx
from cloudjar.services.elbv2 import actions, naming
from cloudjar.services.elbv2.records import Listener, LoadBalancer, Probed, Registered, Rule, TargetGroup

_REASONS = {
    "timeout": ("Target.Timeout", "Request timed out"),
    "refused": ("Target.FailedHealthChecks", "Health checks failed"),
}


def show_balancer(balancer: LoadBalancer) -> dict[str, Any]:
    """AWS's LoadBalancer."""
    return {
        "LoadBalancerArn": balancer.arn,
        "DNSName": balancer.dns_name,
        "CanonicalHostedZoneId": naming.HOSTED_ZONES.get(balancer.region),
        "CreatedTime": balancer.created,
        "LoadBalancerName": balancer.name,
        "Scheme": balancer.scheme,
        "VpcId": balancer.vpc_id,
        "State": {"Code": balancer.state},
        "Type": "application",
        "AvailabilityZones": [
            {"ZoneName": zone.name, "SubnetId": zone.subnet_id, "LoadBalancerAddresses": []} for zone in balancer.zones
        ],
        "SecurityGroups": list(balancer.groups),
        "IpAddressType": "ipv4",
    }


def show_listener(listener: Listener) -> dict[str, Any]:
    """AWS's Listener."""
    return {
        "ListenerArn": listener.arn,
        "LoadBalancerArn": listener.load_balancer_arn,
        "Port": listener.port,
        "Protocol": listener.protocol,
        "DefaultActions": listener.actions,
    }


def show_rule(rule: Rule) -> dict[str, Any]:
    """AWS's Rule."""
    return {
        "RuleArn": rule.arn,
        "Priority": str(rule.priority),
        "Conditions": rule.conditions,
        "Actions": rule.actions,
        "IsDefault": False,
    }


def show_default_rule(listener: Listener) -> dict[str, Any]:
    """The rule that a listener is made with."""
    return {
        "RuleArn": default_rule_arn(listener),
        "Priority": "default",
        "Conditions": [],
        "Actions": listener.actions,
        "IsDefault": True,
    }


def default_rule_arn(listener: Listener) -> str:
    """It ends in the listener's own id."""
    return listener.arn.replace(":listener/", ":listener-rule/", 1) + "/" + listener.path.rpartition("/")[2]


def show_group(ctx: Ctx, group: TargetGroup) -> dict[str, Any]:
    """AWS's TargetGroup."""
    return {
        "TargetGroupArn": group.arn,
        "TargetGroupName": group.name,
        "Protocol": group.protocol,
        "ProtocolVersion": "HTTP1",
        "Port": group.port,
        "VpcId": group.vpc_id,
        **group.check,
        "LoadBalancerArns": users(ctx, group.arn),
        "TargetType": group.target_type,
        "IpAddressType": "ipv4",
    }


def users(ctx: Ctx, group_arn: str) -> list[str]:
    """ARNs of the load balancers that send to a target group."""
    acting = [(item.load_balancer_arn, item.actions) for item in ctx.db[Listener].all()]
    acting += [(item.load_balancer_arn, item.actions) for item in ctx.db[Rule].all()]
    found = {balancer for balancer, given in acting if group_arn in actions.groups_of(given)}
    return sorted(found)


def show_health(group: TargetGroup, target: Registered, *, used: bool) -> dict[str, Any]:
    """AWS's TargetHealthDescription."""
    described: dict[str, Any] = {"Id": target.id, "Port": target.port}
    if target.zone:
        described["AvailabilityZone"] = target.zone
    port = group.check["HealthCheckPort"]
    return {
        "Target": described,
        "HealthCheckPort": str(target.port) if port == "traffic-port" else port,
        "TargetHealth": _state(group, target, used=used),
    }


def _state(group: TargetGroup, target: Registered, *, used: bool) -> dict[str, Any]:
    if target.draining_until is not None:
        return _said("draining", "Target.DeregistrationInProgress", "Target deregistration is in progress")
    if not used:
        return _said(
            "unused", "Target.NotInUse", "Target group is not configured to receive traffic from the load balancer"
        )
    found = group.health.get(target.place)
    if found is None:
        return _said("initial", "Elb.RegistrationInProgress", "Target registration is in progress")
    if found.state == "healthy":
        return {"State": "healthy"}
    if found.state == "initial":
        return _said("initial", "Elb.InitialHealthChecking", "Initial health checks in progress")
    return _unhealthy(found)


def _unhealthy(found: Probed) -> dict[str, Any]:
    if found.why == "code":
        return _said(
            "unhealthy", "Target.ResponseCodeMismatch", f"Health checks failed with these codes: [{found.code}]"
        )
    return _said("unhealthy", *_REASONS[found.why])


def _said(state: str, reason: str, description: str) -> dict[str, Any]:
    return {"State": state, "Reason": reason, "Description": description}
