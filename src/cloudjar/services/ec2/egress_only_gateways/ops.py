"""Egress-only internet gateways: the way out for IPv6 that is no way in.

https://docs.aws.amazon.com/vpc/latest/userguide/egress-only-internet-gateway.html
"""

from __future__ import annotations

from typing import Any

from cloudjar.kit import tags
from cloudjar.kit.context import Ctx
from cloudjar.services.ec2 import errors
from cloudjar.services.ec2.egress_only_gateways.records import EgressOnlyGateway
from cloudjar.services.ec2.lookup import by_path, describe, need
from cloudjar.services.ec2.vpcs.making import op
from cloudjar.services.ec2.vpcs.records import Vpc

FILTERS = by_path({})


def show_gateway(gateway: EgressOnlyGateway) -> dict[str, Any]:
    """AWS's EgressOnlyInternetGateway."""
    return {
        "Attachments": [{"State": "attached", "VpcId": gateway.vpc_id}],
        "EgressOnlyInternetGatewayId": gateway.id,
        "Tags": tags.as_list(gateway.tags),
    }


@op("CreateEgressOnlyInternetGateway")
def create_egress_only_internet_gateway(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """One for a VPC; it is attached from the start."""
    vpc = need(ctx, Vpc, req["VpcId"])
    if ctx.db[EgressOnlyGateway].count(vpc_id=vpc.id):
        raise errors.invalid_value(f"Network {vpc.id} already has an egress-only internet gateway attached")
    gateway = ctx.db[EgressOnlyGateway].add(
        EgressOnlyGateway(
            id=ctx.new_id("eigw"), vpc_id=vpc.id, tags=tags.specified(req, "egress-only-internet-gateway")
        )
    )
    return {"EgressOnlyInternetGateway": show_gateway(gateway), "ClientToken": req.get("ClientToken")}


@op("DescribeEgressOnlyInternetGateways")
def describe_egress_only_internet_gateways(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Gateways by id or tag."""
    member = "EgressOnlyInternetGatewayIds"
    return {"EgressOnlyInternetGateways": describe(ctx, req, EgressOnlyGateway, member, show_gateway, FILTERS)}


@op("DeleteEgressOnlyInternetGateway")
def delete_egress_only_internet_gateway(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Remove a gateway; routes to it become black holes."""
    gateway = need(ctx, EgressOnlyGateway, req["EgressOnlyInternetGatewayId"])
    ctx.db[EgressOnlyGateway].drop(gateway)
    return {"ReturnCode": True}
