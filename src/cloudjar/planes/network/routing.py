"""Where a route table sends a packet; pure.

The same reading serves the kernel's tables and reachability answers.
"""

from __future__ import annotations

from cloudjar.planes.network.port import Route, RouteTable, Subnet, Vpc
from cloudjar.planes.network.site import Address, Network, either
from cloudjar.planes.network.sixfour import is_translated


def networks(vpc: Vpc) -> tuple[Network, ...]:
    """The VPC's own blocks, both families: what is *local* to it."""
    return tuple(either(c) for c in (*vpc.cidrs, *vpc.ipv6_cidrs))


def rows(vpc: Vpc, table: RouteTable) -> dict[Network, Route]:
    """The table's routes by network, prefix lists spelled out; routes to what is not there are black holes.

    A route of one's own comes before the same network in a prefix list.
    """
    lists = {p.id: p.cidrs for p in vpc.prefix_lists}
    out: dict[Network, Route] = {}
    for route in sorted(table.routes, key=lambda r: "/" in r.destination):
        if route.kind == "local":
            continue
        nowhere = Route(destination=route.destination, kind="blackhole")
        for cidr in (route.destination,) if "/" in route.destination else lists.get(route.destination, ()):
            out[either(cidr)] = route if _works(vpc, route, either(cidr)) else nowhere
    return out


_FAMILY = {"egress-only-gateway": 6, "endpoint": 4}
"""The IP version of what a kind of target carries; both where nothing is said."""


def _works(vpc: Vpc, route: Route, where: Network) -> bool:
    target, version = route.target, where.version
    if _FAMILY.get(route.kind, version) != version:
        return False
    match route.kind:
        case "internet-gateway":
            return bool(vpc.internet_gateway)
        case "egress-only-gateway":
            return bool(vpc.egress_only_gateway)
        case "interface":
            return any(i.id == target and i.guest and (version == 4 or i.ipv6) for i in vpc.interfaces)
        case "nat-gateway":
            return (version == 4 or is_translated(where)) and nat_interface(vpc, target) != ""
        case "peering":
            return any(p.id == target for p in vpc.peerings)
        case "transit-gateway":
            return any(a.gateway == target for a in vpc.transit_attachments)
        case "endpoint":
            return any(e.id == target and e.kind == "gateway" for e in vpc.endpoints)
    return False


def nat_interface(vpc: Vpc, gateway_id: str) -> str:
    """The id of a NAT gateway's attached ENI; empty when there is none."""
    wanted = {n.interface for n in vpc.nat_gateways if n.id == gateway_id}
    return next((i.id for i in vpc.interfaces if i.id in wanted and i.guest), "")


def route_for(vpc: Vpc, subnet: Subnet, target: Address) -> Route | None:
    """The most specific route for a packet that leaves a subnet; None where there is none that works."""
    if any(target in n for n in networks(vpc) if n.version == target.version):
        return Route(destination="local", kind="local")
    table = next((t for t in vpc.route_tables if t.id == subnet.route_table), None)
    if table is None:
        return None
    found = {n: r for n, r in rows(vpc, table).items() if n.version == target.version and target in n}
    best = max(found, key=lambda n: n.prefixlen, default=None)
    route = found[best] if best is not None else None
    return route if route is not None and route.kind != "blackhole" else None


def translating(vpc: Vpc) -> set[str]:
    """The ids of the ENIs of NAT gateways that IPv6 is routed to."""
    led = {route.target for table in vpc.route_tables for where, route in rows(vpc, table).items()
           if where.version == 6 and route.kind == "nat-gateway"}
    return {nat_interface(vpc, gateway) for gateway in led}
