"""Multicast through transit gateways as nftables; pure.

Nothing here routes multicasts: every copy is made by a rule, to an interface that is named. What an ENI sends to a
group of its domain is judged as it leaves (ACL, groups), and one copy goes to the transit gateway; there a copy is made
for each VPC with members, its sender's too; in a VPC one for each member, which its ACL and groups judge. The hardware
address of a copy between the namespaces says which domain it is of: VPCs may have the same addresses.

Copies are made in tables of the families ``ip`` and ``ip6`` (``inet`` knows no copying). They are sent by the namespace
itself, so that the packet filter judges them where it judges what goes out.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from cloudjar.base.errors import PlaneError
from cloudjar.planes.network.port import Cast, Interface, TransitCast, TransitGateway, Vpc
from cloudjar.planes.network.ruleset import NftChain, NftSet, Ruleset, render
from cloudjar.planes.network.site import Address, Site, any_address, checked, link_name, number, tunnel_name

GROUPS = {4: "224.0.0.0/4", 6: "ff00::/8"}
_IP = {4: "ip", 6: "ip6"}
_COPYING = "type filter hook prerouting priority -130; policy accept;"
"""After `casting`, which may drop; before anything is translated or routed."""
_LIFE = {4: "ip ttl < 4 ip ttl set 4", 6: "ip6 hoplimit < 4 ip6 hoplimit set 4"}
"""Each copy costs one, whatever is left: a datagram that was to live for one hop must survive three."""


def version_of(group: str) -> int:
    """4 or 6; raises `PlaneError` for what is no group's address."""
    found = any_address(group)
    if not found.is_multicast:
        raise PlaneError(f"{group} is not the address of a multicast group.")
    return found.version


def domain_mac(domain: str) -> str:
    """The hardware address of copies of a domain's packets: a group's one, so that any interface takes it."""
    return "03:ca:" + ":".join(f"{b:02x}" for b in number(domain).to_bytes(4, "big"))


def domain_via(domain: str, attachment: str) -> dict[int, str]:
    """The next hop that has that hardware address, at either far end of a tunnel, by IP version: nobody's address.

    It has a route of its own: without one, the kernel would ask for the packet's target instead.
    """
    n = number(f"{domain} {attachment}")
    return {4: f"{0xF0 | n >> 24 & 7}.{n >> 16 & 255}.{n >> 8 & 255}.{n & 255}",
            6: f"fe80::ca57:{n >> 16:x}:{n & 0xFFFF:x}"}  # fmt: skip


def is_via(address: str) -> bool:
    """Whether a neighbour's address is such a next hop."""
    return address.startswith("fe80::ca57:") or (":" not in address and 0xF0 <= int(address.split(".")[0]) <= 0xF7)


def domains(vpc: Vpc) -> tuple[tuple[str, str], ...]:
    """(domain, attachment) of every one that a VPC has part in."""
    return tuple(dict.fromkeys((cast.domain, cast.attachment) for cast in vpc.casts))


def refuse_twins(casts: Iterable[Cast | TransitCast]) -> None:
    """Raise `PlaneError` for domains that could not be told apart, and for what is no group."""
    ids = {cast.domain for cast in casts if version_of(cast.group)}
    if len({domain_mac(key) for key in ids}) != len(ids):
        raise PlaneError(f"Two of these multicast domains look the same: {', '.join(sorted(ids))}.")


def vpc_hops(vpc: Vpc) -> dict[str, tuple[str, str]]:
    """The next hops for what is sent: address to (link, hardware address)."""
    return {via: (tunnel_name(way), domain_mac(domain))
            for domain, way in domains(vpc) for via in domain_via(domain, way).values()}  # fmt: skip


# -- who may send and who gets copies, in the VPC's packet filter


def sets(vpc: Vpc) -> Iterator[NftSet]:
    """(link, group) of who may send to it and who is to get copies."""
    for version, suffix in ((4, ""), (6, "6")):
        for name, pick in (("casters", "senders"), ("cast-to", "members")):
            pairs = {f'"{link_name(i.id)}" . {any_address(c.group)}': "" for c in _of(vpc.casts, version)
                     for i in _attached(vpc, getattr(c, pick))}  # fmt: skip
            yield NftSet(f"{name}{suffix}", f"ifname . ipv{version}_addr", tuple(pairs.items()))


def judging(*, logging: bool) -> Iterator[NftChain]:
    """Chains that judge what is sent to groups, and the copies of it; `cast-groups` is a map of the filter's own."""
    yield NftChain("casting", (
        "iifname . ip daddr @casters jump sending",
        "iifname . ip6 daddr @casters6 jump sending",
    ), "type filter hook prerouting priority -140; policy accept;")
    yield NftChain("sending", (
        "iifname vmap @shaped-egress", "iifname vmap @acls-egress", "iifname vmap @groups-egress", "drop"))
    yield NftChain("delivering", (
        "oifname . ip daddr @cast-to jump receiving",
        "oifname . ip6 daddr @cast-to6 jump receiving",
    ), "type filter hook output priority filter; policy accept;")
    yield NftChain("receiving", (
        "oifname vmap @shaped-ingress", "oifname vmap @acls-ingress", "oifname vmap @cast-groups", "drop"))
    yield NftChain("cast-admitted", (*(("jump note-accept-ingress",) if logging else ()), "accept"))


