"""Condition keys of transit gateways.

https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonec2.html
"""

from __future__ import annotations

from typing import Any

from cloudjar.kit.operation import resource_keys
from cloudjar.services.ec2.transit_gateways.records import TransitAttachment, TransitGateway, TransitRouteTable


@resource_keys("ec2", "transit-gateway")
def _gateway(item: TransitGateway) -> dict[str, Any]:
    return {"ec2:Region": item.region, "ec2:transitGatewayId": item.id}


@resource_keys("ec2", "transit-gateway-attachment")
def _attachment(item: TransitAttachment) -> dict[str, Any]:
    return {"ec2:Region": item.region, "ec2:transitGatewayAttachmentId": item.id}


@resource_keys("ec2", "transit-gateway-route-table")
def _table(item: TransitRouteTable) -> dict[str, Any]:
    return {"ec2:Region": item.region, "ec2:transitGatewayRouteTableId": item.id}
