"""IpAddress: the request's address within a CIDR block, IPv4 and IPv6."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

from cloudjar.policy.conditions.text import Compare
from cloudjar.policy.match import Context


@lru_cache(maxsize=4096)
def network(text: str) -> IPv4Network | IPv6Network | None:
    """The block that `text` names (a lone address is a block of one); host bits are ignored."""
    try:
        return ip_network(text.strip(), strict=False)
    except ValueError:
        return None


@lru_cache(maxsize=4096)
def address(text: str) -> IPv4Address | IPv6Address | None:
    """The address that `text` names, or None."""
    try:
        return ip_address(text.strip())
    except ValueError:
        return None


def within(values: Sequence[str], variables: bool) -> Compare:
    """IpAddress."""
    blocks = [n for n in map(network, values) if n is not None]

    def compare(value: str, context: Context) -> bool:
        where = address(value)
        return where is not None and any(where in block for block in blocks)

    return compare
