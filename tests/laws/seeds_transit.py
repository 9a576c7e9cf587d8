"""Transit gateways with several of everything, for the law on pages."""

from __future__ import annotations

from typing import Any

from tests.jar import TestJar


def transits(jar: TestJar) -> dict[str, Any]:
    """One gateway, seven attachments and tables; the parameters that the lists ask for."""
    ec2 = jar.client("ec2")
    gateway = ec2.create_transit_gateway()["TransitGateway"]
    key, table = gateway["TransitGatewayId"], gateway["Options"]["AssociationDefaultRouteTableId"]
    jar.settle()
    attached = ""
    for n in range(7):
        vpc = ec2.create_vpc(CidrBlock=f"10.{80 + n}.0.0/16")["Vpc"]["VpcId"]
        subnet = ec2.create_subnet(VpcId=vpc, CidrBlock=f"10.{80 + n}.1.0/24")["Subnet"]["SubnetId"]
        attached = ec2.create_transit_gateway_vpc_attachment(TransitGatewayId=key, VpcId=vpc, SubnetIds=[subnet])[
            "TransitGatewayVpcAttachment"
        ]["TransitGatewayAttachmentId"]
        ec2.create_transit_gateway_route_table(TransitGatewayId=key)
    jar.settle()
    return {
        "TransitGatewayRouteTableId": table,
        "TransitGatewayAttachmentId": attached,
        "Filters": [{"Name": "type", "Values": ["propagated"]}],
    }
