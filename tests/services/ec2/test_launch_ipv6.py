"""IPv6 at launch: counts, named addresses, per interface, and what is refused."""

from __future__ import annotations

from ipaddress import IPv6Network
from typing import Any

import pytest

from tests.jar import TestJar
from tests.services.ec2.asking import code, interface_of, launch, make_subnet


def dual(ec2: Any) -> tuple[str, IPv6Network]:
    """A subnet with an IPv6 block, and the block."""
    vpc = str(ec2.create_vpc(CidrBlock="10.0.0.0/16", AmazonProvidedIpv6CidrBlock=True)["Vpc"]["VpcId"])
    block = ec2.describe_vpcs(VpcIds=[vpc])["Vpcs"][0]["Ipv6CidrBlockAssociationSet"][0]["Ipv6CidrBlock"]
    wanted = next(IPv6Network(block).subnets(new_prefix=64))
    return make_subnet(ec2, vpc, Ipv6CidrBlock=str(wanted)), wanted


def held(eni: dict[str, Any]) -> list[str]:
    return [one["Ipv6Address"] for one in eni["Ipv6Addresses"]]


def test_addresses_are_counted_or_named(jar: TestJar, ec2: Any) -> None:
    subnet, block = dual(ec2)
    first = interface_of(ec2, launch(ec2, SubnetId=subnet, Ipv6AddressCount=2))
    assert len(held(first)) == 2
    wanted = str(block[0x77])
    vm = launch(ec2, SubnetId=subnet, Ipv6Addresses=[{"Ipv6Address": wanted}])
    assert held(interface_of(ec2, vm)) == [wanted]
    jar.settle()
    key = interface_of(ec2, vm)["NetworkInterfaceId"]
    assert jar.network.reachable(key, held(first)[0], "tcp", 22) == "open"  # the default group admits its members
    shown = ec2.describe_instances(InstanceIds=[vm])["Reservations"][0]["Instances"][0]
    assert shown["Ipv6Address"] == wanted
    found = ec2.describe_instances(Filters=[{"Name": "ipv6-address", "Values": [wanted]}])["Reservations"]
    assert [one["InstanceId"] for reservation in found for one in reservation["Instances"]] == [vm]
    ec2.terminate_instances(InstanceIds=[first["Attachment"]["InstanceId"]])
    jar.settle()
    assert code(launch, ec2=ec2, SubnetId=subnet, Ipv6Addresses=[{"Ipv6Address": wanted}]) == "InvalidIPAddress.InUse"
    ec2.terminate_instances(InstanceIds=[vm])
    jar.settle()
    spec = {"DeviceIndex": 0, "SubnetId": subnet, "Ipv6Addresses": [{"Ipv6Address": wanted}]}
    assert held(interface_of(ec2, launch(ec2, NetworkInterfaces=[spec]))) == [wanted]


@pytest.mark.parametrize(("more", "wanted"), [
    ({"Ipv6AddressCount": 1, "Ipv6Addresses": [{"Ipv6Address": "fd00::1"}]}, "InvalidParameterCombination"),
    ({"Ipv6Addresses": [{"Ipv6Address": "fd00::1"}]}, "InvalidParameterValue"),
    ({"Ipv6Addresses": [{"Ipv6Address": "10.0.0.1"}]}, "InvalidParameterValue"),
    ({"Ipv6AddressCount": 9}, "Ipv6AddressLimitExceeded"),
    ({"EnablePrimaryIpv6": True}, "UnsupportedOperation"),
])  # fmt: skip
def test_what_cannot_be_is_refused(steady_jar: TestJar, more: dict[str, Any], wanted: str) -> None:
    ec2 = steady_jar.client("ec2")
    subnet, _ = dual(ec2)
    assert code(launch, ec2=ec2, SubnetId=subnet, **more) == wanted


@pytest.mark.parametrize("member", [
    {"Ipv6PrefixCount": 1}, {"Ipv6Prefixes": [{"Ipv6Prefix": "fd00::/80"}]}, {"PrimaryIpv6": True},
])  # fmt: skip
def test_prefixes_and_primary_addresses_of_interfaces_are_not_built(
    steady_jar: TestJar, member: dict[str, Any]
) -> None:
    ec2 = steady_jar.client("ec2")
    subnet, _ = dual(ec2)
    spec = {"DeviceIndex": 0, "SubnetId": subnet, **member}
    assert code(launch, ec2=ec2, NetworkInterfaces=[spec]) == "UnsupportedOperation"
