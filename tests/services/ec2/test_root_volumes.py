"""Root volumes replaced under running instances: what AWS says, what boots, what is left over."""

from __future__ import annotations

from typing import Any

import pytest

from tests.jar import TestJar
from tests.services.ec2.asking import NOWHERE, code, launch, only, refused


@pytest.fixture
def vm(jar: TestJar, ec2: Any) -> str:
    """A running instance."""
    made = launch(ec2)
    jar.settle()
    return made


def root_of(ec2: Any, vm: str) -> dict[str, Any]:
    found = ec2.describe_volumes(Filters=only(attachment__instance_id=vm, attachment__device="/dev/xvda"))["Volumes"]
    assert len(found) == 1
    volume: dict[str, Any] = found[0]
    return volume


def task_of(ec2: Any, task: str) -> dict[str, Any]:
    found: dict[str, Any] = ec2.describe_replace_root_volume_tasks(ReplaceRootVolumeTaskIds=[task])[
        "ReplaceRootVolumeTasks"
    ][0]
    return found


def swap(jar: TestJar, ec2: Any, vm: str, **more: Any) -> dict[str, Any]:
    made = ec2.create_replace_root_volume_task(InstanceId=vm, **more)["ReplaceRootVolumeTask"]
    assert made["TaskState"] == "pending"
    jar.settle()
    return task_of(ec2, made["ReplaceRootVolumeTaskId"])


def test_a_root_volume_goes_back_to_the_launch(jar: TestJar, ec2: Any, vm: str) -> None:
    before = root_of(ec2, vm)
    jar.host.write(before["VolumeId"], 5, "broken")
    boots = jar.host.host.machines[vm].boots
    tags = [{"ResourceType": "replace-root-volume-task", "Tags": [{"Key": "why", "Value": "broken"}]}]
    done = swap(jar, ec2, vm, TagSpecifications=tags)
    assert (done["TaskState"], done["InstanceId"], done["DeleteReplacedRootVolume"]) == ("succeeded", vm, False)
    assert done["StartTime"] <= done["CompleteTime"]
    assert done["Tags"] == [{"Key": "why", "Value": "broken"}]
    after = root_of(ec2, vm)
    assert after["VolumeId"] != before["VolumeId"]
    for same in ("Size", "VolumeType", "Iops", "SnapshotId"):
        assert after[same] == before[same], same
    assert after["Attachments"][0]["DeleteOnTermination"] is True
    machine = jar.host.host.machines[vm]
    assert (machine.up, machine.boots, machine.spec.root.volume_id) == (True, boots + 1, after["VolumeId"])
    assert jar.host.read(after["VolumeId"], 5) == ""
    assert ec2.describe_volumes(VolumeIds=[before["VolumeId"]])["Volumes"][0]["State"] == "available"
    assert ec2.describe_instances(InstanceIds=[vm])["Reservations"][0]["Instances"][0]["State"]["Name"] == "running"
    ec2.reboot_instances(InstanceIds=[vm])
    jar.settle()
    assert machine.spec.root.volume_id == after["VolumeId"]


def test_a_root_volume_goes_back_to_a_snapshot_of_its_own(jar: TestJar, ec2: Any, vm: str) -> None:
    before = root_of(ec2, vm)["VolumeId"]
    jar.host.write(before, 5, "good")
    snapshot = ec2.create_snapshot(VolumeId=before)["SnapshotId"]
    jar.settle()
    jar.host.write(before, 5, "bad")
    done = swap(jar, ec2, vm, SnapshotId=snapshot, DeleteReplacedRootVolume=True)
    assert (done["TaskState"], done["SnapshotId"]) == ("succeeded", snapshot)
    second = root_of(ec2, vm)["VolumeId"]
    assert jar.host.read(second, 5) == "good"
    assert code(ec2.describe_volumes, VolumeIds=[before]) == "InvalidVolume.NotFound"
    assert before not in jar.host.host.volumes
    # Snapshots of earlier roots stay usable, and the launch is still known.
    assert swap(jar, ec2, vm, SnapshotId=snapshot)["TaskState"] == "succeeded"
    assert swap(jar, ec2, vm)["TaskState"] == "succeeded"
    assert jar.host.read(root_of(ec2, vm)["VolumeId"], 5) == ""


