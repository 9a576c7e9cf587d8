"""What the names of a VPC mean inside it; pure.

https://docs.aws.amazon.com/vpc/latest/userguide/AmazonDNS-concepts.html
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from ipaddress import AddressValueError, IPv4Address, IPv4Network, IPv6Address

import msgspec

from cloudjar.planes.dns.spelled import ZONE, read
from cloudjar.planes.network.port import Interface, Vpc

ExtraNames = Callable[[str, str], tuple[str, ...] | None]
"""(VPC id, lower-case name without final dot) -> addresses of either family; None = not mine to say, () = no such
name."""

HOST = "the host"
"""In place of a VPC's id."""
TTL = 60
_DASHED = re.compile(r"(?:ip|ec2)-(\d{1,3})-(\d{1,3})-(\d{1,3})-(\d{1,3})")


class Known(msgspec.Struct, frozen=True):
    """An answer: addresses of a name (either family), or the name of an address (`pointer`); neither: no such name."""

    zone: str
    addresses: tuple[str, ...] = ()
    pointer: str = ""

    @property
    def exists(self) -> bool:
        return bool(self.addresses or self.pointer)


def private_zone(region: str) -> str:
    """Where private host names live."""
    return "ec2.internal" if region == "us-east-1" else f"{region}.compute.internal"


def public_zone(region: str) -> str:
    """Where public host names live."""
    return "compute-1.amazonaws.com" if region == "us-east-1" else f"{region}.compute.amazonaws.com"


def private_name(address: str, region: str) -> str:
    """``ip-10-0-1-5.ec2.internal``."""
    return f"ip-{address.replace('.', '-')}.{private_zone(region)}"


def public_name(address: str, region: str) -> str:
    """``ec2-198-18-0-5.eu-west-1.compute.amazonaws.com``."""
    return f"ec2-{address.replace('.', '-')}.{public_zone(region)}"


def lookup(vpc: Vpc, pool: IPv4Network, name: str, extra: ExtraNames | None = None) -> Known | None:
    """What a name (any case, final dot or not) means in a VPC; None when the wide world must be asked."""
    name = name.lower().rstrip(".")
    given = next((addresses for known, addresses in vpc.names if _is(known, name)), None)
    if name.endswith(_REVERSE):
        return _chosen(vpc.id, name, extra) or _pointer(vpc, pool, name)
    if given is None and extra:
        given = extra(vpc.id, name)
    if given is not None:
        return Known(name, given)
    label, _, zone = name.partition(".")
    if zone in (public_zone(vpc.region), f"{vpc.region}.compute.amazonaws.com"):
        return _public(vpc, pool, label, zone)
    if (addresses := _spelled(pool, name)) is not None:
        inside = {public: a for i in _attached(vpc) for a, public in i.private if public}
        return Known(ZONE, tuple(inside.get(a, a) for a in addresses))
    private = private_zone(vpc.region)
    if name == private or name.endswith(f".{private}"):
        return Known(private, _private(vpc, name, label if zone == private else ""))
    found = next((i for i in _attached(vpc) if i.hostname.lower() == name), None)
    return Known(zone, (found.private[0][0],)) if found else None


_REVERSE = ".in-addr.arpa"


def _is(known: str, name: str) -> bool:
    """Whether a name is the one known, or below it where that is ``*.NAME``."""
    return name.endswith(known[1:]) if known.startswith("*.") else known == name


def outside(pool: IPv4Network, name: str, extra: ExtraNames | None = None) -> Known | None:
    """What a name means to the host, which is in no VPC: services' names, and public names of machines as they are."""
    name = name.lower().rstrip(".")
    if name.endswith(_REVERSE):
        return _chosen("", name, extra)
    given = extra("", name) if extra else None
    if given is not None:
        return Known(name, given)
    if (addresses := _spelled(pool, name)) is not None:
        return Known(ZONE, addresses)
    label, _, zone = name.partition(".")
    address = _dashed("ec2-", label)
    public = zone == "compute-1.amazonaws.com" or zone.endswith(".compute.amazonaws.com")
    return Known(zone, (address,)) if public and address and IPv4Address(address) in pool else None


def _chosen(vpc_id: str, name: str, extra: ExtraNames | None) -> Known | None:
    """A reverse name that somebody has chosen for a public address; asked for like any name, the answer is names."""
    given = extra(vpc_id, name) if extra else None
    return Known(name, pointer=given[0].rstrip(".")) if given else None


def _private(vpc: Vpc, name: str, label: str) -> tuple[str, ...]:
    for i in _attached(vpc):
        if i.hostname.lower() == name:
            return (i.private[0][0],)
    address = _dashed("ip-", label)
    owned = any(a == address for i in _attached(vpc) for a, _ in i.private)
    return (address,) if owned else ()


def _public(vpc: Vpc, pool: IPv4Network, label: str, zone: str) -> Known | None:
    address = _dashed("ec2-", label)
    if not address or IPv4Address(address) not in pool:
        return None
    inside = next((a for i in _attached(vpc) for a, public in i.private if public == address), None)
    return Known(zone, (inside or address,))


def _spelled(pool: IPv4Network, name: str) -> tuple[str, ...] | None:
    """What a name that spells addresses means, when they are this installation's."""
    six, four = read(name) or ("", "")
    if not six or not IPv6Address(six).is_private or (four and IPv4Address(four) not in pool):
        return None
    return (six, four) if four else (six,)


def _pointer(vpc: Vpc, pool: IPv4Network, name: str) -> Known | None:
    try:
        address = IPv4Address(".".join(reversed(name.removesuffix(".in-addr.arpa").split("."))))
    except AddressValueError:
        return None
    if address in pool:
        return Known(name, pointer=public_name(str(address), vpc.region))
    if not any(address in IPv4Network(c) for c in vpc.cidrs):
        return None
    for i in _attached(vpc):
        for n, (a, _) in enumerate(i.private):
            if a == str(address):
                own = i.hostname if n == 0 else ""
                return Known(name, pointer=own or private_name(a, vpc.region))
    return Known(name)


def _attached(vpc: Vpc) -> Iterator[Interface]:
    return (i for i in vpc.interfaces if i.guest)


def _dashed(prefix: str, label: str) -> str:
    found = _DASHED.fullmatch(label)
    if found is None or not label.startswith(prefix):
        return ""
    try:
        return str(IPv4Address(".".join(found.groups())))
    except AddressValueError:
        return ""
