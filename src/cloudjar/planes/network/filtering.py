"""A VPC's packet filter: security groups, network ACLs, source checks and 1:1 NAT as nftables; pure.

Reading order of a packet: `source` (before conntrack: may this link speak for this address),
`routing` (which route table), `public-in`, then `forwarding` (network ACLs, then tracked flows, then
groups), then `passed` (flow logs) and `public-out`. Everything not said here is dropped without an answer.

Links: an ENI each; `igw` to the Internet; and *tunnels* to what else is beyond the VPC (peerings, transit gateways,
gateway endpoints). A packet from a tunnel may only go to an ENI, and one from a peering only to the VPC's own
addresses: that is why peering is never transitive.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from ipaddress import collapse_addresses

from msgspec.structs import replace

from cloudjar.base.errors import PlaneError
from cloudjar.planes.network import barring, casting, flowlog
from cloudjar.planes.network.match import Match, block, match
from cloudjar.planes.network.port import AclEntry, Interface, Rule, SecurityGroup, Subnet, Vpc
from cloudjar.planes.network.ruleset import NftChain, NftSet, Ruleset
from cloudjar.planes.network.site import (
    Address,
    Network,
    Site,
    address,
    any_address,
    checked,
    either,
    link_name,
    network,
    number,
    tunnel_name,
)

GATEWAY_LINK = "igw"
METADATA = "169.254.169.254"
RESOLVER = "169.254.169.253"
RESOLVER6 = "fd00:ec2::253"
EDGE_VIA = "fe80::e"
"""The edge on the Internet's bridge, as an internet gateway's next hop for IPv6."""
OUTWARD_VIA = "fe80::f"
"""The same, as an egress-only gateway's: the next hop tells the filter which of the two a packet goes through."""
RELAY_MARK = 0x2000000
_NEIGHBOURHOOD = "icmpv6 type { nd-neighbor-solicit, nd-neighbor-advert }"


_RELAYED = (
    "ct state new ct mark set iifname map @relays",
    f"ct direction reply ct mark & {RELAY_MARK:#x} != 0 meta mark set ct mark",
)
"""Who passed a flow on gets its answers, wherever their address would lead."""


def ruleset(vpc: Vpc, site: Site) -> Ruleset:
    """The whole table of a VPC's namespace."""
    enis = tuple(i for i in vpc.interfaces if i.guest)
    rules = Ruleset(site.table, tuple(_sets(vpc, enis)), tuple(_chains(vpc, enis)))
    _refuse_twins(vpc, rules)
    return rules


def _refuse_twins(vpc: Vpc, rules: Ruleset) -> None:
    names = [c.name for c in rules.chains] + [s.name for s in rules.sets]
    keys = [f"{s.name} {key}" for s in rules.sets for key, _ in s.elements]
    for what in (names, keys):
        if len(set(what)) != len(what):
            twin = next(n for n in what if what.count(n) > 1)
            raise PlaneError(f"{vpc.id} says {twin!r} twice: two of its parts share an id or an address.")


def resolver_addresses(vpc: Vpc) -> tuple[str, ...]:
    """Where the VPC's resolver listens: the base of the first CIDR plus two, its link-local address, an IPv6 one."""
    return (str(network(vpc.cidrs[0])[2]), RESOLVER, *([RESOLVER6] if vpc.ipv6_cidrs else []))


def tunnels(vpc: Vpc) -> tuple[str, ...]:
    """The ids of what a VPC's tunnels lead to: peerings, transit attachments, gateway endpoints."""
    return (*(p.id for p in vpc.peerings), *(a.id for a in vpc.transit_attachments), *gateway_endpoints(vpc))


def gateway_endpoints(vpc: Vpc) -> tuple[str, ...]:
    """Their ids."""
    return tuple(e.id for e in vpc.endpoints if e.kind == "gateway")


