"""What the host must hold for one VPC, as data; pure.

A VPC is a namespace that routes and has no layer 2. An ENI is a pair of links: one end in the guest,
the other here with a host route; guests of one subnet reach each other through here as well, so that
one filter sees every packet. See README.md for the picture.
"""

from __future__ import annotations

from typing import Literal

import msgspec

from cloudjar.base.errors import PlaneError
from cloudjar.planes.network import casting, crossing
from cloudjar.planes.network.filtering import (
    EDGE_VIA,
    GATEWAY_LINK,
    METADATA,
    OUTWARD_VIA,
    RELAY_MARK,
    gateway_endpoints,
    own_addresses,
    published,
    relay_number,
    relays,
    resolver_addresses,
    ruleset,
    table_number,
    translators,
)
from cloudjar.planes.network.port import Interface, Route, RouteTable, Vpc
from cloudjar.planes.network.routing import nat_interface, networks, rows, translating
from cloudjar.planes.network.ruleset import Ruleset, render
from cloudjar.planes.network.site import (
    Network,
    Site,
    address,
    any_address,
    either,
    link_name,
    mac,
    network,
    number,
    tunnel_name,
)
from cloudjar.planes.network.sixfour import SIX_VIA

MAIN_TABLE = 254
RULE_PREFERENCE = 33000
"""After the kernel's main table, which holds the VPC's own routes: local always wins."""
RELAY_PREFERENCE = 32000
"""Before the main table: what answers a relayed flow goes to who relayed it, though its address be next door."""
GUEST_MTU = 9001
INTERNET_MTU = 1500
TRANSIT_MTU = 8500
FABRIC6 = "fe80::1"
"""The fabric's own address on every ENI's link: the guests' IPv6 router."""
HUB_VIA = {4: "169.254.255.1", 6: "fe80::a"}
"""The far end of every tunnel, seen from the VPC, by IP version."""
VPC_VIA = {4: "169.254.255.2", 6: "fe80::b"}
"""The VPC's end of a tunnel, seen from the other side."""


class Link(msgspec.Struct, frozen=True, kw_only=True):
    """An attached ENI: `name` is the VPC's end, `device` the guest's."""

    name: str
    interface: str
    guest: str
    namespace: str
    device: str
    mac: str
    address: str
    """The primary private address with the subnet's prefix length."""
    router: str
    metric: int
    role: Literal["", "nat", "endpoint", "service"] = ""
    ipv6: tuple[str, ...] = ()
    translates: tuple[str, ...] = ()
    """A NAT gateway's addresses for new connections."""
    sixfour: bool = False
    """It is a NAT gateway to which IPv6 is routed."""

    @property
    def identity(self) -> str:
        """What is written on the VPC's end once the guest's end is complete; IPv6 addresses come and go, and so do
        those that a NAT gateway translates to, and what it translates."""
        role = f" {self.role}" if self.role else ""
        return f"{self.interface} {self.guest} {self.device} {self.mac} {self.address}{role}"


class Tunnel(msgspec.Struct, frozen=True, kw_only=True):
    """A link that is no ENI's: `name` is the VPC's end, `device` the other, in a hub or in an endpoint's namespace."""

    name: str
    kind: Literal["peering", "transit", "endpoint"]
    way: str
    """The id of what it leads to: peering connection, attachment, endpoint."""
    hub: str
    """Whose namespace the other end is in: peering connection, transit gateway, endpoint."""
    namespace: str
    device: str
    mac: str
    far_mac: str
    mtu: int
    cidrs: tuple[str, ...]
    """The VPC's own blocks, which the far end reaches through here."""

    @property
    def identity(self) -> str:
        """What is written on the VPC's end once the far end is complete."""
        return f"{self.way} {self.hub} {self.mac} {' '.join(self.cidrs)}"[:255]


class PathWay(msgspec.Struct, frozen=True, kw_only=True):
    """A kernel route: `device` is empty for a black hole, `via` for what is on the link itself. `more` are further
    devices that share its connections."""

    table: int
    target: str
    kind: Literal["unicast", "blackhole"] = "unicast"
    device: str = ""
    via: str = ""
    more: tuple[str, ...] = ()


