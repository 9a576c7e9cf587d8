"""A VPC peering connection as it is stored: each side has a copy in its own place, which it tags for itself.

https://docs.aws.amazon.com/vpc/latest/peering/vpc-peering-basics.html
"""

from __future__ import annotations

from datetime import datetime

import msgspec

from cloudjar.kit.record import Record, record


class Side(msgspec.Struct, frozen=True, kw_only=True):
    """One of the two VPCs, with its blocks as they were when the state last changed; none when nobody has it."""

    account: str
    region: str
    vpc_id: str
    cidrs: tuple[str, ...] = ()
    ipv6_cidrs: tuple[str, ...] = ()
    dns_from_remote: bool = False
    """Whether names of this VPC resolve to private addresses when the other one asks."""


@record(
    "ec2",
    "vpc-peering-connection",
    missing=("InvalidVpcPeeringConnectionID.NotFound", "The vpcPeeringConnection ID '{key}' does not exist"),
)
class Peering(Record, frozen=True, kw_only=True):
    """A connection as one side has it (`account`, `region`); all but the tags is the same in both copies."""

    id: str
    state: str
    message: str
    requester: Side
    accepter: Side
    expires: datetime
    tags: dict[str, str] = {}

    @property
    def sides(self) -> tuple[Side, Side]:
        """Requester and accepter."""
        return self.requester, self.accepter

    def other(self, vpc_id: str) -> Side:
        """The side across from a VPC."""
        return self.accepter if self.requester.vpc_id == vpc_id else self.requester
