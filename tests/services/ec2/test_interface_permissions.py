"""Interfaces that other accounts may use: who may, what is then attached, and what is left when it ends."""

from __future__ import annotations

from typing import Any, NamedTuple

import pytest

from tests.jar import TestJar
from tests.services.ec2.asking import NOWHERE, code, launch, make_gateway, make_subnet, make_vpc, only, refused

OTHER = "222222222222"


class Two(NamedTuple):
    """An interface of the first account, and the second account with a machine in the same zone."""

    ec2: Any
    other: Any
    eni: str
    vm: str

    def show(self) -> dict[str, Any]:
        found: dict[str, Any] = self.ec2.describe_network_interfaces(NetworkInterfaceIds=[self.eni])[
            "NetworkInterfaces"
        ][0]
        return found

    def permit(self, permission: str) -> str:
        asked = {"NetworkInterfaceId": self.eni, "AwsAccountId": OTHER, "Permission": permission}
        return str(
            self.ec2.create_network_interface_permission(**asked)["InterfacePermission"]["NetworkInterfacePermissionId"]
        )


@pytest.fixture
def two(jar: TestJar, ec2: Any) -> Two:
    vpc = make_vpc(ec2, "10.5.0.0/16")
    make_gateway(ec2, vpc)
    subnet = make_subnet(ec2, vpc, "10.5.1.0/24", AvailabilityZone="eu-west-3a")
    eni = ec2.create_network_interface(SubnetId=subnet)["NetworkInterface"]["NetworkInterfaceId"]
    other = jar.client("ec2", key=OTHER)
    vm = launch(other, Placement={"AvailabilityZone": "eu-west-3a"})
    jar.settle()
    return Two(ec2, other, eni, vm)


def test_an_account_attaches_what_it_was_let(jar: TestJar, two: Two) -> None:
    asked = {"NetworkInterfaceId": two.eni, "InstanceId": two.vm, "DeviceIndex": 1}
    assert code(two.other.attach_network_interface, **asked) == "InvalidNetworkInterfaceID.NotFound"
    address = two.permit("EIP-ASSOCIATE")
    assert refused(two.other.attach_network_interface, **asked) == (
        "AuthFailure", f"You do not have permission to access the specified resource: {two.eni}",
    )  # fmt: skip
    two.ec2.delete_network_interface_permission(NetworkInterfacePermissionId=address)
    permission = two.permit("INSTANCE-ATTACH")
    attachment = two.other.attach_network_interface(**asked)["AttachmentId"]
    shown = two.show()
    assert (shown["Status"], shown["OwnerId"]) == ("in-use", "000000000000")
    assert (shown["Attachment"]["InstanceId"], shown["Attachment"]["InstanceOwnerId"]) == (two.vm, OTHER)
    vm = two.other.describe_instances(InstanceIds=[two.vm])["Reservations"][0]["Instances"][0]
    assert [card["OwnerId"] for card in vm["NetworkInterfaces"]] == [OTHER, "000000000000"]
    jar.settle()
    laid = {i.id: i for i in jar.network._vpcs[shown["VpcId"]].interfaces}
    assert (laid[two.eni].guest, laid[two.eni].index) == (two.vm, 1)
    two.other.stop_instances(InstanceIds=[two.vm])
    jar.settle()
    assert shown["VpcId"] not in jar.network._vpcs
    two.other.start_instances(InstanceIds=[two.vm])
    jar.settle()
    assert two.eni in {i.id for i in jar.network._vpcs[shown["VpcId"]].interfaces}
    assert code(two.ec2.delete_network_interface_permission, NetworkInterfacePermissionId=permission) == (
        "OperationNotPermitted"
    )
    two.other.detach_network_interface(AttachmentId=attachment)
    assert two.show()["Status"] == "available"
    two.other.attach_network_interface(**asked)
    assert two.ec2.delete_network_interface_permission(NetworkInterfacePermissionId=permission, Force=True)["Return"]
    assert two.show()["Status"] == "in-use"
    two.other.terminate_instances(InstanceIds=[two.vm])
    jar.settle()
    assert two.show()["Status"] == "available"
    assert code(two.other.attach_network_interface, **asked) == "InvalidNetworkInterfaceID.NotFound"
    two.ec2.delete_network_interface(NetworkInterfaceId=two.eni)


def test_an_account_puts_its_address_in_front(jar: TestJar, two: Two) -> None:
    allocation = two.other.allocate_address(Domain="vpc")["AllocationId"]
    asked = {"AllocationId": allocation, "NetworkInterfaceId": two.eni}
    assert code(two.other.associate_address, **asked) == "InvalidNetworkInterfaceID.NotFound"
    two.permit("INSTANCE-ATTACH")
    assert code(two.other.associate_address, **asked) == "AuthFailure"
    permission = two.permit("EIP-ASSOCIATE")
    association = two.other.associate_address(**asked)["AssociationId"]
    assert two.show()["Association"]["IpOwnerId"] == OTHER
    [held] = two.other.describe_addresses(AllocationIds=[allocation])["Addresses"]
    assert (held["NetworkInterfaceId"], held["NetworkInterfaceOwnerId"]) == (two.eni, "000000000000")
    assert code(two.ec2.delete_network_interface_permission, NetworkInterfacePermissionId=permission) == (
        "OperationNotPermitted"
    )
    two.other.disassociate_address(AssociationId=association)
    assert "Association" not in two.show()
    two.other.associate_address(**asked)
    two.ec2.delete_network_interface(NetworkInterfaceId=two.eni)
    [held] = two.other.describe_addresses(AllocationIds=[allocation])["Addresses"]
    assert "AssociationId" not in held
    two.other.release_address(AllocationId=allocation)
    assert two.ec2.describe_network_interface_permissions()["NetworkInterfacePermissions"] == []


def test_permissions_are_listed_and_refused(two: Two) -> None:
    one, other = two.permit("INSTANCE-ATTACH"), two.permit("EIP-ASSOCIATE")
    create, describe = two.ec2.create_network_interface_permission, two.ec2.describe_network_interface_permissions
    wanted = only(network_interface_permission__permission="EIP-ASSOCIATE")
    [found] = describe(Filters=wanted)["NetworkInterfacePermissions"]
    assert found == {
        "NetworkInterfacePermissionId": other, "NetworkInterfaceId": two.eni, "AwsAccountId": OTHER,
        "Permission": "EIP-ASSOCIATE", "PermissionState": {"State": "granted"},
    }  # fmt: skip
    assert len(describe(NetworkInterfacePermissionIds=[one])["NetworkInterfacePermissions"]) == 1
    again = {"NetworkInterfaceId": two.eni, "AwsAccountId": OTHER, "Permission": "INSTANCE-ATTACH"}
    assert code(create, **again) == "InvalidPermission.Duplicate"
    assert code(create, **{**again, "AwsAccountId": "nobody"}) == "InvalidParameterValue"
    assert code(create, **{**again, "NetworkInterfaceId": f"eni-{NOWHERE}"}) == "InvalidNetworkInterfaceID.NotFound"
    unknown = f"eni-perm-{NOWHERE}"
    assert code(two.ec2.delete_network_interface_permission, NetworkInterfacePermissionId=unknown) == (
        "InvalidPermissionID.NotFound"
    )
    assert two.other.describe_network_interface_permissions()["NetworkInterfacePermissions"] == []
