"""What a route may be, and where it may lead.

https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CreateRoute.html
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from ipaddress import IPv4Network, IPv6Network
from typing import Any

from cloudjar.base.errors import AwsError
from cloudjar.kit.context import Ctx
from cloudjar.planes.network.sixfour import PREFIX, is_translated
from cloudjar.services.ec2 import blocks, errors
from cloudjar.services.ec2.egress_only_gateways.records import EgressOnlyGateway
from cloudjar.services.ec2.internet_gateways.records import InternetGateway
from cloudjar.services.ec2.lookup import FORMS, is_id, need
from cloudjar.services.ec2.nat_gateways.records import NatGateway
from cloudjar.services.ec2.network_interfaces.making import interfaces_of
from cloudjar.services.ec2.network_interfaces.records import NetworkInterface
from cloudjar.services.ec2.prefix_lists.references import prefix_list
from cloudjar.services.ec2.route_tables.records import Route, RouteTable
from cloudjar.services.ec2.transit_gateways.records import TransitAttachment
from cloudjar.services.ec2.vpc_peering.records import Peering
from cloudjar.services.ec2.vpcs.records import Vpc

_TARGETS = (
    "GatewayId",
    "InstanceId",
    "NetworkInterfaceId",
    "NatGatewayId",
    "VpcPeeringConnectionId",
    "TransitGatewayId",
    "VpcEndpointId",
    "EgressOnlyInternetGatewayId",
    "LocalGatewayId",
    "CarrierGatewayId",
    "CoreNetworkArn",
    "OdbNetworkArn",
)

# Kinds of targets that nobody can have here yet, so that whatever id is given does not exist.
_NOBODY_HAS = {
    "VpcEndpointId": ("InvalidVpcEndpointId.NotFound", "vpcEndpoint"),
}

_DESTINATIONS = ("DestinationCidrBlock", "DestinationIpv6CidrBlock", "DestinationPrefixListId")


def destination(ctx: Ctx, req: Mapping[str, Any]) -> str:
    """What a request names: a block in canonical form, or the id of a prefix list."""
    given = [name for name in _DESTINATIONS if req.get(name)]
    if len(given) != 1:
        names = ", ".join(name[0].lower() + name[1:] for name in _DESTINATIONS)
        raise errors.missing(f"The request must contain exactly one of {names}")
    value = str(req[given[0]])
    if given[0] == "DestinationPrefixListId":
        return prefix_list(ctx, value).id
    if given[0] == "DestinationCidrBlock":
        return str(blocks.block(value, "destinationCidrBlock"))
    found = blocks.ipv6(value)
    if found is None:
        raise errors.invalid_parameter(value, "destinationIpv6CidrBlock", "This is not a valid IPv6 CIDR block.")
    return str(found)


def is_ipv6(ctx: Ctx, where: str) -> bool:
    """Whether a destination is of IPv6 packets."""
    return prefix_list(ctx, where).family == "IPv6" if where.startswith("pl-") else ":" in where


def route(ctx: Ctx, table: RouteTable, req: Mapping[str, Any]) -> Route:
    """The route that a request describes, its target checked."""
    where = destination(ctx, req)
    given = [name for name in _TARGETS if req.get(name)]
    if len(given) != 1:
        names = ", ".join(name[0].lower() + name[1:] for name in _TARGETS)
        raise errors.missing(f"The request must contain exactly one of {names}")
    name, value = given[0], str(req[given[0]])
    _refuse_inside(ctx, table, where)
    if name == "GatewayId":
        return Route(destination=where, gateway_id=_gateway(ctx, table, value))
    if name in ("NetworkInterfaceId", "InstanceId"):
        return Route(destination=where, interface_id=_interface(ctx, table, name, value))
    if name in _GATEWAYS:
        return _GATEWAYS[name](ctx, table, where, value)
    if name in _NOBODY_HAS:
        code, noun = _NOBODY_HAS[name]
        raise errors.not_found(code, noun, value)
    raise errors.not_built(f"A route with {name}")


def _refuse_inside(ctx: Ctx, table: RouteTable, where: str) -> None:
    vpc = ctx.db[Vpc].need(table.vpc_id)
    if where.startswith("pl-"):
        return
    for block in vpc.cidrs if ":" not in where else vpc.ipv6_cidrs:
        if where == block.cidr:
            raise already_exists(where)
        if _inside(where, block.cidr):
            raise errors.invalid_value(
                f"The destination CIDR block {where} is equal to or more specific than one of this VPC's CIDR blocks. "
                "This route can target only an interface or an instance."
            )


def _inside(inner: str, outer: str) -> bool:
    if ":" in inner:
        return IPv6Network(inner).subnet_of(IPv6Network(outer))
    return IPv4Network(inner).subnet_of(IPv4Network(outer))


def already_exists(where: str) -> AwsError:
    """A table has one route for a destination."""
    return AwsError("RouteAlreadyExists", f"The route identified by {where} already exists.")


def _gateway(ctx: Ctx, table: RouteTable, key: str) -> str:
    prefix, _ = FORMS["internet-gateway"]
    gateway = ctx.db[InternetGateway].get(key) if is_id(prefix, key) else None
    if gateway is None:
        raise AwsError("InvalidGatewayID.NotFound", f"The gateway ID '{key}' does not exist")
    if gateway.vpc_id != table.vpc_id:
        raise errors.invalid_value(
            f"route table {table.id} and network gateway {gateway.id} belong to different networks"
        )
    return gateway.id


def _nat_gateway(ctx: Ctx, table: RouteTable, where: str, key: str) -> Route:
    prefix, _ = FORMS["natgateway"]
    gateway = ctx.db[NatGateway].get(key) if is_id(prefix, key) else None
    if gateway is None or gateway.state in ("deleting", "deleted", "failed"):
        raise errors.not_found("InvalidNatGatewayID.NotFound", "natGateway", key)
    _same_network(table, "NAT gateway", gateway.id, gateway.vpc_id)
    if is_ipv6(ctx, where) and not (":" in where and is_translated(IPv6Network(where))):
        raise errors.invalid_value(f"A NAT gateway can be the target of IPv6 destinations in {PREFIX} only.")
    return Route(destination=where, nat_gateway_id=gateway.id)


def _peering(ctx: Ctx, table: RouteTable, where: str, key: str) -> Route:
    item = need(ctx, Peering, key)
    if table.vpc_id not in (item.requester.vpc_id, item.accepter.vpc_id):
        raise errors.invalid_value(
            f"route table {table.id} and vpc peering connection {item.id} belong to different networks"
        )
    if item.state != "active":
        raise AwsError("IncorrectState", f"Vpc peering connection {item.id} is not active")
    return Route(destination=where, peering_id=item.id)


def _egress_only(ctx: Ctx, table: RouteTable, where: str, key: str) -> Route:
    gateway = need(ctx, EgressOnlyGateway, key)
    _same_network(table, "egress-only internet gateway", gateway.id, gateway.vpc_id)
    if not is_ipv6(ctx, where):
        raise errors.invalid_value("An egress-only internet gateway can be the target of IPv6 destinations only.")
    return Route(destination=where, egress_only_id=gateway.id)


def _transit_gateway(ctx: Ctx, table: RouteTable, where: str, key: str) -> Route:
    """Only a gateway that the VPC is attached to is known to it, whoever's it is."""
    for item in ctx.db[TransitAttachment].all(vpc_id=table.vpc_id):
        if item.gateway_id == key and item.live and item.mine:
            return Route(destination=where, transit_gateway_id=key)
    raise errors.not_found("InvalidTransitGatewayID.NotFound", "transitGateway", key)


