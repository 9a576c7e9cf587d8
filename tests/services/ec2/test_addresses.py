"""Elastic IPs and lent public addresses: who holds them, what they cost."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from tests.jar import TestJar
from tests.services.ec2.asking import code, interface_of, launch, make_gateway, make_subnet, make_vpc, only, refused

IN_USE = "PublicIPv4:InUseAddress"
IDLE = "PublicIPv4:IdleAddress"


def hours(count: float) -> timedelta:
    return timedelta(hours=count)


def interface(ec2: Any, *, gateway: bool = True) -> str:
    vpc = make_vpc(ec2)
    if gateway:
        make_gateway(ec2, vpc)
    subnet = make_subnet(ec2, vpc)
    return str(ec2.create_network_interface(SubnetId=subnet)["NetworkInterface"]["NetworkInterfaceId"])


def test_an_address_is_allocated_and_released(ec2: Any) -> None:
    tags = [{"ResourceType": "elastic-ip", "Tags": [{"Key": "Name", "Value": "front"}]}]
    made = ec2.allocate_address(Domain="vpc", TagSpecifications=tags)
    assert made["PublicIp"].startswith("198.18.")
    assert (made["Domain"], made["PublicIpv4Pool"], made["NetworkBorderGroup"]) == ("vpc", "amazon", "eu-west-3")
    [shown] = ec2.describe_addresses(PublicIps=[made["PublicIp"]])["Addresses"]
    assert (shown["AllocationId"], shown["Tags"]) == (made["AllocationId"], [{"Key": "Name", "Value": "front"}])
    assert "AssociationId" not in shown
    attributes = ec2.describe_addresses_attribute(AllocationIds=[made["AllocationId"]], Attribute="domain-name")
    assert attributes["Addresses"] == [{"PublicIp": made["PublicIp"], "AllocationId": made["AllocationId"]}]
    ec2.release_address(AllocationId=made["AllocationId"])
    assert code(ec2.describe_addresses, AllocationIds=[made["AllocationId"]]) == "InvalidAllocationID.NotFound"
    assert code(ec2.describe_addresses, PublicIps=[made["PublicIp"]]) == "InvalidAddress.NotFound"
    assert code(ec2.describe_addresses, PublicIps=["nonsense"]) == "InvalidAddress.Malformed"
    again = ec2.allocate_address(Address=made["PublicIp"])
    assert again["PublicIp"] == made["PublicIp"]


def test_the_sixth_address_is_too_many(ec2: Any) -> None:
    held = {ec2.allocate_address()["PublicIp"] for _ in range(5)}
    assert len(held) == 5
    assert refused(ec2.allocate_address) == (
        "AddressLimitExceeded", "The maximum number of addresses has been reached.",
    )  # fmt: skip


def test_no_two_accounts_or_regions_hold_one_address(jar: TestJar) -> None:
    clients = [
        jar.client("ec2"),
        jar.client("ec2", "us-east-1"),
        jar.client("ec2", key="111111111111", secret="test"),
    ]
    held = [client.allocate_address()["PublicIp"] for _ in range(2) for client in clients]
    assert len(set(held)) == 6


def test_an_address_stands_in_front_of_an_interface(ec2: Any) -> None:
    eni = interface(ec2)
    made = ec2.allocate_address()
    ask = {"AllocationId": made["AllocationId"], "NetworkInterfaceId": eni}
    key = ec2.associate_address(**ask)["AssociationId"]
    assert key.startswith("eipassoc-")
    assert ec2.associate_address(**ask)["AssociationId"] == key
    [shown] = ec2.describe_addresses(Filters=only(association_id=key))["Addresses"]
    assert (shown["NetworkInterfaceId"], shown["PrivateIpAddress"]) == (eni, "10.0.1.4")
    [seen] = ec2.describe_network_interfaces(Filters=only(association__public_ip=made["PublicIp"]))[
        "NetworkInterfaces"
    ]
    assert seen["Association"]["AllocationId"] == made["AllocationId"]
    assert refused(ec2.release_address, AllocationId=made["AllocationId"]) == (
        "InvalidIPAddress.InUse", f"Address {made['PublicIp']} is in use.",
    )  # fmt: skip
    ec2.disassociate_address(AssociationId=key)
    assert code(ec2.disassociate_address, AssociationId=key) == "InvalidAssociationID.NotFound"
    ec2.release_address(AllocationId=made["AllocationId"])


def test_reassociation_is_automatic_unless_forbidden(ec2: Any) -> None:
    eni = interface(ec2)
    subnet = ec2.describe_network_interfaces()["NetworkInterfaces"][0]["SubnetId"]
    other = ec2.create_network_interface(SubnetId=subnet)["NetworkInterface"]["NetworkInterfaceId"]
    one, two = (ec2.allocate_address()["AllocationId"] for _ in range(2))
    key = ec2.associate_address(AllocationId=one, NetworkInterfaceId=eni)["AssociationId"]
    move = {"AllocationId": one, "NetworkInterfaceId": other}
    assert refused(ec2.associate_address, **move, AllowReassociation=False) == (
        "Resource.AlreadyAssociated", f"resource {one} is already associated with associate-id {key}",
    )  # fmt: skip
    ec2.associate_address(**move)
    assert ec2.describe_addresses(AllocationIds=[one])["Addresses"][0]["NetworkInterfaceId"] == other
    ec2.associate_address(AllocationId=two, NetworkInterfaceId=other)  # takes the place of the first
    [left] = ec2.describe_addresses(AllocationIds=[one])["Addresses"]
    assert "AssociationId" not in left
    ec2.delete_network_interface(NetworkInterfaceId=other)
    assert "AssociationId" not in ec2.describe_addresses(AllocationIds=[two])["Addresses"][0]


def test_without_a_gateway_there_is_no_association(ec2: Any) -> None:
    eni = interface(ec2, gateway=False)
    made = ec2.allocate_address()["AllocationId"]
    [shown] = ec2.describe_network_interfaces()["NetworkInterfaces"]
    assert refused(ec2.associate_address, AllocationId=made, NetworkInterfaceId=eni) == (
        "Gateway.NotAttached", f"Network {shown['VpcId']} is not attached to any internet gateway",
    )  # fmt: skip


def test_a_gateway_stays_while_addresses_are_mapped(ec2: Any) -> None:
    eni = interface(ec2)
    [shown] = ec2.describe_network_interfaces(NetworkInterfaceIds=[eni])["NetworkInterfaces"]
    made = ec2.allocate_address()["AllocationId"]
    ec2.associate_address(AllocationId=made, NetworkInterfaceId=eni)
    [gateway] = ec2.describe_internet_gateways(Filters=only(attachment__vpc_id=shown["VpcId"]))["InternetGateways"]
    assert refused(
        ec2.detach_internet_gateway, InternetGatewayId=gateway["InternetGatewayId"], VpcId=shown["VpcId"]
    ) == (
        "DependencyViolation",
        f"Network {shown['VpcId']} has some mapped public address(es). Please unmap those public address(es) before "
        "detaching the gateway.",
    )


def test_an_instance_gets_public_names(jar: TestJar) -> None:
    for region, tail in (("eu-west-3", "eu-west-3.compute"), ("us-east-1", "compute-1")):
        ec2 = jar.client("ec2", region)
        eni = interface_of(ec2, launch(ec2))
        public = eni["Association"]["PublicIp"]
        assert eni["Association"]["IpOwnerId"] == "amazon"
        assert eni["Association"]["PublicDnsName"] == f"ec2-{public.replace('.', '-')}.{tail}.amazonaws.com"


def test_a_lent_address_goes_on_stop_an_elastic_one_stays(jar: TestJar, ec2: Any) -> None:
    lent, kept = launch(ec2), launch(ec2)
    jar.settle()
    before = interface_of(ec2, lent)["Association"]["PublicIp"]
    made = ec2.allocate_address()
    ec2.associate_address(AllocationId=made["AllocationId"], InstanceId=kept)
    ec2.stop_instances(InstanceIds=[lent, kept])
    jar.settle()
    assert "Association" not in interface_of(ec2, lent)
    assert interface_of(ec2, kept)["Association"]["PublicIp"] == made["PublicIp"]
    ec2.start_instances(InstanceIds=[lent, kept])
    jar.settle()
    assert interface_of(ec2, lent)["Association"]["PublicIp"] not in (before, made["PublicIp"])
    [shown] = ec2.describe_addresses(Filters=only(instance_id=kept))["Addresses"]
    assert shown["PublicIp"] == made["PublicIp"]


def test_addresses_bill_used_or_idle_until_they_are_released(jar: TestJar, ec2: Any) -> None:
    made = ec2.allocate_address()
    jar.advance(hours=2)
    assert (jar.usage(IDLE), jar.usage(IN_USE)) == (hours(2), hours(0))
    vm = launch(ec2)  # with a lent address
    jar.settle()
    jar.advance(hours=1)
    assert (jar.usage(IDLE), jar.usage(IN_USE)) == (hours(3), hours(1))
    ec2.associate_address(AllocationId=made["AllocationId"], InstanceId=vm)  # the lent one goes back
    jar.advance(hours=4)
    assert (jar.usage(IDLE), jar.usage(IN_USE)) == (hours(3), hours(5))
    ec2.stop_instances(InstanceIds=[vm])
    jar.settle()
    jar.advance(hours=1)
    assert (jar.usage(IDLE), jar.usage(IN_USE)) == (hours(4), hours(5))
    ec2.terminate_instances(InstanceIds=[vm])
    jar.settle()
    jar.advance(hours=1)
    assert (jar.usage(IDLE), jar.usage(IN_USE)) == (hours(5), hours(5))
    ec2.release_address(AllocationId=made["AllocationId"])
    jar.advance(hours=9)
    assert (jar.usage(IDLE), jar.usage(IN_USE)) == (hours(5), hours(5))