class Neighbour(msgspec.Struct, frozen=True):
    """A permanent neighbour entry: nobody has to ask, and nobody can lie."""

    device: str
    address: str
    mac: str


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that one VPC puts on a host."""

    vpc: str
    namespace: str
    links: tuple[Link, ...]
    tunnels: tuple[Tunnel, ...]
    addresses: tuple[str, ...]
    """Addresses of the fabric itself (routers, resolver, metadata), on the namespace's loopback."""
    routes: tuple[PathWay, ...]
    marks: tuple[int, ...]
    """Packets with this mark obey the routing table of this number."""
    neighbours: tuple[Neighbour, ...]
    gateway: bool
    uplink: str
    gateway_mac: str
    public: tuple[tuple[str, str], ...]
    """(public address, hardware address of the gateway that answers for it), for the host."""
    public6: tuple[str, ...]
    """IPv6 blocks that the edge finds behind the gateway, at `edge_address`."""
    edge_address: str
    metadata: str
    resolvers: tuple[str, ...]
    rules: Ruleset
    crossing: tuple[str, ...] = ()
    """Rules that count what passes between zones."""
    copies: str = ""
    """Tables that copy multicasts; empty without any."""


SYSCTLS = (
    ("net/ipv4/ip_forward", "1"),
    ("net/ipv4/conf/all/rp_filter", "0"),
    ("net/ipv4/conf/default/rp_filter", "0"),
    # The fabric answers every ARP question itself, for it knows who is where.
    ("net/ipv4/conf/all/proxy_arp", "1"),
    ("net/ipv4/conf/all/accept_redirects", "0"),
    ("net/ipv4/conf/default/accept_redirects", "0"),
    ("net/ipv4/conf/all/send_redirects", "0"),
    ("net/ipv4/conf/default/send_redirects", "0"),
    # A flow that is already running when its rules change keeps its entry, whatever its windows.
    ("net/netfilter/nf_conntrack_tcp_be_liberal", "1"),
)
"""Of every VPC's namespace, written when this process first touches it."""

SYSCTLS_IPV6 = (
    ("net/ipv6/conf/default/disable_ipv6", "0"),
    ("net/ipv6/conf/all/disable_ipv6", "0"),
    ("net/ipv6/conf/all/forwarding", "1"),
    # Every address and route is given: links make none up, and believe no one.
    ("net/ipv6/conf/default/addr_gen_mode", "1"),
    ("net/ipv6/conf/default/accept_ra", "0"),
    ("net/ipv6/conf/default/accept_dad", "0"),
    ("net/ipv6/conf/all/accept_redirects", "0"),
    ("net/ipv6/conf/default/accept_redirects", "0"),
)
"""Likewise, where the kernel has IPv6 at all."""


def plan(vpc: Vpc, site: Site) -> Plan:
    """Lay one VPC out. Raises `PlaneError` for a VPC that contradicts itself."""
    if not vpc.cidrs:
        raise PlaneError(f"{vpc.id} has no CIDR block.")
    links = tuple(_link(vpc, i, site) for i in vpc.interfaces if i.guest)
    _refuse_shared_devices(links)
    _refuse_strangers(vpc)
    public = published(vpc)
    gateway_mac = mac("gateway", f"{site.tag} {vpc.id}")
    return Plan(
        vpc=vpc.id,
        namespace=site.vpc_namespace(vpc.id),
        links=links,
        tunnels=_tunnels(vpc, site),
        addresses=_fabric_addresses(vpc),
        routes=_routes(vpc, site),
        marks=(*dict.fromkeys(table_number(t.id) for t in vpc.route_tables),
               *(relay_number(i.id) for i in relays(vpc))),
        neighbours=_neighbours(vpc, site),
        gateway=bool(vpc.internet_gateway or vpc.egress_only_gateway),
        uplink=site.uplink(vpc.id),
        gateway_mac=gateway_mac,
        public=tuple((p, gateway_mac) for p, _ in _in_pool(public, site)),
        public6=_blocks6(vpc, site),
        edge_address=edge_address(vpc.id),
        metadata=METADATA,
        resolvers=resolver_addresses(vpc) if vpc.dns_support else (),
        rules=ruleset(vpc, site),
        crossing=crossing.rules(vpc),
        copies=casting.vpc_copies(vpc, site) if vpc.casts else "",
    )


