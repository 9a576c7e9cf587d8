"""Subnets: which blocks they may have, what keeps them."""

from __future__ import annotations

from typing import Any

from tests.jar import ACCOUNT
from tests.services.ec2.asking import NOWHERE, UNBLOCKED, code, make_subnet, make_vpc, only, refused


def test_a_subnet_is_as_aws_shows_it(ec2: Any) -> None:
    vpc = make_vpc(ec2)
    made = ec2.create_subnet(VpcId=vpc, CidrBlock="10.0.1.0/24", AvailabilityZone="eu-west-3b")["Subnet"]
    assert made["AvailableIpAddressCount"] == 251
    assert (made["AvailabilityZone"], made["AvailabilityZoneId"]) == ("eu-west-3b", "euw3-az2")
    assert made["MapPublicIpOnLaunch"] is False
    assert made["State"] == "available"
    assert made["SubnetArn"] == f"arn:aws:ec2:eu-west-3:{ACCOUNT}:subnet/{made['SubnetId']}"
    assert ec2.describe_subnets(Filters=only(vpc_id=vpc))["Subnets"] == [made | UNBLOCKED]


def test_blocks_lie_inside_the_vpc_and_apart(ec2: Any) -> None:
    vpc = make_vpc(ec2)
    make_subnet(ec2, vpc, "10.0.0.0/20")
    assert refused(ec2.create_subnet, VpcId=vpc, CidrBlock="10.1.0.0/24") == (
        "InvalidSubnet.Range", "The CIDR '10.1.0.0/24' is invalid.",
    )  # fmt: skip
    assert refused(ec2.create_subnet, VpcId=vpc, CidrBlock="10.0.15.0/24") == (
        "InvalidSubnet.Conflict", "The CIDR '10.0.15.0/24' conflicts with another subnet",
    )  # fmt: skip
    assert code(ec2.create_subnet, VpcId=vpc, CidrBlock="10.0.16.0/29") == "InvalidSubnet.Range"
    assert code(ec2.create_subnet, VpcId=f"vpc-{NOWHERE}", CidrBlock="10.0.16.0/24") == "InvalidVpcID.NotFound"


def test_an_unknown_zone_names_the_known_ones(ec2: Any) -> None:
    vpc = make_vpc(ec2)
    assert refused(ec2.create_subnet, VpcId=vpc, CidrBlock="10.0.0.0/24", AvailabilityZone="eu-west-3z") == (
        "InvalidParameterValue",
        "Value (eu-west-3z) for parameter availabilityZone is invalid. Subnets can currently only be created in the "
        "following availability zones: eu-west-3a, eu-west-3b, eu-west-3c.",
    )


def test_a_28_gives_eleven_addresses(ec2: Any) -> None:
    subnet = make_subnet(ec2, make_vpc(ec2), "10.0.0.0/28")
    given = [ec2.create_network_interface(SubnetId=subnet)["NetworkInterface"]["PrivateIpAddress"] for _ in range(11)]
    assert given == [f"10.0.0.{i}" for i in range(4, 15)]
    assert ec2.describe_subnets(SubnetIds=[subnet])["Subnets"][0]["AvailableIpAddressCount"] == 0
    assert code(ec2.create_network_interface, SubnetId=subnet) == "InsufficientFreeAddressesInSubnet"


def test_a_subnet_with_interfaces_stays(ec2: Any) -> None:
    subnet = make_subnet(ec2, make_vpc(ec2))
    eni = ec2.create_network_interface(SubnetId=subnet)["NetworkInterface"]["NetworkInterfaceId"]
    assert refused(ec2.delete_subnet, SubnetId=subnet) == (
        "DependencyViolation", f"The subnet '{subnet}' has dependencies and cannot be deleted.",
    )  # fmt: skip
    ec2.delete_network_interface(NetworkInterfaceId=eni)
    ec2.delete_subnet(SubnetId=subnet)
    assert code(ec2.describe_subnets, SubnetIds=[subnet]) == "InvalidSubnetID.NotFound"


def test_attributes_change_one_at_a_time(ec2: Any) -> None:
    subnet = make_subnet(ec2, make_vpc(ec2))
    ec2.modify_subnet_attribute(SubnetId=subnet, MapPublicIpOnLaunch={"Value": True})
    ec2.modify_subnet_attribute(SubnetId=subnet, PrivateDnsHostnameTypeOnLaunch="resource-name")
    ec2.modify_subnet_attribute(SubnetId=subnet, AssignIpv6AddressOnCreation={"Value": False})
    [shown] = ec2.describe_subnets(SubnetIds=[subnet])["Subnets"]
    assert shown["MapPublicIpOnLaunch"] is True
    assert shown["PrivateDnsNameOptionsOnLaunch"]["HostnameType"] == "resource-name"
    refusal = code(ec2.modify_subnet_attribute, SubnetId=subnet, AssignIpv6AddressOnCreation={"Value": True})
    assert refusal == "InvalidParameterValue"


def test_a_default_subnet_comes_back(ec2: Any) -> None:
    assert code(ec2.create_default_subnet, AvailabilityZone="eu-west-3a") == (
        "DefaultSubnetAlreadyExistsInAvailabilityZone"
    )
    [old] = ec2.describe_subnets(Filters=only(availability_zone="eu-west-3a"))["Subnets"]
    ec2.delete_subnet(SubnetId=old["SubnetId"])
    new = ec2.create_default_subnet(AvailabilityZone="eu-west-3a")["Subnet"]
    assert new["CidrBlock"] == old["CidrBlock"]
    assert new["DefaultForAz"] is True


def test_zones_fill_evenly_when_none_is_named(ec2: Any) -> None:
    vpc = make_vpc(ec2)
    zones = [ec2.create_subnet(VpcId=vpc, CidrBlock=f"10.0.{i}.0/24")["Subnet"]["AvailabilityZone"] for i in range(3)]
    assert sorted(zones) == ["eu-west-3a", "eu-west-3b", "eu-west-3c"]