def test_a_root_volume_gives_way_to_an_image_or_a_volume(jar: TestJar, ec2: Any, vm: str) -> None:
    jar.host.write(root_of(ec2, vm)["VolumeId"], 5, "golden")
    image = ec2.create_image(InstanceId=vm, Name="golden", NoReboot=True)["ImageId"]
    jar.settle()
    other = launch(ec2)
    jar.settle()
    done = swap(jar, ec2, other, ImageId=image)
    assert (done["TaskState"], done["ImageId"]) == ("succeeded", image)
    old = root_of(ec2, vm)["VolumeId"]
    assert jar.host.read(root_of(ec2, other)["VolumeId"], 5) == "golden"
    kept = ec2.describe_images(ImageIds=[image])["Images"][0]["BlockDeviceMappings"][0]["Ebs"]["SnapshotId"]
    zone = root_of(ec2, vm)["AvailabilityZone"]
    ready = ec2.create_volume(AvailabilityZone=zone, SnapshotId=kept)["VolumeId"]
    jar.settle()
    jar.host.write(ready, 6, "mended")
    assert swap(jar, ec2, vm, VolumeId=ready)["TaskState"] == "succeeded"
    assert root_of(ec2, vm)["VolumeId"] == ready
    assert old != ready
    assert jar.host.host.machines[vm].spec.root.volume_id == ready


def test_what_cannot_replace_a_root_volume(jar: TestJar, ec2: Any, vm: str) -> None:
    data = ec2.create_volume(AvailabilityZone="eu-west-3a", Size=1)["VolumeId"]
    jar.settle()
    foreign = ec2.create_snapshot(VolumeId=data)["SnapshotId"]
    jar.settle()
    ask = ec2.create_replace_root_volume_task
    assert refused(ask, InstanceId=vm, SnapshotId=foreign) == (
        "InvalidParameterValue",
        f"The snapshot '{foreign}' was not created from a root volume of the instance '{vm}'.",
    )
    assert code(ask, InstanceId=vm, SnapshotId=f"snap-{NOWHERE}") == "InvalidSnapshot.NotFound"
    assert code(ask, InstanceId=vm, ImageId=f"ami-{NOWHERE}") == "InvalidAMIID.NotFound"
    assert code(ask, InstanceId=vm, SnapshotId=foreign, ImageId=f"ami-{NOWHERE}") == "InvalidParameterCombination"
    ec2.stop_instances(InstanceIds=[vm])
    jar.settle()
    assert code(ask, InstanceId=vm) == "IncorrectInstanceState"
    tasks = ec2.describe_replace_root_volume_tasks(Filters=only(instance_id=vm))
    assert tasks["ReplaceRootVolumeTasks"] == []


def test_a_server_that_dies_in_between_goes_on(jar: TestJar, ec2: Any, vm: str) -> None:
    before = root_of(ec2, vm)["VolumeId"]
    jar.host.fail("start", "the host is busy")
    task = ec2.create_replace_root_volume_task(InstanceId=vm)["ReplaceRootVolumeTask"]["ReplaceRootVolumeTaskId"]
    jar.crash()
    jar.advance(minutes=5)
    assert task_of(ec2, task)["TaskState"] == "succeeded"
    assert root_of(ec2, vm)["VolumeId"] != before
    assert ec2.describe_instances(InstanceIds=[vm])["Reservations"][0]["Instances"][0]["State"]["Name"] == "running"
    assert jar.host.look(vm) == "up"


def test_an_instance_that_is_stopped_first_keeps_its_root(jar: TestJar, ec2: Any, vm: str) -> None:
    before = root_of(ec2, vm)["VolumeId"]
    jar.host.fail("stop", "the host is busy", times=50)
    task = ec2.create_replace_root_volume_task(InstanceId=vm)["ReplaceRootVolumeTask"]["ReplaceRootVolumeTaskId"]
    assert code(ec2.create_replace_root_volume_task, InstanceId=vm) == "IncorrectInstanceState"
    ec2.stop_instances(InstanceIds=[vm])
    jar.host._failures.clear()
    jar.advance(minutes=5)
    assert ec2.describe_instances(InstanceIds=[vm])["Reservations"][0]["Instances"][0]["State"]["Name"] == "stopped"
    found = task_of(ec2, task)["TaskState"]
    assert found in ("failed", "succeeded")
    assert (root_of(ec2, vm)["VolumeId"] == before) is (found == "failed")
    assert len(ec2.describe_volumes()["Volumes"]) == (1 if found == "failed" else 2)
    ec2.start_instances(InstanceIds=[vm])
    jar.settle()
    assert jar.host.look(vm) == "up"
