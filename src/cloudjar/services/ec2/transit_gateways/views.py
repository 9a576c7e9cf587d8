"""Transit gateways in AWS's words."""

from __future__ import annotations

from typing import Any

from cloudjar.kit import tags
from cloudjar.kit.record import arn_of
from cloudjar.services.ec2.lookup import by_path
from cloudjar.services.ec2.transit_gateways.records import (
    ListReference,
    TransitAttachment,
    TransitGateway,
    TransitRouteTable,
)
from cloudjar.services.ec2.transit_gateways.routing import Row

GATEWAYS = by_path(
    {
        "options.amazon-side-asn": "Options.AmazonSideAsn",
        "options.association-default-route-table-id": "Options.AssociationDefaultRouteTableId",
        "options.auto-accept-shared-attachments": "Options.AutoAcceptSharedAttachments",
        "options.default-route-table-association": "Options.DefaultRouteTableAssociation",
        "options.default-route-table-propagation": "Options.DefaultRouteTablePropagation",
        "options.dns-support": "Options.DnsSupport",
        "options.propagation-default-route-table-id": "Options.PropagationDefaultRouteTableId",
        "options.vpn-ecmp-support": "Options.VpnEcmpSupport",
        "owner-id": "OwnerId",
        "state": "State",
        "transit-gateway-id": "TransitGatewayId",
    }
)
TABLES = by_path(
    {
        "default-association-route-table": "DefaultAssociationRouteTable",
        "default-propagation-route-table": "DefaultPropagationRouteTable",
        "state": "State",
        "transit-gateway-id": "TransitGatewayId",
        "transit-gateway-route-table-id": "TransitGatewayRouteTableId",
    }
)
VPC_ATTACHMENTS = by_path(
    {
        "state": "State",
        "transit-gateway-attachment-id": "TransitGatewayAttachmentId",
        "transit-gateway-id": "TransitGatewayId",
        "vpc-id": "VpcId",
    }
)
ATTACHMENTS = by_path(
    {
        "association.state": "Association.State",
        "association.transit-gateway-route-table-id": "Association.TransitGatewayRouteTableId",
        "resource-id": "ResourceId",
        "resource-owner-id": "ResourceOwnerId",
        "resource-type": "ResourceType",
        "state": "State",
        "transit-gateway-attachment-id": "TransitGatewayAttachmentId",
        "transit-gateway-id": "TransitGatewayId",
        "transit-gateway-owner-id": "TransitGatewayOwnerId",
    }
)
REFERENCES = by_path(
    {
        "attachment.resource-id": "TransitGatewayAttachment.ResourceId",
        "attachment.resource-type": "TransitGatewayAttachment.ResourceType",
        "attachment.transit-gateway-attachment-id": "TransitGatewayAttachment.TransitGatewayAttachmentId",
        "is-blackhole": "Blackhole",
        "prefix-list-id": "PrefixListId",
        "prefix-list-owner-id": "PrefixListOwnerId",
        "state": "State",
    }
)
RELATED = by_path(
    {
        "resource-id": "ResourceId",
        "resource-type": "ResourceType",
        "transit-gateway-attachment-id": "TransitGatewayAttachmentId",
        "transit-gateway-route-table-id": "TransitGatewayRouteTableId",
    }
)


def switch(on: bool) -> str:
    """``enable`` or ``disable``."""
    return "enable" if on else "disable"


def show_gateway(gateway: TransitGateway, state: str = "") -> dict[str, Any]:
    """AWS's TransitGateway."""
    return {
        "CreationTime": gateway.created,
        "Description": gateway.description or None,
        "Options": {
            "AmazonSideAsn": gateway.asn,
            "AssociationDefaultRouteTableId": gateway.association_table or None,
            "AutoAcceptSharedAttachments": switch(gateway.auto_accept),
            "DefaultRouteTableAssociation": switch(gateway.default_association),
            "DefaultRouteTablePropagation": switch(gateway.default_propagation),
            "DnsSupport": switch(gateway.dns_support),
            "MulticastSupport": switch(gateway.multicast),
            "PropagationDefaultRouteTableId": gateway.propagation_table or None,
            "SecurityGroupReferencingSupport": "disable",
            "TransitGatewayCidrBlocks": list(gateway.cidr_blocks) or None,
            "VpnEcmpSupport": switch(gateway.vpn_ecmp),
        },
        "OwnerId": gateway.account,
        "State": state or gateway.state,
        "Tags": tags.as_list(gateway.tags),
        "TransitGatewayArn": arn_of(gateway),
        "TransitGatewayId": gateway.id,
    }


