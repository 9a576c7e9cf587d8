"""What a launch may ask for beside image, disks and network; what is not honoured is refused by name."""

from __future__ import annotations

from functools import partial
from typing import Any

import pytest

from tests.jar import TestJar
from tests.services.ec2.asking import code, launch, refused


def show(ec2: Any, instance: str) -> dict[str, Any]:
    found: dict[str, Any] = ec2.describe_instances(InstanceIds=[instance])["Reservations"][0]["Instances"][0]
    return found


def test_fewer_threads_are_a_smaller_machine(jar: TestJar, ec2: Any) -> None:
    vm = launch(ec2, CpuOptions={"CoreCount": 1, "ThreadsPerCore": 1})
    jar.settle()
    assert show(ec2, vm)["CpuOptions"] == {"CoreCount": 1, "ThreadsPerCore": 1}
    assert jar.host.host.machines[vm].spec.vcpus == 1
    ec2.stop_instances(InstanceIds=[vm])
    jar.settle()
    ec2.modify_instance_cpu_options(InstanceId=vm, CoreCount=1, ThreadsPerCore=2)
    ec2.start_instances(InstanceIds=[vm])
    jar.settle()
    assert jar.host.host.machines[vm].spec.vcpus == 2


@pytest.mark.parametrize(
    ("asked", "answer"),
    [
        ({"CpuOptions": {"CoreCount": 3, "ThreadsPerCore": 1}}, "InvalidParameterValue"),
        ({"CpuOptions": {"CoreCount": 1}}, "MissingParameter"),
        ({"HibernationOptions": {"Configured": True}}, "UnsupportedHibernationConfiguration"),
        ({"EnclaveOptions": {"Enabled": True}}, "InvalidParameterCombination"),
        ({"NetworkPerformanceOptions": {"BandwidthWeighting": "vpc-1"}}, "InvalidParameterCombination"),
        ({"CreditSpecification": {"CpuCredits": "much"}}, "InvalidParameterValue"),
        ({"MetadataOptions": {"HttpPutResponseHopLimit": 65}}, "InvalidParameterValue"),
        ({"Placement": {"GroupName": "nobody"}}, "InvalidPlacementGroup.Unknown"),
        ({"TagSpecifications": [{"ResourceType": "vpc", "Tags": [{"Key": "a"}]}]}, "InvalidParameterValue"),
        ({"Placement": {"HostId": "h-00000000000000000"}}, "InvalidParameterCombination"),
        ({"KernelId": "aki-12345678"}, "UnsupportedOperation"),
        ({"PrivateDnsNameOptions": {"EnableResourceNameDnsAAAARecord": True}}, "InvalidParameterValue"),
        ({"MetadataOptions": {"HttpProtocolIpv6": "enabled"}}, "UnsupportedOperation"),
    ],
)  # fmt: skip
def test_what_cannot_be_is_refused(ec2: Any, asked: dict[str, Any], answer: str) -> None:
    assert code(partial(launch, ec2), **asked) == answer
    assert ec2.describe_instances()["Reservations"] == []


def test_the_accounts_own_defaults_for_metadata(ec2: Any) -> None:
    wanted = {"HttpTokens": "optional", "HttpPutResponseHopLimit": 5, "InstanceMetadataTags": "enabled"}
    ec2.modify_instance_metadata_defaults(**wanted)
    held = ec2.get_instance_metadata_defaults()["AccountLevel"]
    assert (held["HttpTokens"], held["HttpPutResponseHopLimit"]) == ("optional", 5)
    options = show(ec2, launch(ec2))["MetadataOptions"]
    assert (options["HttpTokens"], options["HttpPutResponseHopLimit"], options["InstanceMetadataTags"]) == (
        "optional", 5, "enabled")  # fmt: skip
    own = show(ec2, launch(ec2, MetadataOptions={"HttpTokens": "required"}))["MetadataOptions"]
    assert own["HttpTokens"] == "required"
    ec2.modify_instance_metadata_defaults(HttpTokens="no-preference", HttpPutResponseHopLimit=-1)
    assert "HttpTokens" not in ec2.get_instance_metadata_defaults()["AccountLevel"]


def test_an_account_that_enforces_tokens(ec2: Any) -> None:
    vm = launch(ec2)
    ec2.modify_instance_metadata_defaults(HttpTokensEnforced="enabled")
    assert code(partial(launch, ec2), MetadataOptions={"HttpTokens": "optional"}) == "UnauthorizedOperation"
    assert code(ec2.modify_instance_metadata_options, InstanceId=vm, HttpTokens="optional") == "UnauthorizedOperation"


