"""A subnet as it is stored: also which route table and network ACL it obeys."""

from __future__ import annotations

from cloudjar.kit.record import Quota, Record, record


@record(
    "ec2",
    "subnet",
    index=(
        "vpc_id",
        "route_table_id",
        "route_table_association_id",
        "network_acl_id",
        "network_acl_association_id",
        "ipv6_association_id",
    ),
    missing=("InvalidSubnetID.NotFound", "The subnet ID '{key}' does not exist"),
    quotas=(
        Quota(
            ("vpc", "L-407747CB"),
            ("SubnetLimitExceeded", "The maximum number of subnets has been reached."),
            per="vpc_id",
        ),
    ),
    parent=("ec2/vpc", "vpc_id"),
)
class Subnet(Record, frozen=True, kw_only=True):
    """A block of a VPC in one zone. An empty `route_table_id` means the VPC's main route table."""

    id: str
    vpc_id: str
    cidr: str
    zone: str
    zone_id: str
    network_acl_id: str
    network_acl_association_id: str
    route_table_id: str = ""
    route_table_association_id: str = ""
    is_default: bool = False
    map_public_ip: bool = False
    ipv6_cidr: str = ""
    ipv6_association_id: str = ""
    assign_ipv6: bool = False
    """New interfaces get an IPv6 address."""
    hostname_type: str = "ip-name"
    resource_name_a_record: bool = False
    resource_name_aaaa_record: bool = False
    dns64: bool = False
    """Names without IPv6 addresses get some that NAT gateways translate."""
    tags: dict[str, str] = {}


@record(
    "ec2",
    "subnet-cidr-reservation",
    index=("subnet_id",),
    missing=("InvalidSubnetCidrReservationID.NotFound", "The subnet CIDR reservation ID '{key}' does not exist"),
)
class CidrReservation(Record, frozen=True, kw_only=True):
    """A block of a subnet (either family) from which nothing is given out unless it is named."""

    id: str
    subnet_id: str
    cidr: str
    type: str
    description: str = ""
    tags: dict[str, str] = {}