def _link(vpc: Vpc, eni: Interface, site: Site) -> Link:
    subnet = next((s for s in vpc.subnets if s.id == eni.subnet), None)
    if subnet is None:
        raise PlaneError(f"Interface {eni.id} is in subnet {eni.subnet}, which {vpc.id} does not have.")
    if not eni.private:
        raise PlaneError(f"Interface {eni.id} has no private address.")
    block = network(subnet.cidr)
    if any(address(private) not in block for private, _ in eni.private):
        raise PlaneError(f"Interface {eni.id} has an address outside its subnet {subnet.cidr}.")
    return Link(
        name=link_name(eni.id),
        interface=eni.id,
        guest=eni.guest,
        namespace=site.guest_namespace(eni.guest),
        device=f"eth{eni.index}",
        mac=eni.mac.lower(),
        address=f"{address(eni.private[0][0])}/{block.prefixlen}",
        router=str(block[1]),
        metric=100 * eni.index,
        role=_role(vpc, eni),
        ipv6=_addresses6(eni, subnet.ipv6_cidr),
        translates=_translates(vpc, eni),
        sixfour=eni.id in translators(vpc) and eni.id in translating(vpc),
    )


def _translates(vpc: Vpc, eni: Interface) -> tuple[str, ...]:
    gateway = next((n for n in vpc.nat_gateways if n.interface == eni.id), None)
    if gateway is None:
        return ()
    own = [private for private, _ in eni.private]
    for strange in set(gateway.addresses) - set(own):
        raise PlaneError(f"{gateway.id} has an address that its interface {eni.id} does not have: {strange}.")
    return gateway.addresses or (own[0],)


def _role(vpc: Vpc, eni: Interface) -> Literal["", "nat", "endpoint", "service"]:
    if eni.id in translators(vpc):
        return "nat"
    kind = next((endpoint.kind for endpoint in vpc.endpoints if eni.id in endpoint.interfaces), "")
    return "service" if kind == "service" else "endpoint" if kind else ""


def _addresses6(eni: Interface, cidr: str) -> tuple[str, ...]:
    mine = tuple(a for a in own_addresses(eni) if a.version == 6)
    if mine and not cidr:
        raise PlaneError(f"Interface {eni.id} has an IPv6 address, and its subnet has no IPv6 block.")
    if any(a not in either(cidr) for a in mine):
        raise PlaneError(f"Interface {eni.id} has an address outside its subnet {cidr}.")
    return tuple(str(a) for a in mine)


def edge_address(vpc_id: str) -> str:
    """Where the edge finds a VPC's gateway on the Internet's bridge."""
    n = number(vpc_id)
    return f"fe80::{n >> 16:x}:{n & 0xFFFF:x}:1"


def _blocks6(vpc: Vpc, site: Site) -> tuple[str, ...]:
    pool = either(site.pool6)
    for block in (either(c) for c in vpc.ipv6_cidrs):
        if block.version != 6 or not pool.supernet_of(block):  # type: ignore[arg-type] # one version here
            raise PlaneError(f"IPv6 block {block} is not one of this installation's pool {pool}.")
        if any_address(site.gateway6) in block:
            raise PlaneError(f"IPv6 block {block} is the installation's own.")
    outward = vpc.internet_gateway or vpc.egress_only_gateway
    return tuple(str(either(c)) for c in vpc.ipv6_cidrs) if outward else ()


