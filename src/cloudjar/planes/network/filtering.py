"""A VPC's packet filter: security groups, network ACLs, source checks and 1:1 NAT as nftables; pure.

Reading order of a packet: `source` (before conntrack: may this interface speak for this address),
`routing` (which route table), `public-in`, then `forwarding` (network ACLs, then tracked flows, then
groups), then `public-out`. Everything not said here is dropped without an answer.
"""

from __future__ import annotations

from collections.abc import Iterator

from cloudjar.base.errors import PlaneError
from cloudjar.planes.network.match import block, match
from cloudjar.planes.network.port import AclEntry, Interface, Rule, SecurityGroup, Subnet, Vpc
from cloudjar.planes.network.ruleset import NftChain, NftSet, Ruleset
from cloudjar.planes.network.site import Site, address, checked, link_name, network, number

GATEWAY_LINK = "igw"
METADATA = "169.254.169.254"
RESOLVER = "169.254.169.253"


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
    """Where the VPC's resolver listens: the base of the first CIDR plus two, and its link-local address."""
    return (str(network(vpc.cidrs[0])[2]), RESOLVER)


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
    subnets = {s.id: s for s in vpc.subnets}
    names = {i.id: f'"{link_name(i.id)}"' for i in enis}
    yield NftSet("addresses", "ifname . ipv4_addr", tuple(
        (f"{names[i.id]} . {address(private)}", "") for i in enis for private, _ in i.private))
    yield NftSet("unchecked", "ifname", tuple((names[i.id], "") for i in enis if not i.source_dest_check))
    yield NftSet("cidrs", "ipv4_addr", tuple((str(network(c)), "") for c in vpc.cidrs), flags="interval")
    yield NftSet("tables", "ifname", tuple(
        (names[i.id], f"{table_number(_subnet(subnets, i).route_table):#010x}") for i in enis
        if _subnet(subnets, i).route_table), mapped="mark")
    public = published(vpc)
    yield NftSet("public", "ipv4_addr", tuple((p, "") for p, _ in public))
    yield NftSet("translated", "ipv4_addr", tuple((q, "") for _, q in public))
    yield NftSet("public-to-private", "ipv4_addr", public, mapped="ipv4_addr")
    yield NftSet("private-to-public", "ipv4_addr", tuple((q, p) for p, q in public), mapped="ipv4_addr")
    yield from _subnet_sets(vpc, enis, names)
    for direction in ("egress", "ingress"):
        yield NftSet(f"groups-{direction}", "ifname", tuple(
            (names[i.id], f"goto {_eni(i)}-{direction}") for i in enis), mapped="verdict")
        yield NftSet(f"shaped-{direction}", "ifname", tuple(
            (names[i.id], f"jump {_eni(i)}-rate-{direction}") for i in enis if i.rate_mbit), mapped="verdict")
    for group in vpc.groups:
        yield NftSet(_members(group.id), "ipv4_addr", tuple(
            (str(address(private)), "") for i in enis if group.id in i.groups for private, _ in i.private))


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
    yield NftChain("source", (
        "meta nfproto != ipv4 drop",
        'iifname "lo" accept',
        f"iifname {gateway} ip saddr @cidrs drop",
        f"iifname {gateway} ip daddr @public accept",
        "iifname . ip saddr @addresses accept",
        "iifname @unchecked accept",
        "drop",
    ), "type filter hook prerouting priority raw; policy accept;")
    yield NftChain("routing", ("meta mark set iifname map @tables",),
                   "type filter hook prerouting priority mangle; policy accept;")
    yield NftChain("public-in", (f"iifname {gateway} dnat ip to ip daddr map @public-to-private",),
                   "type nat hook prerouting priority dstnat; policy accept;")
    yield NftChain("public-out", (f"oifname {gateway} snat ip to ip saddr map @private-to-public",),
                   "type nat hook postrouting priority srcnat; policy accept;")
    yield NftChain("fabric", tuple(_fabric(vpc)), "type filter hook input priority filter; policy drop;")
    yield NftChain("forwarding", (
        "ip daddr 169.254.0.0/16 drop",
        f"oifname {gateway} ip saddr != @translated drop",
        f"oifname != {gateway} oifname != @unchecked oifname . ip daddr != @addresses drop",
        "iifname vmap @shaped-egress",
        "oifname vmap @shaped-ingress",
        "iifname vmap @acls-egress",
        "oifname vmap @acls-ingress",
        "ct state established,related accept",
        f"iifname {gateway} goto admit",
        "iifname vmap @groups-egress",
    ), "type filter hook forward priority filter; policy drop;")
    yield NftChain("admit", (f"oifname {gateway} accept", "oifname vmap @groups-ingress", "drop"))
    yield from _acl_chains(vpc)
    groups = {g.id: g for g in vpc.groups}
    for group in vpc.groups:
        yield NftChain(f"{checked(group.id)}-egress", tuple(_rules(group, "egress", "daddr", groups)))
        yield NftChain(f"{checked(group.id)}-ingress", tuple(_rules(group, "ingress", "saddr", groups)))
    for i in enis:
        yield from _eni_chains(i, groups)


