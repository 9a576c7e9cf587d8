"""Dedicated Hosts and dedicated instances: where instances are put, and what it costs."""

from __future__ import annotations

from datetime import timedelta
from functools import partial
from typing import Any

import pytest

from tests.jar import TestJar
from tests.services.ec2.asking import NOWHERE, code, launch, only

ZONE = "eu-west-3a"


def placement(ec2: Any, key: str) -> dict[str, Any]:
    found: dict[str, Any] = ec2.describe_instances(InstanceIds=[key])["Reservations"][0]["Instances"][0]["Placement"]
    return found


def host(ec2: Any, **more: Any) -> str:
    asked = {"InstanceType": "t3.micro", "AvailabilityZone": ZONE, "Quantity": 1, **more}
    return str(ec2.allocate_hosts(**asked)["HostIds"][0])


def shown(ec2: Any, key: str) -> dict[str, Any]:
    (found,) = ec2.describe_hosts(HostIds=[key])["Hosts"]
    return found  # type: ignore[no-any-return]  # botocore's answers are untyped


def on(**more: Any) -> dict[str, Any]:
    return {"Tenancy": "host", "AvailabilityZone": ZONE, **more}


def test_a_host_takes_instances_until_it_is_full(jar: TestJar, ec2: Any) -> None:
    key = host(ec2)
    capacity = shown(ec2, key)["AvailableCapacity"]["AvailableInstanceCapacity"]
    assert capacity == [{"InstanceType": "t3.micro", "AvailableCapacity": 4, "TotalCapacity": 4}]
    vms = [launch(ec2, Placement=on()) for _ in range(4)]  # eight vCPUs: the on-demand quota does not count them
    assert {placement(ec2, vm)["HostId"] for vm in vms} == {key}
    assert code(partial(launch, ec2), Placement=on()) == "InsufficientHostCapacity"
    assert code(partial(launch, ec2), Placement=on(HostId=key)) == "InsufficientCapacityOnHost"
    jar.settle()
    answer = ec2.release_hosts(HostIds=[key])
    assert answer["Unsuccessful"][0]["Error"]["Code"] == "Client.InvalidHost.Occupied"
    assert {one["InstanceId"] for one in shown(ec2, key)["Instances"]} == set(vms)
    ec2.terminate_instances(InstanceIds=vms)
    jar.settle()
    assert ec2.release_hosts(HostIds=[key])["Successful"] == [key]
    assert shown(ec2, key)["State"] == "released"
    jar.advance(hours=2)
    assert code(ec2.describe_hosts, HostIds=[key]) == "InvalidHostID.NotFound"


def test_the_host_is_paid_for_not_what_is_on_it(jar: TestJar, ec2: Any) -> None:
    key = host(ec2)
    vm = launch(ec2, Placement=on(HostId=key, Affinity="host"))
    jar.settle()
    jar.advance(hours=5)
    ec2.terminate_instances(InstanceIds=[vm])
    jar.settle()
    ec2.release_hosts(HostIds=[key])
    jar.advance(hours=5)
    assert jar.usage("HostUsage:t3") == timedelta(hours=5)
    assert jar.usage("BoxUsage:t3.micro") == timedelta(0)


def test_placement_by_name_or_by_itself(ec2: Any) -> None:
    manual = host(ec2, AutoPlacement="off")
    assert code(partial(launch, ec2), Placement=on()) == "InsufficientHostCapacity"
    assert placement(ec2, launch(ec2, Placement=on(HostId=manual)))["Affinity"] == "default"
    ec2.modify_hosts(HostIds=[manual], AutoPlacement="on")
    assert placement(ec2, launch(ec2, Placement=on()))["HostId"] == manual
    assert [one["HostId"] for one in ec2.describe_hosts(Filter=only(auto_placement="on"))["Hosts"]] == [manual]


@pytest.mark.parametrize(
    ("asked", "answer"),
    [
        ({"HostId": f"h-{NOWHERE}", "Tenancy": "host"}, "InvalidHostID.NotFound"),
        ({"Affinity": "host"}, "InvalidParameterCombination"),
        ({"Tenancy": "host"}, "InsufficientHostCapacity"),
    ],
)
def test_what_cannot_be_placed(ec2: Any, asked: dict[str, Any], answer: str) -> None:
    assert code(partial(launch, ec2), Placement=asked) == answer


@pytest.mark.parametrize(
    ("asked", "answer"),
    [
        ({"InstanceFamily": "t3"}, "InvalidParameterCombination"),
        ({"InstanceType": "t2.micro"}, "InvalidParameterValue"),
        ({"AvailabilityZone": "eu-west-9a"}, "InvalidParameterValue"),
        ({"Quantity": 0}, "InvalidParameterValue"),
    ],
)
def test_what_cannot_be_allocated(ec2: Any, asked: dict[str, Any], answer: str) -> None:
    assert code(partial(host, ec2), **asked) == answer


def test_a_host_of_a_family_takes_all_its_types(ec2: Any) -> None:
    key = ec2.allocate_hosts(InstanceFamily="m5", AvailabilityZone=ZONE, Quantity=1)["HostIds"][0]
    found = shown(ec2, key)
    assert (found["AllowsMultipleInstanceTypes"], found["HostProperties"]["TotalVCpus"]) == ("on", 96)
    assert placement(ec2, launch(ec2, InstanceType="m5.large", Placement=on()))["HostId"] == key
    assert shown(ec2, key)["AvailableCapacity"]["AvailableVCpus"] == 94


def test_dedicated_instances_have_a_price_and_the_region_a_fee(jar: TestJar, ec2: Any) -> None:
    vm = launch(ec2, Placement={"Tenancy": "dedicated"})
    assert placement(ec2, vm)["Tenancy"] == "dedicated"
    jar.settle()
    jar.advance(hours=3)
    assert jar.usage("DedicatedUsage:t3.micro") == timedelta(hours=3)
    assert jar.usage("DedicatedUsage-region-fee") == timedelta(hours=3)
    ec2.terminate_instances(InstanceIds=[vm])
    jar.settle()
    jar.advance(hours=3)
    assert jar.usage("DedicatedUsage-region-fee") == timedelta(hours=3)


def test_a_dedicated_vpc_makes_dedicated_instances(ec2: Any) -> None:
    vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16", InstanceTenancy="dedicated")["Vpc"]["VpcId"]
    subnet = ec2.create_subnet(VpcId=vpc, CidrBlock="10.0.1.0/24")["Subnet"]["SubnetId"]
    assert placement(ec2, launch(ec2, SubnetId=subnet))["Tenancy"] == "dedicated"


def test_a_stopped_instance_changes_its_hardware(jar: TestJar, ec2: Any) -> None:
    key = host(ec2)
    vm = launch(ec2, Placement={"Tenancy": "dedicated", "AvailabilityZone": ZONE})
    jar.settle()
    ec2.stop_instances(InstanceIds=[vm])
    jar.settle()
    assert code(ec2.modify_instance_placement, InstanceId=vm, Tenancy="default") == "InvalidParameterCombination"
    ec2.modify_instance_placement(InstanceId=vm, Tenancy="host", HostId=key, Affinity="host")
    ec2.start_instances(InstanceIds=[vm])
    assert (placement(ec2, vm)["HostId"], placement(ec2, vm)["Affinity"]) == (key, "host")
