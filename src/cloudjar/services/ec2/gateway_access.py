"""Condition keys of what stands at the edges of a VPC, and whose VPC a peering request is for.

https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonec2.html
"""

from __future__ import annotations

from typing import Any

from cloudjar.base import arn as arns
from cloudjar.kit.context import Ctx
from cloudjar.kit.operation import finds, resource_keys
from cloudjar.services.ec2.egress_only_gateways.records import EgressOnlyGateway
from cloudjar.services.ec2.insights.records import Analysis, Path, Scope, ScopeAnalysis
from cloudjar.services.ec2.nat_gateways.records import NatGateway
from cloudjar.services.ec2.prefix_lists.records import PrefixList
from cloudjar.services.ec2.vpc_endpoints.records import VpcEndpoint
from cloudjar.services.ec2.vpc_peering.records import Peering, Side


def vpc_arn(side: Side) -> str:
    """The ARN of one side's VPC."""
    return arns.make("ec2", side.region, side.account, f"vpc/{side.vpc_id}")


@resource_keys("ec2", "vpc-peering-connection")
def _peering(item: Peering) -> dict[str, Any]:
    return {
        "ec2:Region": item.region,
        "ec2:VpcPeeringConnectionID": item.id,
        "ec2:AccepterVpc": vpc_arn(item.accepter),
        "ec2:RequesterVpc": vpc_arn(item.requester),
    }


@resource_keys("ec2", "vpc-endpoint")
def _endpoint(item: VpcEndpoint) -> dict[str, Any]:
    return {
        "ec2:Region": item.region,
        "ec2:VpceServiceName": item.service,
        "ec2:VpceServiceOwner": item.service_owner,
        "ec2:VpceServiceRegion": item.region,
    }


Plain = NatGateway | EgressOnlyGateway | PrefixList | Path | Analysis | Scope | ScopeAnalysis


def _region(item: Plain) -> dict[str, Any]:
    return {"ec2:Region": item.region}


for _noun in (
    "natgateway",
    "egress-only-internet-gateway",
    "prefix-list",
    "network-insights-path",
    "network-insights-analysis",
    "network-insights-access-scope",
    "network-insights-access-scope-analysis",
):
    resource_keys("ec2", _noun)(_region)


@finds("ec2:accepter-vpc")
def _find_accepter_vpc(ctx: Ctx, value: str) -> str | None:
    """The VPC that a peering request is for, by the request's id; whom it is not for is told so by the handler."""
    item = ctx.db[Peering].get(value) if value else None
    return vpc_arn(item.accepter) if item is not None and item.accepter.account == ctx.account else None
