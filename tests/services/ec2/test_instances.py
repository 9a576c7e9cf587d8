"""The life of an instance: what AWS says, what the machine does, what the bill says."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.jar import TestJar


def debian(ec2: Any) -> str:
    images = ec2.describe_images(
        Owners=["136693071363"],
        Filters=[{"Name": "name", "Values": ["debian-12-amd64-*"]}, {"Name": "architecture", "Values": ["x86_64"]}],
    )["Images"]
    assert len(images) == 1
    return str(images[0]["ImageId"])


def launch(ec2: Any, **more: Any) -> str:
    answer = ec2.run_instances(ImageId=debian(ec2), InstanceType="t3.micro", MinCount=1, MaxCount=1, **more)
    return str(answer["Instances"][0]["InstanceId"])


def show(ec2: Any, instance_id: str) -> dict[str, Any]:
    found: dict[str, Any] = ec2.describe_instances(InstanceIds=[instance_id])["Reservations"][0]["Instances"][0]
    return found


def state(ec2: Any, instance_id: str) -> str:
    return str(show(ec2, instance_id)["State"]["Name"])


def code(call: Any, **kwargs: Any) -> str:
    with pytest.raises(ClientError) as caught:
        call(**kwargs)
    return str(caught.value.response["Error"]["Code"])


def test_a_launched_instance_is_pending_then_running(jar: TestJar, ec2: Any) -> None:
    vm = launch(ec2)
    assert state(ec2, vm) == "pending"
    jar.settle()
    shown = show(ec2, vm)
    assert shown["State"] == {"Code": 16, "Name": "running"}
    assert shown["PublicIpAddress"].startswith("198.18.")
    assert shown["PrivateIpAddress"].startswith("172.31.")
    assert jar.host.look(vm) == "up"


def test_a_stopped_instance_stays_stopped_and_stops_costing(jar: TestJar, ec2: Any) -> None:
    vm = launch(ec2)
    jar.settle()
    jar.advance(hours=1)
    ec2.stop_instances(InstanceIds=[vm])
    jar.crash()
    jar.settle()
    jar.advance(hours=5)
    shown = show(ec2, vm)
    assert shown["State"]["Name"] == "stopped"
    assert "PublicIpAddress" not in shown
    assert jar.host.look(vm) == "down"
    assert jar.usage("BoxUsage:t3.micro") == timedelta(hours=1)
    assert jar.usage("EBS:VolumeUsage.gp3") == timedelta(hours=6)
    assert jar.usage("PublicIPv4:InUseAddress") == timedelta(hours=1)


def test_start_gives_a_new_public_address_and_keeps_the_disk(jar: TestJar, ec2: Any) -> None:
    vm = launch(ec2)
    jar.settle()
    before = show(ec2, vm)
    ec2.stop_instances(InstanceIds=[vm])
    jar.settle()
    ec2.start_instances(InstanceIds=[vm])
    jar.settle()
    after = show(ec2, vm)
    assert after["State"]["Name"] == "running"
    assert after["PublicIpAddress"] != before["PublicIpAddress"]
    assert after["PrivateIpAddress"] == before["PrivateIpAddress"]
    assert after["BlockDeviceMappings"] == before["BlockDeviceMappings"]


def test_terminated_instances_are_listed_for_an_hour(jar: TestJar, ec2: Any) -> None:
    vm = launch(ec2)
    jar.settle()
    ec2.terminate_instances(InstanceIds=[vm])
    jar.settle()
    assert state(ec2, vm) == "terminated"
    assert jar.host.look(vm) is None
    assert ec2.describe_volumes()["Volumes"] == []
    assert code(ec2.start_instances, InstanceIds=[vm]) == "IncorrectInstanceState"
    jar.advance(minutes=61)
    assert code(ec2.describe_instances, InstanceIds=[vm]) == "InvalidInstanceID.NotFound"


def test_one_bad_id_fails_the_whole_call(ec2: Any) -> None:
    vm = launch(ec2)
    bad = "i-0123456789abcdef0"
    assert code(ec2.stop_instances, InstanceIds=[vm, bad]) == "InvalidInstanceID.NotFound"
    assert state(ec2, vm) == "pending"
    assert code(ec2.stop_instances, InstanceIds=["i-zzz"]) == "InvalidInstanceID.Malformed"


def test_protection_refuses_termination(jar: TestJar, ec2: Any) -> None:
    vm = launch(ec2, DisableApiTermination=True)
    assert code(ec2.terminate_instances, InstanceIds=[vm]) == "OperationNotPermitted"
    ec2.modify_instance_attribute(InstanceId=vm, DisableApiTermination={"Value": False})
    ec2.terminate_instances(InstanceIds=[vm])
    jar.settle()
    assert state(ec2, vm) == "terminated"


def test_the_vcpu_quota_stops_a_launch(ec2: Any) -> None:
    big: dict[str, Any] = {"ImageId": debian(ec2), "InstanceType": "m5.24xlarge"}
    assert code(ec2.run_instances, MinCount=100, MaxCount=100, **big) == "VcpuLimitExceeded"
    assert ec2.describe_instances()["Reservations"] == []


def test_another_region_shows_no_instances(jar: TestJar, ec2: Any) -> None:
    launch(ec2)
    assert jar.client("ec2", region="us-west-2").describe_instances()["Reservations"] == []


def test_the_same_client_token_launches_once(ec2: Any) -> None:
    first, second = launch(ec2, ClientToken="once"), launch(ec2, ClientToken="once")
    assert first == second
    other: dict[str, Any] = {"ImageId": debian(ec2), "InstanceType": "t3.small", "MinCount": 1, "MaxCount": 1}
    assert code(ec2.run_instances, ClientToken="once", **other) == "IdempotentParameterMismatch"


def test_a_client_token_is_forgotten_after_a_day(jar: TestJar, ec2: Any) -> None:
    first = launch(ec2, ClientToken="today")
    jar.advance(hours=25)
    assert launch(ec2, ClientToken="today") != first


def test_dry_run_changes_nothing(ec2: Any) -> None:
    asked: dict[str, Any] = {"ImageId": debian(ec2), "InstanceType": "t3.micro", "MinCount": 1, "MaxCount": 1}
    assert code(ec2.run_instances, DryRun=True, **asked) == "DryRunOperation"
    assert ec2.describe_instances()["Reservations"] == []


@pytest.mark.parametrize(("behavior", "becomes"), [("stop", "stopped"), ("terminate", "terminated")])
def test_poweroff_inside_the_guest(jar: TestJar, ec2: Any, behavior: str, becomes: str) -> None:
    vm = launch(ec2, InstanceInitiatedShutdownBehavior=behavior)
    jar.settle()
    jar.host.power_off(vm)
    jar.settle()
    shown = show(ec2, vm)
    assert shown["State"]["Name"] == becomes
    assert shown["StateReason"]["Code"] == "Client.InstanceInitiatedShutdown"
    assert jar.usage("BoxUsage:t3.micro") == timedelta(0)


def test_what_ran_before_the_host_went_down_runs_again(jar: TestJar, ec2: Any) -> None:
    running, stopped = launch(ec2), launch(ec2)
    jar.settle()
    ec2.stop_instances(InstanceIds=[stopped])
    jar.settle()
    jar.host.host.machines.clear()
    jar.crash()
    jar.settle()
    assert (state(ec2, running), state(ec2, stopped)) == ("running", "stopped")
    assert (jar.host.look(running), jar.host.look(stopped)) == ("up", None)
