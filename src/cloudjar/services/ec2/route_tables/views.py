"""Route tables in AWS's words: with what other records say of them, loaded once for all."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from cloudjar.kit import tags
from cloudjar.kit.db import Db
from cloudjar.services.ec2.egress_only_gateways.records import EgressOnlyGateway
from cloudjar.services.ec2.internet_gateways.records import InternetGateway
from cloudjar.services.ec2.lookup import by_path
from cloudjar.services.ec2.nat_gateways.records import NatGateway
from cloudjar.services.ec2.network_interfaces.records import NetworkInterface
from cloudjar.services.ec2.prefix_lists.references import aws_list_id
from cloudjar.services.ec2.route_tables.records import Route, RouteTable
from cloudjar.services.ec2.subnets.records import Subnet
from cloudjar.services.ec2.transit_gateways.records import TransitAttachment
from cloudjar.services.ec2.vpc_endpoints.records import VpcEndpoint
from cloudjar.services.ec2.vpc_peering.records import Peering
from cloudjar.services.ec2.vpcs.records import Vpc

FILTERS = by_path(
    {
        "association.gateway-id": "Associations[].GatewayId",
        "association.main": "Associations[].Main",
        "association.route-table-association-id": "Associations[].RouteTableAssociationId",
        "association.route-table-id": "Associations[].RouteTableId",
        "association.subnet-id": "Associations[].SubnetId",
        "owner-id": "OwnerId",
        "route-table-id": "RouteTableId",
        "route.destination-cidr-block": "Routes[].DestinationCidrBlock",
        "route.destination-ipv6-cidr-block": "Routes[].DestinationIpv6CidrBlock",
        "route.destination-prefix-list-id": "Routes[].DestinationPrefixListId",
        "route.egress-only-internet-gateway-id": "Routes[].EgressOnlyInternetGatewayId",
        "route.gateway-id": "Routes[].GatewayId",
        "route.instance-id": "Routes[].InstanceId",
        "route.nat-gateway-id": "Routes[].NatGatewayId",
        "route.origin": "Routes[].Origin",
        "route.state": "Routes[].State",
        "route.transit-gateway-id": "Routes[].TransitGatewayId",
        "route.vpc-peering-connection-id": "Routes[].VpcPeeringConnectionId",
        "vpc-id": "VpcId",
    }
)


class GatewayEndpoint(NamedTuple):
    """A gateway endpoint and the prefix list of its service."""

    id: str
    prefix_list: str


class Near(NamedTuple):
    """What a route table is shown with."""

    vpcs: Mapping[str, Vpc]
    subnets: Mapping[str, list[Subnet]]
    """By the route table that they name."""
    gateways: Mapping[str, str]
    """Internet gateway -> the VPC that it is attached to."""
    interfaces: Mapping[str, NetworkInterface]
    """Those that some route leads to."""
    alive: frozenset[str]
    """NAT and egress-only gateways and peering connections that carry packets."""
    endpoints: Mapping[str, list[GatewayEndpoint]]
    """Gateway endpoints by the route tables that they have a route in."""
    attached: frozenset[tuple[str, str]]
    """(VPC, transit gateway) of attachments that carry packets."""


def near(db: Db) -> Near:
    """Load what views of route tables need besides their own records."""
    subnets: dict[str, list[Subnet]] = {}
    for subnet in db[Subnet].all():
        subnets.setdefault(subnet.route_table_id, []).append(subnet)
    named = {route.interface_id for table in db[RouteTable].all() for route in table.routes if route.interface_id}
    found = [db[NetworkInterface].get(key) for key in sorted(named)]
    return Near(
        {vpc.id: vpc for vpc in db[Vpc].all()},
        subnets,
        {gateway.id: gateway.vpc_id for gateway in db[InternetGateway].all()},
        {eni.id: eni for eni in found if eni is not None},
        frozenset(
            [gateway.id for gateway in db[NatGateway].all() if gateway.state == "available"]
            + [gateway.id for gateway in db[EgressOnlyGateway].all()]
            + [peering.id for peering in db[Peering].all() if peering.state == "active"]
        ),
        _endpoints(db),
        frozenset((one.vpc_id, one.gateway_id) for one in db[TransitAttachment].all() if one.live and one.mine),
    )


def _endpoints(db: Db) -> dict[str, list[GatewayEndpoint]]:
    found: dict[str, list[GatewayEndpoint]] = {}
    for endpoint in db[VpcEndpoint].all():
        for table in endpoint.route_tables if endpoint.type == "Gateway" else ():
            where = aws_list_id(endpoint.region, endpoint.service.rpartition(".")[2])
            found.setdefault(table, []).append(GatewayEndpoint(endpoint.id, where))
    return found


def show_route_table(table: RouteTable, around: Near) -> dict[str, Any]:
    """AWS's RouteTable."""
    vpc = around.vpcs[table.vpc_id]
    local = [
        {**_destination(b.cidr), "GatewayId": "local", "Origin": "CreateRouteTable", "State": "active"}
        for b in (*vpc.cidrs, *vpc.ipv6_cidrs)
    ]
    endpoints = [
        {**_destination(e.prefix_list), "GatewayId": e.id, "Origin": "CreateRoute", "State": "active"}
        for e in around.endpoints.get(table.id, ())
    ]
    return {
        "Associations": _associations(table, vpc, around),
        "OwnerId": table.account,
        "PropagatingVgws": [],
        "RouteTableId": table.id,
        "Routes": local + [_route(route, table, around) for route in table.routes] + endpoints,
        "Tags": tags.as_list(table.tags),
        "VpcId": table.vpc_id,
    }