def test_the_credit_option_of_a_family(ec2: Any) -> None:
    assert ec2.get_default_credit_specification(InstanceFamily="t3")["InstanceFamilyCreditSpecification"] == {
        "InstanceFamily": "t3", "CpuCredits": "unlimited"}  # fmt: skip
    ec2.modify_default_credit_specification(InstanceFamily="t3", CpuCredits="standard")
    vm = launch(ec2)
    found = ec2.describe_instance_credit_specifications(InstanceIds=[vm])["InstanceCreditSpecifications"]
    assert found == [{"InstanceId": vm, "CpuCredits": "standard"}]


def test_the_serial_console_is_off_until_the_account_says_so(ec2: Any) -> None:
    assert ec2.get_serial_console_access_status()["SerialConsoleAccessEnabled"] is False
    assert ec2.enable_serial_console_access()["SerialConsoleAccessEnabled"] is True
    assert ec2.get_serial_console_access_status()["SerialConsoleAccessEnabled"] is True
    assert ec2.disable_serial_console_access()["SerialConsoleAccessEnabled"] is False


def test_maintenance_and_source_check(ec2: Any) -> None:
    vm = launch(ec2, MaintenanceOptions={"AutoRecovery": "disabled"})
    assert show(ec2, vm)["MaintenanceOptions"]["AutoRecovery"] == "disabled"
    changed = ec2.modify_instance_maintenance_options(InstanceId=vm, AutoRecovery="default")
    assert changed["AutoRecovery"] == "default"
    ec2.modify_instance_attribute(InstanceId=vm, SourceDestCheck={"Value": False})
    ec2.reset_instance_attribute(InstanceId=vm, Attribute="sourceDestCheck")
    assert show(ec2, vm)["SourceDestCheck"] is True
    assert refused(ec2.reset_instance_attribute, InstanceId=vm, Attribute="userData")[0] == "InvalidParameterValue"


def test_no_password_for_linux(ec2: Any) -> None:
    assert ec2.get_password_data(InstanceId=launch(ec2))["PasswordData"] == ""


def test_a_forced_stop_cuts_the_power(jar: TestJar, ec2: Any) -> None:
    gentle, forced = launch(ec2), launch(ec2)
    jar.settle()
    ec2.stop_instances(InstanceIds=[gentle])
    ec2.stop_instances(InstanceIds=[forced], Force=True)
    jar.settle()
    assert jar.host.console(gentle).endswith(b"shut down in order\n")
    assert jar.host.console(forced).endswith(b"power cut\n")
    ec2.start_instances(InstanceIds=[forced])
    jar.settle()
    ec2.stop_instances(InstanceIds=[forced])
    jar.settle()
    assert jar.host.console(forced).endswith(b"shut down in order\n")


def test_nothing_hibernates(jar: TestJar, ec2: Any) -> None:
    vm = launch(ec2)
    jar.settle()
    assert code(ec2.stop_instances, InstanceIds=[vm], Hibernate=True) == "UnsupportedHibernationConfiguration"
    assert show(ec2, vm)["State"]["Name"] == "running"


def test_a_start_needs_room_in_the_quota_like_a_launch(jar: TestJar, ec2: Any) -> None:
    first = launch(ec2)
    jar.settle()
    ec2.stop_instances(InstanceIds=[first])
    jar.settle()
    for _ in range(2):
        launch(ec2)
    assert code(ec2.start_instances, InstanceIds=[first]) == "VcpuLimitExceeded"
    assert show(ec2, first)["State"]["Name"] == "stopped"


def test_the_status_of_a_guest_that_is_dead(jar: TestJar, ec2: Any) -> None:
    vm = launch(ec2)
    jar.settle()
    fine = ec2.describe_instance_status(InstanceIds=[vm])["InstanceStatuses"][0]
    assert (fine["InstanceStatus"]["Status"], fine["SystemStatus"]["Status"]) == ("ok", "ok")
    jar.host.host.machines[vm].up = False
    dead = ec2.describe_instance_status(InstanceIds=[vm])["InstanceStatuses"][0]
    assert dead["InstanceStatus"]["Status"] == "impaired"
    assert dead["InstanceStatus"]["Details"][0]["Status"] == "failed"
    assert dead["SystemStatus"]["Status"] == "ok"
    impaired = [{"Name": "instance-status.status", "Values": ["impaired"]}]
    assert len(ec2.describe_instance_status(Filters=impaired)["InstanceStatuses"]) == 1
