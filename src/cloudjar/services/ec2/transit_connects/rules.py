"""Which addresses tunnels may have; pure, raising AWS's answers."""

from __future__ import annotations

from collections.abc import Iterable
from ipaddress import IPv4Address, IPv4Network, IPv6Network

from cloudjar.base.errors import AwsError
from cloudjar.services.ec2 import blocks, errors

_LINK_LOCAL = IPv4Network("169.254.0.0/16")
_PRIVATE6 = IPv6Network("fd00::/8")
_RESERVED = frozenset(
    IPv4Network(text)
    for text in (
        *(f"169.254.{n}.0/29" for n in range(6)),
        "169.254.169.248/29",
    )
)
_MOST_BLOCKS = 5
"""Blocks that a transit gateway has at most; not among Service Quotas."""
_LARGEST_ASN = 4_294_967_294
Block = IPv4Network | IPv6Network
_INSIDE: dict[int, tuple[int, Block]] = {4: (29, _LINK_LOCAL), 6: (125, _PRIVATE6)}


def gateway_blocks(wanted: Iterable[str], taken: Iterable[Block]) -> tuple[str, ...]:
    """Blocks of a transit gateway's own, /24 or /64 at least, apart from each other and from those that are taken."""
    found: list[Block] = []
    for text in dict.fromkeys(wanted):
        one = _block(text, "TransitGatewayCidrBlocks")
        if one.prefixlen > (24 if one.version == 4 else 64):
            least = "/24" if one.version == 4 else "/64"
            raise errors.invalid_parameter(text, "TransitGatewayCidrBlocks", f"The block must be {least} or larger.")
        if _overlaps(one, _LINK_LOCAL):
            raise errors.invalid_parameter(text, "TransitGatewayCidrBlocks", "It is in the 169.254.0.0/16 range.")
        if any(_overlaps(one, other) for other in (*found, *taken)):
            raise errors.invalid_parameter(text, "TransitGatewayCidrBlocks", "It overlaps with another CIDR block.")
        found.append(one)
    if len(found) > _MOST_BLOCKS:
        raise AwsError(
            "TransitGatewayCidrBlockLimitExceeded",
            f"A transit gateway has {_MOST_BLOCKS} CIDR blocks at most.",
        )
    return tuple(str(one) for one in found)


def _block(text: str, parameter: str) -> Block:
    one: Block | None = blocks.ipv6(text) if ":" in text else blocks.ipv4(text)
    if one is None:
        raise errors.invalid_parameter(text, parameter, "This is not a valid CIDR block.")
    return one


def _overlaps(one: Block, other: Block) -> bool:
    return one.version == other.version and one.overlaps(other)


def inside_blocks(wanted: Iterable[str], taken: Iterable[str]) -> tuple[str, ...]:
    """A /29 of 169.254.0.0/16 that is not reserved, and maybe a /125 of fd00::/8; no other tunnel's."""
    found = [_block(text, "insideCidrBlocks") for text in dict.fromkeys(wanted)]
    if [one.version for one in sorted(found, key=lambda one: one.version)] not in ([4], [4, 6]):
        raise errors.invalid_value("One IPv4 inside CIDR block, and at most one of IPv6, must be specified.")
    held = [_block(text, "insideCidrBlocks") for text in taken]
    for one in found:
        size, where = _INSIDE[one.version]
        if one.prefixlen != size or not _overlaps(one, where):
            raise errors.invalid_parameter(one, "insideCidrBlocks", f"It must be a /{size} from the {where} range.")
        if one in _RESERVED:
            raise errors.invalid_parameter(one, "insideCidrBlocks", "The CIDR block is reserved.")
        if any(_overlaps(one, other) for other in held):
            raise errors.invalid_parameter(one, "insideCidrBlocks", "Another Connect peer has it.")
    return tuple(str(one) for one in sorted(found, key=lambda one: one.version))


def outer(text: str, parameter: str) -> str:
    """An outer address; tunnels over IPv6 are refused."""
    if blocks.address6(text) is not None:
        raise errors.not_built(f"A Connect peer with an IPv6 {parameter}")
    found = blocks.address(text)
    if found is None or found.is_multicast or found.is_loopback or found.is_link_local or found.is_unspecified:
        raise errors.invalid_parameter(text, parameter, "This is not a valid IP address.")
    return str(found)


def own_address(wanted: str, held: Iterable[str], taken: Iterable[str]) -> str:
    """The gateway's end: the address that is asked for, else the first one of its blocks that is free."""
    four = [IPv4Network(text) for text in held if ":" not in text]
    if not four:
        raise errors.invalid_value("The transit gateway has no IPv4 CIDR block.")
    if wanted:
        if not any(IPv4Address(wanted) in net for net in four):
            raise errors.invalid_parameter(
                wanted, "transitGatewayAddress", "It is in no CIDR block of the transit gateway."
            )
        return wanted
    used = set(taken)
    for net in four:
        found = next((str(one) for one in net.hosts() if str(one) not in used), "")
        if found:
            return found
    raise errors.invalid_value("The transit gateway's CIDR blocks have no free address.")


def holds(held: Iterable[str], address: str) -> bool:
    """Whether an address is in one of some IPv4 blocks."""
    return any(IPv4Address(address) in IPv4Network(text) for text in held)


def number(wanted: int | None, own: int) -> int:
    """The peer's autonomous system; the gateway's own where none is given."""
    if wanted is None:
        return own
    if not 1 <= wanted <= _LARGEST_ASN:
        raise errors.invalid_parameter(wanted, "PeerAsn", "It is not a valid ASN.")
    return int(wanted)
