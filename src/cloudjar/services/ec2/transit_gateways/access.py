"""Condition keys of transit gateways.

https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonec2.html
"""

from __future__ import annotations

from typing import Any

from cloudjar.base import arn as arns
from cloudjar.kit.context import Ctx
from cloudjar.kit.operation import by_arn, resource_keys
from cloudjar.kit.record import Record
from cloudjar.services.ec2.multicast.records import MulticastDomain
from cloudjar.services.ec2.transit_connects.records import TransitConnect, TransitConnectPeer
from cloudjar.services.ec2.transit_gateways.peering_records import TransitPeering
from cloudjar.services.ec2.transit_gateways.records import (
    PolicyTable,
    TransitAttachment,
    TransitGateway,
    TransitRouteTable,
)


@resource_keys("ec2", "transit-gateway")
def _gateway(item: TransitGateway) -> dict[str, Any]:
    return {"ec2:Region": item.region, "ec2:transitGatewayId": item.id}


@resource_keys("ec2", "transit-gateway-attachment")
def _attachment(item: TransitAttachment | TransitPeering | TransitConnect) -> dict[str, Any]:
    return {"ec2:Region": item.region, "ec2:transitGatewayAttachmentId": item.id}


@resource_keys("ec2", "transit-gateway-connect-peer")
def _peer(item: TransitConnectPeer) -> dict[str, Any]:
    return {"ec2:Region": item.region, "ec2:transitGatewayConnectPeerId": item.id}


@resource_keys("ec2", "transit-gateway-policy-table")
def _policies(item: PolicyTable) -> dict[str, Any]:
    return {"ec2:Region": item.region, "ec2:transitGatewayPolicyTableId": item.id}


@resource_keys("ec2", "transit-gateway-multicast-domain")
def _domain(item: MulticastDomain) -> dict[str, Any]:
    return {"ec2:Region": item.region, "ec2:transitGatewayMulticastDomainId": item.id}


@by_arn("ec2", "transit-gateway-attachment")
def _attached(ctx: Ctx, arn: arns.Arn) -> Record | None:
    """Of VPCs, of peers, or for tunnels."""
    found = ctx.db[TransitAttachment].get(arn.name) or ctx.db[TransitPeering].get(arn.name)
    return found or ctx.db[TransitConnect].get(arn.name)


@resource_keys("ec2", "transit-gateway-route-table")
def _table(item: TransitRouteTable) -> dict[str, Any]:
    return {"ec2:Region": item.region, "ec2:transitGatewayRouteTableId": item.id}
