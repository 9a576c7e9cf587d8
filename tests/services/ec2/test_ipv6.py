"""IPv6: blocks of VPCs and subnets, addresses of interfaces, the way out that is no way in."""

from __future__ import annotations

from ipaddress import IPv6Address, IPv6Network
from typing import Any

from tests.jar import TestJar
from tests.services.ec2.asking import (
    ANYWHERE,
    code,
    interface_of,
    launch,
    main_table,
    make_gateway,
    make_group,
    make_vpc,
    refused,
)


def make_six(ec2: Any) -> tuple[str, str]:
    """A VPC with an IPv6 block, and the block."""
    vpc = str(ec2.create_vpc(CidrBlock="10.0.0.0/16", AmazonProvidedIpv6CidrBlock=True)["Vpc"]["VpcId"])
    [block] = ec2.describe_vpcs(VpcIds=[vpc])["Vpcs"][0]["Ipv6CidrBlockAssociationSet"]
    assert block["Ipv6CidrBlockState"]["State"] == "associated"
    return vpc, str(block["Ipv6CidrBlock"])


def first64(block: str) -> str:
    return str(next(IPv6Network(block).subnets(new_prefix=64)))


def make_dual(ec2: Any, vpc: str, block: str) -> str:
    subnet = str(
        ec2.create_subnet(VpcId=vpc, CidrBlock="10.0.1.0/24", Ipv6CidrBlock=first64(block))["Subnet"]["SubnetId"]
    )
    ec2.modify_subnet_attribute(SubnetId=subnet, AssignIpv6AddressOnCreation={"Value": True})
    return subnet


def test_every_vpc_has_a_block_of_its_own(ec2: Any) -> None:
    (one, mine), (_, other) = make_six(ec2), make_six(ec2)
    assert IPv6Network(mine).prefixlen == 56
    assert not IPv6Network(mine).overlaps(IPv6Network(other))
    local = main_table(ec2, one)["Routes"][1]
    assert (local["DestinationIpv6CidrBlock"], local["GatewayId"]) == (mine, "local")
    made = ec2.associate_vpc_cidr_block(VpcId=one, AmazonProvidedIpv6CidrBlock=True)["Ipv6CidrBlockAssociation"]
    assert made["Ipv6CidrBlockState"]["State"] == "associating"
    ec2.disassociate_vpc_cidr_block(AssociationId=made["AssociationId"])
    assert len(ec2.describe_vpcs(VpcIds=[one])["Vpcs"][0]["Ipv6CidrBlockAssociationSet"]) == 1


def test_a_subnet_takes_a_block_and_gives_it_back(ec2: Any) -> None:
    vpc, block = make_six(ec2)
    plain = ec2.create_subnet(VpcId=vpc, CidrBlock="10.0.1.0/24")["Subnet"]["SubnetId"]
    assert code(ec2.associate_subnet_cidr_block, SubnetId=plain, Ipv6CidrBlock="fd00:1::/64") == "InvalidSubnet.Range"
    made = ec2.associate_subnet_cidr_block(SubnetId=plain, Ipv6CidrBlock=first64(block))["Ipv6CidrBlockAssociation"]
    assert code(ec2.associate_subnet_cidr_block, SubnetId=plain, Ipv6CidrBlock=first64(block)) == (
        "InvalidSubnet.Conflict"
    )
    eni = ec2.create_network_interface(SubnetId=plain, Ipv6AddressCount=1)["NetworkInterface"]["NetworkInterfaceId"]
    assert code(ec2.disassociate_subnet_cidr_block, AssociationId=made["AssociationId"]) == "InvalidCidrBlock.InUse"
    ec2.delete_network_interface(NetworkInterfaceId=eni)
    ec2.disassociate_subnet_cidr_block(AssociationId=made["AssociationId"])
    assert ec2.describe_subnets(SubnetIds=[plain])["Subnets"][0]["Ipv6CidrBlockAssociationSet"] == []