def translators(vpc: Vpc) -> set[str]:
    """The ids of ENIs that are a NAT gateway's: no groups, and nothing they send needs to be their own."""
    return {n.interface for n in vpc.nat_gateways}


def unchecked(vpc: Vpc) -> tuple[Interface, ...]:
    """Attached ENIs whose source/destination check is off."""
    free = translators(vpc)
    return tuple(i for i in vpc.interfaces if i.guest and (not i.source_dest_check or i.relays or i.id in free))


def relays(vpc: Vpc) -> tuple[Interface, ...]:
    """Attached ENIs that pass flows of others on."""
    return tuple(i for i in vpc.interfaces if i.guest and i.relays)


def relay_number(interface_id: str) -> int:
    """The mark of flows that an ENI passes on, and the kernel's number of the table that leads back to it."""
    return RELAY_MARK | number(interface_id)


def table_number(route_table_id: str) -> int:
    """The kernel's number of a route table, which is also the mark of the packets that obey it."""
    return 0x1000000 | number(route_table_id)


def published(vpc: Vpc) -> tuple[tuple[str, str], ...]:
    """(public, private) addresses that the internet gateway translates; none without a gateway."""
    if not vpc.internet_gateway:
        return ()
    return tuple(
        (str(address(public)), str(address(private)))
        for i in vpc.interfaces if i.guest for private, public in i.private if public
    )


def _sets(vpc: Vpc, enis: tuple[Interface, ...]) -> Iterator[NftSet]:
    names = {i.id: f'"{link_name(i.id)}"' for i in enis}
    yield NftSet("addresses", "ifname . ipv4_addr", tuple(
        (f"{names[i.id]} . {address(private)}", "") for i in enis for private, _ in i.private))
    yield NftSet("addresses6", "ifname . ipv6_addr", tuple(
        (f"{names[i.id]} . {any_address(a)}", "") for i in enis for a in i.ipv6))
    yield NftSet("unchecked", "ifname", tuple((names[i.id], "") for i in unchecked(vpc)))
    yield from _by_family("cidrs", (*vpc.cidrs, *vpc.ipv6_cidrs))
    yield NftSet("tables", "ifname", tuple(_table_marks(vpc, enis, names)), mapped="mark")
    if relays(vpc):
        yield NftSet("relays", "ifname", tuple(
            (names[i.id], f"{relay_number(i.id):#010x}") for i in relays(vpc)), mapped="mark")
    public = published(vpc)
    yield NftSet("public", "ipv4_addr", tuple((p, "") for p, _ in public))
    yield NftSet("translated", "ipv4_addr", tuple((q, "") for _, q in public))
    yield NftSet("public-to-private", "ipv4_addr", public, mapped="ipv4_addr")
    yield NftSet("private-to-public", "ipv4_addr", tuple((q, p) for p, q in public), mapped="ipv4_addr")
    yield NftSet("tunnels", "ifname", tuple((_quoted(t), "") for t in tunnels(vpc)))
    yield NftSet("endpoints", "ifname", tuple((_quoted(t), "") for t in gateway_endpoints(vpc)))
    yield NftSet("tunnel-sources", "ifname", tuple(
        (_quoted(t), f"goto {checked(t)}-source") for t in tunnels(vpc)), mapped="verdict")
    yield from _subnet_sets(vpc, enis, names)
    yield from _group_sets(vpc, enis, names)
    for listed in vpc.prefix_lists:
        yield from _by_family(_prefixes(listed.id), listed.cidrs, "/6")
    yield from flowlog.sets((names[i.id] for i in enis if i.logged), barring=barring.bars(vpc))
    yield from barring.sets(vpc, names) if barring.bars(vpc) else ()
    if vpc.casts:
        yield from casting.sets(vpc)
        members = {m for cast in vpc.casts for m in cast.members}
        free = translators(vpc) | {i.id for i in enis if i.unguarded}
        yield NftSet("cast-groups", "ifname", tuple(
            (names[i.id], "goto cast-admitted" if i.id in free else f"goto {_eni(i)}-cast")
            for i in enis if i.id in members), mapped="verdict")