def _tunnels(vpc: Vpc, site: Site) -> tuple[Tunnel, ...]:
    own = tuple(str(n) for n in networks(vpc))

    def one(kind: Literal["peering", "transit", "endpoint"], way: str, hub: str, device: str, mtu: int) -> Tunnel:
        where = site.guest_namespace(hub) if kind == "endpoint" else site.hub_namespace(hub)
        ends = (mac("tunnel", f"{site.tag} {vpc.id} {way}"), mac("far", f"{site.tag} {vpc.id} {way}"))
        return Tunnel(name=tunnel_name(way), kind=kind, way=way, hub=hub, namespace=where, device=device,
                      mac=ends[0], far_mac=ends[1], mtu=mtu, cidrs=own)

    return (
        *(one("peering", p.id, p.id, tunnel_name(vpc.id), GUEST_MTU) for p in vpc.peerings),
        *(one("transit", a.id, a.gateway, tunnel_name(a.id), TRANSIT_MTU) for a in vpc.transit_attachments),
        *(one("endpoint", e, e, "eth0", GUEST_MTU) for e in gateway_endpoints(vpc)),
    )


def _refuse_shared_devices(links: tuple[Link, ...]) -> None:
    seen: dict[tuple[str, str], str] = {}
    names: dict[str, str] = {}
    for link in links:
        other = seen.setdefault((link.guest, link.device), link.interface)
        other = names.setdefault(link.name, other)
        if other != link.interface:
            raise PlaneError(f"{link.interface} and {other} cannot both be {link.device} of {link.guest}.")


def _refuse_strangers(vpc: Vpc) -> None:
    known = {i.id for i in vpc.interfaces}
    attached = {a.id for a in vpc.transit_attachments}
    casting.refuse_twins(vpc.casts)
    for cast in vpc.casts:
        if cast.attachment not in attached:
            raise PlaneError(f"{cast.domain} is reached by {cast.attachment}, which {vpc.id} does not have.")
    used = [(e.id, i) for e in vpc.endpoints for i in e.interfaces] + [(n.id, n.interface) for n in vpc.nat_gateways]
    for owner, interface in used:
        if interface not in known:
            raise PlaneError(f"{owner} has an interface that {vpc.id} does not have: {interface}.")
    for peering in vpc.peerings:
        theirs = [either(c) for c in peering.cidrs]
        if any(own.overlaps(their) for own in networks(vpc) for their in theirs if own.version == their.version):
            raise PlaneError(f"{peering.id} joins {vpc.id} with a VPC that has the same addresses.")


def _in_pool(public: tuple[tuple[str, str], ...], site: Site) -> tuple[tuple[str, str], ...]:
    pool = network(site.pool)
    for p, _ in public:
        if address(p) not in pool or p in site.api_addresses:
            raise PlaneError(f"Public address {p} is not one of this installation's pool {site.pool}.")
    return public


def _fabric_addresses(vpc: Vpc) -> tuple[str, ...]:
    routers = [str(network(s.cidr)[1]) for s in vpc.subnets]
    return tuple(dict.fromkeys([METADATA, *resolver_addresses(vpc), *routers]))


def _routes(vpc: Vpc, site: Site) -> tuple[PathWay, ...]:
    out = [PathWay(table=MAIN_TABLE, target=str(n), kind="blackhole") for n in networks(vpc)]
    for i in vpc.interfaces:
        if i.guest:
            out += [PathWay(table=MAIN_TABLE, target=f"{a}/{a.max_prefixlen}", device=link_name(i.id))
                    for a in own_addresses(i)]
    out += [PathWay(table=MAIN_TABLE, target=f"{via}/{any_address(via).max_prefixlen}", device=link)
            for via, (link, _) in casting.vpc_hops(vpc).items()]
    for table in vpc.route_tables:
        out += _table(vpc, table, site)
    out += [PathWay(table=relay_number(i.id), target="0.0.0.0/0", device=link_name(i.id), via=i.private[0][0])
            for i in relays(vpc)]
    return tuple(out)


def preference(mark: int) -> int:
    """The place among the kernel's rules of the one for a mark."""
    return RELAY_PREFERENCE if mark & RELAY_MARK else RULE_PREFERENCE


def _table(vpc: Vpc, table: RouteTable, site: Site) -> list[PathWay]:
    number = table_number(table.id)
    wanted = {t: PathWay(table=number, target=t, kind="blackhole") for t in ("0.0.0.0/0", "::/0")}
    wanted |= {str(n): _way(vpc, site, number, n, route) for n, route in rows(vpc, table).items()}
    return list(wanted.values())


