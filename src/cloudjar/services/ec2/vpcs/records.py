"""A VPC as it is stored.

https://docs.aws.amazon.com/vpc/latest/userguide/configure-your-vpc.html
"""

from __future__ import annotations

import msgspec

from cloudjar.kit.record import Quota, Record, record


class CidrBlock(msgspec.Struct, frozen=True, kw_only=True):
    """A block of a VPC and its association id; the first one is the primary block and stays."""

    id: str
    cidr: str


@record(
    "ec2",
    "vpc",
    index=("is_default", "main_association_id"),
    missing=("InvalidVpcID.NotFound", "The vpc ID '{key}' does not exist"),
    quotas=(Quota(("vpc", "L-F678F1CE"), ("VpcLimitExceeded", "The maximum number of VPCs has been reached.")),),
)
class Vpc(Record, frozen=True, kw_only=True):
    """A virtual network. Its main route table serves the subnets that name no other."""

    id: str
    cidrs: tuple[CidrBlock, ...]
    ipv6_cidrs: tuple[CidrBlock, ...] = ()
    """Blocks of Amazon's: /56 of the network plane's pool."""
    is_default: bool = False
    tenancy: str = "default"
    dhcp_options_id: str = ""
    main_route_table_id: str = ""
    main_association_id: str = ""
    dns_support: bool = True
    dns_hostnames: bool = False
    usage_metrics: bool = False
    tags: dict[str, str] = {}


@record("ec2", "region-home", key="name")
class RegionHome(Record, frozen=True, kw_only=True):
    """What an account finds in a region before it has made anything there; present once it was made."""

    name: str
    dhcp_options_id: str
