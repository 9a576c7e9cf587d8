"""Placement groups: what each strategy lets be launched."""

from __future__ import annotations

from functools import partial
from typing import Any

import pytest

from tests.jar import ACCOUNT, TestJar
from tests.services.ec2.asking import code, launch, only, refused


def place(ec2: Any, instance: str) -> dict[str, Any]:
    shown = ec2.describe_instances(InstanceIds=[instance])["Reservations"][0]["Instances"][0]
    return shown["Placement"]  # type: ignore[no-any-return]  # botocore's answers are untyped


def test_groups_by_name_id_and_strategy(ec2: Any) -> None:
    made = ec2.create_placement_group(GroupName="near")["PlacementGroup"]
    assert (made["Strategy"], made["State"]) == ("cluster", "available")
    assert made["GroupArn"] == f"arn:aws:ec2:eu-west-3:{ACCOUNT}:placement-group/near"
    ec2.create_placement_group(GroupName="apart", Strategy="spread")
    found = ec2.describe_placement_groups(Filters=only(strategy="spread"))["PlacementGroups"]
    assert [(group["GroupName"], group["SpreadLevel"]) for group in found] == [("apart", "rack")]
    assert ec2.describe_placement_groups(GroupIds=[made["GroupId"]])["PlacementGroups"] == [made]
    assert refused(ec2.create_placement_group, GroupName="near") == (
        "InvalidPlacementGroup.Duplicate",
        "The Placement Group 'near' already exists.",
    )
    assert refused(ec2.describe_placement_groups, GroupNames=["far"]) == (
        "InvalidPlacementGroup.Unknown",
        "The Placement Group 'far' is unknown.",
    )


def test_a_cluster_does_not_take_every_type(ec2: Any) -> None:
    ec2.create_placement_group(GroupName="near")
    assert code(partial(launch, ec2), Placement={"GroupName": "near"}) == "InvalidParameterCombination"


def test_partitions_are_filled_evenly(jar: TestJar, ec2: Any) -> None:
    ec2.create_placement_group(GroupName="parts", Strategy="partition", PartitionCount=2)
    assert code(partial(launch, ec2), Placement={"GroupName": "parts", "PartitionNumber": 3}) == "InvalidParameterValue"
    one, two = (launch(ec2, Placement={"GroupName": "parts"}) for _ in range(2))
    assert [place(ec2, vm)["PartitionNumber"] for vm in (one, two)] == [1, 2]
    assert code(ec2.delete_placement_group, GroupName="parts") == "InvalidPlacementGroup.InUse"
    ec2.terminate_instances(InstanceIds=[one, two])
    jar.settle()
    ec2.delete_placement_group(GroupName="parts")
    assert ec2.describe_placement_groups()["PlacementGroups"] == []


@pytest.mark.parametrize("moved", ["GroupName", "GroupId"])
def test_a_stopped_instance_changes_its_group(jar: TestJar, ec2: Any, moved: str) -> None:
    group = ec2.create_placement_group(GroupName="apart", Strategy="spread")["PlacementGroup"]
    vm = launch(ec2)
    jar.settle()
    asked = {"InstanceId": vm, moved: group[moved]}
    assert code(ec2.modify_instance_placement, **asked) == "IncorrectInstanceState"
    ec2.stop_instances(InstanceIds=[vm])
    jar.settle()
    ec2.modify_instance_placement(**asked)
    assert place(ec2, vm)["GroupName"] == "apart"
    ec2.modify_instance_placement(InstanceId=vm, GroupName="")
    assert place(ec2, vm)["GroupName"] == ""
