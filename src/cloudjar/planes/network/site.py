"""The names and numbers of one installation on a host; pure.

Everything that the plane leaves on a host is found again by these names alone, so that two
installations (and parallel tests) never touch each other and a leak check is exact.
"""

from __future__ import annotations

import hashlib
import re
from base64 import b32encode
from collections.abc import Iterable
from functools import lru_cache
from ipaddress import AddressValueError, IPv4Address, IPv4Network, IPv6Address, IPv6Network, NetmaskValueError

import msgspec

from cloudjar.base.errors import PlaneError

NAMESPACES = "/run/netns"
"""Where `ip netns` keeps its names; container engines join a namespace by such a path."""

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network
EDGE = "edge6"
"""The namespace that routes IPv6 between VPCs and the host: forwarding is not switched on in the host for it."""
HUBS = ("pcx-", "tgw-")
"""What the names of namespaces begin with that join VPCs: peering connections and transit gateways."""

_TABLES = 0xC1000000
_TAG = re.compile(r"[a-z0-9]{1,12}")
_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
WEB_PORTS = (80, 443)
"""Where guests find the API under its public names."""
MAIL_PORTS = (25, 465, 587, 2465, 2587)
"""Where SES's SMTP endpoint answers guests, beside the API: https://docs.aws.amazon.com/ses/latest/dg/smtp-connect.html"""
_DOCUMENTATION = tuple(IPv4Network(n) for n in ("192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24"))
_LINK_NAME = 15
_REMEMBERED = 8192
"""Texts whose reading is kept: a change of one rule reads a whole VPC's addresses again."""


def ports(of: Iterable[int]) -> str:
    """Ports as a set of nftables."""
    return f"{{ {', '.join(map(str, sorted(set(of))))} }}"


class Site(msgspec.Struct, frozen=True):
    """An installation: its tag, and the pool of addresses that play public ones."""

    tag: str
    pool: str

    @property
    def gateway(self) -> str:
        """The host's own address on its Internet bridge: the first of the pool."""
        return str(network(self.pool)[1])

    @property
    def service_addresses(self) -> dict[str, str]:
        """Where the services of AWS are that gateway endpoints lead to, apart from the API's other addresses: at the
        end of the pool."""
        block = network(self.pool)
        return {"s3": str(block[-2]), "dynamodb": str(block[-3])}

    @property
    def api_addresses(self) -> tuple[str, ...]:
        """Every address of the host's own in the pool: at all of them the API answers, and nothing else."""
        return (self.gateway, *self.service_addresses.values())

    @property
    def pool6(self) -> str:
        """The IPv6 addresses of this installation's VPCs: unique local ones (RFC 4193), drawn from the tag."""
        return str(IPv6Network((0xFD << 120 | number(self.tag) << 96, 40)))

    @property
    def gateway6(self) -> str:
        """The host's own IPv6 address on its Internet bridge: in the pool's last /56, which no VPC may have."""
        return str(IPv6Network(self.pool6)[0xFFFF << 72 | 2])

    @property
    def gateway_mac(self) -> str:
        return mac("bridge", self.tag)

    @property
    def edge_mac(self) -> str:
        return mac("edge", self.tag)

    @property
    def bridge(self) -> str:
        return f"cj-{self.tag}"

    @property
    def table(self) -> str:
        """The name of every nftables table of this installation, on the host and in its namespaces."""
        return f"cloudjar-{self.tag}"

    @property
    def route_table(self) -> int:
        """The host's routing table for the pool; a number that belongs to the tag."""
        return _TABLES | number(self.tag)

    @property
    def prefix(self) -> str:
        return f"cj-{self.tag}-"

    def vpc_namespace(self, vpc_id: str) -> str:
        """The namespace of a VPC."""
        if not vpc_id.startswith("vpc-"):
            raise PlaneError(f"{vpc_id!r} is not the id of a VPC.")
        return self.prefix + checked(vpc_id)

    def guest_namespace(self, guest: str) -> str:
        """The namespace of whatever interfaces are attached to."""
        if guest.startswith("vpc-"):
            raise PlaneError(f"{guest!r} is the id of a VPC, not of a guest.")
        if guest == EDGE or guest.startswith(HUBS):
            raise PlaneError(f"{guest!r} cannot be the name of a guest.")
        return self.prefix + checked(guest)

    def hub_namespace(self, hub: str) -> str:
        """The namespace of a peering connection or a transit gateway."""
        if not hub.startswith(HUBS):
            raise PlaneError(f"{hub!r} is not the id of a peering connection or a transit gateway.")
        return self.prefix + checked(hub)

    @property
    def edge_namespace(self) -> str:
        return self.prefix + EDGE

    @property
    def edge_link(self) -> str:
        """The host's end of the link between its bridge and the edge."""
        return self.uplinks() + EDGE

    def uplink(self, vpc_id: str) -> str:
        """The host's end of a VPC's internet gateway."""
        return f"cj{letters(self.tag, 4)}-{letters(vpc_id, 8)}"

    def uplinks(self) -> str:
        """What the names of all this installation's gateway links begin with."""
        return f"cj{letters(self.tag, 4)}-"