def admitting(*, logging: bool) -> tuple[str, ...]:
    """Rules at the beginning of `admit`: what a sender's groups let go to a group has no receiver yet."""
    note = (f"{where} jump note-accept-egress" for where in _SENT) if logging else ()
    return (*note, *(f"{where} accept" for where in _SENT))


_SENT = ("iifname . ip daddr @casters", "iifname . ip6 daddr @casters6")
FROM_HUB = tuple(f"{_IP[version]} daddr {block} accept" for version, block in GROUPS.items())
"""What may come through a tunnel whoever sent it: it goes nowhere but where it is copied to."""


# -- copying


def vpc_copies(vpc: Vpc, site: Site) -> str:
    """The tables that copy in a VPC's namespace; they replace whatever is there."""
    return "".join(_table(site, version, *_vpc_parts(vpc, version)) for version in (4, 6))


def no_copies(table: str) -> str:
    """What takes such tables away."""
    return "".join(f"add table {family} {table}\ndelete table {family} {table}\n" for family in _IP.values())


def _vpc_parts(vpc: Vpc, version: int) -> tuple[dict[str, str], dict[str, str], list[NftChain]]:
    casts = _of(vpc.casts, version)
    out = {f'"{link_name(i.id)}" . {any_address(c.group)}': f"goto to-{checked(c.domain)}"
           for c in casts for i in _attached(vpc, c.senders)}  # fmt: skip
    chains = [
        NftChain(f"to-{checked(c)}", (_LIFE[version], _dup(domain_via(c, way)[version], tunnel_name(way)), "drop"))
        for c, way in domains(vpc)
    ]
    arriving = {}
    for at, cast in enumerate(casts):
        to = [(i, a) for i in _attached(vpc, cast.members) if (a := _first(i, version))]
        if to:
            arriving[_arrival(cast.attachment, cast.domain, cast.group)] = f"goto copies-{at}"
            chains.append(NftChain(f"copies-{at}", (*(
                f"{_IP[version]} saddr != {a} {_dup(a, link_name(i.id))}" for i, a in to), "drop")))  # fmt: skip
    return out, arriving, chains


def hub_copies(gateway: TransitGateway, site: Site, attached: set[str]) -> str:
    """The tables that copy in a transit gateway's namespace; only to links that are there."""
    return "".join(_table(site, version, {}, *_hub_parts(gateway, attached, version)) for version in (4, 6))


def _hub_parts(gateway: TransitGateway, attached: set[str], version: int) -> tuple[dict[str, str], list[NftChain]]:
    arriving: dict[str, str] = {}
    chains: list[NftChain] = []
    senders = [a.attachment for a in gateway.associations if a.vpc and a.attachment in attached]
    for at, cast in enumerate(c for c in gateway.casts if version_of(c.group) == version):
        to = [way for way in cast.attachments if way in senders]
        if to:
            arriving |= {_arrival(way, cast.domain, cast.group): f"goto copies-{at}" for way in senders}
            chains.append(NftChain(f"copies-{at}", (*(
                _dup(domain_via(cast.domain, way)[version], tunnel_name(way)) for way in to), "drop")))  # fmt: skip
    return arriving, chains


def hub_hops(gateway: TransitGateway, attached: set[str]) -> dict[str, tuple[str, str]]:
    """The next hops for copies: address to (link, hardware address)."""
    return {
        via: (tunnel_name(way), domain_mac(cast.domain))
        for cast in gateway.casts for way in cast.attachments if way in attached
        for via in domain_via(cast.domain, way).values()
    }  # fmt: skip


def _table(site: Site, version: int, out: dict[str, str], arriving: dict[str, str], chains: list[NftChain]) -> str:
    family = _IP[version]
    if not out and not arriving:
        return f"add table {family} {site.table}\ndelete table {family} {site.table}\n"
    address = f"ipv{version}_addr"
    return render(Ruleset(site.table, (
        NftSet("leaving", f"ifname . {address}", tuple(out.items()), mapped="verdict"),
        NftSet("arriving", f"ifname . ether_addr . {address}", tuple(arriving.items()), mapped="verdict"),
    ), (
        *chains,
        NftChain("copying", (
            f"iifname . {family} daddr vmap @leaving",
            f"iifname . ether daddr . {family} daddr vmap @arriving",
        ), _COPYING),
    ), family))  # fmt: skip


def _arrival(attachment: str, domain: str, group: str) -> str:
    return f'"{tunnel_name(attachment)}" . {domain_mac(domain)} . {any_address(group)}'


def _dup(via: str, device: str) -> str:
    return f'dup to {via} device "{device}"'


def _of(casts: Iterable[Cast], version: int) -> list[Cast]:
    return [cast for cast in casts if version_of(cast.group) == version]


def _attached(vpc: Vpc, interfaces: Iterable[str]) -> list[Interface]:
    wanted = set(interfaces)
    return [i for i in vpc.interfaces if i.guest and i.id in wanted]


def _first(eni: Interface, version: int) -> str:
    """Where an ENI's copies are sent to; empty when it has no address of the family."""
    found: Address | None = next(iter(
        any_address(a) for a in ([eni.private[0][0]] if version == 4 else eni.ipv6)), None)  # fmt: skip
    return str(found) if found is not None else ""
