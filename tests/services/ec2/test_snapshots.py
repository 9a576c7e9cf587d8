"""Snapshots: taken, counted, copied, shared, deleted."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from tests.jar import TestJar
from tests.services.ec2.asking import NOWHERE, code, launch, only, refused
from tests.services.ec2.test_volumes import make

OTHER = "111122223333"


def snap(jar: TestJar, ec2: Any, volume: str, **more: Any) -> str:
    key = str(ec2.create_snapshot(VolumeId=volume, **more)["SnapshotId"])
    jar.settle()
    return key


def show(ec2: Any, key: str) -> dict[str, Any]:
    found: dict[str, Any] = ec2.describe_snapshots(SnapshotIds=[key])["Snapshots"][0]
    return found


def test_a_snapshot_is_pending_then_complete_and_makes_volumes(jar: TestJar, ec2: Any) -> None:
    volume = make(ec2)
    jar.settle()
    jar.host.write(volume, 1, "first")
    given = ec2.create_snapshot(VolumeId=volume, Description="nightly")
    assert (given["State"], given["Progress"], given["VolumeSize"]) == ("pending", "", 10)
    key = given["SnapshotId"]
    assert code(ec2.create_volume, AvailabilityZone="eu-west-3b", SnapshotId=key) == "IncorrectState"
    jar.settle()
    shown = show(ec2, key)
    assert (shown["State"], shown["Progress"], shown["Description"]) == ("completed", "100%", "nightly")
    assert shown["FullSnapshotSizeInBytes"] == 512 << 10
    jar.host.write(volume, 1, "second")
    assert code(ec2.create_volume, AvailabilityZone="eu-west-3b", SnapshotId=key, Size=9) == "InvalidParameterValue"
    copy = ec2.create_volume(AvailabilityZone="eu-west-3b", SnapshotId=key, Size=12)["VolumeId"]
    ec2.delete_snapshot(SnapshotId=key)
    jar.settle()
    assert jar.host.read(copy, 1) == "first"
    assert jar.host.host.volumes[copy].size_gib == 12
    assert key not in jar.host.host.snapshots
    assert code(ec2.describe_snapshots, SnapshotIds=[key]) == "InvalidSnapshot.NotFound"


def test_a_snapshot_costs_what_it_adds(jar: TestJar, ec2: Any) -> None:
    volume = make(ec2)
    jar.settle()
    for block in range(4):
        jar.host.write(volume, block, "first")
    one = snap(jar, ec2, volume)
    jar.host.write(volume, 1, "second")
    jar.advance(hours=1)
    two = snap(jar, ec2, volume)
    assert _blocks(jar) == {one: 4, two: 1}
    ec2.delete_snapshot(SnapshotId=one)
    jar.settle()
    assert _blocks(jar) == {two: 4}
    jar.advance(hours=2)
    assert jar.usage("EBS:SnapshotUsage") == timedelta(hours=1) + timedelta(hours=2)


def _blocks(jar: TestJar) -> dict[str, int]:
    """What each snapshot is billed for now, in blocks."""
    now = jar.clock.now()
    spans = jar.jar.usage.spans(now - timedelta(days=30), now + timedelta(seconds=1))
    open_spans = [s for s in spans if s.end is None and s.meter.usage_type == "EBS:SnapshotUsage"]
    return {span.resource: int(span.meter.rate * 2048) for span in open_spans}


def test_all_disks_of_an_instance_at_once(jar: TestJar, ec2: Any) -> None:
    vm = launch(ec2, BlockDeviceMappings=[{"DeviceName": "/dev/sdf", "Ebs": {"VolumeSize": 5}}])
    jar.settle()
    both = ec2.create_snapshots(InstanceSpecification={"InstanceId": vm})["Snapshots"]
    assert sorted(one["VolumeSize"] for one in both) == [5, 8]
    data = ec2.create_snapshots(InstanceSpecification={"InstanceId": vm, "ExcludeBootVolume": True})["Snapshots"]
    assert [one["VolumeSize"] for one in data] == [5]
    jar.settle()
    mine = ec2.describe_snapshots(OwnerIds=["self"])["Snapshots"]
    assert [one["State"] for one in mine] == ["completed"] * 3
    ec2.get_waiter("snapshot_completed").wait(SnapshotIds=[one["SnapshotId"] for one in mine])


def test_copies_go_to_other_regions_and_keys(jar: TestJar, ec2: Any) -> None:
    there = jar.client("ec2", region="us-east-1")
    volume = make(ec2)
    jar.settle()
    jar.host.write(volume, 7, "far")
    key = snap(jar, ec2, volume)
    assert code(there.copy_snapshot, SourceRegion="us-east-1", SourceSnapshotId=key) == "InvalidSnapshot.NotFound"
    copied = there.copy_snapshot(SourceRegion="eu-west-3", SourceSnapshotId=key, Encrypted=True)["SnapshotId"]
    jar.settle()
    shown = show(there, copied)
    assert (shown["State"], shown["Encrypted"], shown["VolumeId"]) == ("completed", True, "vol-ffffffff")
    assert ":us-east-1:" in shown["KmsKeyId"]
    asked = {"AvailabilityZone": "us-east-1a", "SnapshotId": copied}
    assert code(there.create_volume, **asked, Encrypted=False) == "InvalidParameterCombination"
    made = there.create_volume(**asked)
    jar.settle()
    assert (made["Encrypted"], jar.host.read(made["VolumeId"], 7)) == (True, "far")


def test_a_snapshot_is_shared_and_seen_by_others(jar: TestJar, ec2: Any) -> None:
    volume = make(ec2)
    jar.settle()
    key = snap(jar, ec2, volume)
    ec2.modify_snapshot_attribute(SnapshotId=key, CreateVolumePermission={"Add": [{"UserId": OTHER}]})
    given = ec2.describe_snapshot_attribute(SnapshotId=key, Attribute="createVolumePermission")
    assert given["CreateVolumePermissions"] == [{"UserId": OTHER}]
    found = ec2.describe_snapshots(RestorableByUserIds=[OTHER])["Snapshots"]
    assert [one["SnapshotId"] for one in found] == [key]
    public = {"OperationType": "add", "GroupNames": ["all"]}
    ec2.modify_snapshot_attribute(SnapshotId=key, Attribute="createVolumePermission", **public)
    ec2.modify_snapshot_attribute(SnapshotId=key, CreateVolumePermission={"Remove": [{"UserId": OTHER}]})
    given = ec2.describe_snapshot_attribute(SnapshotId=key, Attribute="createVolumePermission")
    assert given["CreateVolumePermissions"] == [{"Group": "all"}]
    ec2.reset_snapshot_attribute(SnapshotId=key, Attribute="createVolumePermission")
    given = ec2.describe_snapshot_attribute(SnapshotId=key, Attribute="createVolumePermission")
    assert given["CreateVolumePermissions"] == []
    wrong = {"CreateVolumePermission": {"Add": [{"UserId": "12"}]}}
    assert code(ec2.modify_snapshot_attribute, SnapshotId=key, **wrong) == "InvalidUserID.Malformed"


def test_encrypted_snapshots_are_shared_under_own_keys_only(jar: TestJar, ec2: Any) -> None:
    kms = jar.client("kms")
    own = kms.create_key()["KeyMetadata"]["Arn"]
    default, mine = make(ec2, Encrypted=True), make(ec2, Encrypted=True, KmsKeyId=own)
    jar.settle()
    one, two = snap(jar, ec2, default), snap(jar, ec2, mine)
    adding = {"CreateVolumePermission": {"Add": [{"UserId": OTHER}]}}
    everybody = {"CreateVolumePermission": {"Add": [{"Group": "all"}]}}
    assert code(ec2.modify_snapshot_attribute, SnapshotId=one, **adding) == "OperationNotPermitted"
    assert code(ec2.modify_snapshot_attribute, SnapshotId=two, **everybody) == "OperationNotPermitted"
    ec2.modify_snapshot_attribute(SnapshotId=two, **adding)
    assert show(ec2, two)["KmsKeyId"] == own
    kms.disable_key(KeyId=own)
    assert code(ec2.create_volume, AvailabilityZone="eu-west-3a", SnapshotId=two) == "InvalidKMSKey.InvalidState"


def test_snapshots_that_are_not_there(jar: TestJar, ec2: Any) -> None:
    nobody = f"snap-{NOWHERE}"
    assert refused(ec2.delete_snapshot, SnapshotId=nobody) == (
        "InvalidSnapshot.NotFound",
        f"The snapshot '{nobody}' does not exist.",
    )
    assert code(ec2.delete_snapshot, SnapshotId="snap-1") == "InvalidSnapshotID.Malformed"
    assert code(ec2.create_snapshot, VolumeId=f"vol-{NOWHERE}") == "InvalidVolume.NotFound"
    debian = ec2.describe_snapshots(Filters=only(owner_alias="amazon"))["Snapshots"][0]["SnapshotId"]
    assert code(ec2.create_volume, AvailabilityZone="eu-west-3a", SnapshotId=debian) == "UnsupportedOperation"


def test_others_use_what_was_shared_and_nothing_else(jar: TestJar, ec2: Any) -> None:
    volume = make(ec2)
    jar.settle()
    jar.host.write(volume, 2, "shared")
    key = snap(jar, ec2, volume, TagSpecifications=[{"ResourceType": "snapshot", "Tags": [{"Key": "a", "Value": "b"}]}])
    theirs = jar.client("ec2", key=OTHER)
    asked = {"AvailabilityZone": "eu-west-3a", "SnapshotId": key}
    assert code(theirs.create_volume, **asked) == "InvalidSnapshot.NotFound"
    ec2.modify_snapshot_attribute(SnapshotId=key, CreateVolumePermission={"Add": [{"UserId": OTHER}]})
    seen = show(theirs, key)
    assert (seen["OwnerId"], seen.get("Tags")) == ("000000000000", None)
    made = theirs.create_volume(**asked)["VolumeId"]
    jar.settle()
    assert jar.host.read(made, 2) == "shared"
    assert code(theirs.delete_snapshot, SnapshotId=key) == "InvalidSnapshot.NotFound"
    ec2.reset_snapshot_attribute(SnapshotId=key, Attribute="createVolumePermission")
    assert code(theirs.describe_snapshots, SnapshotIds=[key]) == "InvalidSnapshot.NotFound"


def test_a_volume_may_go_as_soon_as_its_snapshot_was_asked_for(jar: TestJar, ec2: Any) -> None:
    volume = make(ec2)
    jar.settle()
    jar.host.write(volume, 5, "saved")
    jar.host.fail("take_snapshot", "the host is busy")
    key = ec2.create_snapshot(VolumeId=volume)["SnapshotId"]
    ec2.delete_volume(VolumeId=volume)
    jar.settle()
    assert show(ec2, key)["State"] == "pending"
    jar.advance(minutes=1)
    assert show(ec2, key)["State"] == "completed"
    assert volume not in jar.host.host.volumes
    made = ec2.create_volume(AvailabilityZone="eu-west-3a", SnapshotId=key)["VolumeId"]
    jar.settle()
    assert jar.host.read(made, 5) == "saved"
