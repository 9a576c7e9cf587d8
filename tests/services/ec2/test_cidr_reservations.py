"""Blocks of subnets that are kept: nothing is given out of them unless it is named."""

from __future__ import annotations

from typing import Any

from tests.jar import TestJar
from tests.services.ec2.asking import NOWHERE, code, make_subnet, make_vpc, only


def card(ec2: Any, subnet: str, **more: Any) -> str:
    made = ec2.create_network_interface(SubnetId=subnet, **more)["NetworkInterface"]
    return str(made["PrivateIpAddress"])


def test_addresses_of_a_reservation_are_given_out_by_name_only(jar: TestJar, ec2: Any) -> None:
    subnet = make_subnet(ec2, make_vpc(ec2), "10.0.1.0/28")
    asked = {"SubnetId": subnet, "Cidr": "10.0.1.4/30", "ReservationType": "explicit", "Description": "ours"}
    kept = ec2.create_subnet_cidr_reservation(**asked)["SubnetCidrReservation"]
    assert (kept["Cidr"], kept["ReservationType"], kept["Description"]) == ("10.0.1.4/30", "explicit", "ours")
    assert card(ec2, subnet) == "10.0.1.8"
    assert card(ec2, subnet, PrivateIpAddress="10.0.1.5") == "10.0.1.5"
    made = ec2.create_network_interface(SubnetId=subnet, SecondaryPrivateIpAddressCount=2)["NetworkInterface"]
    ec2.assign_private_ip_addresses(
        NetworkInterfaceId=made["NetworkInterfaceId"], SecondaryPrivateIpAddressCount=3
    )  # fmt: skip
    assert code(ec2.create_network_interface, SubnetId=subnet) == "InsufficientFreeAddressesInSubnet"
    assert code(ec2.create_subnet_cidr_reservation, **asked) == "InvalidSubnetCidrReservation.Conflict"
    outside = {**asked, "Cidr": "10.0.2.0/30"}
    assert code(ec2.create_subnet_cidr_reservation, **outside) == "InvalidSubnetCidrReservation.Range"
    assert code(ec2.create_subnet_cidr_reservation, **{**asked, "Cidr": "x"}) == "InvalidParameterValue"
    gone = ec2.delete_subnet_cidr_reservation(SubnetCidrReservationId=kept["SubnetCidrReservationId"])
    assert gone["DeletedSubnetCidrReservation"]["Cidr"] == "10.0.1.4/30"
    assert card(ec2, subnet) == "10.0.1.4"
    missing = f"scr-{NOWHERE}"
    wanted = "InvalidSubnetCidrReservationID.NotFound"
    assert code(ec2.delete_subnet_cidr_reservation, SubnetCidrReservationId=missing) == wanted


def test_reservations_are_listed_by_family(jar: TestJar, ec2: Any) -> None:
    vpc = ec2.create_vpc(CidrBlock="10.6.0.0/16", AmazonProvidedIpv6CidrBlock=True)["Vpc"]["VpcId"]
    [block] = ec2.describe_vpcs(VpcIds=[vpc])["Vpcs"][0]["Ipv6CidrBlockAssociationSet"]
    own = block["Ipv6CidrBlock"].replace("/56", "/64")
    subnet = make_subnet(ec2, vpc, "10.6.1.0/24", Ipv6CidrBlock=own)
    six = own.replace("/64", "/80")
    for cidr, kind in (("10.6.1.16/28", "prefix"), ("10.6.1.32/28", "explicit"), (six, "prefix")):
        ec2.create_subnet_cidr_reservation(SubnetId=subnet, Cidr=cidr, ReservationType=kind)
    found = ec2.get_subnet_cidr_reservations(SubnetId=subnet)
    assert {one["Cidr"] for one in found["SubnetIpv4CidrReservations"]} == {"10.6.1.16/28", "10.6.1.32/28"}
    assert [one["Cidr"] for one in found["SubnetIpv6CidrReservations"]] == [six]
    only_prefixes = [{"Name": "reservationType", "Values": ["prefix"]}]
    found = ec2.get_subnet_cidr_reservations(SubnetId=subnet, Filters=only_prefixes)
    assert [one["Cidr"] for one in found["SubnetIpv4CidrReservations"]] == ["10.6.1.16/28"]


def test_a_vpc_leaves_dedicated_tenancy(jar: TestJar, ec2: Any) -> None:
    vpc = ec2.create_vpc(CidrBlock="10.9.0.0/16", InstanceTenancy="dedicated")["Vpc"]["VpcId"]
    assert ec2.modify_vpc_tenancy(VpcId=vpc, InstanceTenancy="default")["ReturnValue"] is True
    [shown] = ec2.describe_vpcs(Filters=only(vpc_id=vpc))["Vpcs"]
    assert shown["InstanceTenancy"] == "default"
