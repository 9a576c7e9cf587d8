"""How a VPC's records say what is beyond its own subnets, as the network plane wants it; pure.

Gateways, peered VPCs, endpoints and prefix lists. What has no other end is left out: routes to it are black holes.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from cloudjar.kit.db import Db
from cloudjar.planes.network import port
from cloudjar.services.ec2.egress_only_gateways.records import EgressOnlyGateway
from cloudjar.services.ec2.internet_gateways.records import InternetGateway
from cloudjar.services.ec2.nat_gateways.records import NatGateway
from cloudjar.services.ec2.network_interfaces.records import NetworkInterface
from cloudjar.services.ec2.prefix_lists.records import PrefixList
from cloudjar.services.ec2.prefix_lists.references import GATEWAY_SERVICES, aws_list, aws_list_id
from cloudjar.services.ec2.route_tables.records import Route, RouteTable
from cloudjar.services.ec2.security_groups.records import SecurityGroupRule
from cloudjar.services.ec2.security_groups.within import rules_in
from cloudjar.services.ec2.subnets.records import Subnet
from cloudjar.services.ec2.transit_gateways.routing import attached
from cloudjar.services.ec2.vpc_endpoint_services.finding import is_own
from cloudjar.services.ec2.vpc_endpoint_services.leading import links
from cloudjar.services.ec2.vpc_endpoints.records import VpcEndpoint
from cloudjar.services.ec2.vpc_peering.finding import peerings_of
from cloudjar.services.ec2.vpc_peering.records import Peering
from cloudjar.services.ec2.vpcs.records import Vpc


class Ways(NamedTuple):
    """The ways out of a VPC."""

    vpc: Vpc
    live: frozenset[str]
    """Interfaces that are laid out."""
    internet_gateway: str
    egress_only_gateway: str
    nat_gateways: tuple[port.NatGateway, ...]
    peerings: tuple[port.Peering, ...]
    peer_groups: tuple[port.PeerGroup, ...]
    prefix_lists: tuple[port.PrefixList, ...]
    endpoints: tuple[port.Endpoint, ...]
    endpoint_routes: dict[str, tuple[port.Route, ...]]
    """Routes of gateway endpoints, by route table."""
    transit_attachments: tuple[port.TransitAttachment, ...]

    @property
    def active(self) -> frozenset[str]:
        """The peering connections that carry packets."""
        return frozenset(peering.id for peering in self.peerings)

    def routes(self, table: RouteTable) -> tuple[port.Route, ...]:
        """A route table's rows: the VPC's own blocks first."""
        own = (*self.vpc.cidrs, *self.vpc.ipv6_cidrs)
        local = tuple(port.Route(destination=block.cidr, kind="local") for block in own)
        return (*local, *(self._route(route) for route in table.routes), *self.endpoint_routes.get(table.id, ()))

    def _route(self, route: Route) -> port.Route:
        for kind, target, there in self._targets(route):
            if target and there:
                return port.Route(destination=route.destination, kind=kind, target=target)
        return port.Route(destination=route.destination, kind="blackhole")

    def _targets(self, route: Route) -> Iterator[tuple[port.TargetKind, str, bool]]:
        nats = {gateway.id for gateway in self.nat_gateways}
        yield "internet-gateway", route.gateway_id, route.gateway_id == self.internet_gateway
        yield "interface", route.interface_id, route.interface_id in self.live
        yield "nat-gateway", route.nat_gateway_id, route.nat_gateway_id in nats
        yield "peering", route.peering_id, route.peering_id in self.active
        yield "egress-only-gateway", route.egress_only_id, route.egress_only_id == self.egress_only_gateway
        transits = {item.gateway for item in self.transit_attachments}
        yield "transit-gateway", route.transit_gateway_id, route.transit_gateway_id in transits


def ways(db: Db, vpc: Vpc, live: set[str], hosts: Mapping[str, str]) -> Ways:
    """Read them. `live` are the interfaces that are laid out, `hosts` says where AWS's services answer."""
    gateways = db[InternetGateway].all(vpc_id=vpc.id)
    egress = db[EgressOnlyGateway].all(vpc_id=vpc.id)
    endpoints = [e for e in db[VpcEndpoint].all(vpc_id=vpc.id) if e.state == "available" or is_own(e.service)]
    peerings = peerings_of(db, vpc.id)
    routes = _endpoint_routes(endpoints)
    return Ways(
        vpc,
        frozenset(live),
        gateways[0].id if gateways else "",
        egress[0].id if egress else "",
        tuple(
            port.NatGateway(id=gateway.id, interface=gateway.interface_id, addresses=gateway.translating)
            for gateway in db[NatGateway].all(vpc_id=vpc.id)
            if gateway.state == "available"
        ),
        tuple(_peering(db, peering, vpc) for peering in peerings),
        tuple(_peer_groups(db, vpc, peerings)),
        tuple(_prefix_lists(db, vpc, routes, hosts)),
        tuple(_endpoint(db, endpoint, live) for endpoint in endpoints),
        routes,
        attached(db, vpc.id),
    )


