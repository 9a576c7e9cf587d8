"""Network interfaces and their private addresses."""

from __future__ import annotations

from typing import Any

from tests.jar import ACCOUNT, TestJar
from tests.services.ec2.asking import code, interface_of, launch, make_group, make_subnet, make_vpc, only, refused


def make(ec2: Any, subnet: str, **more: Any) -> dict[str, Any]:
    eni: dict[str, Any] = ec2.create_network_interface(SubnetId=subnet, **more)["NetworkInterface"]
    return eni


def addresses(ec2: Any, key: str) -> list[str]:
    [eni] = ec2.describe_network_interfaces(NetworkInterfaceIds=[key])["NetworkInterfaces"]
    return [address["PrivateIpAddress"] for address in eni["PrivateIpAddresses"]]


def test_an_interface_is_as_aws_shows_it(ec2: Any) -> None:
    vpc = make_vpc(ec2)
    subnet = make_subnet(ec2, vpc, AvailabilityZone="eu-west-3a")
    tags = [{"ResourceType": "network-interface", "Tags": [{"Key": "Name", "Value": "spare"}]}]
    eni = make(ec2, subnet, Description="spare", TagSpecifications=tags)
    [default] = ec2.describe_security_groups(Filters=only(vpc_id=vpc))["SecurityGroups"]
    assert eni["Groups"] == [{"GroupId": default["GroupId"], "GroupName": "default"}]
    assert eni["PrivateIpAddress"] == "10.0.1.4"
    assert eni["PrivateDnsName"] == "ip-10-0-1-4.eu-west-3.compute.internal"
    assert (eni["Status"], eni["InterfaceType"], eni["RequesterManaged"]) == ("available", "interface", False)
    assert eni["SourceDestCheck"] is True
    assert eni["TagSet"] == [{"Key": "Name", "Value": "spare"}]
    assert eni["OwnerId"] == ACCOUNT
    assert "Attachment" not in eni
    assert "Association" not in eni
    [shown] = ec2.describe_network_interfaces(Filters=only(description="spare"))["NetworkInterfaces"]
    assert shown == eni


def test_addresses_are_named_or_the_lowest_free(ec2: Any) -> None:
    subnet = make_subnet(ec2, make_vpc(ec2))
    named = make(ec2, subnet, PrivateIpAddress="10.0.1.5", SecondaryPrivateIpAddressCount=2)
    assert [a["PrivateIpAddress"] for a in named["PrivateIpAddresses"]] == ["10.0.1.5", "10.0.1.4", "10.0.1.6"]
    assert [a["Primary"] for a in named["PrivateIpAddresses"]] == [True, False, False]
    assert make(ec2, subnet)["PrivateIpAddress"] == "10.0.1.7"
    assert refused(ec2.create_network_interface, SubnetId=subnet, PrivateIpAddress="10.0.1.5") == (
        "InvalidIPAddress.InUse", "Address 10.0.1.5 is in use.",
    )  # fmt: skip
    for impossible in ("10.0.2.5", "10.0.1.3", "10.0.1.255", "ten"):
        refusal = code(ec2.create_network_interface, SubnetId=subnet, PrivateIpAddress=impossible)
        assert refusal == "InvalidParameterValue"
    assert ec2.describe_subnets(SubnetIds=[subnet])["Subnets"][0]["AvailableIpAddressCount"] == 247


def test_secondary_addresses_come_and_go(ec2: Any) -> None:
    subnet = make_subnet(ec2, make_vpc(ec2))
    one, two = (make(ec2, subnet)["NetworkInterfaceId"] for _ in range(2))
    answer = ec2.assign_private_ip_addresses(NetworkInterfaceId=one, SecondaryPrivateIpAddressCount=2)
    assert answer["AssignedPrivateIpAddresses"] == [
        {"PrivateIpAddress": "10.0.1.6"}, {"PrivateIpAddress": "10.0.1.7"},
    ]  # fmt: skip
    move = {"NetworkInterfaceId": two, "PrivateIpAddresses": ["10.0.1.7"]}
    assert code(ec2.assign_private_ip_addresses, **move) == "InvalidIPAddress.InUse"
    ec2.assign_private_ip_addresses(**move, AllowReassignment=True)
    assert (addresses(ec2, one), addresses(ec2, two)) == (["10.0.1.4", "10.0.1.6"], ["10.0.1.5", "10.0.1.7"])
    ec2.unassign_private_ip_addresses(NetworkInterfaceId=one, PrivateIpAddresses=["10.0.1.6"])
    assert addresses(ec2, one) == ["10.0.1.4"]
    for wrong in ("10.0.1.4", "10.0.1.9"):
        refusal = code(ec2.unassign_private_ip_addresses, NetworkInterfaceId=one, PrivateIpAddresses=[wrong])
        assert refusal == "InvalidParameterValue"