def test_interfaces_get_addresses(ec2: Any) -> None:
    vpc, block = make_six(ec2)
    subnet = make_dual(ec2, vpc, block)
    eni = ec2.create_network_interface(SubnetId=subnet)["NetworkInterface"]
    [given] = eni["Ipv6Addresses"]
    assert IPv6Address(given["Ipv6Address"]) in IPv6Network(first64(block))
    key, wanted = eni["NetworkInterfaceId"], str(IPv6Network(first64(block))[0x42])
    added = ec2.assign_ipv6_addresses(NetworkInterfaceId=key, Ipv6Addresses=[wanted])
    assert added["AssignedIpv6Addresses"] == [wanted]
    other = ec2.create_network_interface(SubnetId=subnet)["NetworkInterface"]["NetworkInterfaceId"]
    assert code(ec2.assign_ipv6_addresses, NetworkInterfaceId=other, Ipv6Addresses=[wanted]) == "InvalidIPAddress.InUse"
    ec2.unassign_ipv6_addresses(NetworkInterfaceId=key, Ipv6Addresses=[wanted])
    [shown] = ec2.describe_network_interfaces(NetworkInterfaceIds=[key])["NetworkInterfaces"]
    assert [one["Ipv6Address"] for one in shown["Ipv6Addresses"]] == [given["Ipv6Address"]]
    assert code(ec2.unassign_ipv6_addresses, NetworkInterfaceId=key, Ipv6Addresses=[wanted]) == "InvalidParameterValue"


def test_the_egress_only_gateway_lets_out_alone(jar: TestJar, ec2: Any) -> None:
    vpc, block = make_six(ec2)
    subnet, group = make_dual(ec2, vpc, block), make_group(ec2, vpc)
    six = [{"IpProtocol": "-1", "Ipv6Ranges": [{"CidrIpv6": "::/0"}]}]
    ec2.authorize_security_group_ingress(GroupId=group, IpPermissions=six)
    assert code(ec2.authorize_security_group_egress, GroupId=group, IpPermissions=six) == "InvalidPermission.Duplicate"
    eni = interface_of(ec2, launch(ec2, SubnetId=subnet, SecurityGroupIds=[group]))
    made = ec2.create_egress_only_internet_gateway(VpcId=vpc)["EgressOnlyInternetGateway"]
    key = made["EgressOnlyInternetGatewayId"]
    assert made["Attachments"] == [{"State": "attached", "VpcId": vpc}]
    table = main_table(ec2, vpc)["RouteTableId"]
    assert code(ec2.create_route, RouteTableId=table, DestinationCidrBlock=ANYWHERE,
                EgressOnlyInternetGatewayId=key) == "InvalidParameterValue"  # fmt: skip
    ec2.create_route(RouteTableId=table, DestinationIpv6CidrBlock="::/0", EgressOnlyInternetGatewayId=key)
    route = main_table(ec2, vpc)["Routes"][2]
    assert (route["DestinationIpv6CidrBlock"], route["State"]) == ("::/0", "active")
    jar.settle()
    address = eni["Ipv6Addresses"][0]["Ipv6Address"]
    assert jar.network.reachable("internet", address, "tcp", 22) == "dropped"
    gateway = make_gateway(ec2, vpc)
    ec2.replace_route(RouteTableId=table, DestinationIpv6CidrBlock="::/0", GatewayId=gateway)
    jar.settle()
    assert jar.network.reachable("internet", address, "tcp", 22) == "open"
    ec2.delete_egress_only_internet_gateway(EgressOnlyInternetGatewayId=key)
    assert refused(ec2.delete_egress_only_internet_gateway, EgressOnlyInternetGatewayId=key) == (
        "InvalidGatewayID.NotFound", f"The gateway ID '{key}' does not exist",
    )  # fmt: skip


def test_what_has_no_block_gives_no_addresses(ec2: Any) -> None:
    vpc = make_vpc(ec2)
    subnet = ec2.create_subnet(VpcId=vpc, CidrBlock="10.0.1.0/24")["Subnet"]["SubnetId"]
    assert code(ec2.create_network_interface, SubnetId=subnet, Ipv6AddressCount=1) == "InvalidParameterValue"
    assert code(ec2.modify_subnet_attribute, SubnetId=subnet, AssignIpv6AddressOnCreation={"Value": True}) == (
        "InvalidParameterValue"
    )
