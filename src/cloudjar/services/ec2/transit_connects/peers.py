"""Connect peers (GRE tunnels) of Connect attachments: made, described, deleted.

https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CreateTransitGatewayConnectPeer.html
"""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from cloudjar.base.errors import AwsError
from cloudjar.kit import tags
from cloudjar.kit.context import Ctx
from cloudjar.services.ec2.lookup import describe, need
from cloudjar.services.ec2.transit_connects import rules
from cloudjar.services.ec2.transit_connects.attached import GONE, peers_of
from cloudjar.services.ec2.transit_connects.ops import need_connect
from cloudjar.services.ec2.transit_connects.records import TransitConnectPeer
from cloudjar.services.ec2.transit_connects.views import PEERS, show_peer
from cloudjar.services.ec2.transit_gateways.finding import need_gateway
from cloudjar.services.ec2.transit_gateways.records import TransitGateway
from cloudjar.services.ec2.vpcs.making import op

_MOST = 4
"""Tunnels of an attachment; not among Service Quotas, and not adjustable on AWS."""


@op("CreateTransitGatewayConnectPeer")
def create_transit_gateway_connect_peer(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """A tunnel to an appliance, and two BGP sessions in it."""
    item = need_connect(ctx, req["TransitGatewayAttachmentId"])
    gateway = need_gateway(ctx, item.gateway_id)
    if item.state != "available":
        raise AwsError("IncorrectState", f"{item.id} is in invalid state")
    if len(peers_of(ctx.db, item.id)) >= _MOST:
        raise AwsError(
            "TransitGatewayConnectPeerLimitExceeded",
            f"You have reached the limit of {_MOST} Connect peers of {item.id}.",
        )
    others = [one for one in ctx.db[TransitConnectPeer].all(gateway_id=gateway.id) if one.state != "deleted"]
    peer = rules.outer(req["PeerAddress"], "peerAddress")
    asked = req.get("TransitGatewayAddress")
    wanted = rules.outer(asked, "transitGatewayAddress") if asked else ""
    own = rules.own_address(wanted, gateway.cidr_blocks, (one.own for one in others))
    if any((one.own, one.peer) == (own, peer) for one in others):
        raise AwsError(
            "DuplicateTransitGatewayConnectPeer", f"{gateway.id} has a Connect peer from {own} to {peer} already."
        )
    made = ctx.db[TransitConnectPeer].add(
        TransitConnectPeer(
            id=ctx.new_id("tgw-connect-peer"),
            attachment_id=item.id,
            gateway_id=gateway.id,
            created=ctx.now,
            own=own,
            peer=peer,
            inside=rules.inside_blocks(req["InsideCidrBlocks"], (text for one in others for text in one.inside)),
            asn=rules.number((req.get("BgpOptions") or {}).get("PeerAsn"), gateway.asn),
            tags=tags.specified(req, "transit-gateway-connect-peer"),
        )
    )
    return {"TransitGatewayConnectPeer": show_peer(made, gateway.asn)}


@op("DescribeTransitGatewayConnectPeers")
def describe_transit_gateway_connect_peers(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Tunnels by id or filter, for an hour also those that are gone."""
    asns = {gateway.id: gateway.asn for gateway in ctx.db[TransitGateway].all()}
    found = describe(
        ctx,
        req,
        TransitConnectPeer,
        "TransitGatewayConnectPeerIds",
        lambda peer: show_peer(peer, asns.get(peer.gateway_id, 0)),
        PEERS,
    )
    return {"TransitGatewayConnectPeers": found}


@op("DeleteTransitGatewayConnectPeer")
def delete_transit_gateway_connect_peer(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Remove a tunnel; what its appliance told is forgotten."""
    peer = need(ctx, TransitConnectPeer, req["TransitGatewayConnectPeerId"])
    if peer.state in GONE:
        missing = f"Transit Gateway Connect Peer {peer.id} was deleted or does not exist."
        raise AwsError("InvalidTransitGatewayConnectPeerID.NotFound", missing)
    gateway = need_gateway(ctx, peer.gateway_id)
    gone = ctx.db[TransitConnectPeer].put(replace(peer, state="deleting", up=(False, False), learned=()))
    return {"TransitGatewayConnectPeer": show_peer(gone, gateway.asn)}
