"""Endpoints of others as a service's owner sees them: accepted, rejected, described.

https://docs.aws.amazon.com/vpc/latest/privatelink/configure-endpoint-service.html#accept-reject-connection-requests
"""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from cloudjar.kit.context import Ctx
from cloudjar.kit.operation import op
from cloudjar.services.ec2 import errors
from cloudjar.services.ec2.lookup import Row, narrow
from cloudjar.services.ec2.subnets.records import Subnet
from cloudjar.services.ec2.vpc_endpoint_services import notifying
from cloudjar.services.ec2.vpc_endpoint_services.finding import endpoints_of
from cloudjar.services.ec2.vpc_endpoint_services.records import EndpointService
from cloudjar.services.ec2.vpc_endpoint_services.views import CONNECTIONS, show_connection
from cloudjar.services.ec2.vpc_endpoints.records import VpcEndpoint

_ACCEPTED_FROM = ("pendingAcceptance", "rejected")
_REJECTED_FROM = ("pendingAcceptance", "pending", "available")


@op("DescribeVpcEndpointConnections")
def describe_vpc_endpoint_connections(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Everybody's endpoints to the account's services."""
    rows = []
    for service in ctx.db[EndpointService].all():
        for endpoint in endpoints_of(ctx.db, service):
            own = ctx.db.at(endpoint.account, endpoint.region)[Subnet]
            zones = {key: subnet.zone for key in endpoint.subnets if (subnet := own.get(key)) is not None}
            rows.append(Row({}, show_connection(service, endpoint, zones)))
    return {"VpcEndpointConnections": narrow(req, CONNECTIONS, rows)}


@op("AcceptVpcEndpointConnections")
def accept_vpc_endpoint_connections(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Let endpoints lead to the service."""
    return _change(ctx, req, _ACCEPTED_FROM, "pending", "Accept")


@op("RejectVpcEndpointConnections")
def reject_vpc_endpoint_connections(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Keep endpoints away from the service, also those that it had accepted."""
    return _change(ctx, req, _REJECTED_FROM, "rejected", "Reject")


def _change(
    ctx: Ctx, req: dict[str, Any], before: tuple[str, ...], after: str, event: str
) -> dict[str, Any]:  # fmt: skip
    errors.refuse(req, "TransitGatewayAttachmentIds")
    service = ctx.db[EndpointService].need(req["ServiceId"])
    known = {endpoint.id: endpoint for endpoint in endpoints_of(ctx.db, service)}
    unsuccessful = []
    for key in dict.fromkeys(req["VpcEndpointIds"]):
        endpoint = known.get(key)
        if endpoint is None:
            error = {"Code": "InvalidVpcEndpointId.NotFound", "Message": f"The Vpc Endpoint Id '{key}' does not exist"}
            unsuccessful.append({"ResourceId": key, "Error": error})
        elif endpoint.state not in before:
            text = f"The Vpc Endpoint '{key}' is in the state {endpoint.state}"
            unsuccessful.append({"ResourceId": key, "Error": {"Code": "InvalidState", "Message": text}})
        else:
            changed = replace(endpoint, state=after)
            ctx.db.at(endpoint.account, endpoint.region)[VpcEndpoint].put(changed)
            notifying.tell(ctx, service, changed, event)
    return {"Unsuccessful": unsuccessful}
