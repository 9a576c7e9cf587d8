"""Internet gateways.

https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_AttachInternetGateway.html
"""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from cloudjar.base.errors import AwsError
from cloudjar.kit import tags
from cloudjar.kit.context import Ctx
from cloudjar.services.ec2 import errors
from cloudjar.services.ec2.internet_gateways.records import InternetGateway
from cloudjar.services.ec2.lookup import by_path, describe, need
from cloudjar.services.ec2.network_interfaces.records import NetworkInterface
from cloudjar.services.ec2.vpcs.making import op
from cloudjar.services.ec2.vpcs.records import Vpc

FILTERS = by_path(
    {
        "attachment.state": "Attachments[].State",
        "attachment.vpc-id": "Attachments[].VpcId",
        "internet-gateway-id": "InternetGatewayId",
        "owner-id": "OwnerId",
    }
)


def show_internet_gateway(gateway: InternetGateway) -> dict[str, Any]:
    """AWS's InternetGateway."""
    return {
        "Attachments": [{"State": "available", "VpcId": gateway.vpc_id}] if gateway.vpc_id else [],
        "InternetGatewayId": gateway.id,
        "OwnerId": gateway.account,
        "Tags": tags.as_list(gateway.tags),
    }


@op("CreateInternetGateway")
def create_internet_gateway(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """A gateway without a VPC; it is attached by another call."""
    gateway = ctx.db[InternetGateway].add(
        InternetGateway(id=ctx.new_id("igw"), tags=tags.specified(req, "internet-gateway"))
    )
    return {"InternetGateway": show_internet_gateway(gateway)}


@op("DescribeInternetGateways")
def describe_internet_gateways(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Gateways by id or filter."""
    found = describe(ctx, req, InternetGateway, "InternetGatewayIds", show_internet_gateway, FILTERS)
    return {"InternetGateways": found}


@op("AttachInternetGateway")
def attach_internet_gateway(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """One gateway for one VPC."""
    gateway = need(ctx, InternetGateway, req["InternetGatewayId"])
    vpc = need(ctx, Vpc, req["VpcId"])
    if gateway.vpc_id:
        raise AwsError(
            "Resource.AlreadyAssociated", f"resource {gateway.id} is already attached to network {gateway.vpc_id}"
        )
    if ctx.db[InternetGateway].count(vpc_id=vpc.id):
        raise errors.invalid_value(f"Network {vpc.id} already has an internet gateway attached")
    ctx.db[InternetGateway].put(replace(gateway, vpc_id=vpc.id))
    return {}


@op("DetachInternetGateway")
def detach_internet_gateway(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Cut a VPC off; not while anything in it has a public address."""
    gateway = need(ctx, InternetGateway, req["InternetGatewayId"])
    vpc = need(ctx, Vpc, req["VpcId"])
    if gateway.vpc_id != vpc.id:
        raise AwsError("Gateway.NotAttached", f"resource {gateway.id} is not attached to network {vpc.id}")
    if any(a.public for eni in ctx.db[NetworkInterface].all(vpc_id=vpc.id) for a in eni.addresses):
        raise AwsError(
            "DependencyViolation",
            f"Network {vpc.id} has some mapped public address(es). "
            "Please unmap those public address(es) before detaching the gateway.",
        )
    ctx.db[InternetGateway].put(replace(gateway, vpc_id=""))
    ctx.wake(vpc)  # the changed record no longer names the VPC that it changes
    return {}


@op("DeleteInternetGateway")
def delete_internet_gateway(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Remove a detached gateway."""
    gateway = need(ctx, InternetGateway, req["InternetGatewayId"])
    if gateway.vpc_id:
        raise errors.dependency("internetGateway", gateway.id)
    ctx.db[InternetGateway].drop(gateway)
    return {}
