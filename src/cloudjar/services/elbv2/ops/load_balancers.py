"""Load balancers: made, listed, removed, their security groups and subnets."""

from __future__ import annotations

import re
from typing import Any

from msgspec.structs import replace

from cloudjar.base.errors import AwsError
from cloudjar.kit import interfaces
from cloudjar.kit.context import Ctx
from cloudjar.kit.operation import op
from cloudjar.services.elbv2 import errors, holding, naming, places, serving, tagging
from cloudjar.services.elbv2.defaults import of_balancer, whole
from cloudjar.services.elbv2.ops import reservations
from cloudjar.services.elbv2.records import Listener, LoadBalancer, Rule
from cloudjar.services.elbv2.views import show_balancer

_NAME = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,30}[A-Za-z0-9])?")


@op("CreateLoadBalancer")
def create_load_balancer(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """A load balancer with a node in each of its subnets' zones."""
    kind = _kind(req)
    name, scheme = check_name("load balancer", req["Name"]), req.get("Scheme") or "internet-facing"
    if name.startswith("internal-"):
        raise errors.validation("The load balancer name cannot begin with 'internal-'")
    wanted = places.asked(ctx, req, kind, scheme)
    vpc_id = wanted[0].subnet.vpc_id
    guarded = kind == "app" or bool(req.get("SecurityGroups"))
    groups = places.groups(ctx, vpc_id, req.get("SecurityGroups") or ()) if guarded else ()
    existing = ctx.db[LoadBalancer].all(name=name)
    if existing:
        return {"LoadBalancers": [_again(ctx, existing[0], (kind, scheme, places.subnets(wanted), set(groups)))]}
    if scheme == "internet-facing" and not interfaces.lender(ctx).has_internet_gateway(ctx, vpc_id):
        raise AwsError("InvalidSubnet", f"VPC {vpc_id} has no internet gateway")
    suffix = naming.suffix()
    bare = LoadBalancer(
        arn=naming.arn(ctx, f"loadbalancer/{kind}/{name}/{suffix}"), name=name, suffix=suffix, kind=kind,
        dns_name=naming.dns_name(ctx, kind, name, suffix, scheme), scheme=scheme, vpc_id=vpc_id, groups=groups,
        guarded=guarded, created=ctx.now, zones=(), tags=tagging.asked(req),
    )  # fmt: skip
    balancer = ctx.db[LoadBalancer].add(replace(bare, zones=tuple(places.make(ctx, bare, p) for p in wanted)))
    holding.check_interfaces(ctx, vpc_id)
    return {"LoadBalancers": [show_balancer(ctx, balancer)]}


def _kind(req: dict[str, Any]) -> str:
    asked = req.get("Type") or "application"
    if asked not in ("application", "network"):
        raise errors.not_built(f"A load balancer of type {asked}")
    if (req.get("IpAddressType") or "ipv4") != "ipv4":
        raise errors.not_built(f"The IP address type {req['IpAddressType']}")
    if req.get("CustomerOwnedIpv4Pool") or req.get("IpamPools"):
        raise errors.not_built("An address pool of one's own")
    if req.get("EnablePrefixForIpv6SourceNat") == "on":
        raise errors.not_built("Source NAT prefixes for IPv6")
    return "net" if asked == "network" else "app"


def check_name(kind: str, name: str) -> str:
    """A name of letters, digits and hyphens, at most 32; raises ValidationError."""
    if len(name) > 32:
        raise errors.validation(f"The {kind} name '{name}' cannot be longer than '32' characters")
    if not _NAME.fullmatch(name):
        raise errors.validation(
            f"The {kind} name '{name}' can only contain characters that are alphanumeric characters and hyphens(-), "
            "and cannot begin or end with a hyphen"
        )
    return name


def _again(ctx: Ctx, balancer: LoadBalancer, asked: tuple[Any, ...]) -> dict[str, Any]:
    """Asked for once more just so, it is the same one."""
    had = (balancer.kind, balancer.scheme, {z.subnet_id for z in balancer.zones}, set(balancer.groups))
    if had != asked:
        raise errors.same_name("load balancer", "DuplicateLoadBalancerName", balancer.name)
    return show_balancer(ctx, balancer)


@op("DescribeLoadBalancers")
def describe_load_balancers(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Load balancers: all, or those named by ARN or name."""
    table = ctx.db[LoadBalancer]
    named, arns = req.get("Names") or (), req.get("LoadBalancerArns") or ()
    if named:
        by_name = {balancer.name: balancer for balancer in table.all()}
        missing = [name for name in named if name not in by_name]
        if missing:
            raise AwsError("LoadBalancerNotFound", f"Load balancers '[{', '.join(missing)}]' not found")
        found = [by_name[name] for name in named]
    else:
        found = [table.need(arn) for arn in arns] if arns else table.all()
    return {"LoadBalancers": [show_balancer(ctx, balancer) for balancer in found]}


@op("DeleteLoadBalancer")
def delete_load_balancer(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Remove a load balancer with its listeners; nothing when it is not there."""
    balancer = ctx.db[LoadBalancer].get(req["LoadBalancerArn"])
    if balancer is None:
        return {}
    if whole(of_balancer(balancer), balancer.attributes)["deletion_protection.enabled"] == "true":
        raise AwsError(
            "OperationNotPermitted",
            f"Load balancer '{balancer.arn}' cannot be deleted because deletion protection is enabled",
        )
    if interfaces.lender(ctx).offered(ctx, balancer.arn):
        raise AwsError(
            "ResourceInUse",
            f"Load balancer '{balancer.arn}' cannot be deleted because it is currently associated with another service",
        )
    for rule in ctx.db[Rule].all(load_balancer_arn=balancer.arn):
        ctx.db[Rule].drop(rule)
    for listener in ctx.db[Listener].all(load_balancer_arn=balancer.arn):
        ctx.db[Listener].drop(listener)
        serving.settle(ctx, balancer.arn, listener.certificates)
    for zone in balancer.zones:
        interfaces.lender(ctx).take_back(ctx, zone.interface_id)
    reservations.drop(ctx, balancer)
    ctx.db[LoadBalancer].drop(balancer)
    return {}


@op("SetSecurityGroups")
def set_security_groups(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Change the security groups of all nodes."""
    balancer = ctx.db[LoadBalancer].need(req["LoadBalancerArn"])
    if not balancer.guarded:
        raise AwsError(
            "InvalidConfigurationRequest",
            f"Security groups cannot be set for load balancer '{balancer.arn}', which was created without any",
        )
    groups = places.groups(ctx, balancer.vpc_id, req["SecurityGroups"])
    enforced = req.get("EnforceSecurityGroupInboundRulesOnPrivateLinkTraffic")
    if enforced and balancer.kind != "net":
        raise errors.validation("Private link traffic is only of network load balancers")
    guarded = enforced == "on" if enforced else balancer.links_guarded
    for zone in balancer.zones:
        interfaces.lender(ctx).regroup(ctx, zone.interface_id, groups)
        interfaces.lender(ctx).guard_links(ctx, zone.interface_id, guarded)
    ctx.db[LoadBalancer].put(replace(balancer, groups=groups, links_guarded=guarded))
    answer: dict[str, Any] = {"SecurityGroupIds": list(groups)}
    if balancer.kind == "net":
        answer["EnforceSecurityGroupInboundRulesOnPrivateLinkTraffic"] = "on" if guarded else "off"
    return answer


@op("SetSubnets")
def set_subnets(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Give a load balancer other zones: nodes come and go, those whose subnet stays stay."""
    balancer = ctx.db[LoadBalancer].need(req["LoadBalancerArn"])
    _kind({"IpAddressType": req.get("IpAddressType")})
    if reservations.pending(ctx, balancer):
        raise AwsError("CapacityReservationPending", "There is a pending capacity reservation")
    wanted = places.asked(ctx, req, balancer.kind, balancer.scheme)
    if wanted[0].subnet.vpc_id != balancer.vpc_id:
        raise AwsError("InvalidConfigurationRequest", "All subnets must belong to the same VPC")
    kept = {zone.subnet_id: zone for zone in balancer.zones}
    for zone in balancer.zones:
        if zone.subnet_id not in places.subnets(wanted):
            interfaces.lender(ctx).take_back(ctx, zone.interface_id)
    zones = tuple(kept.get(p.subnet.id) or places.make(ctx, balancer, p) for p in wanted)
    balancer = ctx.db[LoadBalancer].put(replace(balancer, zones=zones))
    holding.check_interfaces(ctx, balancer.vpc_id)
    return {"AvailabilityZones": show_balancer(ctx, balancer)["AvailabilityZones"], "IpAddressType": "ipv4"}


@op("SetIpAddressType")
def set_ip_address_type(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """IPv4 is the only one yet."""
    ctx.db[LoadBalancer].need(req["LoadBalancerArn"])
    _kind({"IpAddressType": req["IpAddressType"]})
    return {"IpAddressType": "ipv4"}