def _associations(table: RouteTable, vpc: Vpc, around: Near) -> list[dict[str, Any]]:
    found = [_association(table, s.route_table_association_id, s.id) for s in around.subnets.get(table.id, ())]
    if vpc.main_route_table_id == table.id:
        found.insert(0, _association(table, vpc.main_association_id, None))
    return found


def _association(table: RouteTable, association_id: str, subnet_id: str | None) -> dict[str, Any]:
    return {
        "Main": subnet_id is None,
        "RouteTableAssociationId": association_id,
        "RouteTableId": table.id,
        "SubnetId": subnet_id,
        "AssociationState": {"State": "associated"},
    }


def _destination(where: str) -> dict[str, Any]:
    if where.startswith("pl-"):
        return {"DestinationPrefixListId": where}
    return {"DestinationIpv6CidrBlock" if ":" in where else "DestinationCidrBlock": where}


_TARGETS = {
    "nat_gateway_id": "NatGatewayId",
    "peering_id": "VpcPeeringConnectionId",
    "egress_only_id": "EgressOnlyInternetGatewayId",
    "transit_gateway_id": "TransitGatewayId",
}


def _route(route: Route, table: RouteTable, around: Near) -> dict[str, Any]:
    """One route; its state is what its target is now."""
    if route.gateway_id:
        alive = around.gateways.get(route.gateway_id) == table.vpc_id
        target: dict[str, Any] = {"GatewayId": route.gateway_id}
    elif route.interface_id:
        eni = around.interfaces.get(route.interface_id)
        alive = eni is not None and eni.attachment is not None
        target = {"NetworkInterfaceId": route.interface_id}
        if eni is not None and eni.instance_id.startswith("i-"):
            target.update(InstanceId=eni.instance_id, InstanceOwnerId=eni.account)
    else:
        field = next(field for field in _TARGETS if getattr(route, field))
        key = getattr(route, field)
        target, alive = {_TARGETS[field]: key}, key in around.alive or (table.vpc_id, key) in around.attached
    state = "active" if alive else "blackhole"
    return {**_destination(route.destination), **target, "Origin": "CreateRoute", "State": state}