def test_groups_are_of_the_vpc_and_five_at_most(ec2: Any) -> None:
    vpc, other = make_vpc(ec2), make_vpc(ec2, "10.1.0.0/16")
    subnet = make_subnet(ec2, vpc)
    groups = [make_group(ec2, vpc, f"g{i}") for i in range(6)]
    foreign = make_group(ec2, other)
    assert refused(ec2.create_network_interface, SubnetId=subnet, Groups=[foreign]) == (
        "InvalidGroup.NotFound", f"The security group '{foreign}' does not exist in VPC '{vpc}'",
    )  # fmt: skip
    assert code(ec2.create_network_interface, SubnetId=subnet, Groups=groups) == (
        "SecurityGroupsPerInterfaceLimitExceeded"
    )
    eni = make(ec2, subnet, Groups=groups[:2])["NetworkInterfaceId"]
    ec2.modify_network_interface_attribute(NetworkInterfaceId=eni, Groups=[groups[3]])
    [shown] = ec2.describe_network_interfaces(Filters=only(group_id=groups[3]))["NetworkInterfaces"]
    assert shown["NetworkInterfaceId"] == eni
    answer = ec2.describe_network_interface_attribute(NetworkInterfaceId=eni, Attribute="groupSet")
    assert answer["Groups"] == [{"GroupId": groups[3], "GroupName": "g3"}]


def test_attributes(ec2: Any) -> None:
    eni = make(ec2, make_subnet(ec2, make_vpc(ec2)))["NetworkInterfaceId"]
    ec2.modify_network_interface_attribute(NetworkInterfaceId=eni, SourceDestCheck={"Value": False})
    ec2.modify_network_interface_attribute(NetworkInterfaceId=eni, Description={"Value": "router"})
    ask = {"NetworkInterfaceId": eni}
    assert ec2.describe_network_interface_attribute(**ask, Attribute="sourceDestCheck")["SourceDestCheck"] == {
        "Value": False
    }
    assert ec2.describe_network_interface_attribute(**ask, Attribute="description")["Description"] == {
        "Value": "router"
    }
    ec2.reset_network_interface_attribute(**ask, SourceDestCheck="true")
    assert ec2.describe_network_interfaces()["NetworkInterfaces"][0]["SourceDestCheck"] is True
    assert code(ec2.modify_network_interface_attribute, **ask) == "InvalidParameterCombination"


def test_an_interface_is_plugged_into_a_running_instance(jar: TestJar, ec2: Any) -> None:
    vm = launch(ec2)
    jar.settle()
    first = interface_of(ec2, vm)
    eni = make(ec2, first["SubnetId"])["NetworkInterfaceId"]
    plug = {"NetworkInterfaceId": eni, "InstanceId": vm}
    assert code(ec2.attach_network_interface, **plug, DeviceIndex=0) == "InvalidParameterValue"
    key = ec2.attach_network_interface(**plug, DeviceIndex=1)["AttachmentId"]
    assert refused(ec2.attach_network_interface, **plug, DeviceIndex=2) == (
        "InvalidNetworkInterface.InUse", f"Interface: [{eni}] in use.",
    )  # fmt: skip
    [shown] = ec2.describe_network_interfaces(NetworkInterfaceIds=[eni])["NetworkInterfaces"]
    assert (shown["Status"], shown["Attachment"]["InstanceId"], shown["Attachment"]["DeviceIndex"]) == ("in-use", vm, 1)
    assert refused(ec2.delete_network_interface, NetworkInterfaceId=eni) == (
        "InvalidParameterValue", f"Network interface '{eni}' is currently in use.",
    )  # fmt: skip
    assert code(ec2.detach_network_interface, AttachmentId=first["Attachment"]["AttachmentId"]) == (
        "OperationNotPermitted"
    )
    change = {"AttachmentId": key, "DeleteOnTermination": True}
    ec2.modify_network_interface_attribute(NetworkInterfaceId=eni, Attachment=change)
    ec2.detach_network_interface(AttachmentId=key)
    assert code(ec2.detach_network_interface, AttachmentId=key) == "InvalidAttachmentID.NotFound"
    ec2.delete_network_interface(NetworkInterfaceId=eni)
    assert code(ec2.describe_network_interfaces, NetworkInterfaceIds=[eni]) == "InvalidNetworkInterfaceID.NotFound"


