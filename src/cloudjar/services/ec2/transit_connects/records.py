"""Connect attachments and their peers (tunnels) as they are stored.

https://docs.aws.amazon.com/vpc/latest/tgw/tgw-connect.html
"""

from __future__ import annotations

from datetime import datetime

from cloudjar.kit.record import Record, record
from cloudjar.planes.network.connect import Learned


@record(
    "ec2",
    "transit-gateway-connect-attachment",
    arn="transit-gateway-attachment/{id}",
    index=("gateway_id", "transport_id"),
    missing=(
        "InvalidTransitGatewayAttachmentID.NotFound",
        "Transit Gateway Attachment {key} was deleted or does not exist.",
    ),
    parent=("ec2/transit-gateway", "gateway_id"),
)
class TransitConnect(Record, frozen=True, kw_only=True):
    """A Connect attachment, of the gateway's owner; `transport_id` is the VPC attachment that carries its tunnels."""

    id: str
    gateway_id: str
    transport_id: str
    created: datetime
    state: str = "pending"
    table: str = ""
    """The route table that it obeys, and whose routes its peers are told."""
    association: str = ""
    """associating, associated, disassociating; empty without a table."""
    propagates: tuple[str, ...] = ()
    """The route tables that know what its peers tell."""
    tags: dict[str, str] = {}


@record(
    "ec2",
    "transit-gateway-connect-peer",
    index=("attachment_id", "gateway_id"),
    missing=(
        "InvalidTransitGatewayConnectPeerID.NotFound",
        "Transit Gateway Connect Peer {key} was deleted or does not exist.",
    ),
    parent=("ec2/transit-gateway", "gateway_id"),
)
class TransitConnectPeer(Record, frozen=True, kw_only=True):
    """A tunnel: its outer addresses at the gateway and at the appliance, and the blocks inside of it."""

    id: str
    attachment_id: str
    gateway_id: str
    created: datetime
    own: str
    peer: str
    inside: tuple[str, ...]
    asn: int
    state: str = "pending"
    up: tuple[bool, bool] = (False, False)
    """Which of its two BGP sessions were established when they were last looked at."""
    learned: tuple[Learned, ...] = ()
    """What the appliance told then, by block."""
    tags: dict[str, str] = {}
