"""Peering attachments as they are stored: one copy in the account and Region of each of the two gateways.

https://docs.aws.amazon.com/vpc/latest/tgw/tgw-peering.html
"""

from __future__ import annotations

from datetime import datetime

import msgspec

from cloudjar.kit.record import Record, record


class PeerSide(msgspec.Struct, frozen=True, kw_only=True):
    """A gateway of the two, and the route table of it that the attachment obeys."""

    gateway_id: str
    account: str
    region: str
    table: str = ""
    association: str = ""
    """associating, associated, disassociating; empty without a table."""


@record(
    "ec2",
    "transit-gateway-peering-attachment",
    arn="transit-gateway-attachment/{id}",
    missing=(
        "InvalidTransitGatewayAttachmentID.NotFound",
        "Transit Gateway Attachment {key} was deleted or does not exist.",
    ),
)
class TransitPeering(Record, frozen=True, kw_only=True):
    """Two gateways that lead on to each other. Each copy is tagged for itself; the accepter's leads."""

    id: str
    requester: PeerSide
    accepter: PeerSide
    created: datetime
    state: str = "initiatingRequest"
    message: str = ""
    tags: dict[str, str] = {}

    @property
    def sides(self) -> tuple[PeerSide, PeerSide]:
        """Who asked, and who was asked."""
        return self.requester, self.accepter

    @property
    def leads(self) -> bool:
        """Whether this copy is the accepter's."""
        return (self.account, self.region) == (self.accepter.account, self.accepter.region)