def show_table(table: TransitRouteTable, gateway: TransitGateway | None) -> dict[str, Any]:
    """AWS's TransitGatewayRouteTable."""
    return {
        "CreationTime": table.created,
        "DefaultAssociationRouteTable": bool(
            gateway and gateway.default_association and gateway.association_table == table.id
        ),
        "DefaultPropagationRouteTable": bool(
            gateway and gateway.default_propagation and gateway.propagation_table == table.id
        ),
        "State": table.state,
        "Tags": tags.as_list(table.tags),
        "TransitGatewayId": table.gateway_id,
        "TransitGatewayRouteTableId": table.id,
    }


def show_vpc_attachment(item: TransitAttachment, state: str = "") -> dict[str, Any]:
    """AWS's TransitGatewayVpcAttachment."""
    return {
        "CreationTime": item.created,
        "Options": {
            "ApplianceModeSupport": "disable",
            "DnsSupport": switch(item.dns_support),
            "Ipv6Support": switch(item.ipv6_support),
            "SecurityGroupReferencingSupport": switch(item.group_referencing),
        },
        "State": state or item.state,
        "SubnetIds": list(item.subnets),
        "Tags": tags.as_list(item.tags),
        "TransitGatewayAttachmentId": item.id,
        "TransitGatewayId": item.gateway_id,
        "VpcId": item.vpc_id,
        "VpcOwnerId": item.vpc_owner,
    }


def show_attachment(item: TransitAttachment) -> dict[str, Any]:
    """AWS's TransitGatewayAttachment; which table it obeys is its gateway's owner's business."""
    seen = item.association and item.account == item.gateway_owner
    return {
        "Association": {"State": item.association, "TransitGatewayRouteTableId": item.table} if seen else None,
        "CreationTime": item.created,
        "ResourceId": item.vpc_id,
        "ResourceOwnerId": item.vpc_owner,
        "ResourceType": item.kind,
        "State": item.state,
        "Tags": tags.as_list(item.tags),
        "TransitGatewayAttachmentId": item.id,
        "TransitGatewayId": item.gateway_id,
        "TransitGatewayOwnerId": item.gateway_owner,
    }


def show_association(item: TransitAttachment, table: str, state: str) -> dict[str, Any]:
    """AWS's TransitGatewayAssociation and TransitGatewayPropagation, which differ in their states alone."""
    return {
        "ResourceId": item.vpc_id,
        "ResourceType": item.kind,
        "State": state,
        "TransitGatewayAttachmentId": item.id,
        "TransitGatewayRouteTableId": table,
    }


def show_reference(table: TransitRouteTable, one: ListReference, item: TransitAttachment | None) -> dict[str, Any]:
    """AWS's TransitGatewayPrefixListReference."""
    shown: dict[str, Any] = {
        "Blackhole": not one.attachment,
        "PrefixListId": one.prefix_list,
        "PrefixListOwnerId": one.owner,
        "State": "available",
        "TransitGatewayRouteTableId": table.id,
    }
    if item is not None:
        shown["TransitGatewayAttachment"] = {
            "ResourceId": item.vpc_id, "ResourceType": item.kind, "TransitGatewayAttachmentId": item.id,
        }  # fmt: skip
    return shown


def show_route(row: Row, state: str = "") -> dict[str, Any]:
    """AWS's TransitGatewayRoute."""
    item = row.attachment
    shown: dict[str, Any] = {
        "DestinationCidrBlock": str(row.block),
        "PrefixListId": row.prefix_list or None,
        "State": state or row.state,
        "Type": row.kind,
    }
    if item is not None:
        shown["TransitGatewayAttachments"] = [
            {"ResourceId": one.vpc_id, "ResourceType": one.kind, "TransitGatewayAttachmentId": one.id}
            for one in {way.attachment.id: way.attachment for way in row.told}.values() or (item,)
        ]
    return shown
