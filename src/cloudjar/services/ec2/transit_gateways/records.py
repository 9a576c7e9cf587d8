"""Transit gateways as they are stored: gateways, their route tables, what is attached to them.

https://docs.aws.amazon.com/vpc/latest/tgw/how-transit-gateways-work.html
"""

from __future__ import annotations

from datetime import datetime

import msgspec

from cloudjar.kit.record import Quota, Record, record

OVER = ("deleted", "rejected", "failed")
"""States of an attachment that is one no more."""


@record(
    "ec2",
    "transit-gateway",
    everywhere=True,
    missing=("InvalidTransitGatewayID.NotFound", "Transit Gateway {key} was deleted or does not exist."),
    quotas=(
        Quota(
            ("ec2", "L-A2478D36"),
            ("TransitGatewayLimitExceeded", "You have reached the limit of {limit} transit gateways."),
            counts=lambda gateway: gateway.state != "deleted",
        ),
    ),
)
class TransitGateway(Record, frozen=True, kw_only=True):
    """A gateway; the tables that attachments use by default may be one or two, or none."""

    id: str
    state: str = "pending"
    description: str = ""
    created: datetime
    asn: int = 64512
    auto_accept: bool = False
    default_association: bool = True
    association_table: str = ""
    default_propagation: bool = True
    propagation_table: str = ""
    vpn_ecmp: bool = True
    dns_support: bool = True
    multicast: bool = False
    cidr_blocks: tuple[str, ...] = ()
    """Blocks of its own, in which its ends of tunnels are."""
    tags: dict[str, str] = {}


class StaticRoute(msgspec.Struct, frozen=True, kw_only=True):
    """A route that somebody made; without an attachment it is a black hole."""

    destination: str
    attachment: str = ""


class ListReference(msgspec.Struct, frozen=True, kw_only=True):
    """Static routes for all blocks of a prefix list; without an attachment they are black holes."""

    prefix_list: str
    owner: str
    attachment: str = ""


@record(
    "ec2",
    "transit-gateway-route-table",
    index=("gateway_id",),
    missing=("InvalidRouteTableID.NotFound", "Transit Gateway Route Table {key} was deleted or does not exist."),
    quotas=(
        Quota(
            ("ec2", "L-43872EB7"),
            ("TransitGatewayRouteTableLimitExceeded", "You have reached the limit of {limit} route tables of {per}."),
            per="gateway_id",
            counts=lambda table: table.state != "deleted",
        ),
    ),
    parent=("ec2/transit-gateway", "gateway_id"),
)
class TransitRouteTable(Record, frozen=True, kw_only=True):
    """A route table. Which attachments obey it and tell it their blocks is written on those."""

    id: str
    gateway_id: str
    created: datetime
    state: str = "pending"
    routes: tuple[StaticRoute, ...] = ()
    references: tuple[ListReference, ...] = ()
    tags: dict[str, str] = {}


@record(
    "ec2",
    "transit-gateway-policy-table",
    index=("gateway_id",),
    missing=(
        "InvalidTransitGatewayPolicyTableId.NotFound",
        "Transit Gateway Policy Table {key} was deleted or does not exist.",
    ),
)
class PolicyTable(Record, frozen=True, kw_only=True):
    """A policy table."""

    id: str
    gateway_id: str
    created: datetime
    state: str = "pending"
    tags: dict[str, str] = {}


@record(
    "ec2",
    "transit-gateway-attachment",
    index=("gateway_id", "vpc_id"),
    missing=(
        "InvalidTransitGatewayAttachmentID.NotFound",
        "Transit Gateway Attachment {key} was deleted or does not exist.",
    ),
    parent=("ec2/transit-gateway", "gateway_id"),
)
class TransitAttachment(Record, frozen=True, kw_only=True):
    """A VPC's attachment. When its VPC is another account's, each account has a copy that it tags for itself.

    A peering (`peers.seen_from`) looks like one too, which is not stored: `vpc_id` and `vpc_owner` are then the other
    gateway's. So does a Connect attachment (`transit_connects.attached`).
    """

    id: str
    gateway_id: str
    gateway_owner: str
    vpc_id: str
    vpc_owner: str
    subnets: tuple[str, ...]
    created: datetime
    state: str = "pending"
    dns_support: bool = True
    group_referencing: bool = True
    kind: str = "vpc"
    """vpc, peering or connect: what it leads to. Of the last, `vpc_id` is the attachment that carries its tunnels."""
    ipv6_support: bool = False
    interfaces: tuple[str, ...] = ()
    """Its network interfaces, one in each subnet."""
    table: str = ""
    """The route table that it obeys."""
    association: str = ""
    """associating, associated, disassociating; empty without a table."""
    propagates: tuple[str, ...] = ()
    """The route tables that know its blocks."""
    tags: dict[str, str] = {}

    @property
    def live(self) -> bool:
        """Whether it carries packets."""
        return self.state in ("available", "modifying")

    @property
    def mine(self) -> bool:
        """Whether this copy is the VPC owner's."""
        return self.account == self.vpc_owner