def _by_family(name: str, cidrs: Iterable[str], six: str = "6") -> Iterator[NftSet]:
    """Two sets of networks, `name` and `name` with `six`, without overlaps (which nft refuses)."""
    blocks = [either(c) for c in cidrs]
    for version, suffix in ((4, ""), (6, six)):
        mine: list[Network] = list(collapse_addresses(b for b in blocks if b.version == version))  # type: ignore[type-var] # one version at a time
        yield NftSet(name + suffix, f"ipv{version}_addr", tuple((str(b), "") for b in mine), flags="interval")


def _table_marks(vpc: Vpc, enis: tuple[Interface, ...], names: dict[str, str]) -> Iterator[tuple[str, str]]:
    subnets = {s.id: s for s in vpc.subnets}
    for link, subnet_id in (*((names[i.id], i.subnet) for i in enis),
                            *((_quoted(a.id), a.subnet) for a in vpc.transit_attachments)):
        if subnet_id not in subnets:
            raise PlaneError(f"{link} is in subnet {subnet_id}, which {vpc.id} does not have.")
        if subnets[subnet_id].route_table:
            yield link, f"{table_number(subnets[subnet_id].route_table):#010x}"


def _group_sets(vpc: Vpc, enis: tuple[Interface, ...], names: dict[str, str]) -> Iterator[NftSet]:
    free = translators(vpc) | {i.id for i in enis if i.unguarded}
    for direction, verdict in (("egress", "goto admit"), ("ingress", "accept")):
        yield NftSet(f"groups-{direction}", "ifname", tuple(
            (names[i.id], verdict if i.id in free else f"goto {_eni(i)}-{direction}") for i in enis), mapped="verdict")
        yield NftSet(f"shaped-{direction}", "ifname", tuple(
            (names[i.id], f"jump {_eni(i)}-rate-{direction}") for i in enis if i.rate_mbit), mapped="verdict")
    members = {g.id: [a for i in enis if g.id in i.groups for a in own_addresses(i)] for g in vpc.groups}
    members |= {g.id: [any_address(a) for a in g.members] for g in vpc.peer_groups}
    for group_id, addresses in members.items():
        for version, suffix in ((4, ""), (6, "/6")):  # no id has a slash
            yield NftSet(_members(group_id) + suffix, f"ipv{version}_addr", tuple(
                (str(a), "") for a in addresses if a.version == version))


def own_addresses(eni: Interface) -> tuple[Address, ...]:
    """An ENI's private and IPv6 addresses."""
    return (*(address(private) for private, _ in eni.private), *(any_address(a) for a in eni.ipv6))


def _subnet_sets(vpc: Vpc, enis: tuple[Interface, ...], names: dict[str, str]) -> Iterator[NftSet]:
    guarded = {s.id for s in vpc.subnets if s.network_acl}
    for s in vpc.subnets:
        if s.id in guarded:
            yield NftSet(_inside(s), "ifname", tuple((names[i.id], "") for i in enis if i.subnet == s.id))
    for direction in ("egress", "ingress"):
        yield NftSet(f"acls-{direction}", "ifname", tuple(
            (names[i.id], f"jump {checked(i.subnet)}-{direction}") for i in enis if i.subnet in guarded),
            mapped="verdict")


