"""Connect attachments of transit gateways as values: GRE tunnels through a VPC's attachment to an appliance in it, and
the routes that the two ends tell each other over BGP.

https://docs.aws.amazon.com/vpc/latest/tgw/tgw-connect.html
"""

from __future__ import annotations

import msgspec


class ConnectPeer(msgspec.Struct, frozen=True, kw_only=True):
    """A tunnel: its outer addresses (IPv4) at the gateway (`own`) and at the appliance (`peer`), and the blocks inside.

    Of each block (a /29 of IPv4 first, maybe a /125 of IPv6) the first address is the appliance's, the next two are
    the gateway's; each of those has a BGP session with the appliance, whose number is `asn`.
    """

    id: str
    own: str
    peer: str
    inside: tuple[str, ...]
    asn: int


class Announcement(msgspec.Struct, frozen=True, kw_only=True):
    """A block that the gateway tells a Connect attachment's peers, and the autonomous systems by which it knows it."""

    block: str
    path: tuple[int, ...] = ()


class Connect(msgspec.Struct, frozen=True, kw_only=True):
    """A Connect attachment: the VPC attachment that its tunnels go through, and what its peers are told."""

    attachment: str
    transport: str
    peers: tuple[ConnectPeer, ...] = ()
    announced: tuple[Announcement, ...] = ()


class Learned(msgspec.Struct, frozen=True, kw_only=True):
    """A block that a peer tells, the autonomous systems on the way (its own first), and its preference among ways."""

    block: str
    path: tuple[int, ...] = ()
    discriminator: int = 0


class PeerSeen(msgspec.Struct, frozen=True, kw_only=True):
    """Which of a peer's two sessions are established, and what they tell together, by block."""

    up: tuple[bool, bool] = (False, False)
    learned: tuple[Learned, ...] = ()