def _peering(db: Db, peering: Peering, vpc: Vpc) -> port.Peering:
    side = peering.other(vpc.id)
    subnets = db.at(side.account, side.region)[Subnet].all(vpc_id=side.vpc_id) if side.region == vpc.region else ()
    zones = tuple((cidr, s.zone_id) for s in subnets for cidr in (s.cidr, s.ipv6_cidr) if cidr)
    return port.Peering(id=peering.id, vpc=side.vpc_id, cidrs=(*side.cidrs, *side.ipv6_cidrs), zones=zones,
                        abroad=side.region != vpc.region)  # fmt: skip


def _peer_groups(db: Db, vpc: Vpc, peerings: list[Peering]) -> Iterator[port.PeerGroup]:
    """The groups of peered VPCs that rules here name, with their members as they are now."""
    named = {rule.peer_group: rule for rule in db[SecurityGroupRule].all(vpc_id=vpc.id) if rule.peering}
    active = {peering.id: peering for peering in peerings}
    for group, rule in sorted(named.items()):
        if rule.peering in active:
            side = active[rule.peering].other(vpc.id)
            enis = db.at(side.account, side.region)[NetworkInterface].all(vpc_id=side.vpc_id)
            wearing = [eni for eni in enis if eni.powered and group in eni.groups]
            members = (ip for eni in wearing for ip in (*(a.ip for a in eni.addresses), *eni.ipv6))
            yield port.PeerGroup(id=group, members=tuple(members))


def _prefix_lists(
    db: Db, vpc: Vpc, routes: dict[str, tuple[port.Route, ...]], hosts: Mapping[str, str]
) -> Iterator[port.PrefixList]:
    named = {rule.prefix_list for rule in rules_in(db, vpc.id) if rule.prefix_list}
    for table in db[RouteTable].all(vpc_id=vpc.id):
        named |= {route.destination for route in table.routes if route.destination.startswith("pl-")}
    named |= {route.destination for rows in routes.values() for route in rows}
    own = {aws_list_id(vpc.region, service): service for service in GATEWAY_SERVICES}
    for key in sorted(named):
        found = aws_list(vpc.region, own[key], hosts[own[key]]) if key in own else db[PrefixList].get(key)
        if found is not None:
            yield port.PrefixList(id=key, cidrs=tuple(entry.cidr for entry in found.entries))


def _endpoint(db: Db, endpoint: VpcEndpoint, live: set[str]) -> port.Endpoint:
    kind = endpoint.type == "Interface"
    return port.Endpoint(
        id=endpoint.id,
        kind=("service" if is_own(endpoint.service) else "interface") if kind else "gateway",
        interfaces=tuple(i for i in endpoint.interfaces if i in live) if kind else (),
        links=links(db, endpoint, live),
    )


def _endpoint_routes(endpoints: list[VpcEndpoint]) -> dict[str, tuple[port.Route, ...]]:
    found: dict[str, tuple[port.Route, ...]] = {}
    for endpoint in endpoints:
        where = aws_list_id(endpoint.region, endpoint.service.rpartition(".")[2])
        for table in endpoint.route_tables:
            row = port.Route(destination=where, kind="endpoint", target=endpoint.id)
            found[table] = (*found.get(table, ()), row)
    return found
