"""What stands at the edges of VPCs, several of each, for the laws about pages and waiters."""

from __future__ import annotations

from typing import Any

from tests.jar import TestJar


def edges(ec2: Any) -> dict[str, Any]:
    """Lists, gateways, connections, endpoints and paths; the parameters that some operations ask for."""
    vpcs = [ec2.create_vpc(CidrBlock=f"10.{n}.0.0/16")["Vpc"]["VpcId"] for n in range(70, 74)]
    key = ""
    for n, vpc in enumerate(vpcs):
        key = ec2.create_managed_prefix_list(
            PrefixListName=f"l{n}", AddressFamily="IPv4", MaxEntries=9,
            Entries=[{"Cidr": f"10.{i}.0.0/16"} for i in range(7)],
        )["PrefixList"]["PrefixListId"]  # fmt: skip
        group = ec2.create_security_group(GroupName="edge", Description="d", VpcId=vpc)["GroupId"]
        subnet = ec2.create_subnet(VpcId=vpc, CidrBlock=f"10.{70 + n}.1.0/24")["Subnet"]["SubnetId"]
        ec2.create_nat_gateway(SubnetId=subnet, ConnectivityType="private")
        ec2.create_egress_only_internet_gateway(VpcId=vpc)
        ec2.create_vpc_endpoint(VpcId=vpc, ServiceName="com.amazonaws.eu-west-3.s3")
        gateway = ec2.create_internet_gateway()["InternetGateway"]["InternetGatewayId"]
        asked = {"Source": gateway, "DestinationIp": "10.0.0.1", "Protocol": "tcp"}
        path = ec2.create_network_insights_path(**asked)["NetworkInsightsPath"]["NetworkInsightsPathId"]
        ec2.start_network_insights_analysis(NetworkInsightsPathId=path)
        rule = {"IpProtocol": "-1", "PrefixListIds": [{"PrefixListId": key}]}
        ec2.authorize_security_group_ingress(GroupId=group, IpPermissions=[rule])
        ec2.create_vpc_peering_connection(VpcId=vpc, PeerVpcId=vpcs[n - 1])
    return {"PrefixListId": key}


def nat_gateway(jar: TestJar, *then: str) -> dict[str, Any]:
    """How a waiter asks about a gateway on which further operations were called."""
    ec2 = jar.client("ec2")
    subnet = ec2.describe_subnets()["Subnets"][0]["SubnetId"]
    made = ec2.create_nat_gateway(SubnetId=subnet, ConnectivityType="private")["NatGateway"]["NatGatewayId"]
    for operation in then:
        jar.settle()
        getattr(ec2, operation)(NatGatewayId=made)
    return {"NatGatewayIds": [made]}


def peering(jar: TestJar, *then: str) -> dict[str, Any]:
    """The same about a peering connection."""
    ec2 = jar.client("ec2")
    vpcs = [ec2.create_vpc(CidrBlock=cidr)["Vpc"]["VpcId"] for cidr in ("10.1.0.0/16", "10.2.0.0/16")]
    made = ec2.create_vpc_peering_connection(VpcId=vpcs[0], PeerVpcId=vpcs[1])["VpcPeeringConnection"]
    key = made["VpcPeeringConnectionId"]
    for operation in then:
        getattr(ec2, operation)(VpcPeeringConnectionId=key)
    return {"VpcPeeringConnectionIds": [key]}


def six(ec2: Any) -> str:
    """The association of a subnet's IPv6 block."""
    made = ec2.create_vpc(CidrBlock="10.6.0.0/16", AmazonProvidedIpv6CidrBlock=True)["Vpc"]["VpcId"]
    [block] = ec2.describe_vpcs(VpcIds=[made])["Vpcs"][0]["Ipv6CidrBlockAssociationSet"]
    own = block["Ipv6CidrBlock"].replace("/56", "/64")
    subnet = ec2.create_subnet(VpcId=made, CidrBlock="10.6.1.0/24", Ipv6CidrBlock=own)["Subnet"]
    return str(subnet["Ipv6CidrBlockAssociationSet"][0]["AssociationId"])


def question(ec2: Any, gateway: str) -> str:
    """A path to analyse."""
    asked = {"Source": gateway, "DestinationIp": "10.0.0.1", "Protocol": "tcp"}
    return str(ec2.create_network_insights_path(**asked)["NetworkInsightsPath"]["NetworkInsightsPathId"])
