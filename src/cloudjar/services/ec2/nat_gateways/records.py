"""A NAT gateway as it is stored.

https://docs.aws.amazon.com/vpc/latest/userguide/vpc-nat-gateway.html
"""

from __future__ import annotations

from datetime import datetime
from typing import Literal

import msgspec

from cloudjar.kit.record import Quota, Record, record


class NatAddress(msgspec.Struct, frozen=True, kw_only=True):
    """One of its addresses; the first is the primary one."""

    allocation_id: str = ""
    private_ip: str = ""
    """Asked for, or given once it is there."""
    public_ip: str = ""
    association_id: str = ""
    status: str = "succeeded"
    """``associating``, ``disassociating`` (public), ``assigning``, ``unassigning`` (private), ``failed``."""
    until: datetime | None = None
    """When it is taken: until then its open connections go on, and no new one gets it."""
    failure: str = ""


@record(
    "ec2",
    "natgateway",
    index=("vpc_id", "subnet_id", "zone"),
    missing=("NatGatewayNotFound", "The Nat Gateway {key} was not found"),
    quotas=(
        Quota(
            ("vpc", "L-FE5A380F"),
            ("NatGatewayLimitExceeded", "Performing this operation would exceed the limit of {limit} NAT gateways"),
            per="zone",
            counts=lambda gateway: gateway.state in ("pending", "available", "deleting"),
        ),
    ),
    parent=("ec2/vpc", "vpc_id"),
)
class NatGateway(Record, frozen=True, kw_only=True):
    """Has an interface of its own in its subnet (`interface_id`) while it is available."""

    id: str
    vpc_id: str
    subnet_id: str
    zone: str
    connectivity: Literal["public", "private"]
    created: datetime
    addresses: tuple[NatAddress, ...]
    state: str = "pending"
    interface_id: str = ""
    failure_code: str = ""
    failure_message: str = ""
    deleted: datetime | None = None
    tags: dict[str, str] = {}

    @property
    def translating(self) -> tuple[str, ...]:
        """The private addresses that new connections get."""
        return tuple(a.private_ip for a in self.addresses if a.status == "succeeded" and a.private_ip)
