"""CIDR blocks as EC2 reads them; pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from ipaddress import AddressValueError, IPv4Address, IPv4Network, IPv6Address, IPv6Network

from cloudjar.base.errors import AwsError
from cloudjar.services.ec2 import errors

RESERVED_FIRST = 4
"""The network's own address, the router's, the resolver's, and one that AWS keeps."""


def block(text: str, parameter: str) -> IPv4Network:
    """An IPv4 block in canonical form (host bits are dropped, as AWS does); raises InvalidParameterValue."""
    found = ipv4(text)
    if found is None:
        raise errors.invalid_parameter(text, parameter, "This is not a valid CIDR block.")
    return found


def ipv4(text: str) -> IPv4Network | None:
    """An IPv4 block in canonical form, or None; the prefix length must be there."""
    if "/" not in text or not text.rpartition("/")[2].isdecimal():
        return None
    try:
        return IPv4Network(text, strict=False)
    except ValueError:
        return None


def ipv6(text: str) -> IPv6Network | None:
    """An IPv6 block in canonical form, or None."""
    if "/" not in text or not text.rpartition("/")[2].isdecimal():
        return None
    try:
        return IPv6Network(text, strict=False)
    except ValueError:
        return None


def address(text: str) -> IPv4Address | None:
    """An IPv4 address, or None."""
    try:
        return IPv4Address(text)
    except AddressValueError:
        return None


def vpc_block(text: str) -> str:
    """A VPC's block: /16 to /28."""
    found = block(text, "cidrBlock")
    if not 16 <= found.prefixlen <= 28 or found.is_multicast or found.is_loopback or found.is_link_local:
        raise AwsError("InvalidVpc.Range", f"The CIDR '{found}' is invalid.")
    return str(found)


def subnet_block(text: str, vpc_blocks: Iterable[str], taken: Iterable[str]) -> str:
    """A subnet's block: /16 to /28, inside one of the VPC's, apart from every other subnet's."""
    found = block(text, "cidrBlock")
    inside = any(found.subnet_of(IPv4Network(outer)) for outer in vpc_blocks)
    if not inside or not 16 <= found.prefixlen <= 28:
        raise AwsError("InvalidSubnet.Range", f"The CIDR '{found}' is invalid.")
    if any(found.overlaps(IPv4Network(other)) for other in taken):
        raise AwsError("InvalidSubnet.Conflict", f"The CIDR '{found}' conflicts with another subnet")
    return str(found)


def address6(text: str) -> IPv6Address | None:
    """An IPv6 address, or None."""
    try:
        return IPv6Address(text)
    except AddressValueError:
        return None


def may_hold6(cidr: str, ip: IPv6Address) -> bool:
    """Whether an IPv6 address can be given out in a subnet: all but the first four and the last."""
    net = IPv6Network(cidr)
    return int(net.network_address) + RESERVED_FIRST <= int(ip) < int(net.broadcast_address)


def some_address6(cidr: str, number: int) -> str:
    """An address of a subnet that can be given out; any number gives one."""
    net = IPv6Network(cidr)
    room = net.num_addresses - RESERVED_FIRST - 1
    return str(IPv6Address(int(net.network_address) + RESERVED_FIRST + number % room))


def free6(pool: str, prefix: int, taken: Iterable[str]) -> str:
    """The lowest block of a length that overlaps nothing taken; empty when there is none."""
    used = [IPv6Network(cidr) for cidr in taken]
    for candidate in IPv6Network(pool).subnets(new_prefix=prefix):
        if not any(candidate.overlaps(other) for other in used):
            return str(candidate)
    return ""


def subnet_block6(text: str, vpc_blocks: Iterable[str], taken: Iterable[str]) -> str:
    """A subnet's IPv6 block: /44 to /64 in steps of four, inside one of the VPC's, apart from every other subnet's."""
    found = ipv6(text)
    if found is None:
        raise errors.invalid_parameter(text, "ipv6CidrBlock", "This is not a valid IPv6 CIDR block.")
    inside = any(found.subnet_of(IPv6Network(outer)) for outer in vpc_blocks)
    if not inside or found.prefixlen not in (44, 48, 52, 56, 60, 64):
        raise AwsError("InvalidSubnet.Range", f"The CIDR '{found}' is invalid.")
    if any(found.overlaps(IPv6Network(other)) for other in taken):
        raise AwsError("InvalidSubnet.Conflict", f"The CIDR '{found}' conflicts with another subnet")
    return str(found)


def usable(cidr: str) -> int:
    """How many addresses of a subnet can be given out: all but the first four and the last."""
    return IPv4Network(cidr).num_addresses - RESERVED_FIRST - 1


def free(cidr: str, taken: set[str]) -> Iterator[str]:
    """A subnet's addresses that nobody has, lowest first."""
    net = IPv4Network(cidr)
    first, last = int(net.network_address), int(net.broadcast_address)
    for number in range(first + RESERVED_FIRST, last):
        candidate = str(IPv4Address(number))
        if candidate not in taken:
            yield candidate


def may_hold(cidr: str, ip: str) -> bool:
    """Whether an address can be given out in a subnet."""
    net, number = IPv4Network(cidr), int(IPv4Address(ip))
    return int(net.network_address) + RESERVED_FIRST <= number < int(net.broadcast_address)
