"""What endpoints are associated with: resources and service networks of VPC Lattice, which Cloudjar has none of.

https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeVpcEndpointAssociations.html
"""

from __future__ import annotations

from typing import Any

from cloudjar.kit.context import Ctx
from cloudjar.kit.operation import op
from cloudjar.services.ec2.lookup import by_path, in_pages, narrow, need
from cloudjar.services.ec2.vpc_endpoints.records import VpcEndpoint

_FILTERS = by_path(
    {
        "vpc-endpoint-id": "VpcEndpointId",
        "associated-resource-accessibility": "AssociatedResourceAccessibility",
        "association-id": "Id",
        "associated-resource-id": "AssociatedResourceArn",
        "service-network-arn": "ServiceNetworkArn",
        "resource-configuration-group-arn": "ResourceConfigurationGroupArn",
        "service-network-resource-association-id": "Id",
    }
)


@op("DescribeVpcEndpointAssociations")
def describe_vpc_endpoint_associations(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """None: endpoints here lead to services, not to resources or service networks."""
    for key in req.get("VpcEndpointIds") or ():
        need(ctx, VpcEndpoint, key)
    operation, member = "DescribeVpcEndpointAssociations", "VpcEndpointAssociations"
    return in_pages(req, operation, member, narrow(req, _FILTERS, ()))
