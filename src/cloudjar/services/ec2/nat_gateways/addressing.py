"""Secondary addresses of NAT gateways: given while the gateway works, taken when their connections have had their time.

https://docs.aws.amazon.com/vpc/latest/userguide/nat-gateway-working-with.html#nat-gateway-edit-secondary
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Any, Literal

from msgspec.structs import replace

from cloudjar.base.errors import AwsError
from cloudjar.kit.context import Ctx
from cloudjar.services.ec2 import errors
from cloudjar.services.ec2.addresses.records import ElasticIp
from cloudjar.services.ec2.lookup import need
from cloudjar.services.ec2.nat_gateways import choosing
from cloudjar.services.ec2.nat_gateways.records import NatAddress, NatGateway
from cloudjar.services.ec2.nat_gateways.views import show_address
from cloudjar.services.ec2.subnets.records import Subnet
from cloudjar.services.ec2.vpcs.making import op

_DRAIN = 350
"""Seconds for which connections may go on through an address that goes, when nobody says how long."""


@op("AssociateNatGatewayAddress")
def associate_nat_gateway_address(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Further Elastic IPs for a public gateway, each with a private address of its own."""
    errors.refuse(req, "AvailabilityZone", "AvailabilityZoneId")
    gateway = _settled(ctx, req["NatGatewayId"], "public")
    for allocation in req["AllocationIds"]:
        elastic = need(ctx, ElasticIp, allocation)
        if elastic.association_id:
            raise AwsError(
                "Resource.AlreadyAssociated",
                f"resource {elastic.id} is already associated with associate-id {elastic.association_id}",
            )
    wanted = choosing.translated(req["AllocationIds"], req.get("PrivateIpAddresses") or ())
    return _grow(ctx, gateway, wanted, "associating")


@op("AssignPrivateNatGatewayAddress")
def assign_private_nat_gateway_address(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Further private addresses for a private gateway: those named, or as many as are asked for."""
    gateway = _settled(ctx, req["NatGatewayId"], "private")
    named, count = req.get("PrivateIpAddresses") or (), req.get("PrivateIpAddressCount") or 0
    if not named and not count:
        raise errors.missing("Either privateIpAddresses or privateIpAddressCount must be specified")
    return _grow(ctx, gateway, choosing.unnumbered(named, count), "assigning")


def _grow(
    ctx: Ctx, gateway: NatGateway, wanted: Sequence[NatAddress], status: Literal["associating", "assigning"]
) -> dict[str, Any]:
    subnet = ctx.db[Subnet].need(gateway.subnet_id)
    more = tuple(replace(address, status=status) for address in wanted)
    whole = choosing.further(ctx, subnet, gateway.connectivity, gateway.addresses, more)
    gateway = ctx.db[NatGateway].put(replace(gateway, addresses=whole))
    return _shown(gateway, lambda address: address in more)


@op("DisassociateNatGatewayAddress")
def disassociate_nat_gateway_address(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Take secondary Elastic IPs off a public gateway: at once for new connections, later for those that are open."""
    gateway = _settled(ctx, req["NatGatewayId"], "public")
    return _drain(ctx, gateway, req, req["AssociationIds"], lambda a: a.association_id, "disassociating")


@op("UnassignPrivateNatGatewayAddress")
def unassign_private_nat_gateway_address(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Take secondary private addresses off a private gateway in the same way."""
    gateway = _settled(ctx, req["NatGatewayId"], "private")
    return _drain(ctx, gateway, req, req["PrivateIpAddresses"], lambda a: a.private_ip, "unassigning")


def _drain(
    ctx: Ctx, gateway: NatGateway, req: dict[str, Any], named: Sequence[str], name: Callable[[NatAddress], str],
    status: Literal["disassociating", "unassigning"],
) -> dict[str, Any]:  # fmt: skip
    known = [name(address) for address in gateway.addresses]
    for key in named:
        if key not in known:
            raise _unknown(key, gateway)
        if key == known[0]:
            raise errors.invalid_value(f"The primary IP address of NAT gateway {gateway.id} cannot be removed.")
    until = ctx.now + timedelta(seconds=req.get("MaxDrainDurationSeconds") or _DRAIN)
    addresses = tuple(
        replace(address, status=status, until=until) if name(address) in named else address
        for address in gateway.addresses
    )
    gateway = ctx.db[NatGateway].put(replace(gateway, addresses=addresses))
    return _shown(gateway, lambda address: name(address) in named)


def _unknown(key: str, gateway: NatGateway) -> AwsError:
    if key.startswith("eipassoc-"):
        return errors.no_association(key)
    return errors.invalid_value(f"{key} is not an address of NAT gateway {gateway.id}.")


def _settled(ctx: Ctx, key: str, connectivity: Literal["public", "private"]) -> NatGateway:
    """A gateway that works, is of this kind, and is not changing its addresses already."""
    gateway = need(ctx, NatGateway, key)
    if gateway.state in ("deleted", "failed"):
        raise AwsError("NatGatewayNotFound", f"The Nat Gateway {gateway.id} was not found")
    if gateway.connectivity != connectivity:
        raise errors.invalid_value(f"NAT gateway {gateway.id} is {gateway.connectivity}, not {connectivity}.")
    if gateway.state != "available":
        raise AwsError("IncorrectState", f"NAT gateway {gateway.id} is {gateway.state}.")
    if any(address.until is not None for address in gateway.addresses):
        raise AwsError("IncorrectState", f"Connections of an address of NAT gateway {gateway.id} are being drained.")
    return gateway


def _shown(gateway: NatGateway, wanted: Callable[[NatAddress], bool]) -> dict[str, Any]:
    found = [show_address(gateway, a, primary=not i) for i, a in enumerate(gateway.addresses) if wanted(a)]
    return {"NatGatewayId": gateway.id, "NatGatewayAddresses": found}