def _chains(vpc: Vpc, enis: tuple[Interface, ...]) -> Iterator[NftChain]:
    gateway = f'"{GATEWAY_LINK}"'
    yield NftChain("source", tuple(_sources(vpc)), "type filter hook prerouting priority raw; policy accept;")
    yield NftChain("routing", ("meta mark set iifname map @tables", *(_RELAYED if relays(vpc) else ())),
                   "type filter hook prerouting priority mangle; policy accept;")
    yield NftChain("public-in", (f"iifname {gateway} dnat ip to ip daddr map @public-to-private",),
                   "type nat hook prerouting priority dstnat; policy accept;")
    yield NftChain("public-out", (f"oifname {gateway} snat ip to ip saddr map @private-to-public",),
                   "type nat hook postrouting priority srcnat; policy accept;")
    yield NftChain("fabric", tuple(_fabric(vpc)), "type filter hook input priority filter; policy drop;")
    yield NftChain("forwarding", tuple(_forwarding(vpc)), "type filter hook forward priority filter; policy drop;")
    logging = any(i.logged for i in enis)
    sent = casting.admitting(logging=logging) if vpc.casts else ()
    barred = barring.bars(vpc)
    asked = (f"oifname {gateway} iifname vmap @barred-egress",) if barred else ()
    yield NftChain("admit", (*sent, *asked, f"oifname {gateway} accept", "oifname @tunnels accept",
                             "oifname vmap @groups-ingress", "drop"))
    yield from flowlog.chains(logging=logging, barring=barred)
    yield from barring.chains(OUTWARD_VIA) if barred else ()
    yield from _cast_chains(vpc, enis, logging=logging) if vpc.casts else ()
    yield from _tunnel_chains(vpc)
    yield from _acl_chains(vpc)
    for group in vpc.groups:
        yield NftChain(f"{checked(group.id)}-egress", tuple(_rules(vpc, group, "egress", "daddr")))
        yield NftChain(f"{checked(group.id)}-ingress", tuple(_rules(vpc, group, "ingress", "saddr")))
    known = {g.id for g in vpc.groups}
    for i in enis:
        yield from _eni_chains(i, known)


def _sources(vpc: Vpc) -> Iterator[str]:
    gateway = f'"{GATEWAY_LINK}"'
    yield 'iifname "lo" accept'
    yield f"{_NEIGHBOURHOOD} ip6 daddr {{ fe80::/10, ff02::/16 }} accept"
    yield f"iifname {gateway} ip saddr @cidrs drop"
    yield f"iifname {gateway} ip6 saddr @cidrs6 drop"
    yield f"iifname {gateway} ip daddr @public accept"
    yield f"iifname {gateway} ip6 daddr @cidrs6 accept"
    yield "iifname . ip saddr @addresses accept"
    yield "iifname . ip6 saddr @addresses6 accept"
    yield "iifname vmap @tunnel-sources"
    yield "iifname @unchecked accept"
    yield "drop"


def _forwarding(vpc: Vpc) -> Iterator[str]:
    gateway = f'"{GATEWAY_LINK}"'
    yield "ip daddr 169.254.0.0/16 drop"
    yield "ip6 daddr fe80::/10 drop"
    yield f"oifname {gateway} ip saddr != @translated drop"
    yield f"oifname {gateway} ip6 saddr != @cidrs6 drop"
    yield "iifname @tunnels oifname @tunnels drop"
    yield f"iifname {gateway} oifname @tunnels drop"
    if barring.bars(vpc):
        yield f"iifname {gateway} oifname vmap @barred-ingress"
    if vpc.egress_only_gateway:
        yield f"oifname {gateway} rt ip6 nexthop {OUTWARD_VIA} ct direction reply drop"
    beyond = f"oifname != {gateway} oifname != @tunnels oifname != @unchecked"
    yield f"{beyond} oifname . ip daddr != @addresses drop"
    yield f"{beyond} oifname . ip6 daddr != @addresses6 drop"
    yield "iifname vmap @shaped-egress"
    yield "oifname vmap @shaped-ingress"
    yield "iifname vmap @acls-egress"
    yield "oifname vmap @acls-ingress"
    # Only the internet gateway translates back: an answer that takes another way is nobody's.
    yield f"ct direction reply ct status snat iifname != {gateway} drop"
    yield f"ct direction reply ct status dnat oifname != {gateway} drop"
    if barring.bars(vpc):  # connections that there were before it was switched on end as well
        yield f"oifname {gateway} ct state established,related iifname vmap @barred-egress"
    yield "ct state established,related accept"
    yield "iifname @endpoints drop"
    if vpc.egress_only_gateway and not vpc.internet_gateway:
        yield f"iifname {gateway} drop"
    yield f"iifname {gateway} goto admit"
    yield "iifname @tunnels goto admit"
    yield "iifname vmap @groups-egress"


