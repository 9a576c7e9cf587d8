"""Load balancers: made, listed, removed, their security groups."""

from __future__ import annotations

import re
from typing import Any

from msgspec.structs import replace

from cloudjar.base.errors import AwsError
from cloudjar.kit import interfaces, tags
from cloudjar.kit.context import Ctx
from cloudjar.kit.operation import op
from cloudjar.kit.record import Record
from cloudjar.services.elbv2 import errors, naming
from cloudjar.services.elbv2.defaults import BALANCER, whole
from cloudjar.services.elbv2.life import node_name
from cloudjar.services.elbv2.records import Listener, LoadBalancer, Rule, Zone
from cloudjar.services.elbv2.views import show_balancer

OWNER = "amazon-elb"
_NAME = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,30}[A-Za-z0-9])?")


@op("CreateLoadBalancer")
def create_load_balancer(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """An Application Load Balancer with a node in each of its subnets' zones."""
    _refuse(req)
    name, scheme = check_name("load balancer", req["Name"]), req.get("Scheme") or "internet-facing"
    if name.startswith("internal-"):
        raise errors.validation("The load balancer name cannot begin with 'internal-'")
    subnets = _subnets(ctx, req)
    vpc_id = str(subnets[0].vpc_id)  # type: ignore[attr-defined]  # a subnet has one
    lender = interfaces.lender(ctx)
    groups = _groups(ctx, vpc_id, req.get("SecurityGroups") or ())
    existing = ctx.db[LoadBalancer].all(name=name)
    if existing:
        return {"LoadBalancers": [_again(existing[0], scheme, [s.id for s in subnets], groups)]}  # type: ignore[attr-defined]  # subnets have ids
    if scheme == "internet-facing" and not lender.has_internet_gateway(ctx, vpc_id):
        raise AwsError("InvalidSubnet", f"VPC {vpc_id} has no internet gateway")
    suffix = naming.suffix()
    balancer = ctx.db[LoadBalancer].add(
        LoadBalancer(
            arn=naming.arn(ctx, f"loadbalancer/app/{name}/{suffix}"), name=name, suffix=suffix,
            dns_name=naming.dns_name(ctx, name, scheme), scheme=scheme, vpc_id=vpc_id, groups=groups, created=ctx.now,
            zones=tuple(_zone(ctx, subnet, f"app/{name}/{suffix}", groups, scheme) for subnet in subnets),
            tags=tags.within_limit(tags.from_list(req.get("Tags") or ())),
        )
    )  # fmt: skip
    return {"LoadBalancers": [show_balancer(balancer)]}


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


def _refuse(req: dict[str, Any]) -> None:
    if (req.get("Type") or "application") != "application":
        raise errors.not_built(f"A load balancer of type {req['Type']}")
    if (req.get("IpAddressType") or "ipv4") != "ipv4":
        raise errors.not_built(f"The IP address type {req['IpAddressType']}")
    if any(mapping.keys() - {"SubnetId"} for mapping in req.get("SubnetMappings") or ()):
        raise errors.not_built("A subnet mapping with an address")
    if req.get("CustomerOwnedIpv4Pool") or req.get("IpamPools"):
        raise errors.not_built("An address pool of one's own")


def _subnets(ctx: Ctx, req: dict[str, Any]) -> list[Record]:
    asked = list(req.get("Subnets") or ()) or [m["SubnetId"] for m in req.get("SubnetMappings") or ()]
    found = [_subnet(ctx, subnet_id) for subnet_id in dict.fromkeys(asked)]
    zones = [s.zone for s in found]  # type: ignore[attr-defined]  # a subnet has one
    if len(set(zones)) < len(zones):
        raise AwsError(
            "InvalidConfigurationRequest",
            "A load balancer cannot be attached to multiple subnets in the same Availability Zone",
        )
    if len(found) < 2:
        raise errors.validation("At least two subnets in two different Availability Zones must be specified")
    if len({s.vpc_id for s in found}) > 1:  # type: ignore[attr-defined]  # a subnet has one
        raise AwsError("InvalidConfigurationRequest", "All subnets must belong to the same VPC")
    return found


def _subnet(ctx: Ctx, subnet_id: str) -> Record:
    found = ctx.find("ec2", "subnet", subnet_id)
    if found is None:
        raise AwsError("SubnetNotFound", f"The subnet ID '{subnet_id}' does not exist")
    return found


def _groups(ctx: Ctx, vpc_id: str, asked: Any) -> tuple[str, ...]:
    try:
        return interfaces.lender(ctx).groups_of(ctx, vpc_id, asked)
    except AwsError as e:
        raise AwsError("InvalidSecurityGroup", e.message) from e


def _again(balancer: LoadBalancer, scheme: str, subnets: list[str], groups: tuple[str, ...]) -> dict[str, Any]:
    """Asked for once more just so, it is the same one."""
    if (balancer.scheme, {z.subnet_id for z in balancer.zones}, set(balancer.groups)) != (
        scheme,
        set(subnets),
        set(groups),
    ):
        raise errors.same_name("load balancer", "DuplicateLoadBalancerName", balancer.name)
    return show_balancer(balancer)


def _zone(ctx: Ctx, subnet: Any, path: str, groups: tuple[str, ...], scheme: str) -> Zone:
    node = node_name(path.rpartition("/")[2], subnet.zone)
    lent = interfaces.lender(ctx).lend(
        ctx, node, subnet.id, groups, description=f"ELB {path}", owner=OWNER, public=scheme == "internet-facing"
    )
    return Zone(name=subnet.zone, subnet_id=subnet.id, interface_id=lent.id, node=node)


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
    return {"LoadBalancers": [show_balancer(balancer) for balancer in found]}


@op("DeleteLoadBalancer")
def delete_load_balancer(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Remove a load balancer with its listeners; nothing when it is not there."""
    balancer = ctx.db[LoadBalancer].get(req["LoadBalancerArn"])
    if balancer is None:
        return {}
    if whole(BALANCER, balancer.attributes)["deletion_protection.enabled"] == "true":
        raise AwsError(
            "OperationNotPermitted",
            f"Load balancer '{balancer.arn}' cannot be deleted because deletion protection is enabled",
        )
    for rule in ctx.db[Rule].all(load_balancer_arn=balancer.arn):
        ctx.db[Rule].drop(rule)
    for listener in ctx.db[Listener].all(load_balancer_arn=balancer.arn):
        ctx.db[Listener].drop(listener)
    for zone in balancer.zones:
        interfaces.lender(ctx).take_back(ctx, zone.interface_id)
    ctx.db[LoadBalancer].drop(balancer)
    return {}


@op("SetSecurityGroups")
def set_security_groups(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Change the security groups of all nodes."""
    balancer = ctx.db[LoadBalancer].need(req["LoadBalancerArn"])
    groups = _groups(ctx, balancer.vpc_id, req["SecurityGroups"])
    for zone in balancer.zones:
        interfaces.lender(ctx).regroup(ctx, zone.interface_id, groups)
    ctx.db[LoadBalancer].put(replace(balancer, groups=groups))
    return {"SecurityGroupIds": list(groups)}
