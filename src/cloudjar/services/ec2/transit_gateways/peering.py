"""Peering of transit gateways: asked for, accepted, rejected, deleted; over accounts and Regions of one jar.

https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CreateTransitGatewayPeeringAttachment.html
"""

from __future__ import annotations

from typing import Any

from cloudjar.base.errors import AwsError
from cloudjar.kit import tags
from cloudjar.kit.context import Ctx
from cloudjar.services.ec2 import errors
from cloudjar.services.ec2.lookup import Row, by_path, check_form, narrow
from cloudjar.services.ec2.transit_gateways.finding import need_gateway, ready
from cloudjar.services.ec2.transit_gateways.peering_records import PeerSide, TransitPeering
from cloudjar.services.ec2.transit_gateways.peers import change
from cloudjar.services.ec2.transit_gateways.records import OVER, TransitAttachment, TransitGateway
from cloudjar.services.ec2.vpcs.making import op

_PAGE = "Transit Gateway Attachment"
_FILTERS = by_path(
    {
        "state": "State",
        "transit-gateway-attachment-id": "TransitGatewayAttachmentId",
        "transit-gateway-id": "Gateways",
        "local-owner-id": "LocalOwnerId",
        "remote-owner-id": "RemoteOwnerId",
    }
)


@op("CreateTransitGatewayPeeringAttachment")
def create_transit_gateway_peering_attachment(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Ask the owner of another gateway; what cannot be fails afterwards, as on AWS."""
    gateway = need_gateway(ctx, req["TransitGatewayId"])
    ready(gateway)
    options = req.get("Options") or {}
    if options.get("DynamicRouting") == "enable":
        raise errors.not_built("Dynamic routing between transit gateways")
    errors.refuse(options, "AllowMultipathResilience", "MultipathResilienceMode")
    check_form(TransitGateway, req["PeerTransitGatewayId"])
    accepter = PeerSide(gateway_id=req["PeerTransitGatewayId"], account=req["PeerAccountId"], region=req["PeerRegion"])
    if accepter.gateway_id == gateway.id:
        raise errors.invalid_value("A transit gateway cannot be peered with itself.")
    _check_room(ctx, gateway.id, accepter.gateway_id)
    item = TransitPeering(
        id=ctx.new_id("tgw-attach"),
        requester=PeerSide(gateway_id=gateway.id, account=ctx.account, region=ctx.region),
        accepter=accepter,
        created=ctx.now,
        tags=tags.specified(req, "transit-gateway-attachment"),
    )
    return {"TransitGatewayPeeringAttachment": show(ctx.db[TransitPeering].add(item))}


def _check_room(ctx: Ctx, own: str, peer: str) -> None:
    live = [item for item in ctx.db[TransitPeering].all() if item.state not in OVER]
    mine = [item for item in live if own in {side.gateway_id for side in item.sides}]
    if any(peer in {side.gateway_id for side in item.sides} for item in mine):
        raise AwsError(
            "DuplicateTransitGatewayAttachment",
            f"{own} has non-deleted Transit Gateway Peering Attachments with {peer}.",
        )
    waiting = [item for item in mine if item.state in ("initiatingRequest", "pendingAcceptance")]
    for code, held in (("L-A1B5A36F", mine), ("L-62499967", waiting)):
        limit = ctx.limit("ec2", code)
        if limit is not None and len(held) >= limit:
            raise AwsError(
                "TransitGatewayAttachmentLimitExceeded",
                "The maximum number of transit gateway attachments has been reached.",
            )


def _need(ctx: Ctx, key: str) -> TransitPeering:
    check_form(TransitAttachment, key)
    item = ctx.db[TransitPeering].need(key)
    if item.state in OVER:
        raise AwsError("InvalidTransitGatewayAttachmentID.NotFound", f"{_PAGE} {key} was deleted or does not exist.")
    return item


def _pending(ctx: Ctx, key: str) -> TransitPeering:
    """What waits for an answer from here."""
    item = _need(ctx, key)
    if not item.leads:
        raise AwsError(
            "OperationNotPermitted", f"Only the owner of {item.accepter.gateway_id} can do this with {item.id}."
        )
    if item.state != "pendingAcceptance":
        raise AwsError("IncorrectState", f"{item.id} is in invalid state")
    return item


@op("AcceptTransitGatewayPeeringAttachment")
def accept_transit_gateway_peering_attachment(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Lead on to the other gateway, where the tables say so."""
    item = _pending(ctx, req["TransitGatewayAttachmentId"])
    ready(need_gateway(ctx, item.accepter.gateway_id))
    return {"TransitGatewayPeeringAttachment": show(change(ctx, item, state="pending"))}


@op("RejectTransitGatewayPeeringAttachment")
def reject_transit_gateway_peering_attachment(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """The gateway's owner does not want it."""
    item = _pending(ctx, req["TransitGatewayAttachmentId"])
    return {"TransitGatewayPeeringAttachment": show(change(ctx, item, state="rejecting"))}


@op("DeleteTransitGatewayPeeringAttachment")
def delete_transit_gateway_peering_attachment(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """End a peering from either side; static routes by it become black holes."""
    item = _need(ctx, req["TransitGatewayAttachmentId"])
    return {"TransitGatewayPeeringAttachment": show(change(ctx, item, state="deleting"))}


@op("DescribeTransitGatewayPeeringAttachments")
def describe_transit_gateway_peering_attachments(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Peerings of the account's gateways here, by id or filter."""
    wanted, table = dict.fromkeys(req.get("TransitGatewayAttachmentIds") or ()), ctx.db[TransitPeering]
    if wanted and req.get("MaxResults"):
        raise errors.combination(
            "The parameter transitGatewayAttachmentIds cannot be used with the parameter maxResults"
        )
    for key in wanted:
        check_form(TransitAttachment, key)
    items = table.need_all(wanted) if wanted else table.all()
    found = narrow(req, _FILTERS, [Row(item.tags, _filtered(item)) for item in items])
    hidden = ("Gateways", "LocalOwnerId", "RemoteOwnerId")
    return {"TransitGatewayPeeringAttachments": [
        {name: value for name, value in view.items() if name not in hidden} for view in found]}  # fmt: skip


def _filtered(item: TransitPeering) -> dict[str, Any]:
    """The view with what filters ask for besides."""
    local = next(side for side in item.sides if (side.account, side.region) == (item.account, item.region))
    remote = item.accepter if local is item.requester else item.requester
    return {
        **show(item),
        "Gateways": [side.gateway_id for side in item.sides],
        "LocalOwnerId": local.account,
        "RemoteOwnerId": remote.account,
    }


_WORDS = {
    "initiatingRequest": "Initiating Request",
    "pendingAcceptance": "Pending Acceptance",
    "pending": "Pending",
    "available": "Available",
}


def show(item: TransitPeering) -> dict[str, Any]:
    """AWS's TransitGatewayPeeringAttachment."""
    return {
        "AccepterTgwInfo": _side(item.accepter),
        "CreationTime": item.created,
        "Options": {"DynamicRouting": "disable"},
        "RequesterTgwInfo": _side(item.requester),
        "State": item.state,
        "Status": {"Code": item.state, "Message": item.message or _WORDS.get(item.state, item.state.capitalize())},
        "Tags": tags.as_list(item.tags),
        "TransitGatewayAttachmentId": item.id,
    }


def _side(side: PeerSide) -> dict[str, Any]:
    return {"OwnerId": side.account, "Region": side.region, "TransitGatewayId": side.gateway_id}