def _cast_chains(vpc: Vpc, enis: tuple[Interface, ...], *, logging: bool) -> Iterator[NftChain]:
    """Multicasts; a rule that names a security group admits none of them, as on AWS.

    https://docs.aws.amazon.com/vpc/latest/tgw/how-multicast-works.html
    """
    yield from casting.judging(logging=logging)
    alone = replace(vpc, groups=(), peer_groups=())
    members = {m for cast in vpc.casts for m in cast.members}
    known = {g.id for g in vpc.groups}
    worn = {g for i in enis if i.id in members for g in i.groups}
    for group in (g for g in vpc.groups if g.id in worn):
        rules = (rule.removesuffix("accept") + "goto cast-admitted"
                 for rule in _rules(alone, group, "ingress", "saddr"))
        yield NftChain(f"{checked(group.id)}-cast", tuple(rules))
    for i in (i for i in enis if i.id in members):
        jumps = tuple(f"jump {checked(g)}-cast" for g in i.groups if g in known)
        yield NftChain(f"{_eni(i)}-cast", (*jumps, "goto denied-ingress"))


def _tunnel_chains(vpc: Vpc) -> Iterator[NftChain]:
    """What may come out of a tunnel: never this VPC's own addresses; out of a peering nothing but the peer's."""
    for peering in vpc.peerings:
        rules = []
        for version, ip, suffix in ((4, "ip", ""), (6, "ip6", "6")):
            theirs = [str(b) for c in peering.cidrs if (b := either(c)).version == version]
            if theirs:
                rules.append(f"{ip} saddr {{ {', '.join(theirs)} }} {ip} daddr @cidrs{suffix} accept")
        yield NftChain(f"{checked(peering.id)}-source", (*rules, "drop"))
    casting_ways = {cast.attachment for cast in vpc.casts}
    for way in (*(a.id for a in vpc.transit_attachments), *gateway_endpoints(vpc)):
        back = casting.FROM_HUB if way in casting_ways else ()
        yield NftChain(f"{checked(way)}-source", (*back, "ip saddr @cidrs drop", "ip6 saddr @cidrs6 drop", "accept"))


def _fabric(vpc: Vpc) -> Iterator[str]:
    """What guests may ask of the VPC itself, whatever their groups say."""
    yield f"{_NEIGHBOURHOOD} ip6 hoplimit 255 accept"
    if vpc.dns_support and vpc.ipv6_cidrs:
        for protocol in ("udp", "tcp"):
            yield f"iifname . ip6 saddr @addresses6 ip6 daddr {RESOLVER6} {protocol} dport 53 accept"
    yield "meta nfproto != ipv4 drop"
    yield "iifname . ip saddr != @addresses drop"
    yield f"ip daddr {METADATA} tcp dport 80 accept"
    if vpc.dns_support:
        where = ", ".join(a for a in resolver_addresses(vpc) if ":" not in a)
        yield f"ip daddr {{ {where} }} udp dport 53 accept"
        yield f"ip daddr {{ {where} }} tcp dport 53 accept"


