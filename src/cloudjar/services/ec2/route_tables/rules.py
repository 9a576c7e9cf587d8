"""What a route may be, and where it may lead.

https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CreateRoute.html
"""

from __future__ import annotations

from collections.abc import Mapping
from ipaddress import IPv4Network
from typing import Any

from cloudjar.base.errors import AwsError
from cloudjar.kit.context import Ctx
from cloudjar.services.ec2 import blocks, errors
from cloudjar.services.ec2.internet_gateways.records import InternetGateway
from cloudjar.services.ec2.lookup import FORMS, is_id, need
from cloudjar.services.ec2.network_interfaces.making import interfaces_of
from cloudjar.services.ec2.network_interfaces.records import NetworkInterface
from cloudjar.services.ec2.route_tables.records import Route, RouteTable
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
    "NatGatewayId": ("InvalidNatGatewayID.NotFound", "natGateway"),
    "VpcPeeringConnectionId": ("InvalidVpcPeeringConnectionID.NotFound", "vpcPeeringConnection"),
    "TransitGatewayId": ("InvalidTransitGatewayID.NotFound", "transitGateway"),
    "VpcEndpointId": ("InvalidVpcEndpointId.NotFound", "vpcEndpoint"),
    "EgressOnlyInternetGatewayId": ("InvalidEgressOnlyInternetGatewayId.NotFound", "egressOnlyInternetGateway"),
}


def destination(req: Mapping[str, Any]) -> str:
    """The IPv4 block that a request names, in canonical form."""
    errors.refuse(req, "DestinationIpv6CidrBlock")
    if req.get("DestinationPrefixListId"):
        raise errors.not_found("InvalidPrefixListID.NotFound", "prefixList", req["DestinationPrefixListId"])
    if not req.get("DestinationCidrBlock"):
        raise errors.missing(
            "The request must contain exactly one of destinationCidrBlock, destinationIpv6CidrBlock, "
            "destinationPrefixListId"
        )
    return str(blocks.block(req["DestinationCidrBlock"], "destinationCidrBlock"))


def route(ctx: Ctx, table: RouteTable, req: Mapping[str, Any]) -> Route:
    """The route that a request describes, its target checked."""
    where = destination(req)
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
    if name in _NOBODY_HAS:
        code, noun = _NOBODY_HAS[name]
        raise errors.not_found(code, noun, value)
    raise errors.not_built(f"A route with {name}")


def _refuse_inside(ctx: Ctx, table: RouteTable, where: str) -> None:
    vpc = ctx.db[Vpc].need(table.vpc_id)
    for block in vpc.cidrs:
        if where == block.cidr:
            raise already_exists(where)
        if IPv4Network(where).subnet_of(IPv4Network(block.cidr)):
            raise errors.invalid_value(
                f"The destination CIDR block {where} is equal to or more specific than one of this VPC's CIDR blocks. "
                "This route can target only an interface or an instance."
            )


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