def _same_network(table: RouteTable, noun: str, key: str, vpc_id: str) -> None:
    if table.vpc_id != vpc_id:
        raise errors.invalid_value(f"route table {table.id} and {noun} {key} belong to different networks")


_GATEWAYS: dict[str, Callable[[Ctx, RouteTable, str, str], Route]] = {
    "NatGatewayId": _nat_gateway,
    "VpcPeeringConnectionId": _peering,
    "EgressOnlyInternetGatewayId": _egress_only,
    "TransitGatewayId": _transit_gateway,
}


def _interface(ctx: Ctx, table: RouteTable, name: str, key: str) -> str:
    eni = need(ctx, NetworkInterface, key) if name == "NetworkInterfaceId" else only_interface(ctx, key)
    if eni.vpc_id != table.vpc_id:
        raise errors.invalid_value(f"route table {table.id} and interface {eni.id} belong to different networks")
    return eni.id


def only_interface(ctx: Ctx, instance_id: str) -> NetworkInterface:
    """The one interface of an instance; raises InvalidInstanceID when there are several."""
    prefix, code = FORMS["instance"]
    if not is_id(prefix, instance_id):
        raise errors.malformed(code, instance_id, prefix)
    found = interfaces_of(ctx.db, instance_id)
    if not found:
        raise AwsError("InvalidInstanceID.NotFound", f"The instance ID '{instance_id}' does not exist")
    if len(found) > 1:
        raise AwsError(
            "InvalidInstanceID",
            f"There are multiple interfaces attached to instance '{instance_id}'. "
            "Please specify an interface ID for the operation instead.",
        )
    return found[0]
