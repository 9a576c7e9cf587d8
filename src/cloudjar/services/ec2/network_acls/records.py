"""A network ACL as it is stored. The last entry, which denies what nothing else said, is not."""

from __future__ import annotations

import msgspec

from cloudjar.kit.record import Quota, Record, record


class AclEntry(msgspec.Struct, frozen=True, kw_only=True):
    """A numbered entry; `protocol` is a number as text, -1 for all. For ICMP ports are type and code (-1 any)."""

    number: int
    egress: bool
    allow: bool
    protocol: str
    cidr: str = ""
    cidr6: str = ""
    from_port: int = -1
    to_port: int = -1


@record(
    "ec2",
    "network-acl",
    index=("vpc_id",),
    missing=("InvalidNetworkAclID.NotFound", "The networkAcl ID '{key}' does not exist"),
    quotas=(
        Quota(
            ("vpc", "L-B4A6D682"),
            ("NetworkAclLimitExceeded", "The maximum number of network ACLs has been reached."),
            per="vpc_id",
        ),
    ),
    parent=("ec2/vpc", "vpc_id"),
)
class NetworkAcl(Record, frozen=True, kw_only=True):
    """A stateless filter at the edge of subnets (see `Subnet.network_acl_id`)."""

    id: str
    vpc_id: str
    is_default: bool = False
    entries: tuple[AclEntry, ...] = ()
    tags: dict[str, str] = {}
