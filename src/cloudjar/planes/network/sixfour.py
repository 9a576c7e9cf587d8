"""IPv6 that NAT gateways translate to IPv4: which addresses mean which, and what an answer to a name becomes; pure.

https://docs.aws.amazon.com/vpc/latest/userguide/nat-gateway-nat64-dns64.html
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from ipaddress import IPv4Address, IPv6Address, IPv6Network

from cloudjar.planes.network.match import NUMBERS, Packet
from cloudjar.planes.network.port import Interface, Vpc
from cloudjar.planes.network.site import Address, Network

PREFIX = IPv6Network("64:ff9b::/96")
DEVICE = "nat64"
"""The translating device in a NAT gateway's namespace."""
SIX_VIA = "fe80::64"
"""A NAT gateway, as the next hop of a VPC's routes."""
HELD = "240.0.0.0/4"
"""Where IPv6 sources have IPv4 addresses, inside a NAT gateway."""
MTU = 8973
"""Of the device: what is larger as IPv6, with a header for pieces, would not fit its link."""
_ECHO = {128: 8, 129: 0}


def is_translated(target: Network) -> bool:
    """Whether a NAT gateway has a say about an IPv6 destination."""
    return isinstance(target, IPv6Network) and target.subnet_of(PREFIX)


def spelled(address: str) -> str:
    """An IPv4 address as IPv6 of the prefix."""
    return str(IPv6Address(int(PREFIX.network_address) | int(IPv4Address(address))))


def beyond(packet: Packet) -> tuple[Address, int, int, int]:
    """What a packet is behind a NAT gateway: target, protocol, port (or ICMP type) and code."""
    if packet.target.version == 4:
        return packet.target, packet.protocol, packet.port, packet.code
    target = IPv4Address(int(packet.target) & 0xFFFFFFFF)
    if packet.protocol == NUMBERS["icmpv6"]:
        return target, NUMBERS["icmp"], _ECHO.get(packet.port, packet.port), packet.code
    return target, packet.protocol, packet.port, packet.code


def asks_for_both(vpc: Vpc, asker: str) -> bool:
    """Whether whoever asks from an address is in a subnet whose answers have IPv6 addresses for every name."""
    made_up = {s.id for s in vpc.subnets if s.dns64}
    return any(asker in _own(eni) for eni in vpc.interfaces if eni.subnet in made_up) if made_up else False


def _own(eni: Interface) -> Iterator[str]:
    yield from (private for private, _ in eni.private)
    yield from eni.ipv6


def made_up(addresses: Iterable[str]) -> tuple[str, ...]:
    """IPv6 addresses for a name that has none of its own; none for one that has."""
    found = tuple(addresses)
    return () if any(":" in a for a in found) else tuple(spelled(a) for a in found)
