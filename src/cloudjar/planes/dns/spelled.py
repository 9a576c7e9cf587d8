"""Public names that spell the addresses that they mean: ``LETTERS.REGION.ip.aws``; pure.

Five groups of five letters and digits are an IPv6 address in base 36; where one of seven follows, that is a public IPv4
address. Who knows the name knows the addresses, as with ``ec2-198-18-0-5``.

https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/hostname-types.html
"""

from __future__ import annotations

import re
from ipaddress import AddressValueError, IPv4Address, IPv6Address

ZONE = "ip.aws"
_DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"
_SIX, _FOUR, _GROUP = 25, 7, 5
_NAME = re.compile(r"((?:[0-9a-z]{5}-){4}[0-9a-z]{5})(?:-([0-9a-z]{7}))?\.[a-z0-9-]+\.ip\.aws")


def spelled(region: str, ipv6: str, ipv4: str = "") -> str:
    """The name of an IPv6 address, or of one with a public IPv4 address."""
    letters = _letters(int(IPv6Address(ipv6)), _SIX)
    groups = [letters[i : i + _GROUP] for i in range(0, _SIX, _GROUP)]
    groups += [_letters(int(IPv4Address(ipv4)), _FOUR)] if ipv4 else []
    return f"{'-'.join(groups)}.{region}.{ZONE}"


def read(name: str) -> tuple[str, str] | None:
    """The IPv6 and the IPv4 address ("" for none) that a lower-case name spells; None for another name."""
    found = _NAME.fullmatch(name)
    if found is None:
        return None
    try:
        six = IPv6Address(int(found[1].replace("-", ""), 36))
        return str(six), str(IPv4Address(int(found[2], 36))) if found[2] else ""
    except AddressValueError:
        return None


def _letters(value: int, width: int) -> str:
    out = ""
    for _ in range(width):
        value, digit = divmod(value, 36)
        out = _DIGITS[digit] + out
    return out
