"""Security groups and their rules as they are stored: every rule is a record with an id of its own.

https://docs.aws.amazon.com/vpc/latest/userguide/security-group-rules.html
"""

from __future__ import annotations

from cloudjar.kit.record import Quota, Record, record


@record(
    "ec2",
    "security-group",
    index=("vpc_id", "name"),
    missing=("InvalidGroup.NotFound", "The security group '{key}' does not exist"),
    quotas=(
        Quota(
            ("vpc", "L-E79EC296"),
            ("SecurityGroupLimitExceeded", "The maximum number of security groups has been reached."),
        ),
    ),
    parent=("ec2/vpc", "vpc_id"),
)
class SecurityGroup(Record, frozen=True, kw_only=True):
    """A stateful filter around interfaces of one VPC."""

    id: str
    name: str
    description: str
    vpc_id: str
    tags: dict[str, str] = {}


@record(
    "ec2",
    "security-group-rule",
    index=("group_id", "vpc_id", "peer_group", "prefix_list"),
    missing=("InvalidSecurityGroupRuleId.NotFound", "The security group rule ID '{key}' does not exist"),
    parent=("ec2/vpc", "vpc_id"),
)
class SecurityGroupRule(Record, frozen=True, kw_only=True):
    """One permission; exactly one of `cidr`, `cidr6`, `peer_group` and `prefix_list` is set.

    `protocol` is tcp, udp, icmp, icmpv6, a number, or -1 for all. Ports are -1 where they mean nothing; for ICMP they
    are type and code.
    """

    id: str
    group_id: str
    vpc_id: str
    order: int
    """Rises with every rule of the group, so that answers keep the order in which rules were made."""
    egress: bool
    protocol: str
    from_port: int = -1
    to_port: int = -1
    cidr: str = ""
    cidr6: str = ""
    peer_group: str = ""
    peer_owner: str = ""
    """The account of a group of a peered VPC."""
    peer_vpc: str = ""
    peering: str = ""
    """The peering connection by which a group of another VPC was named; empty for one of the own VPC."""
    prefix_list: str = ""
    description: str = ""
    tags: dict[str, str] = {}


@record("ec2", "security-group-vpc-association", index=("group_id", "vpc_id"), parent=("ec2/vpc", "vpc_id"))
class GroupVpc(Record, frozen=True, kw_only=True):
    """A group that is used in another VPC than its own; `id` is ``sg-.../vpc-...``."""

    id: str
    group_id: str
    vpc_id: str
    state: str = "associating"
    reason: str = ""

    @property
    def usable(self) -> bool:
        """Whether interfaces there may wear it."""
        return self.state in ("associated", "disassociation-failed")
