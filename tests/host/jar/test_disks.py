"""Disks of a whole jar: through the API into a running guest, through the death of the server, into an AMI."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.host.compute.guestnet import root_and_tools
from tests.host.jar.account import Account
from tests.host.jar.served import REGION, RealJar, real_jar, until

pytestmark = [pytest.mark.host, pytest.mark.timeout(300)]


@pytest.fixture(scope="module")
def disks() -> Iterator[RealJar]:
    """A jar beside those of other files."""
    if why := root_and_tools():
        pytest.skip(f"a real jar {why}")
    with real_jar(home=Path("/var/tmp/cloudjar-rdk"), tag="rdk", port=4579) as jar:
        yield jar


def volume_is(ec2: Any, volume: str, state: str, attachment: str = "") -> None:
    def there() -> bool:
        shown = ec2.describe_volumes(VolumeIds=[volume])["Volumes"][0]
        at = shown["Attachments"][0]["State"] if shown["Attachments"] else ""
        return bool((shown["State"], at) == (state, attachment))

    until(there, f"{volume} to be {state} {attachment}", every=0.1)


def booted(jar: RealJar, machine: str) -> None:
    until(lambda: jar.compute.look(machine) == "up", f"{machine} to be up")
    until(lambda: jar.compute.run(machine, ["systemctl", "is-active", "ssh"])[0] == 0, f"{machine} to be booted")


def through_a_bucket(jar: RealJar, ec2: Any, image: str) -> str:
    """Store an image, forget it, and restore it."""
    jar.client("s3").create_bucket(Bucket="golden", CreateBucketConfiguration={"LocationConstraint": REGION})
    key = ec2.create_store_image_task(ImageId=image, Bucket="golden")["ObjectKey"]

    def stored() -> bool:
        [task] = ec2.describe_store_image_tasks(ImageIds=[image])["StoreImageTaskResults"]
        return bool(task["StoreTaskState"] == "Completed")

    until(stored, "the image to be stored")
    ec2.deregister_image(ImageId=image, DeleteAssociatedSnapshots=True)
    restored = str(ec2.create_restore_image_task(Bucket="golden", ObjectKey=key, Name="golden again")["ImageId"])
    ec2.get_waiter("image_available").wait(ImageIds=[restored], WaiterConfig={"Delay": 1})
    return restored


def _is_counted(jar: RealJar, machine: str, volume: str) -> None:
    """What the guest writes to its disk is what CloudWatch shows of the volume."""
    ec2, cloudwatch = jar.client("ec2"), jar.client("cloudwatch")

    def told(name: str) -> float:
        now = datetime.now(UTC)
        found = cloudwatch.get_metric_statistics(
            Namespace="AWS/EBS", MetricName=name, Dimensions=[{"Name": "VolumeId", "Value": volume}], Period=60,
            StartTime=now - timedelta(hours=1), EndTime=now + timedelta(hours=1), Statistics=["Sum"])  # fmt: skip
        return float(sum(point["Sum"] for point in found["Datapoints"]))

    def looked() -> bool:
        """A change of its monitoring is a look at the instance, which else is due by the minute."""
        ec2.monitor_instances(InstanceIds=[machine])
        ec2.unmonitor_instances(InstanceIds=[machine])
        return bool(told("VolumeIdleTime"))

    until(looked, "the first reading", every=0.2)
    jar.inside(machine, "dd if=/dev/zero of=/mnt/zeros bs=1M count=8 conv=fsync 2>/dev/null; rm /mnt/zeros")
    until(lambda: looked() and told("VolumeWriteBytes") >= 8 << 20, "what was written", every=0.2)
    assert told("VolumeWriteOps") > 0
    assert told("VolumeTotalWriteTime") > 0


def test_a_disk_is_attached_used_snapshotted_and_becomes_an_image(disks: RealJar) -> None:
    jar, account = disks, Account(disks)
    ec2 = account.ec2
    subnet = account.subnet(account.vpc(), public=False)
    machine = account.run(subnet).id
    booted(jar, machine)
    volume = ec2.create_volume(AvailabilityZone=f"{REGION}a", Size=1, VolumeType="gp3")["VolumeId"]
    volume_is(ec2, volume, "available")
    ec2.attach_volume(VolumeId=volume, InstanceId=machine, Device="/dev/sdf")
    volume_is(ec2, volume, "in-use", "attached")
    jar.inside(machine, "mkfs.ext4 -q /dev/xvdf && mount /dev/xvdf /mnt && echo data > /mnt/it")
    jar.inside(machine, "echo gold > /etc/mark")
    _is_counted(jar, machine, volume)
    jar.kill()
    jar.start()
    assert jar.inside(machine, "cat /mnt/it") == "data"
    ec2.modify_volume(VolumeId=volume, Size=2)
    until(lambda: jar.inside(machine, "lsblk -bno SIZE /dev/xvdf").strip() == str(2 << 30), "the disk to grow")
    ec2.detach_volume(VolumeId=volume)
    volume_is(ec2, volume, "in-use", "busy")
    jar.inside(machine, "umount /mnt")
    volume_is(ec2, volume, "available")
    assert "xvdf" not in jar.inside(machine, "lsblk")
    snapshot = ec2.create_snapshot(VolumeId=volume)["SnapshotId"]
    image = ec2.create_image(InstanceId=machine, Name="golden", NoReboot=True)["ImageId"]
    ec2.get_waiter("snapshot_completed").wait(SnapshotIds=[snapshot], WaiterConfig={"Delay": 1})
    ec2.get_waiter("image_available").wait(ImageIds=[image], WaiterConfig={"Delay": 1})
    image = through_a_bucket(jar, ec2, image)
    ec2.terminate_instances(InstanceIds=[machine])
    mapped = [{"DeviceName": "/dev/sdg", "Ebs": {"SnapshotId": snapshot}}]
    again = account.run(subnet, ImageId=image, BlockDeviceMappings=mapped).id
    booted(jar, again)
    assert jar.inside(again, "cat /etc/mark; mount /dev/xvdg /mnt && cat /mnt/it").split() == ["gold", "data"]
    account.reach(machine, "terminated")
    ec2.stop_instances(InstanceIds=[again])
    account.reach(again, "stopped")
    ec2.start_instances(InstanceIds=[again])
    account.reach(again, "running")
    booted(jar, again)
    assert jar.inside(again, "mount /dev/xvdg /mnt && cat /mnt/it") == "data"
    ec2.terminate_instances(InstanceIds=[again])
    account.reach(again, "terminated")
    ec2.delete_volume(VolumeId=volume)
    ec2.deregister_image(ImageId=image, DeleteAssociatedSnapshots=True)
    ec2.delete_snapshot(SnapshotId=snapshot)
    until(lambda: not jar.machine_traces(), "everything to be gone")
    until(lambda: not list((jar.home / "compute/snapshots").glob("snap-*")), "the snapshots to be gone")
