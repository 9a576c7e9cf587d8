"""What the host must hold for one VPC, as data; pure.

A VPC is a namespace that routes and has no layer 2. An ENI is a pair of links: one end in the guest,
the other here with a host route; guests of one subnet reach each other through here as well, so that
one filter sees every packet. See README.md for the picture.
"""

from __future__ import annotations

from typing import Literal

import msgspec

from cloudjar.base.errors import PlaneError
from cloudjar.planes.network.filtering import (
    GATEWAY_LINK,
    METADATA,
    RESOLVER,
    published,
    resolver_addresses,
    ruleset,
    table_number,
)
from cloudjar.planes.network.port import Interface, Route, RouteTable, Vpc
from cloudjar.planes.network.ruleset import Ruleset, render
from cloudjar.planes.network.site import Site, address, link_name, mac, network

MAIN_TABLE = 254
RULE_PREFERENCE = 33000
"""After the kernel's main table, which holds the VPC's own routes: local always wins."""
GUEST_MTU = 9001
INTERNET_MTU = 1500


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

    @property
    def identity(self) -> str:
        """What is written on the VPC's end once the guest's end is complete."""
        return f"{self.interface} {self.guest} {self.device} {self.mac} {self.address}"


class PathWay(msgspec.Struct, frozen=True, kw_only=True):
    """A kernel route: `device` is empty for a black hole, `via` for what is on the link itself."""

    table: int
    target: str
    kind: Literal["unicast", "blackhole"] = "unicast"
    device: str = ""
    via: str = ""


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
    metadata: str
    resolvers: tuple[str, ...]
    rules: Ruleset


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
    ("net/ipv6/conf/all/disable_ipv6", "1"),
    ("net/ipv6/conf/default/disable_ipv6", "1"),
)
"""Likewise, where the kernel has IPv6 at all."""


def plan(vpc: Vpc, site: Site) -> Plan:
    """Lay one VPC out. Raises `PlaneError` for a VPC that contradicts itself."""
    if not vpc.cidrs:
        raise PlaneError(f"{vpc.id} has no CIDR block.")
    links = tuple(_link(vpc, i, site) for i in vpc.interfaces if i.guest)
    _refuse_shared_devices(links)
    public = published(vpc)
    gateway_mac = mac("gateway", f"{site.tag} {vpc.id}")
    return Plan(
        vpc=vpc.id,
        namespace=site.vpc_namespace(vpc.id),
        links=links,
        addresses=_fabric_addresses(vpc),
        routes=_routes(vpc, site),
        marks=tuple(dict.fromkeys(table_number(t.id) for t in vpc.route_tables)),
        neighbours=_neighbours(vpc, site),
        gateway=bool(vpc.internet_gateway),
        uplink=site.uplink(vpc.id),
        gateway_mac=gateway_mac,
        public=tuple((p, gateway_mac) for p, _ in _in_pool(public, site)),
        metadata=METADATA,
        resolvers=resolver_addresses(vpc) if vpc.dns_support else (),
        rules=ruleset(vpc, site),
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
    )


def _refuse_shared_devices(links: tuple[Link, ...]) -> None:
    seen: dict[tuple[str, str], str] = {}
    names: dict[str, str] = {}
    for link in links:
        other = seen.setdefault((link.guest, link.device), link.interface)
        other = names.setdefault(link.name, other)
        if other != link.interface:
            raise PlaneError(f"{link.interface} and {other} cannot both be {link.device} of {link.guest}.")


def _in_pool(public: tuple[tuple[str, str], ...], site: Site) -> tuple[tuple[str, str], ...]:
    pool = network(site.pool)
    for p, _ in public:
        if address(p) not in pool or p == site.gateway:
            raise PlaneError(f"Public address {p} is not one of this installation's pool {site.pool}.")
    return public


def _fabric_addresses(vpc: Vpc) -> tuple[str, ...]:
    routers = [str(network(s.cidr)[1]) for s in vpc.subnets]
    return tuple(dict.fromkeys([METADATA, RESOLVER, str(network(vpc.cidrs[0])[2]), *routers]))


def _routes(vpc: Vpc, site: Site) -> tuple[PathWay, ...]:
    out = [PathWay(table=MAIN_TABLE, target=str(network(c)), kind="blackhole") for c in vpc.cidrs]
    for i in vpc.interfaces:
        if i.guest:
            out += [PathWay(table=MAIN_TABLE, target=f"{private}/32", device=link_name(i.id))
                    for private, _ in i.private]
    for table in vpc.route_tables:
        out += _table(vpc, table, site)
    return tuple(out)


def _table(vpc: Vpc, table: RouteTable, site: Site) -> list[PathWay]:
    number = table_number(table.id)
    wanted = {"0.0.0.0/0": PathWay(table=number, target="0.0.0.0/0", kind="blackhole")}
    for route in table.routes:
        if route.kind == "local" or ":" in route.destination:
            continue
        target = str(network(route.destination))
        wanted[target] = _way(vpc, site, number, target, route)
    return list(wanted.values())


def _way(vpc: Vpc, site: Site, number: int, target: str, route: Route) -> PathWay:
    if route.kind == "internet-gateway" and vpc.internet_gateway:
        return PathWay(table=number, target=target, device=GATEWAY_LINK, via=site.gateway)
    if route.kind == "interface":
        eni = next((i for i in vpc.interfaces if i.id == route.target and i.guest), None)
        if eni is not None:
            return PathWay(table=number, target=target, device=link_name(eni.id), via=eni.private[0][0])
    return PathWay(table=number, target=target, kind="blackhole")


def _neighbours(vpc: Vpc, site: Site) -> tuple[Neighbour, ...]:
    out = [
        Neighbour(link_name(i.id), private, i.mac.lower())
        for i in vpc.interfaces if i.guest for private, _ in i.private
    ]
    if vpc.internet_gateway:
        out.append(Neighbour(GATEWAY_LINK, site.gateway, site.gateway_mac))
    return tuple(out)


def show(wanted: Plan) -> str:
    """The plan as text that a person can read and a test can keep."""
    out = [f"vpc {wanted.vpc} namespace {wanted.namespace}"]
    if wanted.gateway:
        out.append(f"gateway {wanted.uplink} mac {wanted.gateway_mac}")
    out += [f"public {p} at {m}" for p, m in wanted.public]
    out += [f"fabric {a}" for a in wanted.addresses]
    for k in wanted.links:
        out.append(f"link {k.name} guest {k.guest} {k.device} {k.mac} {k.address} via {k.router} metric {k.metric}")
    for r in wanted.routes:
        table = "main" if r.table == MAIN_TABLE else f"{r.table:#x}"
        way = f"dev {r.device}" + (f" via {r.via}" if r.via else "") if r.device else r.kind
        out.append(f"route {table} {r.target} {way}")
    out += [f"mark {m:#x} table {m:#x}" for m in wanted.marks]
    out += [f"neighbour {n.address} {n.mac} dev {n.device}" for n in wanted.neighbours]
    out += [f"resolver {r}" for r in wanted.resolvers]
    return "\n".join(out) + "\n" + render(wanted.rules)