def _way(vpc: Vpc, site: Site, number: int, target: Network, route: Route) -> PathWay:
    def through(device: str, via: str) -> PathWay:
        return PathWay(table=number, target=str(target), device=device, via=via)

    match route.kind:
        case "internet-gateway":
            return through(GATEWAY_LINK, site.gateway if target.version == 4 else EDGE_VIA)
        case "egress-only-gateway":
            return through(GATEWAY_LINK, OUTWARD_VIA)
        case "peering" | "endpoint":
            return through(tunnel_name(route.target), HUB_VIA[target.version])
        case "transit-gateway":
            way = next(a.id for a in vpc.transit_attachments if a.gateway == route.target)
            return through(tunnel_name(way), HUB_VIA[target.version])
        case "interface" | "nat-gateway":
            target_id = route.target if route.kind == "interface" else nat_interface(vpc, route.target)
            eni = next(i for i in vpc.interfaces if i.id == target_id)
            via = next((str(a) for a in own_addresses(eni) if a.version == target.version), "")
            if route.kind == "nat-gateway" and target.version == 6:
                via = SIX_VIA
            if via:
                return through(link_name(eni.id), via)
    return PathWay(table=number, target=str(target), kind="blackhole")


def _neighbours(vpc: Vpc, site: Site) -> tuple[Neighbour, ...]:
    out = [
        Neighbour(link_name(i.id), str(a), i.mac.lower())
        for i in vpc.interfaces if i.guest for a in own_addresses(i)
    ]
    if vpc.internet_gateway:
        out.append(Neighbour(GATEWAY_LINK, site.gateway, site.gateway_mac))
    if _blocks6(vpc, site):
        out += [Neighbour(GATEWAY_LINK, via, site.edge_mac) for via in (EDGE_VIA, OUTWARD_VIA)]
    six = translating(vpc) if vpc.nat_gateways else set()
    out += [Neighbour(link_name(i.id), SIX_VIA, i.mac.lower()) for i in vpc.interfaces if i.id in six]
    for tunnel in _tunnels(vpc, site):
        out += [Neighbour(tunnel.name, via, tunnel.far_mac) for via in HUB_VIA.values()]
    out += [Neighbour(link, via, hop) for via, (link, hop) in casting.vpc_hops(vpc).items()]
    return tuple(out)


def show(wanted: Plan) -> str:
    """The plan as text that a person can read and a test can keep."""
    out = [f"vpc {wanted.vpc} namespace {wanted.namespace}"]
    if wanted.gateway:
        out.append(f"gateway {wanted.uplink} mac {wanted.gateway_mac}")
    out += [f"public {p} at {m}" for p, m in wanted.public]
    out += [f"public {c} at {wanted.edge_address}" for c in wanted.public6]
    out += [f"fabric {a}" for a in wanted.addresses]
    for k in wanted.links:
        out.append(f"link {k.name} guest {k.guest} {k.device} {k.mac} {k.address} via {k.router} metric {k.metric}"
                   + "".join(f" {w}" for w in (k.role, "and IPv6" if k.sixfour else "", *k.ipv6) if w))
    out += [f"tunnel {t.name} {t.kind} {t.way} to {t.device} of {t.hub} mac {t.mac} far {t.far_mac} mtu {t.mtu}"
            for t in wanted.tunnels]
    for r in wanted.routes:
        table = "main" if r.table == MAIN_TABLE else f"{r.table:#x}"
        way = f"dev {r.device}" + (f" via {r.via}" if r.via else "") if r.device else r.kind
        out.append(f"route {table} {r.target} {way}")
    out += [f"mark {m:#x} table {m:#x}" for m in wanted.marks]
    out += [f"neighbour {n.address} {n.mac} dev {n.device}" for n in wanted.neighbours]
    out += [f"resolver {r}" for r in wanted.resolvers]
    return "\n".join(out) + "\n" + render(wanted.rules) + wanted.copies
