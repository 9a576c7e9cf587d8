"""What a DHCP options set may say, and what a guest is told because of it; pure.

https://docs.aws.amazon.com/vpc/latest/userguide/DHCPOptionSetConcepts.html
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from ipaddress import IPv4Network, ip_address
from typing import Any, NamedTuple

from cloudjar.services.ec2 import errors

AMAZON = "AmazonProvidedDNS"
LINK_LOCAL_RESOLVER = "169.254.169.253"
_LISTS = {"domain-name-servers": 4, "ntp-servers": 8, "netbios-name-servers": 4}
"""Options that are lists of addresses, and how many they may be."""
_NODE_TYPES = ("1", "2", "4", "8")
_LEASE = range(140, 2147483648)
_NAME = re.compile(r"(?=.{1,253}$)[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,62})(?:\.[A-Za-z0-9_-]{1,63})*\.?")


class Told(NamedTuple):
    """What a guest's lease says."""

    resolvers: tuple[str, ...]
    domain: str
    time_servers: tuple[str, ...]


def checked(configurations: Iterable[Mapping[str, Any]]) -> dict[str, tuple[str, ...]]:
    """A request's options by name; several values may stand in one, with commas. Raises InvalidParameterValue."""
    options: dict[str, tuple[str, ...]] = {}
    for one in configurations:
        key = one.get("Key") or ""
        given = [value for text in one.get("Values") or () for value in text.split(",")]
        values = tuple(value.strip() for value in given if value.strip())
        if key in options:
            raise errors.invalid_value(f"The DHCP option {key} is specified more than once.")
        if not values:
            raise errors.invalid_value(f"The DHCP option {key} has no value.")
        _check(key, values)
        options[key] = values
    if not options:
        raise errors.missing_one("dhcpConfiguration")
    return options


def _check(key: str, values: tuple[str, ...]) -> None:
    match key:
        case "domain-name-servers" | "ntp-servers" | "netbios-name-servers":
            _addresses(key, values)
        case "domain-name":
            if len(values) > 1 or not all(_NAME.fullmatch(name) for name in values[0].split(" ")):
                raise _wrong(key, values, "Specify a domain name.")
        case "netbios-node-type":
            if len(values) > 1 or values[0] not in _NODE_TYPES:
                raise _wrong(key, values, "Specify 1, 2, 4 or 8.")
        case "ipv6-address-preferred-lease-time":
            if len(values) > 1 or not values[0].isdecimal() or int(values[0]) not in _LEASE:
                raise _wrong(key, values, f"Specify {_LEASE.start} to {_LEASE.stop - 1} seconds.")
        case _:
            raise errors.invalid_parameter(key, "DhcpConfiguration.Key", "Unknown DHCP option.")


def _addresses(key: str, values: tuple[str, ...]) -> None:
    if len(values) > _LISTS[key]:
        raise _wrong(key, values, f"Specify at most {_LISTS[key]} addresses.")
    for value in values:
        if key == "domain-name-servers" and value == AMAZON:
            continue
        try:
            ip_address(value)
        except ValueError:
            raise _wrong(key, values, f"{value} is not an IP address.") from None


def _wrong(key: str, values: tuple[str, ...], why: str) -> Exception:
    return errors.invalid_parameter(", ".join(values), key, why)


def told(options: Mapping[str, tuple[str, ...]] | None, cidr: str) -> Told:
    """What guests of a VPC hear whose first block is `cidr`; None: its VPC has no options set at all.

    Without a set, Nitro instances ask the link-local resolver and have no domain.
    """
    if options is None:
        return Told((LINK_LOCAL_RESOLVER,), "", ())
    amazon = str(IPv4Network(cidr)[2])
    servers = (amazon if name == AMAZON else name for name in options.get("domain-name-servers", ()))
    domain = options.get("domain-name", ("",))[0]
    return Told(tuple(dict.fromkeys(servers)), domain, options.get("ntp-servers", ()))
