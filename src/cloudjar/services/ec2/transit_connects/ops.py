"""Connect attachments of transit gateways: made, described, deleted.

https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CreateTransitGatewayConnect.html
"""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from cloudjar.base.errors import AwsError
from cloudjar.kit import tags
from cloudjar.kit.context import Ctx
from cloudjar.services.ec2 import errors
from cloudjar.services.ec2.lookup import Row, check_form, narrow
from cloudjar.services.ec2.transit_connects.attached import peers_of
from cloudjar.services.ec2.transit_connects.records import TransitConnect
from cloudjar.services.ec2.transit_connects.views import CONNECTS, show_connect
from cloudjar.services.ec2.transit_gateways.finding import attachments_of, need_attachment, need_gateway, ready
from cloudjar.services.ec2.transit_gateways.records import OVER, TransitAttachment
from cloudjar.services.ec2.vpcs.making import op


@op("CreateTransitGatewayConnect")
def create_transit_gateway_connect(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """An attachment for tunnels through a VPC's attachment to a gateway of the caller's."""
    transport = need_attachment(ctx, req["TransportTransitGatewayAttachmentId"])
    if transport.kind != "vpc":
        raise errors.invalid_value(f"{transport.id} cannot be the transport of a Connect attachment.")
    gateway = need_gateway(ctx, transport.gateway_id)
    ready(gateway)
    ready(transport)
    limit = ctx.limit("ec2", "L-E0233F82")
    if limit is not None and len(attachments_of(ctx.db, gateway.id)) >= limit:
        raise AwsError(
            "TransitGatewayAttachmentLimitExceeded",
            "The maximum number of transit gateway attachments has been reached.",
        )
    item = ctx.db[TransitConnect].add(
        TransitConnect(
            id=ctx.new_id("tgw-attach"),
            gateway_id=gateway.id,
            transport_id=transport.id,
            created=ctx.now,
            tags=tags.specified(req, "transit-gateway-attachment"),
        )
    )
    return {"TransitGatewayConnect": show_connect(item)}


def need_connect(ctx: Ctx, key: str) -> TransitConnect:
    """A Connect attachment that is not gone."""
    check_form(TransitAttachment, key)
    item = ctx.db[TransitConnect].need(key)
    if item.state in OVER:
        raise AwsError(
            "InvalidTransitGatewayAttachmentID.NotFound",
            f"Transit Gateway Attachment {key} was deleted or does not exist.",
        )
    return item


@op("DescribeTransitGatewayConnects")
def describe_transit_gateway_connects(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Connect attachments by id or filter, for an hour also those that are gone."""
    wanted, table = dict.fromkeys(req.get("TransitGatewayAttachmentIds") or ()), ctx.db[TransitConnect]
    if wanted and req.get("MaxResults"):
        raise errors.combination(
            "The parameter transitGatewayAttachmentIds cannot be used with the parameter maxResults"
        )
    for key in wanted:
        check_form(TransitAttachment, key)
    items = table.need_all(wanted) if wanted else table.all()
    found = narrow(req, CONNECTS, [Row(item.tags, show_connect(item)) for item in items])
    return {"TransitGatewayConnects": found}


@op("DeleteTransitGatewayConnect")
def delete_transit_gateway_connect(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Remove an attachment that has no peers any more."""
    item = need_connect(ctx, req["TransitGatewayAttachmentId"])
    held = peers_of(ctx.db, item.id)
    if held:
        names = ", ".join(peer.id for peer in held)
        raise AwsError("IncorrectState", f"{item.id} has non-deleted Transit Gateway Connect Peers: {names}.")
    return {"TransitGatewayConnect": show_connect(ctx.db[TransitConnect].put(replace(item, state="deleting")))}
