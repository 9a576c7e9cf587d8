"""Connect attachments and peers in AWS's words."""

from __future__ import annotations

from typing import Any

from cloudjar.kit import tags
from cloudjar.planes.network import connect as plane
from cloudjar.planes.network.tunnels import ends
from cloudjar.services.ec2.lookup import by_path
from cloudjar.services.ec2.transit_connects.records import TransitConnect, TransitConnectPeer

CONNECTS = by_path(
    {
        "options.protocol": "Options.Protocol",
        "state": "State",
        "transit-gateway-attachment-id": "TransitGatewayAttachmentId",
        "transit-gateway-id": "TransitGatewayId",
        "transport-transit-gateway-attachment-id": "TransportTransitGatewayAttachmentId",
    }
)
PEERS = by_path(
    {
        "state": "State",
        "transit-gateway-attachment-id": "TransitGatewayAttachmentId",
        "transit-gateway-connect-peer-id": "TransitGatewayConnectPeerId",
    }
)


def show_connect(item: TransitConnect) -> dict[str, Any]:
    """AWS's TransitGatewayConnect."""
    return {
        "CreationTime": item.created,
        "Options": {"Protocol": "gre"},
        "State": item.state,
        "Tags": tags.as_list(item.tags),
        "TransitGatewayAttachmentId": item.id,
        "TransitGatewayId": item.gateway_id,
        "TransportTransitGatewayAttachmentId": item.transport_id,
    }


def as_planned(peer: TransitConnectPeer) -> plane.ConnectPeer:
    """A tunnel as the network plane wants it."""
    return plane.ConnectPeer(id=peer.id, own=peer.own, peer=peer.peer, inside=peer.inside, asn=peer.asn)


def show_peer(peer: TransitConnectPeer, gateway_asn: int) -> dict[str, Any]:
    """AWS's TransitGatewayConnectPeer, with its two sessions as they were last seen."""
    inside = ends(as_planned(peer))[0]
    return {
        "ConnectPeerConfiguration": {
            "BgpConfigurations": [
                {
                    "BgpStatus": "up" if up else "down",
                    "PeerAddress": inside.peer,
                    "PeerAsn": peer.asn,
                    "TransitGatewayAddress": own,
                    "TransitGatewayAsn": gateway_asn,
                }
                for own, up in zip(inside.own, peer.up, strict=True)
            ],
            "InsideCidrBlocks": list(peer.inside),
            "PeerAddress": peer.peer,
            "Protocol": "gre",
            "TransitGatewayAddress": peer.own,
        },
        "CreationTime": peer.created,
        "State": peer.state,
        "Tags": tags.as_list(peer.tags),
        "TransitGatewayAttachmentId": peer.attachment_id,
        "TransitGatewayConnectPeerId": peer.id,
    }
