"""VPCs.

https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CreateVpc.html
"""

from __future__ import annotations

from ipaddress import IPv4Network
from typing import Any

from msgspec.structs import replace

from cloudjar.base.errors import AwsError
from cloudjar.kit import tags
from cloudjar.kit.context import Ctx
from cloudjar.services.ec2 import blocks, errors
from cloudjar.services.ec2.block_public_access.ops import resource_gone
from cloudjar.services.ec2.block_public_access.standing import Standing
from cloudjar.services.ec2.egress_only_gateways.records import EgressOnlyGateway
from cloudjar.services.ec2.internet_gateways.records import InternetGateway
from cloudjar.services.ec2.lookup import describe, need
from cloudjar.services.ec2.nat_gateways.records import NatGateway
from cloudjar.services.ec2.network_acls.records import NetworkAcl
from cloudjar.services.ec2.network_interfaces.records import NetworkInterface
from cloudjar.services.ec2.route_tables.records import RouteTable
from cloudjar.services.ec2.security_groups.records import GroupVpc, SecurityGroup, SecurityGroupRule
from cloudjar.services.ec2.subnets.records import Subnet
from cloudjar.services.ec2.vpc_endpoints.records import VpcEndpoint
from cloudjar.services.ec2.vpc_peering.finding import change, peerings_of
from cloudjar.services.ec2.vpcs import ipv6
from cloudjar.services.ec2.vpcs.making import default_vpc, make_default_vpc, make_vpc, op, open_region
from cloudjar.services.ec2.vpcs.records import CidrBlock, Vpc
from cloudjar.services.ec2.vpcs.views import FILTERS, show_block, show_vpc

_IPAM = ("Ipv4IpamPoolId", "Ipv4NetmaskLength", "VpcEncryptionControl")


