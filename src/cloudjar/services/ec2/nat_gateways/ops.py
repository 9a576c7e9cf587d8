"""NAT gateways: created, described, deleted. What they do by themselves is in `life`.

https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CreateNatGateway.html
"""

from __future__ import annotations

from typing import Any

from cloudjar.base.errors import AwsError
from cloudjar.kit import tags
from cloudjar.kit.context import Ctx
from cloudjar.services.ec2 import errors
from cloudjar.services.ec2.lookup import by_path, describe, need
from cloudjar.services.ec2.nat_gateways import choosing
from cloudjar.services.ec2.nat_gateways.life import LIFE
from cloudjar.services.ec2.nat_gateways.records import NatGateway
from cloudjar.services.ec2.nat_gateways.views import show_nat_gateway
from cloudjar.services.ec2.subnets.records import Subnet
from cloudjar.services.ec2.vpcs.making import op

_NOT_BUILT = ("AvailabilityZoneAddresses", "VpcId")

FILTERS = by_path(
    {"nat-gateway-id": "NatGatewayId", "state": "State", "subnet-id": "SubnetId", "vpc-id": "VpcId"}
)


@op("CreateNatGateway")
def create_nat_gateway(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """A gateway that is pending; whether it becomes available or fails is seen afterwards."""
    if req.get("AvailabilityMode") not in (None, "zonal"):
        raise errors.not_built("A regional NAT gateway")
    errors.refuse(req, *_NOT_BUILT)
    if not req.get("SubnetId"):
        raise errors.missing_one("subnetId")
    subnet = need(ctx, Subnet, req["SubnetId"])
    gateway = ctx.db[NatGateway].add(
        NatGateway(
            id=ctx.new_id("nat"),
            vpc_id=subnet.vpc_id,
            subnet_id=subnet.id,
            zone=subnet.zone,
            connectivity="private" if req.get("ConnectivityType") == "private" else "public",
            created=ctx.now,
            addresses=choosing.initial(ctx, subnet, req),
            tags=tags.specified(req, "natgateway"),
        )
    )
    LIFE.announce(ctx, gateway)
    return {"NatGateway": show_nat_gateway(gateway), "ClientToken": req.get("ClientToken")}


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