def _fabric(vpc: Vpc) -> Iterator[str]:
    """What guests may ask of the VPC itself, whatever their groups say."""
    yield "iifname . ip saddr != @addresses drop"
    yield f"ip daddr {METADATA} tcp dport 80 accept"
    if vpc.dns_support:
        where = ", ".join(resolver_addresses(vpc))
        yield f"ip daddr {{ {where} }} udp dport 53 accept"
        yield f"ip daddr {{ {where} }} tcp dport 53 accept"


def _acl_chains(vpc: Vpc) -> Iterator[NftChain]:
    acls = {a.id: a for a in vpc.acls}
    for acl in vpc.acls:
        for direction, side in (("egress", "daddr"), ("ingress", "saddr")):
            entries = sorted((e for e in acl.entries if e.direction == direction), key=lambda e: e.number)
            rules = [rule for e in entries if (rule := _entry(e, side))]
            yield NftChain(f"{checked(acl.id)}-{direction}", (*rules, "drop"))
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


def _entry(entry: AclEntry, side: str) -> str:
    peer, what = block(entry.cidr), match(entry.protocol, entry.from_port, entry.to_port)
    if peer is None or what is None:
        return ""
    verdict = "return" if entry.allow else "drop"
    return " ".join(filter(None, (_peer(side, str(peer)), what.text(), verdict)))


def _rules(group: SecurityGroup, direction: str, side: str, groups: dict[str, SecurityGroup]) -> Iterator[str]:
    verdict = "goto admit" if direction == "egress" else "accept"
    lines = [_rule(r, side, groups, verdict) for r in group.rules if r.direction == direction]
    yield from dict.fromkeys(filter(None, lines))


def _rule(rule: Rule, side: str, groups: dict[str, SecurityGroup], verdict: str) -> str:
    what, peer = match(rule.protocol, rule.from_port, rule.to_port), block(rule.peer)
    if what is None or (peer is None and rule.peer not in groups):
        return ""  # IPv6, or a group that is gone: no packet here can match
    where = _peer(side, str(peer)) if peer is not None else f"ip {side} @{_members(rule.peer)}"
    return " ".join(filter(None, (where, what.text(), verdict)))


def _eni_chains(eni: Interface, groups: dict[str, SecurityGroup]) -> Iterator[NftChain]:
    for direction in ("egress", "ingress"):
        jumps = tuple(f"jump {checked(g)}-{direction}" for g in eni.groups if g in groups)
        yield NftChain(f"{_eni(eni)}-{direction}", (*jumps, "drop"))
        if eni.rate_mbit:
            rate = eni.rate_mbit * 125
            yield NftChain(f"{_eni(eni)}-rate-{direction}", (
                f"limit rate over {rate} kbytes/second burst {max(64, rate // 8)} kbytes drop",))


def _subnet(subnets: dict[str, Subnet], eni: Interface) -> Subnet:
    if eni.subnet not in subnets:
        raise PlaneError(f"Interface {eni.id} is in subnet {eni.subnet}, which its VPC does not have.")
    return subnets[eni.subnet]


def _peer(side: str, cidr: str) -> str:
    return "" if cidr == "0.0.0.0/0" else f"ip {side} {cidr}"


def _eni(eni: Interface) -> str:
    return checked(eni.id)


def _members(group_id: str) -> str:
    return f"members-{checked(group_id)}"


def _inside(subnet: Subnet) -> str:
    return f"inside-{checked(subnet.id)}"
