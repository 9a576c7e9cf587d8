"""Snapshots that are kept: public or not, locked, archived, ready to be restored fast; and the empty recycle bin."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from tests.jar import TestJar
from tests.services.ec2.asking import NOWHERE, code, only
from tests.services.ec2.test_images import golden
from tests.services.ec2.test_snapshots import OTHER, show, snap
from tests.services.ec2.test_volumes import make

EVERYBODY = {"Attribute": "createVolumePermission", "OperationType": "add", "GroupNames": ["all"]}


def written(jar: TestJar, ec2: Any, blocks: int = 4) -> str:
    """A complete snapshot of a volume on which some blocks were written."""
    volume = make(ec2)
    jar.settle()
    for block in range(blocks):
        jar.host.write(volume, block, "first")
    return snap(jar, ec2, volume)


def test_public_sharing_of_snapshots_is_blocked(jar: TestJar, ec2: Any) -> None:
    key = written(jar, ec2)
    stranger = jar.client("ec2", key=OTHER)
    assert ec2.get_snapshot_block_public_access_state()["State"] == "unblocked"
    ec2.modify_snapshot_attribute(SnapshotId=key, **EVERYBODY)
    assert show(stranger, key)["OwnerId"] != OTHER
    assert ec2.enable_snapshot_block_public_access(State="block-new-sharing")["State"] == "block-new-sharing"
    assert show(stranger, key)["SnapshotId"] == key
    assert code(ec2.modify_snapshot_attribute, SnapshotId=key, **EVERYBODY) == "OperationNotPermitted"
    ec2.enable_snapshot_block_public_access(State="block-all-sharing")
    assert code(stranger.describe_snapshots, SnapshotIds=[key]) == "InvalidSnapshot.NotFound"
    given = ec2.describe_snapshot_attribute(SnapshotId=key, Attribute="createVolumePermission")
    assert given["CreateVolumePermissions"] == [{"Group": "all"}]
    assert code(ec2.enable_snapshot_block_public_access, State="unblocked") == "InvalidParameterValue"
    assert ec2.disable_snapshot_block_public_access()["State"] == "unblocked"
    assert show(stranger, key)["SnapshotId"] == key
    assert stranger.get_snapshot_block_public_access_state() | {"ResponseMetadata": 0} == {
        "State": "unblocked", "ManagedBy": "account", "ResponseMetadata": 0}  # fmt: skip


def test_public_sharing_of_images_is_blocked_from_the_start(jar: TestJar, ec2: Any) -> None:
    state = "ImageBlockPublicAccessState"
    assert ec2.get_image_block_public_access_state()[state] == "block-new-sharing"
    assert ec2.disable_image_block_public_access()[state] == "unblocked"
    assert ec2.get_image_block_public_access_state()[state] == "unblocked"
    assert jar.client("ec2", "us-east-1").get_image_block_public_access_state()[state] == "block-new-sharing"
    assert ec2.enable_image_block_public_access(ImageBlockPublicAccessState="block-new-sharing")[state] == (
        "block-new-sharing"
    )


def test_a_share_of_an_image_is_given_back(jar: TestJar, ec2: Any) -> None:
    _, image = golden(jar, ec2)
    jar.settle()
    other = jar.client("ec2", key=OTHER)
    assert code(other.cancel_image_launch_permission, ImageId=image) == "InvalidAMIID.NotFound"
    ec2.modify_image_attribute(ImageId=image, LaunchPermission={"Add": [{"UserId": OTHER}]})
    assert other.cancel_image_launch_permission(ImageId=image)["Return"] is True
    assert code(other.describe_images, ImageIds=[image]) == "InvalidAMIID.NotFound"
    assert code(ec2.cancel_image_launch_permission, ImageId=image) == "InvalidParameterValue"


def test_a_lock_in_governance_mode_holds_until_it_is_taken_off(jar: TestJar, ec2: Any) -> None:
    key = written(jar, ec2)
    assert code(ec2.lock_snapshot, SnapshotId=key, LockMode="governance") == "InvalidParameterCombination"
    cooling = {"LockMode": "governance", "LockDuration": 2, "CoolOffPeriod": 3}
    assert code(ec2.lock_snapshot, SnapshotId=key, **cooling) == "InvalidParameterCombination"
    locked = ec2.lock_snapshot(SnapshotId=key, LockMode="governance", LockDuration=2)
    assert (locked["LockState"], locked["LockDuration"]) == ("governance", 2)
    assert locked["LockExpiresOn"] - locked["LockDurationStartTime"] == timedelta(days=2)
    assert code(ec2.delete_snapshot, SnapshotId=key) == "SnapshotLocked"
    ec2.unlock_snapshot(SnapshotId=key)
    assert code(ec2.unlock_snapshot, SnapshotId=key) == "IncorrectState"
    ec2.lock_snapshot(SnapshotId=key, LockMode="governance", LockDuration=1)
    jar.advance(days=1, minutes=1)
    found = ec2.describe_locked_snapshots(Filters=only(lock_state="expired"))["Snapshots"]
    assert [one["SnapshotId"] for one in found] == [key]
    ec2.delete_snapshot(SnapshotId=key)


def test_a_lock_in_compliance_mode_can_only_be_made_longer(jar: TestJar, ec2: Any) -> None:
    key = written(jar, ec2)
    locked = ec2.lock_snapshot(SnapshotId=key, LockMode="compliance", LockDuration=3, CoolOffPeriod=5)
    assert (locked["LockState"], locked["CoolOffPeriod"]) == ("compliance-cooloff", 5)
    ec2.unlock_snapshot(SnapshotId=key)
    ec2.lock_snapshot(SnapshotId=key, LockMode="compliance", LockDuration=3, CoolOffPeriod=5)
    jar.advance(hours=6)
    assert ec2.describe_locked_snapshots(SnapshotIds=[key])["Snapshots"][0]["LockState"] == "compliance"
    assert code(ec2.unlock_snapshot, SnapshotId=key) == "IncorrectState"
    for less in ({"LockMode": "governance", "LockDuration": 9}, {"LockMode": "compliance", "LockDuration": 1}):
        assert code(ec2.lock_snapshot, SnapshotId=key, **less) == "IncorrectState"
    ec2.lock_snapshot(SnapshotId=key, LockMode="compliance", LockDuration=4)
    jar.advance(days=3)
    assert code(ec2.delete_snapshot, SnapshotId=key) == "SnapshotLocked"
    jar.advance(days=2)
    ec2.delete_snapshot(SnapshotId=key)


def test_locked_snapshots_come_in_pages(jar: TestJar, ec2: Any) -> None:
    keys = {written(jar, ec2, 1) for _ in range(6)}
    for key in keys:
        ec2.lock_snapshot(SnapshotId=key, LockMode="governance", LockDuration=1)
    first = ec2.describe_locked_snapshots(MaxResults=5)
    rest = ec2.describe_locked_snapshots(MaxResults=5, NextToken=first["NextToken"])
    assert {one["SnapshotId"] for one in first["Snapshots"] + rest["Snapshots"]} == keys


def test_an_archived_snapshot_costs_less_and_cannot_be_used(jar: TestJar, ec2: Any) -> None:
    volume = make(ec2)
    jar.settle()
    jar.host.write(volume, 0, "first")
    one = snap(jar, ec2, volume)
    jar.host.write(volume, 1, "second")
    jar.advance(hours=1)
    two = snap(jar, ec2, volume)
    used = {"AvailabilityZone": "eu-west-3b", "SnapshotId": one}
    ec2.modify_snapshot_tier(SnapshotId=one)
    status = ec2.describe_snapshot_tier_status(Filters=only(snapshot_id=one))["SnapshotTierStatuses"][0]
    assert (status["StorageTier"], status["LastTieringOperationStatus"]) == ("standard", "archival-in-progress")
    jar.advance(hours=12)
    status = ec2.describe_snapshot_tier_status(Filters=only(snapshot_id=one))["SnapshotTierStatuses"][0]
    assert status["LastTieringProgress"] == 50
    assert code(ec2.modify_snapshot_tier, SnapshotId=one) == "IncorrectState"
    jar.advance(hours=13)
    assert show(ec2, one)["StorageTier"] == "archive"
    assert code(ec2.create_volume, **used) == "IncorrectState"
    assert code(ec2.copy_snapshot, SourceRegion="eu-west-3", SourceSnapshotId=one) == "IncorrectState"
    jar.settle()
    before = jar.usage("EBS:SnapshotArchiveStorage"), jar.usage("EBS:SnapshotUsage")
    jar.advance(hours=10)
    after = jar.usage("EBS:SnapshotArchiveStorage"), jar.usage("EBS:SnapshotUsage")
    assert [now - then for now, then in zip(after, before, strict=True)] == [timedelta(hours=10)] * 2
    assert show(ec2, two)["StorageTier"] == "standard"
    ec2.create_volume(AvailabilityZone="eu-west-3b", SnapshotId=two)


def test_what_is_archived_comes_back_for_a_while_or_for_good(jar: TestJar, ec2: Any) -> None:
    key = written(jar, ec2)
    used = {"AvailabilityZone": "eu-west-3b", "SnapshotId": key}
    assert code(ec2.restore_snapshot_tier, SnapshotId=key, TemporaryRestoreDays=2) == "IncorrectState"
    ec2.modify_snapshot_tier(SnapshotId=key)
    jar.advance(hours=25)
    assert code(ec2.restore_snapshot_tier, SnapshotId=key) == "InvalidParameterCombination"
    asked = ec2.restore_snapshot_tier(SnapshotId=key, TemporaryRestoreDays=2)
    assert (asked["RestoreDuration"], asked["IsPermanentRestore"]) == (2, False)
    jar.advance(hours=25)
    assert "RestoreExpiryTime" in show(ec2, key)
    ec2.create_volume(**used)
    jar.advance(days=3)
    assert "RestoreExpiryTime" not in show(ec2, key)
    assert code(ec2.create_volume, **used) == "IncorrectState"
    ec2.restore_snapshot_tier(SnapshotId=key, PermanentRestore=True)
    jar.advance(hours=25)
    done = ec2.describe_snapshot_tier_status(
        Filters=only(last_tiering_operation="permanent-restore-completed")
    )["SnapshotTierStatuses"]  # fmt: skip
    assert [(one["SnapshotId"], one["StorageTier"]) for one in done] == [(key, "standard")]
    ec2.create_volume(**used)


def test_an_image_keeps_its_snapshot_out_of_the_archive(jar: TestJar, ec2: Any) -> None:
    _, image = golden(jar, ec2)
    jar.settle()
    [root] = ec2.describe_images(ImageIds=[image])["Images"][0]["BlockDeviceMappings"][:1]
    key = root["Ebs"]["SnapshotId"]
    assert code(ec2.modify_snapshot_tier, SnapshotId=key) == "InvalidSnapshot.InUse"
    ec2.lock_snapshot(SnapshotId=key, LockMode="governance", LockDuration=1)
    gone = ec2.deregister_image(ImageId=image, DeleteAssociatedSnapshots=True)["DeleteSnapshotResults"]
    assert {"SnapshotId": key, "ReturnCode": "client-error"} in gone
    assert show(ec2, key)["SnapshotId"] == key


def test_fast_restore_takes_an_hour_for_each_tib_and_costs_by_the_hour(jar: TestJar, ec2: Any) -> None:
    key = written(jar, ec2)
    zones = ["eu-west-3a", "eu-west-3b"]
    missing = f"snap-{NOWHERE}"
    answer = ec2.enable_fast_snapshot_restores(AvailabilityZones=zones, SourceSnapshotIds=[key, missing])
    assert [(one["AvailabilityZone"], one["State"]) for one in answer["Successful"]] == [(z, "enabling") for z in zones]
    [failed] = answer["Unsuccessful"]
    assert failed["SnapshotId"] == missing
    assert {e["Error"]["Code"] for e in failed["FastSnapshotRestoreStateErrors"]} == {"InvalidSnapshot.NotFound"}
    jar.settle()
    assert _states(ec2) == ["optimizing"] * 2
    assert code(ec2.modify_snapshot_tier, SnapshotId=key) == "IncorrectState"
    jar.advance(hours=1)
    assert _states(ec2) == ["enabled"] * 2
    ec2.disable_fast_snapshot_restores(AvailabilityZones=zones[:1], SourceSnapshotIds=[key])
    jar.settle()
    assert sorted(_states(ec2)) == ["disabled", "enabled"]
    before = jar.usage("EBS:FastSnapshotRestore")
    jar.advance(hours=3)
    assert jar.usage("EBS:FastSnapshotRestore") - before == timedelta(hours=3)
    again = ec2.disable_fast_snapshot_restores(AvailabilityZones=zones[:1], SourceSnapshotIds=[key])
    assert again["Successful"] == []
    ec2.delete_snapshot(SnapshotId=key)
    assert _states(ec2) == []


def _states(ec2: Any) -> list[str]:
    return [one["State"] for one in ec2.describe_fast_snapshot_restores()["FastSnapshotRestores"]]


def test_five_fast_restores_are_the_limit(jar: TestJar, ec2: Any) -> None:
    keys = [written(jar, ec2, 1) for _ in range(2)]
    answer = ec2.enable_fast_snapshot_restores(
        AvailabilityZones=["eu-west-3a", "eu-west-3b", "eu-west-3c"], SourceSnapshotIds=keys
    )
    assert len(answer["Successful"]) == 5
    [failed] = answer["Unsuccessful"]
    assert [e["AvailabilityZone"] for e in failed["FastSnapshotRestoreStateErrors"]] == ["eu-west-3c"]
    wrong = {"AvailabilityZones": ["eu-west-3z"], "SourceSnapshotIds": keys}
    assert code(ec2.enable_fast_snapshot_restores, **wrong) == "InvalidParameterValue"


def test_the_recycle_bin_is_empty(jar: TestJar, ec2: Any) -> None:
    key = written(jar, ec2)
    ec2.delete_snapshot(SnapshotId=key)
    assert ec2.list_snapshots_in_recycle_bin()["Snapshots"] == []
    assert ec2.list_images_in_recycle_bin()["Images"] == []
    assert code(ec2.restore_snapshot_from_recycle_bin, SnapshotId=key) == "InvalidSnapshot.NotFound"
    assert code(ec2.restore_image_from_recycle_bin, ImageId=f"ami-{NOWHERE}") == "InvalidAMIID.NotFound"
    assert code(ec2.list_snapshots_in_recycle_bin, SnapshotIds=[key]) == "InvalidSnapshot.NotFound"
