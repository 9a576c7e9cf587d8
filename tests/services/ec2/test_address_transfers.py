"""Elastic IPs between accounts, and what is left of EC2-Classic."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from tests.jar import ACCOUNT, TestJar
from tests.services.ec2.asking import NOWHERE, code, launch

OTHER = "222222222222"


def offered(ec2: Any) -> dict[str, Any]:
    """An address that was offered to the other account."""
    made = ec2.allocate_address(Domain="vpc")
    ec2.create_tags(Resources=[made["AllocationId"]], Tags=[{"Key": "Name", "Value": "old"}])
    asked = {"AllocationId": made["AllocationId"], "TransferAccountId": OTHER}
    transfer: dict[str, Any] = ec2.enable_address_transfer(**asked)["AddressTransfer"]
    return transfer


def test_an_address_is_offered_and_taken_over(jar: TestJar, ec2: Any) -> None:
    offer = offered(ec2)
    assert (offer["AddressTransferStatus"], offer["TransferAccountId"]) == ("pending", OTHER)
    assert [one["PublicIp"] for one in ec2.describe_address_transfers()["AddressTransfers"]] == [offer["PublicIp"]]
    other = jar.client("ec2", key=OTHER)
    assert code(ec2.accept_address_transfer, Address=offer["PublicIp"]) == "InvalidTransfer.NotFound"
    named = [{"ResourceType": "elastic-ip", "Tags": [{"Key": "Name", "Value": "new"}]}]
    taken = other.accept_address_transfer(Address=offer["PublicIp"], TagSpecifications=named)["AddressTransfer"]
    assert taken["AddressTransferStatus"] == "accepted"
    [mine] = other.describe_addresses()["Addresses"]
    assert (mine["PublicIp"], mine["Tags"]) == (offer["PublicIp"], [{"Key": "Name", "Value": "new"}])
    assert ec2.describe_addresses()["Addresses"] == []
    jar.advance(hours=5)
    assert jar.usage("PublicIPv4:IdleAddress") == timedelta(0)
    assert jar.usage("PublicIPv4:IdleAddress", OTHER) == timedelta(hours=5)
    assert ec2.describe_address_transfers()["AddressTransfers"][0]["AddressTransferStatus"] == "accepted"
    jar.advance(days=14)
    assert ec2.describe_address_transfers()["AddressTransfers"] == []


def test_an_offer_ends_after_a_week_or_is_taken_back(jar: TestJar, ec2: Any) -> None:
    offer, late = offered(ec2), offered(ec2)
    other = jar.client("ec2", key=OTHER)
    back = ec2.disable_address_transfer(AllocationId=offer["AllocationId"])["AddressTransfer"]
    assert back["AddressTransferStatus"] == "disabled"
    assert code(ec2.disable_address_transfer, AllocationId=offer["AllocationId"]) == "InvalidTransfer.NotFound"
    assert code(other.accept_address_transfer, Address=offer["PublicIp"]) == "InvalidTransfer.NotFound"
    jar.advance(days=7)
    assert ec2.describe_address_transfers()["AddressTransfers"] == []
    assert code(other.accept_address_transfer, Address=late["PublicIp"]) == "InvalidTransfer.NotFound"
    self = {"AllocationId": late["AllocationId"], "TransferAccountId": ACCOUNT}
    assert code(ec2.enable_address_transfer, **self) == "InvalidParameterValue"


def test_an_address_in_use_cannot_be_taken_over(jar: TestJar, ec2: Any) -> None:
    offer, other = offered(ec2), jar.client("ec2", key=OTHER)
    vm = launch(ec2)
    jar.settle()
    worn = ec2.associate_address(AllocationId=offer["AllocationId"], InstanceId=vm)["AssociationId"]
    assert code(other.accept_address_transfer, Address=offer["PublicIp"]) == "AddressAssociated"
    ec2.disassociate_address(AssociationId=worn)
    for _ in range(5):
        other.allocate_address(Domain="vpc")
    assert code(other.accept_address_transfer, Address=offer["PublicIp"]) == "AddressLimitExceeded"
    assert ec2.describe_addresses()["Addresses"][0]["PublicIp"] == offer["PublicIp"]
    ec2.release_address(AllocationId=offer["AllocationId"])
    assert ec2.describe_address_transfers()["AddressTransfers"] == []


def test_there_is_no_classic(jar: TestJar, ec2: Any) -> None:
    ip = ec2.allocate_address(Domain="vpc")["PublicIp"]
    assert code(ec2.move_address_to_vpc, PublicIp=ip) == "InvalidAddress.InVpc"
    assert code(ec2.restore_address_to_classic, PublicIp=ip) == "UnsupportedOperation"
    assert ec2.describe_moving_addresses()["MovingAddressStatuses"] == []
    assert code(ec2.move_address_to_vpc, PublicIp="192.0.2.9") == "InvalidAddress.NotFound"
    missing = {"AllocationId": f"eipalloc-{NOWHERE}", "TransferAccountId": OTHER}
    assert code(ec2.enable_address_transfer, **missing) == "InvalidAllocationID.NotFound"
