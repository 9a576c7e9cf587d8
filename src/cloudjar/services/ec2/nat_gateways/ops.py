"""NAT gateways: created, described, given more addresses, deleted. What they do by themselves is in `life`.

https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CreateNatGateway.html
"""

from __future__ import annotations

from typing import Any

from cloudjar.base.errors import AwsError
from cloudjar.kit import tags
from cloudjar.kit.context import Ctx
from cloudjar.services.ec2 import blocks, errors
from cloudjar.services.ec2.addresses.records import ElasticIp
from cloudjar.services.ec2.lookup import by_path, describe, need
from cloudjar.services.ec2.nat_gateways.life import LIFE
from cloudjar.services.ec2.nat_gateways.records import NatAddress, NatGateway
from cloudjar.services.ec2.subnets.records import Subnet
from cloudjar.services.ec2.vpcs.making import op

_NOT_BUILT = ("AvailabilityZoneAddresses", "VpcId", "SecondaryAllocationIds")

FILTERS = by_path(
    {"nat-gateway-id": "NatGatewayId", "state": "State", "subnet-id": "SubnetId", "vpc-id": "VpcId"}
)


def show_nat_gateway(gateway: NatGateway) -> dict[str, Any]:
    """AWS's NatGateway."""
    return {
        "AvailabilityMode": "zonal",
        "ConnectivityType": gateway.connectivity,
        "CreateTime": gateway.created,
        "DeleteTime": gateway.deleted,
        "FailureCode": gateway.failure_code or None,
        "FailureMessage": gateway.failure_message or None,
        "NatGatewayAddresses": [_address(gateway, a, primary=not i) for i, a in enumerate(gateway.addresses)],
        "NatGatewayId": gateway.id,
        "State": gateway.state,
        "SubnetId": gateway.subnet_id,
        "Tags": tags.as_list(gateway.tags),
        "VpcId": gateway.vpc_id,
    }


_STATUS = {"pending": "associating", "failed": "failed", "deleting": "disassociating"}


def _address(gateway: NatGateway, address: NatAddress, *, primary: bool) -> dict[str, Any]:
    return {
        "AllocationId": address.allocation_id or None,
        "AssociationId": address.association_id or None,
        "IsPrimary": primary,
        "NetworkInterfaceId": gateway.interface_id or None,
        "PrivateIp": address.private_ip or None,
        "PublicIp": address.public_ip or None,
        "Status": _STATUS.get(gateway.state, "succeeded"),
    }


@op("CreateNatGateway")
def create_nat_gateway(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """A gateway that is pending; whether it becomes available or fails is seen afterwards."""
    if req.get("AvailabilityMode") not in (None, "zonal"):
        raise errors.not_built("A regional NAT gateway")
    errors.refuse(req, *_NOT_BUILT)
    if not req.get("SubnetId"):
        raise errors.missing_one("subnetId")
    subnet = need(ctx, Subnet, req["SubnetId"])
    connectivity = req.get("ConnectivityType") or "public"
    _check_allocation(ctx, connectivity, req.get("AllocationId"))
    gateway = ctx.db[NatGateway].add(
        NatGateway(
            id=ctx.new_id("nat"),
            vpc_id=subnet.vpc_id,
            subnet_id=subnet.id,
            zone=subnet.zone,
            connectivity="private" if connectivity == "private" else "public",
            created=ctx.now,
            addresses=_within_limit(ctx, _addresses(subnet, req, connectivity)),
            tags=tags.specified(req, "natgateway"),
        )
    )
    LIFE.announce(ctx, gateway)
    return {"NatGateway": show_nat_gateway(gateway), "ClientToken": req.get("ClientToken")}


def _check_allocation(ctx: Ctx, connectivity: str, allocation: str | None) -> None:
    if connectivity == "private":
        if allocation:
            raise errors.combination("A private NAT gateway cannot have an Elastic IP address: remove allocationId.")
        return
    if not allocation:
        raise errors.missing(
            "The request must include the AllocationId parameter. Add the required parameter and retry the request."
        )
    need(ctx, ElasticIp, allocation)


def _addresses(subnet: Subnet, req: dict[str, Any], connectivity: str) -> tuple[NatAddress, ...]:
    named, count = req.get("SecondaryPrivateIpAddresses") or [], req.get("SecondaryPrivateIpAddressCount") or 0
    if connectivity == "public" and (named or count):
        raise errors.combination("Secondary addresses of a public NAT gateway need secondaryAllocationIds.")
    if named and count:
        raise errors.combination(
            "The parameters secondaryPrivateIpAddresses and secondaryPrivateIpAddressCount cannot be used together."
        )
    first = req.get("PrivateIpAddress") or ""
    for ip in ([first] if first else []) + named:
        if blocks.address(ip) is None or not blocks.may_hold(subnet.cidr, ip):
            raise errors.invalid_parameter(ip, "PrivateIpAddress", f"It is not an address of subnet {subnet.id}.")
    primary = NatAddress(allocation_id=req.get("AllocationId") or "", private_ip=first)
    return (primary, *(NatAddress(private_ip=ip) for ip in named or [""] * count))


def _within_limit(ctx: Ctx, addresses: tuple[NatAddress, ...]) -> tuple[NatAddress, ...]:
    limit = ctx.limit("vpc", "L-DFA99DE7")
    if limit is not None and len(addresses) > limit:
        raise AwsError(
            "PrivateIpAddressLimitExceeded", f"A NAT gateway has {limit:.0f} private IPv4 addresses at most."
        )
    return addresses


@op("DescribeNatGateways")
def describe_nat_gateways(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Gateways by id or filter, for an hour also those that are gone."""
    asked = {**req, "Filters": [*(req.get("Filter") or ()), *(req.get("Filters") or ())]}
    return {"NatGateways": describe(ctx, asked, NatGateway, "NatGatewayIds", show_nat_gateway, FILTERS)}


@op("DeleteNatGateway")
def delete_nat_gateway(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Give its interface back; its Elastic IPs stay allocated, routes to it become black holes."""
    gateway = need(ctx, NatGateway, req["NatGatewayId"])
    if gateway.state == "deleted":
        raise AwsError("NatGatewayNotFound", f"The Nat Gateway {gateway.id} was not found")
    if gateway.state == "failed":
        LIFE.move(ctx, gateway, "deleted", deleted=ctx.now)
    elif gateway.state != "deleting":
        LIFE.move(ctx, gateway, "deleting")
    return {"NatGatewayId": gateway.id}
