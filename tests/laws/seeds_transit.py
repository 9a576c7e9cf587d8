"""Transit gateways with several of everything, for the law on pages."""

from __future__ import annotations

from typing import Any

from tests.jar import TestJar


def transits(jar: TestJar) -> dict[str, Any]:
    """One gateway, seven attachments and tables; the parameters that the lists ask for."""
    ec2 = jar.client("ec2")
    gateway = ec2.create_transit_gateway(
        Options={"MulticastSupport": "enable", "TransitGatewayCidrBlocks": ["10.99.0.0/24"]}
    )["TransitGateway"]
    key, table = gateway["TransitGatewayId"], gateway["Options"]["AssociationDefaultRouteTableId"]
    jar.settle()
    attached = ""
    domains, tables = [], []
    for _ in range(7):
        domain = ec2.create_transit_gateway_multicast_domain(TransitGatewayId=key)["TransitGatewayMulticastDomain"]
        domains.append(domain["TransitGatewayMulticastDomainId"])
        policies = ec2.create_transit_gateway_policy_table(TransitGatewayId=key)["TransitGatewayPolicyTable"]
        tables.append(policies["TransitGatewayPolicyTableId"])
    for n in range(7):
        vpc = ec2.create_vpc(CidrBlock=f"10.{80 + n}.0.0/16")["Vpc"]["VpcId"]
        subnet = ec2.create_subnet(VpcId=vpc, CidrBlock=f"10.{80 + n}.1.0/24")["Subnet"]["SubnetId"]
        attached = ec2.create_transit_gateway_vpc_attachment(TransitGatewayId=key, VpcId=vpc, SubnetIds=[subnet])[
            "TransitGatewayVpcAttachment"
        ]["TransitGatewayAttachmentId"]
        ec2.create_transit_gateway_route_table(TransitGatewayId=key)
    subnets = [subnet] + [
        ec2.create_subnet(VpcId=vpc, CidrBlock=f"10.86.{n}.0/24")["Subnet"]["SubnetId"] for n in range(2, 8)
    ]
    jar.settle()
    ec2.associate_transit_gateway_multicast_domain(
        TransitGatewayMulticastDomainId=domains[0], TransitGatewayAttachmentId=attached, SubnetIds=subnets
    )
    enis = [ec2.create_network_interface(SubnetId=one)["NetworkInterface"]["NetworkInterfaceId"] for one in subnets]
    ec2.register_transit_gateway_multicast_group_members(
        TransitGatewayMulticastDomainId=domains[0], GroupIpAddress="239.1.1.1", NetworkInterfaceIds=enis
    )
    jar.settle()
    _tunnels(jar, ec2, attached)
    return {
        "TransitGatewayMulticastDomainId": domains[0],
        "TransitGatewayPolicyTableId": tables[0],
        "TransitGatewayRouteTableId": table,
        "TransitGatewayAttachmentId": attached,
        "Filters": [{"Name": "type", "Values": ["propagated"]}],
    }


def _tunnels(jar: TestJar, ec2: Any, transport: str) -> None:
    """Seven Connect attachments through one, each with a peer."""
    made = [
        ec2.create_transit_gateway_connect(TransportTransitGatewayAttachmentId=transport, Options={"Protocol": "gre"})
        for _ in range(7)
    ]
    jar.settle()
    for n, one in enumerate(made):
        ec2.create_transit_gateway_connect_peer(
            TransitGatewayAttachmentId=one["TransitGatewayConnect"]["TransitGatewayAttachmentId"],
            PeerAddress=f"10.86.1.{100 + n}", InsideCidrBlocks=[f"169.254.{100 + n}.0/29"],
        )  # fmt: skip
    jar.settle()
