"""Records in the API's form."""

from __future__ import annotations

from typing import Any

from cloudjar.kit import interfaces
from cloudjar.kit.context import Ctx
from cloudjar.services.elbv2 import actions, naming
from cloudjar.services.elbv2.defaults import RELAYED
from cloudjar.services.elbv2.records import Listener, LoadBalancer, Probed, Registered, Rule, TargetGroup, Zone
from cloudjar.services.elbv2.trusting import show_mutual

_REASONS = {
    "timeout": ("Target.Timeout", "Request timed out"),
    "refused": ("Target.FailedHealthChecks", "Health checks failed"),
}


def show_balancer(ctx: Ctx, balancer: LoadBalancer) -> dict[str, Any]:
    """AWS's LoadBalancer."""
    net = balancer.kind == "net"
    shown: dict[str, Any] = {
        "LoadBalancerArn": balancer.arn,
        "DNSName": balancer.dns_name,
        "CanonicalHostedZoneId": (naming.NETWORK_ZONES if net else naming.HOSTED_ZONES).get(balancer.region),
        "CreatedTime": balancer.created,
        "LoadBalancerName": balancer.name,
        "Scheme": balancer.scheme,
        "VpcId": balancer.vpc_id,
        "State": {"Code": balancer.state},
        "Type": "network" if net else "application",
        "AvailabilityZones": [
            {"ZoneName": zone.name, "SubnetId": zone.subnet_id, "LoadBalancerAddresses": _addresses(ctx, zone)}
            for zone in balancer.zones
        ],
        "IpAddressType": "ipv4",
    }
    if balancer.guarded:
        shown["SecurityGroups"] = list(balancer.groups)
    if balancer.guarded and net:
        shown["EnforceSecurityGroupInboundRulesOnPrivateLinkTraffic"] = "on" if balancer.links_guarded else "off"
    return {**shown, "EnablePrefixForIpv6SourceNat": "off"} if net else shown


def _addresses(ctx: Ctx, zone: Zone) -> list[dict[str, str]]:
    """The addresses that were asked for: Elastic IPs, and private ones of an internal load balancer."""
    if zone.allocation:
        lent = interfaces.lender(ctx).look(ctx, zone.interface_id)
        return [{"IpAddress": lent.public if lent else "", "AllocationId": zone.allocation}]
    return [{"PrivateIPv4Address": zone.address}] if zone.address else []


def show_listener(listener: Listener) -> dict[str, Any]:
    """AWS's Listener."""
    return {
        "ListenerArn": listener.arn,
        "LoadBalancerArn": listener.load_balancer_arn,
        "Port": listener.port,
        "Protocol": listener.protocol,
        "DefaultActions": listener.actions,
        **_secured(listener),
    }


def _secured(listener: Listener) -> dict[str, Any]:
    if not listener.certificates:
        return {}
    shown: dict[str, Any] = {
        "Certificates": [{"CertificateArn": listener.certificates[0]}], "SslPolicy": listener.ssl_policy,
    }  # fmt: skip
    if listener.kind == "app":
        return {**shown, "MutualAuthentication": show_mutual(listener)}
    return {**shown, "AlpnPolicy": [listener.alpn]} if listener.alpn else shown


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
        "ProtocolVersion": None if group.protocol in RELAYED else "HTTP1",
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


def zones_of(ctx: Ctx, group_arn: str) -> set[str]:
    """The zones in which load balancers send to a target group."""
    found = (ctx.db[LoadBalancer].get(arn) for arn in users(ctx, group_arn))
    return {zone.name for balancer in found if balancer is not None for zone in balancer.zones}


def show_health(group: TargetGroup, target: Registered, zones: set[str]) -> dict[str, Any]:
    """AWS's TargetHealthDescription."""
    described: dict[str, Any] = {"Id": target.id, "Port": target.port}
    if target.zone:
        described["AvailabilityZone"] = target.zone
    port = group.check["HealthCheckPort"]
    return {
        "Target": described,
        "HealthCheckPort": str(target.port) if port == "traffic-port" else port,
        "TargetHealth": _state(group, target, zones),
    }


def _state(group: TargetGroup, target: Registered, zones: set[str]) -> dict[str, Any]:
    if target.draining_until is not None:
        return _said("draining", "Target.DeregistrationInProgress", "Target deregistration is in progress")
    if target.stopped:
        return _said("unused", "Target.InvalidState", f"Target is in the {target.stopped} state")
    if not zones:
        return _said(
            "unused", "Target.NotInUse", "Target group is not configured to receive traffic from the load balancer"
        )
    home = target.home or ("" if target.zone == "all" else target.zone)
    if home and home not in zones:
        return _said(
            "unused", "Target.NotInUse",
            "Target is in an Availability Zone that is not enabled for the load balancer",
        )  # fmt: skip
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