@op("CreateVpc")
def create_vpc(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """A VPC with its main route table, default security group and default network ACL."""
    errors.refuse(req, *_IPAM)
    ipv6.refuse_own_pools(ctx, req)
    if not req.get("CidrBlock"):
        raise errors.missing("Either 'cidrBlock' or 'ipv4IpamPoolId' should be provided.")
    tenancy = req.get("InstanceTenancy") or "default"
    if tenancy == "host":
        raise errors.invalid_parameter(tenancy, "instanceTenancy", "Use default or dedicated.")
    vpc = make_vpc(
        ctx,
        open_region(ctx),
        blocks.vpc_block(req["CidrBlock"]),
        tenancy=tenancy,
        tags=tags.specified(req, "vpc"),
    )
    if req.get("AmazonProvidedIpv6CidrBlock"):
        vpc = ipv6.give_block(ctx, vpc)
    return {"Vpc": show_vpc(vpc)}


@op("DescribeVpcs")
def describe_vpcs(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """VPCs by id or filter."""
    standing = Standing(ctx.db)

    def show(vpc: Vpc) -> dict[str, Any]:
        return show_vpc(vpc) | {"BlockPublicAccessStates": standing.states(vpc.id)}

    return {"Vpcs": describe(ctx, req, Vpc, "VpcIds", show, FILTERS)}


@op("DeleteVpc")
def delete_vpc(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Remove a VPC that nothing is left in but what it was made with."""
    vpc = need(ctx, Vpc, req["VpcId"])
    if _in_use(ctx, vpc):
        raise errors.dependency("vpc", vpc.id)
    for cls in (SecurityGroupRule, SecurityGroup, NetworkAcl, RouteTable):
        table: Any = ctx.db[cls]
        for item in table.all(vpc_id=vpc.id):
            table.drop(item)
    for peering in peerings_of(ctx.db, vpc.id, ("active", "pending-acceptance")):
        change(ctx, peering, state="deleted", message=f"Deleted by {ctx.account}")
    resource_gone(ctx, vpc.id)
    ctx.db[Vpc].drop(vpc)
    return {}


_CHILDREN: tuple[type[Any], ...] = (
    Subnet, InternetGateway, EgressOnlyGateway, NetworkInterface, VpcEndpoint, GroupVpc
)  # fmt: skip


def _in_use(ctx: Ctx, vpc: Vpc) -> bool:
    """Subnets, gateways, interfaces, and whatever the VPC was not made with."""
    db = ctx.db
    if any(db[cls].count(vpc_id=vpc.id) for cls in _CHILDREN):
        return True
    return (
        any(group.name != "default" for group in db[SecurityGroup].all(vpc_id=vpc.id))
        or any(not acl.is_default for acl in db[NetworkAcl].all(vpc_id=vpc.id))
        or any(table.id != vpc.main_route_table_id for table in db[RouteTable].all(vpc_id=vpc.id))
        or any(gateway.state != "deleted" for gateway in db[NatGateway].all(vpc_id=vpc.id) if gateway.interface_id)
    )


@op("ModifyVpcTenancy")
def modify_vpc_tenancy(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """From dedicated to default, the one way there is; machines that are there keep theirs."""
    vpc = need(ctx, Vpc, req["VpcId"])
    ctx.db[Vpc].put(replace(vpc, tenancy=req["InstanceTenancy"]))
    return {"ReturnValue": True}


@op("CreateDefaultVpc")
def create_default_vpc(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """The default VPC again, after it was deleted."""
    existing = default_vpc(ctx)
    if existing is not None:
        raise AwsError(
            "DefaultVpcAlreadyExists", f"A Default VPC already exists for this account in this region: {existing.id}"
        )
    return {"Vpc": show_vpc(make_default_vpc(ctx, open_region(ctx)))}


@op("DescribeVpcAttribute")
def describe_vpc_attribute(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """One attribute of a VPC."""
    vpc = need(ctx, Vpc, req["VpcId"])
    match req["Attribute"]:
        case "enableDnsSupport":
            return {"VpcId": vpc.id, "EnableDnsSupport": {"Value": vpc.dns_support}}
        case "enableDnsHostnames":
            return {"VpcId": vpc.id, "EnableDnsHostnames": {"Value": vpc.dns_hostnames}}
        case "enableNetworkAddressUsageMetrics":
            return {"VpcId": vpc.id, "EnableNetworkAddressUsageMetrics": {"Value": vpc.usage_metrics}}
        case other:
            raise errors.invalid_parameter(other, "attribute", "Unknown attribute.")


@op("ModifyVpcAttribute")
def modify_vpc_attribute(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Change one attribute of a VPC; AWS takes them one at a time."""
    vpc = need(ctx, Vpc, req["VpcId"])
    fields = {
        "EnableDnsSupport": "dns_support",
        "EnableDnsHostnames": "dns_hostnames",
        "EnableNetworkAddressUsageMetrics": "usage_metrics",
    }
    given = {field: req[member]["Value"] for member, field in fields.items() if "Value" in (req.get(member) or {})}
    if len(given) != 1:
        raise errors.combination("Exactly one VPC attribute must be specified.")
    ctx.db[Vpc].put(replace(vpc, **given))
    return {}


@op("AssociateVpcCidrBlock")
def associate_vpc_cidr_block(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Give a VPC one more block."""
    errors.refuse(req, *_IPAM)
    ipv6.refuse_own_pools(ctx, req)
    vpc = need(ctx, Vpc, req["VpcId"])
    if req.get("AmazonProvidedIpv6CidrBlock"):
        if req.get("CidrBlock"):
            raise errors.combination(
                "The parameters cidrBlock and amazonProvidedIpv6CidrBlock cannot be used together."
            )
        return ipv6.associate(ctx, vpc)
    if not req.get("CidrBlock"):
        raise errors.missing_one("CidrBlock")
    cidr = blocks.vpc_block(req["CidrBlock"])
    if any(IPv4Network(cidr).overlaps(IPv4Network(block.cidr)) for block in vpc.cidrs):
        raise AwsError("InvalidVpc.Range", f"The CIDR '{cidr}' conflicts with one of the VPC's CIDR blocks.")
    limit = ctx.limit("vpc", "L-83CA0A9D")
    if limit is not None and len(vpc.cidrs) >= limit:
        raise AwsError(
            "CidrLimitExceeded", f"This network '{vpc.id}' has met its maximum number of allowed CIDRs: {limit:.0f}"
        )
    block = CidrBlock(id=ctx.new_id("vpc-cidr-assoc"), cidr=cidr)
    ctx.db[Vpc].put(replace(vpc, cidrs=(*vpc.cidrs, block)))
    return {"VpcId": vpc.id, "CidrBlockAssociation": show_block(block, "associating")}


@op("DisassociateVpcCidrBlock")
def disassociate_vpc_cidr_block(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Take a block from a VPC; not its first one, and not one with subnets."""
    for vpc in ctx.db[Vpc].all():
        for block in vpc.cidrs:
            if block.id == req["AssociationId"]:
                return _without_block(ctx, vpc, block)
        for block in vpc.ipv6_cidrs:
            if block.id == req["AssociationId"]:
                return ipv6.disassociate(ctx, vpc, block)
    raise AwsError(
        "InvalidCidrBlockAssociationID.NotFound",
        f"The vpc CIDR block association ID '{req['AssociationId']}' does not exist",
    )


def _without_block(ctx: Ctx, vpc: Vpc, block: CidrBlock) -> dict[str, Any]:
    if block is vpc.cidrs[0]:
        raise AwsError(
            "OperationNotPermitted",
            f"The vpc CIDR block with association ID {block.id} may not be disassociated. "
            "It is the primary IPv4 CIDR block of the VPC",
        )
    outer = IPv4Network(block.cidr)
    if any(IPv4Network(subnet.cidr).subnet_of(outer) for subnet in ctx.db[Subnet].all(vpc_id=vpc.id)):
        raise errors.dependency("CIDR block association", block.id)
    ctx.db[Vpc].put(replace(vpc, cidrs=tuple(b for b in vpc.cidrs if b is not block)))
    return {"VpcId": vpc.id, "CidrBlockAssociation": show_block(block, "disassociating")}
