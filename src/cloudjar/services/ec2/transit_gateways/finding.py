"""What belongs together, and how a change gets into both copies of an attachment."""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import IPv4Network, IPv6Network, ip_network
from typing import Any

from msgspec.structs import replace

from cloudjar.base.errors import AwsError
from cloudjar.kit.context import Ctx
from cloudjar.kit.db import Db
from cloudjar.services.ec2 import errors
from cloudjar.services.ec2.lookup import need
from cloudjar.services.ec2.transit_connects import attached as connects
from cloudjar.services.ec2.transit_gateways import peers
from cloudjar.services.ec2.transit_gateways.records import (
    OVER,
    TransitAttachment,
    TransitGateway,
    TransitRouteTable,
)
from cloudjar.services.ec2.vpcs.records import Vpc

Block = IPv4Network | IPv6Network


def need_gateway(ctx: Ctx, key: str) -> TransitGateway:
    """A gateway of the account that is not gone."""
    gateway = need(ctx, TransitGateway, key)
    if gateway.state in ("deleting", "deleted"):
        raise AwsError("InvalidTransitGatewayID.NotFound", f"Transit Gateway {key} was deleted or does not exist.")
    return gateway


def ready(item: TransitGateway | TransitRouteTable | TransitAttachment) -> None:
    """Raise unless it is available."""
    if item.state != "available":
        raise AwsError("IncorrectState", f"{item.id} is in invalid state")


def need_table(ctx: Ctx, key: str) -> TransitRouteTable:
    """A route table that can be used."""
    table = need(ctx, TransitRouteTable, key)
    if table.state in ("deleting", "deleted"):
        raise AwsError(
            "InvalidRouteTableID.NotFound", f"Transit Gateway Route Table {key} was deleted or does not exist."
        )
    ready(table)
    return table


def need_attachment(ctx: Ctx, key: str, gateway_id: str = "") -> TransitAttachment:
    """An attachment that is not gone; of one that joins two gateways the side of the gateway named, if any."""
    item = peers.of_account(ctx, key, gateway_id) or connects.of_account(ctx, key) or need(ctx, TransitAttachment, key)
    if item.state in OVER:
        raise AwsError(
            "InvalidTransitGatewayAttachmentID.NotFound",
            f"Transit Gateway Attachment {key} was deleted or does not exist.",
        )
    return item


def both(ctx: Ctx, table_key: str, attachment_key: str) -> tuple[TransitRouteTable, TransitAttachment]:
    """A table and an attachment of one gateway, both to be used."""
    table = need_table(ctx, table_key)
    item = need_attachment(ctx, attachment_key, table.gateway_id)
    if table.gateway_id != item.gateway_id:
        raise errors.invalid_value(
            f"Transit Gateway Attachment {item.id} and Transit Gateway Route Table {table.id} "
            "do not belong to the same Transit Gateway."
        )
    ready(item)
    return table, item


def attachments_of(db: Db, gateway_id: str) -> list[TransitAttachment]:
    """What is attached to a gateway of this account, oldest first."""
    held = [*db[TransitAttachment].all(gateway_id=gateway_id), *peers.of_gateway(db, gateway_id),
            *connects.of_gateway(db, gateway_id)]  # fmt: skip
    found = [item for item in held if item.state not in OVER]
    return sorted(found, key=lambda item: (item.created, item.id))


def change(ctx: Ctx, item: TransitAttachment, **changes: Any) -> TransitAttachment:
    """Store a change in every copy, and have the VPC laid out again; the copy that was given comes back."""
    if item.kind == "peering":
        return peers.change_side(ctx, item, **changes)
    if item.kind == "connect":
        return connects.change(ctx, item, **changes)
    mine = item
    for account in dict.fromkeys((item.vpc_owner, item.gateway_owner)):
        table = ctx.db.at(account, item.region)[TransitAttachment]
        copy = table.get(item.id)
        if copy is not None:
            stored = table.put(replace(copy, **changes))
            mine = stored if account == item.account else mine
    ctx.world.state.wakes.wake("ec2/vpc", item.vpc_owner, item.region, item.vpc_id)
    return mine


def blocks_of(db: Db, item: TransitAttachment) -> Iterator[Block]:
    """The blocks of an attached VPC, as they are now."""
    if item.kind != "vpc":
        return  # no routes are told across a peering, and Connect peers tell their own (`routing.rows`)
    vpc = db.at(item.vpc_owner, item.region)[Vpc].get(item.vpc_id)
    for block in vpc.cidrs if vpc is not None else ():
        yield ip_network(block.cidr)
    for block in vpc.ipv6_cidrs if vpc is not None and item.ipv6_support else ():
        yield ip_network(block.cidr)