def test_interfaces_go_with_their_instance_or_stay_as_asked(jar: TestJar, ec2: Any) -> None:
    vm = launch(ec2)
    jar.settle()
    first = interface_of(ec2, vm)
    second = make(ec2, first["SubnetId"])["NetworkInterfaceId"]
    ec2.attach_network_interface(NetworkInterfaceId=second, InstanceId=vm, DeviceIndex=1)
    ec2.terminate_instances(InstanceIds=[vm])
    jar.settle()
    [left] = ec2.describe_network_interfaces()["NetworkInterfaces"]
    assert (left["NetworkInterfaceId"], left["Status"]) == (second, "available")


def test_a_type_carries_so_many_interfaces_and_addresses(jar: TestJar, ec2: Any) -> None:
    vm = launch(ec2)  # a t3.micro: two interfaces, two addresses each
    jar.settle()
    first = interface_of(ec2, vm)
    ec2.assign_private_ip_addresses(
        NetworkInterfaceId=first["NetworkInterfaceId"], SecondaryPrivateIpAddressCount=1
    )
    assert refused(
        ec2.assign_private_ip_addresses,
        NetworkInterfaceId=first["NetworkInterfaceId"],
        SecondaryPrivateIpAddressCount=1,
    ) == ("PrivateIpAddressLimitExceeded", "Number of private addresses will exceed limit.")
    second, third = (make(ec2, first["SubnetId"])["NetworkInterfaceId"] for _ in range(2))
    ec2.attach_network_interface(NetworkInterfaceId=second, InstanceId=vm, DeviceIndex=1)
    assert refused(ec2.attach_network_interface, NetworkInterfaceId=third, InstanceId=vm, DeviceIndex=2) == (
        "AttachmentLimitExceeded", "Interface count 3 exceeds the limit for t3.micro",
    )  # fmt: skip


def test_instances_are_found_by_all_of_their_interfaces(ec2: Any) -> None:
    subnet = make_subnet(ec2, make_vpc(ec2))
    mine, _ = launch(ec2, SubnetId=subnet), launch(ec2, SubnetId=subnet)
    eni = interface_of(ec2, mine)
    ec2.create_tags(Resources=[eni["NetworkInterfaceId"]], Tags=[{"Key": "role", "Value": "front"}])
    for name, value in (
        ("tag-key", "role"), ("tag-value", "front"), ("attachment.instance-id", mine),
        ("private-ip-address", eni["PrivateIpAddress"]), ("private-dns-name", eni["PrivateDnsName"]),
    ):  # fmt: skip
        by = [{"Name": f"network-interface.{name}", "Values": [value]}]
        found = ec2.describe_instances(Filters=by)["Reservations"]
        assert [vm["InstanceId"] for one in found for vm in one["Instances"]] == [mine], name
    for name, count in (("requester-managed", 2), ("source-dest-check", 0), ("operator.managed", 2)):
        by = [{"Name": f"network-interface.{name}", "Values": ["false"]}]
        assert len(ec2.describe_instances(Filters=by)["Reservations"]) == count, name
    assert code(ec2.describe_instances, Filters=only(colour="red")) == "InvalidParameterValue"
