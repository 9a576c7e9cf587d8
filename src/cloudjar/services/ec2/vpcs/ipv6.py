"""IPv6 blocks of VPCs and subnets.

https://docs.aws.amazon.com/vpc/latest/userguide/vpc-cidr-blocks.html
"""

from __future__ import annotations

from collections.abc import Mapping
from ipaddress import IPv6Network
from typing import Any

from msgspec.structs import replace

from cloudjar.base.errors import AwsError
from cloudjar.kit.context import Ctx
from cloudjar.planes.network.port import NetworkPort
from cloudjar.services.ec2 import blocks, errors
from cloudjar.services.ec2.lookup import need
from cloudjar.services.ec2.network_acls.records import AclEntry, NetworkAcl
from cloudjar.services.ec2.network_interfaces.records import NetworkInterface
from cloudjar.services.ec2.security_groups.records import SecurityGroup, SecurityGroupRule
from cloudjar.services.ec2.subnets.records import Subnet
from cloudjar.services.ec2.subnets.views import show_block6
from cloudjar.services.ec2.vpcs.making import ANYWHERE, ANYWHERE6, allow_out6, op
from cloudjar.services.ec2.vpcs.records import CidrBlock, Vpc
from cloudjar.services.ec2.vpcs.views import show_block6 as show_vpc_block6

OWN_POOLS = ("Ipv6Pool", "Ipv6CidrBlock", "Ipv6IpamPoolId", "Ipv6NetmaskLength")
"""Parameters for blocks that one has brought along."""
VPC_PREFIX = 56


def refuse_own_pools(ctx: Ctx, req: Mapping[str, Any]) -> None:
    """Only Amazon's blocks are built, in the region's own border group."""
    errors.refuse(req, *OWN_POOLS)
    group = req.get("Ipv6CidrBlockNetworkBorderGroup")
    if group not in (None, ctx.region):
        raise errors.invalid_parameter(group, "ipv6CidrBlockNetworkBorderGroup", "Use the region's own.")


def new_block(ctx: Ctx) -> CidrBlock:
    """A /56 that no VPC of this jar has."""
    network: NetworkPort = ctx.world.ports["network"]
    first = next(IPv6Network(network.ipv6_pool).subnets(new_prefix=VPC_PREFIX))  # the host's own
    taken = [str(first), *(block.cidr for vpc in ctx.db.everywhere(Vpc) for block in vpc.ipv6_cidrs)]
    cidr = blocks.free6(network.ipv6_pool, VPC_PREFIX, taken)
    if not cidr:
        raise AwsError(
            "InsufficientAddressCapacity", "There are not enough available addresses to satisfy the request."
        )
    return CidrBlock(id=ctx.new_id("vpc-cidr-assoc"), cidr=cidr)


def give_block(ctx: Ctx, vpc: Vpc) -> Vpc:
    """One more IPv6 block; the first one also opens what nobody has changed: the default ACL, and groups' way out."""
    first = not vpc.ipv6_cidrs
    vpc = ctx.db[Vpc].put(replace(vpc, ipv6_cidrs=(*vpc.ipv6_cidrs, new_block(ctx))))
    if first:
        _open_acls(ctx, vpc)
        for group in ctx.db[SecurityGroup].all(vpc_id=vpc.id):
            out = [rule for rule in ctx.db[SecurityGroupRule].all(group_id=group.id) if rule.egress]
            if len(out) == 1 and (out[0].protocol, out[0].cidr) == ("-1", ANYWHERE):
                allow_out6(ctx, group)
    return vpc


def _open_acls(ctx: Ctx, vpc: Vpc) -> None:
    for acl in ctx.db[NetworkAcl].all(vpc_id=vpc.id):
        added = tuple(
            AclEntry(number=101, egress=egress, allow=True, protocol="-1", cidr6=ANYWHERE6)
            for egress in (True, False)
            if [e.cidr for e in acl.entries if e.egress is egress] == [ANYWHERE]
        )
        if acl.is_default and added:
            ctx.db[NetworkAcl].put(replace(acl, entries=(*acl.entries, *added)))


