"""Bytes that pass from one zone into another, inside a VPC and through its peering connections.

They cost money at both ends: what an interface sends elsewhere, and what it gets from there; between Regions only what
is sent costs. The table in the VPC's
namespace outlives the server; its rules are written anew when interfaces or peers change, its counters go on.
"""

from __future__ import annotations

from collections.abc import Iterator

from cloudjar.planes.network import meters, nft
from cloudjar.planes.network.port import Peering, Vpc
from cloudjar.planes.network.ruleset import NftChain
from cloudjar.planes.network.site import either, link_name, tunnel_name

TABLE = "cloudjar-zones"
SENT, GOT, ABROAD = "sent", "got", "abroad"
_CHAIN = "crossing"
_HOOK = "type filter hook forward priority 200; policy accept;"
"""After the packet filter: what that drops went nowhere."""


def rules(vpc: Vpc) -> tuple[str, ...]:
    """The rules that count; none where nothing can cross. Pure."""
    return (*_inside(vpc), *(rule for peering in vpc.peerings for rule in _peered(vpc, peering)))


def _inside(vpc: Vpc) -> Iterator[str]:
    zones = _zones(vpc)
    for zone, here in zones.items():
        there = [name for other, names in zones.items() if other != zone for name in names]
        if there:
            both = f"iifname {_names(here)} oifname {_names(there)}"
            yield f"{both} counter name {SENT} counter name {GOT}"


def _peered(vpc: Vpc, peering: Peering) -> Iterator[str]:
    way = tunnel_name(peering.id)
    if peering.abroad:
        yield f'oifname "{way}" counter name {ABROAD}'
        return
    for zone, here in _zones(vpc).items():
        far = [cidr for cidr, other in peering.zones if other != zone]
        for family, version in (("ip", 4), ("ip6", 6)):
            blocks = [cidr for cidr in far if either(cidr).version == version]
            if blocks:
                where = f"{{ {', '.join(blocks)} }}"
                yield f'iifname {_names(here)} oifname "{way}" {family} daddr {where} counter name {SENT}'
                yield f'iifname "{way}" oifname {_names(here)} {family} saddr {where} counter name {GOT}'


def _zones(vpc: Vpc) -> dict[str, list[str]]:
    """Zone to the links of interfaces there whose traffic between zones costs."""
    subnets = {subnet.id: subnet.zone for subnet in vpc.subnets}
    found: dict[str, list[str]] = {}
    for eni in vpc.interfaces:
        if eni.guest and eni.pays_zones and eni.subnet in subnets:
            found.setdefault(subnets[eni.subnet], []).append(link_name(eni.id))
    return dict(sorted(found.items()))


def _names(links: list[str]) -> str:
    return "{ " + ", ".join(f'"{name}"' for name in links) + " }"


def ensure(wanted: tuple[str, ...]) -> None:
    """Count by these rules here, in a VPC's namespace; what is counted already stays."""
    if TABLE not in nft.tables():
        if not wanted:
            return
        nft.transaction(meters.counting(TABLE, meters.birth(), (SENT, GOT), (NftChain(_CHAIN, (), _HOOK),)))
    counter = f"add counter inet {TABLE} {ABROAD}\n" if any(f"name {ABROAD}" in rule for rule in wanted) else ""
    added = counter + "".join(f"add rule inet {TABLE} {_CHAIN} {rule}\n" for rule in wanted)
    nft.transaction(f"flush chain inet {TABLE} {_CHAIN}\n{added}")
