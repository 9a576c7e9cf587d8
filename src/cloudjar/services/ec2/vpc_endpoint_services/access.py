"""Condition keys of endpoint services.

https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonec2.html
"""

from __future__ import annotations

from typing import Any

from cloudjar.kit.context import Ctx
from cloudjar.kit.operation import finds, resource_keys
from cloudjar.kit.record import Record
from cloudjar.services.ec2.vpc_endpoint_services.records import EndpointService, Notification
from cloudjar.services.ec2.vpc_endpoints.records import VpcEndpoint


@resource_keys("ec2", "vpc-endpoint-service")
def _service(item: EndpointService) -> dict[str, Any]:
    keys = {"ec2:Region": item.region, "ec2:VpceServiceRegion": item.region}
    return {**keys, "ec2:VpceServicePrivateDnsName": item.private_name} if item.private_name else keys


@finds("ec2:notified")
def _notified(ctx: Ctx, value: str) -> Record | None:
    """What a connection notification is told of."""
    one = ctx.db[Notification].get(value) if value else None
    if one is None:
        return None
    return ctx.db[EndpointService].get(one.service_id) or ctx.db[VpcEndpoint].get(one.endpoint_id)
