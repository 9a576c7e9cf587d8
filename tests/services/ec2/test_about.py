"""Answers about instances, ids, zone groups, reservations' groups and tags of event notices."""

from __future__ import annotations

from typing import Any

from tests.jar import ACCOUNT, TestJar
from tests.services.ec2.asking import NOWHERE, allow, code, launch, only
from tests.services.ec2.test_images import golden


def test_the_image_behind_each_instance(jar: TestJar, ec2: Any) -> None:
    allow(jar)
    vm = launch(ec2, TagSpecifications=[{"ResourceType": "instance", "Tags": [{"Key": "a", "Value": "b"}]}])
    jar.settle()
    [shown] = ec2.describe_instance_image_metadata(InstanceIds=[vm])["InstanceImageMetadata"]
    image = shown["ImageMetadata"]
    assert (image["IsPublic"], image["ImageAllowed"], image["State"]) == (True, True, "available")
    assert image["Name"].startswith("debian-12-amd64-")
    assert (shown["State"]["Name"], shown["Tags"]) == ("running", [{"Key": "a", "Value": "b"}])
    _, own = golden(jar, ec2)
    jar.settle()
    other = ec2.run_instances(ImageId=own, InstanceType="t3.micro", MinCount=1, MaxCount=1)["Instances"][0]
    jar.settle()
    ec2.deregister_image(ImageId=own)
    mine = [{"Name": "tag:a", "Values": ["b"]}]
    assert len(ec2.describe_instance_image_metadata(Filters=mine)["InstanceImageMetadata"]) == 1
    asked = ec2.describe_instance_image_metadata(InstanceIds=[other["InstanceId"]])["InstanceImageMetadata"]
    assert [one["ImageMetadata"]["State"] for one in asked] == ["deregistered"]
    missing = [f"i-{NOWHERE}"]
    assert code(ec2.describe_instance_image_metadata, InstanceIds=missing) == "InvalidInstanceID.NotFound"


def test_topology_is_told_of_large_types_only(jar: TestJar, ec2: Any) -> None:
    vm = launch(ec2)
    jar.settle()
    assert ec2.describe_instance_topology()["Instances"] == []
    assert ec2.describe_instance_topology(InstanceIds=[vm], Filters=only(zone_id="euw3-az1"))["Instances"] == []
    assert code(ec2.describe_instance_topology, InstanceIds=[f"i-{NOWHERE}"]) == "InvalidInstanceID.NotFound"


def test_how_a_user_finds_an_instance(jar: TestJar, ec2: Any) -> None:
    vm = launch(ec2)
    jar.settle()
    said = {"Instances": [vm], "Status": "impaired", "ReasonCodes": ["unresponsive"]}
    ec2.report_instance_status(**said)
    assert ec2.describe_instance_status(InstanceIds=[vm])["InstanceStatuses"][0]["InstanceStatus"]["Status"] == "ok"
    assert code(ec2.get_instance_uefi_data, InstanceId=vm) == "UnsupportedOperation"
    ec2.stop_instances(InstanceIds=[vm])
    jar.settle()
    assert code(ec2.report_instance_status, **said) == "IncorrectState"


def test_all_ids_are_long(jar: TestJar, ec2: Any) -> None:
    [one] = ec2.describe_id_format(Resource="instance")["Statuses"]
    assert one == {"Resource": "instance", "UseLongIds": True}
    every = ec2.describe_aggregate_id_format()
    assert every["UseLongIdsAggregated"] is True
    root = f"arn:aws:iam::{ACCOUNT}:root"
    assert [one["Arn"] for one in ec2.describe_principal_id_format(Resources=["vpc"])["Principals"]] == [root]
    assert ec2.describe_identity_id_format(PrincipalArn=root)["Statuses"] == every["Statuses"]
    ec2.modify_id_format(Resource="all-current", UseLongIds=True)
    ec2.modify_identity_id_format(Resource="vpc", UseLongIds=True, PrincipalArn="all")
    assert code(ec2.modify_id_format, Resource="vpc", UseLongIds=False) == "InvalidParameterValue"
    assert code(ec2.describe_id_format, Resource="teapot") == "InvalidParameterValue"
    stranger = "arn:aws:iam::999999999999:root"
    assert code(ec2.describe_identity_id_format, PrincipalArn=stranger) == "InvalidParameterValue"
    assert code(ec2.describe_identity_id_format, PrincipalArn="me") == "InvalidParameterValue"


def test_zone_groups_have_no_choice(jar: TestJar, ec2: Any) -> None:
    group = ec2.describe_availability_zones()["AvailabilityZones"][0]["GroupName"]
    for name in (group, "eu-west-3-par-1"):
        asked = {"GroupName": name, "OptInStatus": "opted-in"}
        assert code(ec2.modify_availability_zone_group, **asked) == "InvalidParameterValue"


def test_tags_of_event_notices_are_registered(jar: TestJar, ec2: Any) -> None:
    def shown(answer: dict[str, Any]) -> tuple[bool, list[str]]:
        found = answer["InstanceTagAttribute"]
        return found["IncludeAllTagsOfInstance"], found.get("InstanceTagKeys", [])

    register, deregister = (
        ec2.register_instance_event_notification_attributes,
        ec2.deregister_instance_event_notification_attributes,
    )
    assert shown(ec2.describe_instance_event_notification_attributes()) == (False, [])
    assert shown(register(InstanceTagAttribute={"InstanceTagKeys": ["Name", "team"]})) == (False, ["Name", "team"])
    assert shown(deregister(InstanceTagAttribute={"InstanceTagKeys": ["Name"]})) == (False, ["team"])
    assert shown(register(InstanceTagAttribute={"IncludeAllTagsOfInstance": True})) == (True, [])
    assert shown(deregister(InstanceTagAttribute={"IncludeAllTagsOfInstance": True})) == (False, [])
    assert shown(ec2.describe_instance_event_notification_attributes()) == (False, [])
    many = {"InstanceTagKeys": [f"k{n}" for n in range(11)]}
    assert code(register, InstanceTagAttribute=many) == "InstanceTagKeyLimitExceeded"
    both = {"InstanceTagKeys": ["a"], "IncludeAllTagsOfInstance": True}
    assert code(register, InstanceTagAttribute=both) == "InvalidParameterCombination"


def test_a_reservation_is_in_no_group(jar: TestJar, ec2: Any) -> None:
    asked = {"InstanceType": "t3.micro", "InstancePlatform": "Linux/UNIX", "AvailabilityZone": "eu-west-3a"}
    key = ec2.create_capacity_reservation(**asked, InstanceCount=1)["CapacityReservation"]["CapacityReservationId"]
    found = ec2.get_groups_for_capacity_reservation(CapacityReservationId=key)
    assert found["CapacityReservationGroups"] == []
    missing = f"cr-{NOWHERE}"
    wanted = "InvalidCapacityReservationId.NotFound"
    assert code(ec2.get_groups_for_capacity_reservation, CapacityReservationId=missing) == wanted
