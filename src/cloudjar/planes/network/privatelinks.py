"""What leads from an endpoint in one VPC to a load balancer's node in another; pure.

A link of its own joins the two guests' namespaces: the endpoint's ENI (*near*) and the node (*far*). Clients keep their
addresses on it, whoever else has the same ones: every link has a *door*, an address at the node that is its alone, so
that no two flows look alike there, and what answers at a door goes back by its link whatever the routes say. What the
node sends on to its targets has the node's own address.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from ipaddress import IPv4Address, IPv4Network

import msgspec

from cloudjar.base.errors import PlaneError
from cloudjar.planes.network.match import Packet, block, match
from cloudjar.planes.network.port import Endpoint, Interface, PrivateLink, Rule, Vpc
from cloudjar.planes.network.ruleset import NftChain, NftSet, Ruleset
from cloudjar.planes.network.site import Site, letters, mac, number

TABLE = "cloudjar-links"
"""Of nftables, at both ends."""
NEAR_DEVICE = "link"
FAR_PREFIX = "pl-"
MTU = 8500
MARK = 0x80000000
"""Flows that came by a link have this bit; the four lowest are other people's."""
LINK_BITS = 0xFFFFFFF0
PREFERENCE = 50
"""Among the kernel's rules, before its local table (which is moved to `LOCAL_PREFERENCE`): a client may have an address
that is the node's own as well."""
LOCAL_PREFERENCE = 90
NEAR_VIA, FAR_VIA = "169.254.254.1", "169.254.254.2"
DOORS = IPv4Network("240.0.0.0/8")
"""No VPC and nobody on the Internet can have these (RFC 1112); the proxy plane knows flows of links by them."""
IDLE_SECONDS = 350
_ANY = Rule(direction="ingress", protocol="tcp", peer="0.0.0.0/0")


class Lead(msgspec.Struct, frozen=True, kw_only=True):
    """One link as both its ends know it."""

    interface: str
    near: str
    """Names of the two namespaces."""
    far: str
    far_guest: str
    device: str
    """The far end's."""
    near_mac: str
    far_mac: str
    door: str
    mark: int
    """Of its flows at the node, and the number of the table that leads back."""
    admits: tuple[Rule, ...]

    @property
    def identity(self) -> str:
        """What is written on the near end once the link is complete."""
        return f"{self.interface} {self.far}"


def leads(vpc: Vpc, site: Site) -> tuple[Lead, ...]:
    """The links of a VPC's endpoints. Raises `PlaneError` for one that begins nowhere."""
    found = {i.id: i for i in vpc.interfaces}
    out = []
    for endpoint in vpc.endpoints:
        for link in endpoint.links:
            if link.interface not in endpoint.interfaces:
                raise PlaneError(f"{endpoint.id} has a link at {link.interface}, which is not one of its interfaces.")
            if found[link.interface].guest:
                out.append(_lead(link, found[link.interface].guest, site))
    return tuple(out)


def _lead(link: PrivateLink, guest: str, site: Site) -> Lead:
    n = number(link.interface)
    return Lead(
        interface=link.interface,
        near=site.guest_namespace(guest),
        far=site.guest_namespace(link.node),
        far_guest=link.node,
        device=FAR_PREFIX + letters(link.interface, 12),
        near_mac=mac("near", f"{site.tag} {link.interface}"),
        far_mac=mac("door", f"{site.tag} {link.interface}"),
        door=str(IPv4Address(int(DOORS[0]) + n)),
        mark=MARK | n << 4,
        admits=(_ANY,) if link.admits is None else link.admits,
    )


def check(held: Iterable[Lead]) -> None:
    """Refuse two links of one node that would be taken for each other."""
    seen: dict[tuple[str, str], str] = {}
    for lead in held:
        other = seen.setdefault((lead.far, lead.door), lead.interface)
        if other != lead.interface:
            raise PlaneError(f"{lead.interface} and {other} cannot both lead to {lead.far_guest}.")


def near_rules(lead: Lead | None) -> Ruleset:
    """At the endpoint: what its clients send goes to the door, when the node's groups admit it; nothing else passes."""
    leading: tuple[str, ...] = ()
    passing: tuple[str, ...] = ()
    if lead is not None:
        leading = (f'iifname "eth*" meta l4proto tcp dnat ip to {lead.door}',)
        passing = (
            "ct state invalid drop", "ct state established,related accept",
            *(f'iifname "eth*" oifname "{NEAR_DEVICE}" {line} accept' for line in _admitted(lead.admits)),
        )  # fmt: skip
    return Ruleset(TABLE, (), (
        NftChain("leading", leading, "type nat hook prerouting priority dstnat; policy accept;"),
        NftChain("passing", passing, "type filter hook forward priority filter; policy drop;"),
        NftChain("inward", (), "type filter hook input priority filter; policy drop;"),
    ))  # fmt: skip


def _admitted(rules: tuple[Rule, ...]) -> Iterator[str]:
    for rule in rules:
        peer, what = block(rule.peer), match(rule.protocol, rule.from_port, rule.to_port)
        if rule.direction == "ingress" and peer is not None and peer.version == 4 and what.possible(4):
            yield " ".join(filter(None, (f"ip saddr {peer}" if peer.prefixlen else "", what.text())))


def far_rules(held: Iterable[Lead]) -> Ruleset:
    """At the node: flows remember the link that they came by, and what is sent on for them has the node's address."""
    marks = tuple((f'"{lead.device}"', f"{lead.mark:#010x}") for lead in held)
    home = f"ct direction reply ct mark & {MARK:#x} != 0 meta mark set ct mark & {LINK_BITS:#x}"
    return Ruleset(TABLE, (NftSet("links", "ifname", marks, mapped="mark"),), (
        # Before the balancer's own table, which adds bits of its own.
        NftChain("coming", ("ct state new ct mark set iifname map @links", home),
                 "type filter hook prerouting priority mangle - 5; policy accept;"),
        NftChain("answering", (home,), "type route hook output priority mangle; policy accept;"),
        NftChain("naming", (f'oifname "eth*" ct mark & {MARK:#x} != 0 masquerade',),
                 "type nat hook postrouting priority srcnat; policy accept;"),
    ))  # fmt: skip


def endpoint_at(vpc: Vpc, eni: Interface) -> Endpoint | None:
    """The endpoint to somebody's own service that an ENI belongs to, if any."""
    found = (e for e in vpc.endpoints if e.kind == "service" and eni.id in e.interfaces)
    return next(found, None)


def link_at(endpoint: Endpoint, eni: Interface) -> PrivateLink | None:
    """Where the endpoint leads from that ENI."""
    return next((link for link in endpoint.links if link.interface == eni.id), None)


def admitted(link: PrivateLink, packet: Packet) -> bool:
    """Whether the node's groups let a client's packet in."""
    if link.admits is None:
        return True
    return any(
        rule.direction == "ingress" and match(rule.protocol, rule.from_port, rule.to_port).holds(packet)
        and (where := block(rule.peer)) is not None and where.version == packet.source.version
        and packet.source in where
        for rule in link.admits
    )  # fmt: skip
