"""What a security group rule or a network ACL entry says about packets; pure.

The same reading serves the packet filter (as nftables text) and reachability answers (as a
predicate), so that the two cannot drift apart.
"""

from __future__ import annotations

import msgspec

from cloudjar.base.errors import PlaneError
from cloudjar.planes.network.site import Address, Network, either

ANY = -1
NUMBERS = {"icmp": 1, "tcp": 6, "udp": 17, "icmpv6": 58}
ICMPS = (1, 58)
GRE = 47
_L4 = {"icmpv6": "ipv6-icmp"}
_NAMES = {number: name for name, number in NUMBERS.items()}


class Match(msgspec.Struct, frozen=True):
    """Packets of an IP protocol (None = every one) with a destination port, or ICMP type and code, in range."""

    protocol: int | None
    low: int = ANY
    high: int = ANY

    def text(self) -> str:
        """The nftables expression; empty when everything matches."""
        name = _NAMES.get(self.protocol or 0)
        if self.protocol is None:
            return ""
        if self.protocol in ICMPS and self.low != ANY:
            code = f" {name} code {self.high}" if self.high != ANY else ""
            return f"{name} type {self.low}{code}"
        if name in ("tcp", "udp") and self.low != ANY and (self.low, self.high) != (0, 65535):
            return f"{name} dport {self.low}" + (f"-{self.high}" if self.high != self.low else "")
        return f"meta l4proto {_L4.get(name or '', name) or self.protocol}"

    def possible(self, version: int) -> bool:
        """Whether a packet of this IP version can match at all: ICMP is IPv4's, ICMPv6 the other's."""
        return self.protocol not in ICMPS or (self.protocol == NUMBERS["icmpv6"]) == (version == 6)

    def holds(self, packet: Packet) -> bool:
        """Whether the packet matches; addresses are somebody else's business."""
        if self.protocol is None:
            return True
        if self.protocol != packet.protocol:
            return False
        if self.low == ANY:
            return True
        if self.protocol in ICMPS:
            return packet.port == self.low and self.high in (ANY, packet.code)
        if _NAMES.get(self.protocol) in ("tcp", "udp"):
            return self.low <= packet.port <= self.high
        return True


class Packet(msgspec.Struct, frozen=True):
    """A packet as a filter sees it; for ICMP `port` is the type and `code` the code."""

    source: Address
    target: Address
    protocol: int
    port: int
    code: int = 0


def match(protocol: str, low: int, high: int) -> Match:
    """The reading of a rule's protocol and ports.

    Raises `PlaneError` for a protocol or port that cannot be.
    """
    number = protocol_number(protocol)
    if number is None:
        return Match(None)
    if number in (NUMBERS["tcp"], NUMBERS["udp"]):
        if (low, high) == (ANY, ANY):
            return Match(number)
        if not 0 <= low <= high <= 65535:
            raise PlaneError(f"Ports {low} to {high} are not a range.")
    if number in ICMPS and not (-1 <= low <= 255 and -1 <= high <= 255):
        raise PlaneError(f"ICMP type {low} with code {high} does not exist.")
    return Match(number, low, high)


def protocol_number(protocol: str) -> int | None:
    """The IP protocol number of a rule's protocol; None for ``-1``, all of them."""
    if protocol in ("-1", "all"):
        return None
    if protocol in NUMBERS:
        return NUMBERS[protocol]
    if protocol.isascii() and protocol.isdigit() and int(protocol) < 256:
        return int(protocol)
    raise PlaneError(f"Protocol {protocol!r} is neither a name nor a number of an IP protocol.")


def block(peer: str) -> Network | None:
    """The network that a rule names; None when it names something else (a group, a prefix list)."""
    return either(peer) if "/" in peer else None