def site(tag: str, pool: str) -> Site:
    """A checked `Site`; raises `PlaneError` on a tag or pool that cannot be used."""
    if not _TAG.fullmatch(tag):
        raise PlaneError(f"Installation tag {tag!r} is not 1 to 12 characters of a-z and 0-9.")
    block = network(pool)
    if block.prefixlen > 28:
        raise PlaneError(f"Public pool {pool} is too small. Try a /16 such as 198.18.0.0/16.")
    if any(block.overlaps(d) for d in _DOCUMENTATION):
        raise PlaneError(f"Public pool {pool} overlaps a documentation network. Try 198.18.0.0/16.")
    return Site(tag, str(block))


def is_installation(route_table: int) -> bool:
    """Whether a routing table of the host is one of an installation's (see `Site.route_table`)."""
    return route_table & 0xFF000000 == _TABLES


@lru_cache(_REMEMBERED)
def network(cidr: str) -> IPv4Network:
    """An IPv4 network; raises `PlaneError` when the text is none."""
    try:
        return IPv4Network(cidr)
    except (AddressValueError, NetmaskValueError, ValueError) as e:
        raise PlaneError(f"{cidr!r} is not an IPv4 network: {e}.") from e


@lru_cache(_REMEMBERED)
def address(text: str) -> IPv4Address:
    """An IPv4 address; raises `PlaneError` when the text is none."""
    try:
        return IPv4Address(text)
    except AddressValueError as e:
        raise PlaneError(f"{text!r} is not an IPv4 address: {e}.") from e


@lru_cache(_REMEMBERED)
def either(cidr: str) -> Network:
    """A network of either family; raises `PlaneError` when the text is none."""
    if ":" not in cidr:
        return network(cidr)
    try:
        return IPv6Network(cidr)
    except ValueError as e:
        raise PlaneError(f"{cidr!r} is not an IPv6 network: {e}.") from e


@lru_cache(_REMEMBERED)
def any_address(text: str) -> Address:
    """An address of either family; raises `PlaneError` when the text is none."""
    if ":" not in text:
        return address(text)
    try:
        return IPv6Address(text)
    except AddressValueError as e:
        raise PlaneError(f"{text!r} is not an IPv6 address: {e}.") from e


def checked(name: str) -> str:
    """An id that may become part of a path or of nftables text; raises `PlaneError` otherwise."""
    if not _ID.fullmatch(name):
        raise PlaneError(f"{name!r} cannot name anything on a host.")
    return name


@lru_cache(_REMEMBERED)
def letters(text: str, length: int) -> str:
    """A stable short name: `length` letters and digits drawn from a hash of `text`."""
    return b32encode(hashlib.sha256(text.encode()).digest()).decode().lower()[:length]


@lru_cache(_REMEMBERED)
def number(text: str) -> int:
    """A stable number in [0, 2**24) drawn from a hash of `text`."""
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:3], "big")


@lru_cache(_REMEMBERED)
def mac(kind: str, text: str) -> str:
    """A stable, locally administered unicast hardware address."""
    tail = hashlib.sha256(f"{kind} {text}".encode()).digest()[:5]
    return "06:" + ":".join(f"{b:02x}" for b in tail)


def link_name(interface_id: str) -> str:
    """The VPC's end of an ENI: its id where that fits in a link name, a hash of it otherwise."""
    if interface_id.startswith("eni-") and len(checked(interface_id)) <= _LINK_NAME:
        return interface_id
    return "eni-" + letters(checked(interface_id), _LINK_NAME - 4)


def tunnel_name(way_id: str) -> str:
    """The VPC's end of a link that is no ENI's, by the id of what it leads to: ``pcx-…``, ``tgw-…``, ``vpce-…``."""
    kind = checked(way_id).partition("-")[0]
    return f"{kind}-{letters(way_id, _LINK_NAME - 1 - len(kind))}"
