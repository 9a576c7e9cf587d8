"""VPCs in AWS's words."""

from __future__ import annotations

from typing import Any

from cloudjar.kit import tags
from cloudjar.services.ec2.lookup import by_path
from cloudjar.services.ec2.vpcs.records import CidrBlock, Vpc

FILTERS = by_path(
    {
        "cidr": "CidrBlock",
        "cidr-block": "CidrBlock",
        "cidrBlock": "CidrBlock",
        "cidr-block-association.association-id": "CidrBlockAssociationSet[].AssociationId",
        "cidr-block-association.cidr-block": "CidrBlockAssociationSet[].CidrBlock",
        "cidr-block-association.state": "CidrBlockAssociationSet[].CidrBlockState.State",
        "dhcp-options-id": "DhcpOptionsId",
        "dhcpOptionsId": "DhcpOptionsId",
        "ipv6-cidr-block-association.association-id": "Ipv6CidrBlockAssociationSet[].AssociationId",
        "ipv6-cidr-block-association.ipv6-cidr-block": "Ipv6CidrBlockAssociationSet[].Ipv6CidrBlock",
        "ipv6-cidr-block-association.ipv6-pool": "Ipv6CidrBlockAssociationSet[].Ipv6Pool",
        "ipv6-cidr-block-association.state": "Ipv6CidrBlockAssociationSet[].Ipv6CidrBlockState.State",
        "is-default": "IsDefault",
        "isDefault": "IsDefault",
        "owner-id": "OwnerId",
        "state": "State",
        "vpc-id": "VpcId",
    }
)


def show_vpc(vpc: Vpc) -> dict[str, Any]:
    """AWS's Vpc."""
    return {
        "CidrBlock": vpc.cidrs[0].cidr,
        "CidrBlockAssociationSet": [show_block(block) for block in vpc.cidrs],
        "DhcpOptionsId": vpc.dhcp_options_id,
        "InstanceTenancy": vpc.tenancy,
        "Ipv6CidrBlockAssociationSet": [show_block6(vpc, block) for block in vpc.ipv6_cidrs],
        "IsDefault": vpc.is_default,
        "OwnerId": vpc.account,
        "State": "available",
        "Tags": tags.as_list(vpc.tags),
        "VpcId": vpc.id,
    }


def show_block(block: CidrBlock, state: str = "associated") -> dict[str, Any]:
    """AWS's VpcCidrBlockAssociation."""
    return {"AssociationId": block.id, "CidrBlock": block.cidr, "CidrBlockState": {"State": state}}


def show_block6(vpc: Vpc, block: CidrBlock, state: str = "associated") -> dict[str, Any]:
    """AWS's VpcIpv6CidrBlockAssociation."""
    return {
        "AssociationId": block.id,
        "IpSource": "amazon",
        "Ipv6AddressAttribute": "public",
        "Ipv6CidrBlock": block.cidr,
        "Ipv6CidrBlockState": {"State": state},
        "Ipv6Pool": "Amazon",
        "NetworkBorderGroup": vpc.region,
    }
