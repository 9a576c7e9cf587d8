"""Interfaces at launch: several of them, further addresses, both families."""

from __future__ import annotations

from functools import partial
from typing import Any

import pytest

from tests.jar import TestJar
from tests.services.ec2.asking import code, launch, make_subnet, make_vpc


def cards(ec2: Any, instance: str) -> list[dict[str, Any]]:
    view = ec2.describe_instances(InstanceIds=[instance])["Reservations"][0]["Instances"][0]
    return sorted(view["NetworkInterfaces"], key=lambda card: int(card["Attachment"]["DeviceIndex"]))


def test_two_interfaces_at_launch(jar: TestJar, ec2: Any) -> None:
    vpc = make_vpc(ec2)
    front, back = make_subnet(ec2, vpc), make_subnet(ec2, vpc, "10.0.2.0/24")
    zones = ec2.describe_subnets(SubnetIds=[front])["Subnets"][0]["AvailabilityZone"]
    same = make_subnet(ec2, vpc, "10.0.3.0/24", AvailabilityZone=zones)
    vm = launch(
        ec2,
        NetworkInterfaces=[
            {"DeviceIndex": 1, "SubnetId": same, "Description": "second", "DeleteOnTermination": False},
            {"DeviceIndex": 0, "SubnetId": front, "SecondaryPrivateIpAddressCount": 1},
        ],
    )
    jar.settle()
    first, second = cards(ec2, vm)
    assert (first["SubnetId"], second["SubnetId"], second["Description"]) == (front, same, "second")
    assert [address["Primary"] for address in first["PrivateIpAddresses"]] == [True, False]
    assert second["Attachment"]["DeleteOnTermination"] is False
    ec2.terminate_instances(InstanceIds=[vm])
    jar.settle()
    left = ec2.describe_network_interfaces(Filters=[{"Name": "vpc-id", "Values": [vpc]}])["NetworkInterfaces"]
    assert [(card["NetworkInterfaceId"], card["Status"]) for card in left] == [
        (second["NetworkInterfaceId"], "available")
    ]
    if ec2.describe_subnets(SubnetIds=[back])["Subnets"][0]["AvailabilityZone"] != zones:
        apart = [{"DeviceIndex": 0, "SubnetId": front}, {"DeviceIndex": 1, "SubnetId": back}]
        assert code(partial(launch, ec2), NetworkInterfaces=apart) == "InvalidParameterCombination"


@pytest.mark.parametrize(
    ("asked", "answer"),
    [
        ([{"DeviceIndex": 0}, {"DeviceIndex": 0}], "InvalidParameterValue"),
        ([{"DeviceIndex": 1}], "InvalidParameterValue"),
        ([{"DeviceIndex": 0, "AssociatePublicIpAddress": True}, {"DeviceIndex": 1}], "InvalidParameterCombination"),
        ([{"DeviceIndex": 0}, {"DeviceIndex": 1}, {"DeviceIndex": 2}], "AttachmentLimitExceeded"),
        ([{"DeviceIndex": 0, "SecondaryPrivateIpAddressCount": 2}], "PrivateIpAddressLimitExceeded"),
        ([{"DeviceIndex": 0, "InterfaceType": "efa"}], "UnsupportedOperation"),
        ([{"DeviceIndex": 0, "Ipv6AddressCount": 1}], "InvalidParameterValue"),
    ],
)
def test_what_interfaces_cannot_be(ec2: Any, asked: list[dict[str, Any]], answer: str) -> None:
    assert code(partial(launch, ec2), NetworkInterfaces=asked) == answer
    assert ec2.describe_instances()["Reservations"] == []


def test_several_interfaces_get_no_public_address_by_themselves(ec2: Any) -> None:
    vm = launch(ec2, NetworkInterfaces=[{"DeviceIndex": 0}, {"DeviceIndex": 1}])
    assert len(cards(ec2, vm)) == 2
    assert all("Association" not in card for card in cards(ec2, vm))


def test_an_ipv6_address_at_launch(ec2: Any) -> None:
    vpc = str(ec2.create_vpc(CidrBlock="10.0.0.0/16", AmazonProvidedIpv6CidrBlock=True)["Vpc"]["VpcId"])
    block = ec2.describe_vpcs(VpcIds=[vpc])["Vpcs"][0]["Ipv6CidrBlockAssociationSet"][0]["Ipv6CidrBlock"]
    subnet = make_subnet(ec2, vpc, Ipv6CidrBlock=block.replace("/56", "/64"))
    vm = launch(ec2, SubnetId=subnet, Ipv6AddressCount=1)
    assert len(cards(ec2, vm)[0]["Ipv6Addresses"]) == 1