def _acl_chains(vpc: Vpc) -> Iterator[NftChain]:
    acls = {a.id: a for a in vpc.acls}
    for acl in vpc.acls:
        for direction, side in (("egress", "daddr"), ("ingress", "saddr")):
            entries = sorted((e for e in acl.entries if e.direction == direction), key=lambda e: e.number)
            deny = f"goto denied-{direction}"
            rules = [rule for e in entries if (rule := _entry(e, side, deny))]
            yield NftChain(f"{checked(acl.id)}-{direction}", (*rules, deny))
    for s in vpc.subnets:
        if not s.network_acl:
            continue
        if s.network_acl not in acls:
            raise PlaneError(f"Subnet {s.id} obeys network ACL {s.network_acl}, which its VPC does not have.")
        # Inside a subnet a network ACL has no say: only where the other side is elsewhere.
        yield NftChain(f"{checked(s.id)}-egress", (
            f"oifname @{_inside(s)} return", f"goto {checked(s.network_acl)}-egress"))
        yield NftChain(f"{checked(s.id)}-ingress", (
            f"iifname @{_inside(s)} return", f"goto {checked(s.network_acl)}-ingress"))


def _entry(entry: AclEntry, side: str, deny: str) -> str:
    peer, what = block(entry.cidr), match(entry.protocol, entry.from_port, entry.to_port)
    if peer is None:
        raise PlaneError(f"Entry {entry.number} names {entry.cidr!r}, which is no network.")
    return _line(side, peer, what, "return" if entry.allow else deny)


def _rules(vpc: Vpc, group: SecurityGroup, direction: str, side: str) -> Iterator[str]:
    verdict = "goto admit" if direction == "egress" else "accept"
    lines = [line for r in group.rules if r.direction == direction for line in _rule(vpc, r, side, verdict)]
    yield from dict.fromkeys(filter(None, lines))


def _rule(vpc: Vpc, rule: Rule, side: str, verdict: str) -> Iterator[str]:
    what, peer = match(rule.protocol, rule.from_port, rule.to_port), block(rule.peer)
    if peer is not None:
        yield _line(side, peer, what, verdict)
        return
    if rule.peer in {*(g.id for g in vpc.groups), *(g.id for g in vpc.peer_groups)}:
        name = _members(rule.peer)
    elif any(p.id == rule.peer for p in vpc.prefix_lists):
        name = _prefixes(rule.peer)
    else:
        return  # what is gone: no packet here can match
    for version, where in ((4, f"ip {side} @{name}"), (6, f"ip6 {side} @{name}/6")):
        if what.possible(version):
            yield " ".join(filter(None, (where, what.text(), verdict)))
    passing = ", ".join(f'"{link_name(i.id)}"' for i in relays(vpc) if rule.peer in i.groups)
    if passing and side == "saddr":
        yield " ".join(filter(None, (f"iifname {{ {passing} }}", what.text(), verdict)))


def _line(side: str, peer: Network, what: Match, verdict: str) -> str:
    if not what.possible(peer.version):
        return ""
    ip = "ip" if peer.version == 4 else "ip6"
    where = f"{ip} {side} {peer}" if peer.prefixlen else f"meta nfproto ipv{peer.version}"
    return " ".join(filter(None, (where, what.text(), verdict)))


def _eni_chains(eni: Interface, groups: set[str]) -> Iterator[NftChain]:
    for direction in ("egress", "ingress"):
        jumps = tuple(f"jump {checked(g)}-{direction}" for g in eni.groups if g in groups)
        yield NftChain(f"{_eni(eni)}-{direction}", (*jumps, f"goto denied-{direction}"))
        if eni.rate_mbit:
            rate = eni.rate_mbit * 125
            yield NftChain(f"{_eni(eni)}-rate-{direction}", (
                f"limit rate over {rate} kbytes/second burst {max(64, rate // 8)} kbytes drop",))


def _quoted(way_id: str) -> str:
    return f'"{tunnel_name(way_id)}"'


def _eni(eni: Interface) -> str:
    return checked(eni.id)


def _members(group_id: str) -> str:
    return f"members-{checked(group_id)}"


def _prefixes(list_id: str) -> str:
    return f"prefixes-{checked(list_id)}"


def _inside(subnet: Subnet) -> str:
    return f"inside-{checked(subnet.id)}"