def associate(ctx: Ctx, vpc: Vpc) -> dict[str, Any]:
    """One more IPv6 block for a VPC: what AssociateVpcCidrBlock answers."""
    limit = ctx.limit("vpc", "L-085A6257")
    if limit is not None and len(vpc.ipv6_cidrs) >= limit:
        raise AwsError(
            "CidrLimitExceeded", f"This network '{vpc.id}' has met its maximum number of allowed CIDRs: {limit:.0f}"
        )
    vpc = give_block(ctx, vpc)
    shown = show_vpc_block6(vpc, vpc.ipv6_cidrs[-1], "associating")
    return {"VpcId": vpc.id, "Ipv6CidrBlockAssociation": shown}


def disassociate(ctx: Ctx, vpc: Vpc, block: CidrBlock) -> dict[str, Any]:
    """Take an IPv6 block from a VPC; not one with subnets."""
    outer = IPv6Network(block.cidr)
    own = [subnet.ipv6_cidr for subnet in ctx.db[Subnet].all(vpc_id=vpc.id) if subnet.ipv6_cidr]
    if any(IPv6Network(cidr).subnet_of(outer) for cidr in own):
        raise AwsError(
            "InvalidCidrBlock.InUse", f"Vpc {vpc.id} currently has a subnet within CIDR block {block.cidr}"
        )
    ctx.db[Vpc].put(replace(vpc, ipv6_cidrs=tuple(b for b in vpc.ipv6_cidrs if b is not block)))
    return {"VpcId": vpc.id, "Ipv6CidrBlockAssociation": show_vpc_block6(vpc, block, "disassociating")}


def subnet_block(ctx: Ctx, vpc: Vpc, text: str) -> str:
    """The IPv6 block of a subnet, checked."""
    taken = [subnet.ipv6_cidr for subnet in ctx.db[Subnet].all(vpc_id=vpc.id) if subnet.ipv6_cidr]
    return blocks.subnet_block6(text, [block.cidr for block in vpc.ipv6_cidrs], taken)


@op("AssociateSubnetCidrBlock")
def associate_subnet_cidr_block(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """An IPv6 block for a subnet, out of its VPC's."""
    errors.refuse(req, "Ipv6IpamPoolId", "Ipv6NetmaskLength")
    subnet = need(ctx, Subnet, req["SubnetId"])
    if not req.get("Ipv6CidrBlock"):
        raise errors.missing_one("ipv6CidrBlock")
    if subnet.ipv6_cidr:
        raise AwsError(
            "InvalidSubnet.Conflict", f"The subnet '{subnet.id}' already has an IPv6 CIDR block associated"
        )
    cidr = subnet_block(ctx, ctx.db[Vpc].need(subnet.vpc_id), req["Ipv6CidrBlock"])
    subnet = replace(subnet, ipv6_cidr=cidr, ipv6_association_id=ctx.new_id("subnet-cidr-assoc"))
    ctx.db[Subnet].put(subnet)
    return {"SubnetId": subnet.id, "Ipv6CidrBlockAssociation": show_block6(subnet, "associating")}


@op("DisassociateSubnetCidrBlock")
def disassociate_subnet_cidr_block(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Take its IPv6 block from a subnet; not while interfaces have addresses of it."""
    key = req["AssociationId"]
    found = ctx.db[Subnet].all(ipv6_association_id=key) if key else []
    if not found:
        raise AwsError(
            "InvalidSubnetCidrBlockAssociationID.NotFound",
            f"The subnet CIDR block with association ID '{key}' does not exist",
        )
    subnet = found[0]
    if any(eni.ipv6 for eni in ctx.db[NetworkInterface].all(subnet_id=subnet.id)):
        raise AwsError(
            "InvalidCidrBlock.InUse", f"The subnet '{subnet.id}' has interfaces with addresses of {subnet.ipv6_cidr}"
        )
    without = replace(subnet, ipv6_cidr="", ipv6_association_id="", assign_ipv6=False, dns64=False)
    ctx.db[Subnet].put(replace(without, resource_name_aaaa_record=False))
    return {"SubnetId": subnet.id, "Ipv6CidrBlockAssociation": show_block6(subnet, "disassociating")}
