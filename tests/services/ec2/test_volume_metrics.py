"""``AWS/EBS``: what the devices behind volumes count is told by the minute, each request once."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from cloudjar.base.caller import service as service_caller
from cloudjar.kit.context import Ctx
from cloudjar.services.ec2.volumes.counting import VolumeCount
from tests.jar import ACCOUNT, TestJar
from tests.services.ec2.asking import launch


class Site:
    """A machine with its root volume, and a disk beside it."""

    def __init__(self, jar: TestJar, ec2: Any, kind: str = "gp3", size: int = 10) -> None:
        self.jar, self.ec2 = jar, ec2
        self.machine = launch(ec2)
        jar.settle()
        (there,) = ec2.describe_instances(InstanceIds=[self.machine])["Reservations"][0]["Instances"]
        zone = there["Placement"]["AvailabilityZone"]
        self.volume = ec2.create_volume(AvailabilityZone=zone, Size=size, VolumeType=kind)["VolumeId"]
        jar.settle()
        ec2.attach_volume(VolumeId=self.volume, InstanceId=self.machine, Device="/dev/sdf")
        jar.settle()

    def worked(self, **counters: Any) -> None:
        """The volume's device has counted so much in all, and it is read."""
        self.jar.host.worked(self.volume, **counters)
        self.jar.settle()

    def told(self, name: str, statistic: str = "Sum", volume: str = "") -> list[float]:
        """A metric by the minute, oldest first."""
        now = self.jar.clock.now()
        found = self.jar.client("cloudwatch").get_metric_statistics(
            Namespace="AWS/EBS", MetricName=name, Dimensions=[{"Name": "VolumeId", "Value": volume or self.volume}],
            StartTime=now - timedelta(hours=2), EndTime=now + timedelta(minutes=1), Period=60, Statistics=[statistic],
        )["Datapoints"]  # fmt: skip
        return [point[statistic] for point in sorted(found, key=lambda point: point["Timestamp"])]


def test_what_a_volume_does_is_told_once(jar: TestJar, ec2: Any) -> None:
    site = Site(jar, ec2)
    site.worked()
    jar.advance(minutes=1)
    site.worked(read_ops=10, read_bytes=4096, read_ms=500, write_ops=4, written_bytes=512, write_ms=250, busy_ms=15_000,
                queued_ms=30_000)  # fmt: skip
    site.worked(read_ops=10, read_bytes=4096, read_ms=500, write_ops=4, written_bytes=512, write_ms=250, busy_ms=15_000,
                queued_ms=30_000)  # fmt: skip
    told = {
        "VolumeReadOps": 10, "VolumeReadBytes": 4096, "VolumeTotalReadTime": 0.5, "VolumeWriteOps": 4,
        "VolumeWriteBytes": 512, "VolumeTotalWriteTime": 0.25, "VolumeIdleTime": 45, "VolumeQueueLength": 0.5,
    }  # fmt: skip
    assert {name: site.told(name) for name in told} == {name: [pytest.approx(value)] for name, value in told.items()}
    listed = jar.client("cloudwatch").list_metrics(
        Namespace="AWS/EBS", Dimensions=[{"Name": "VolumeId", "Value": site.volume}]
    )["Metrics"]
    assert {metric["MetricName"] for metric in listed} == set(told)  # gp3 has no bucket
    [root] = [
        one["VolumeId"] for one in ec2.describe_volumes()["Volumes"] if one["VolumeId"] != site.volume
    ]
    assert site.told("VolumeIdleTime", volume=root) == [60]


def test_a_device_that_was_somebody_elses_is_not_told(jar: TestJar, ec2: Any) -> None:
    site = Site(jar, ec2)
    site.worked(read_ops=5)
    jar.advance(minutes=1)
    site.worked(born="two", read_ops=5000)
    jar.advance(minutes=1)
    site.worked(born="two", read_ops=5003)
    assert site.told("VolumeReadOps") == [3]


def test_a_gp2_volume_lives_on_its_bucket(jar: TestJar, ec2: Any) -> None:
    site = Site(jar, ec2, "gp2", 100)  # fills with 300 a second
    site.worked()
    jar.advance(minutes=10)
    site.worked(write_ops=180_000 + 540_000)
    assert site.told("BurstBalance", "Minimum") == [90]
    jar.advance(minutes=10)
    site.worked(write_ops=180_000 + 540_000)
    assert site.told("BurstBalance", "Minimum") == [90, pytest.approx(90 + 100 / 30)]


def test_nothing_is_told_or_kept_of_a_volume_that_is_gone(jar: TestJar, ec2: Any) -> None:
    site = Site(jar, ec2)
    site.worked(read_ops=1)
    jar.advance(minutes=1)
    ec2.detach_volume(VolumeId=site.volume)
    jar.settle()
    site.worked(read_ops=9)
    assert site.told("VolumeReadOps") == []
    ec2.delete_volume(VolumeId=site.volume)
    ec2.terminate_instances(InstanceIds=[site.machine])
    jar.settle()
    left = Ctx(jar.jar.world, ACCOUNT, "eu-west-3", service_caller("cloudjar.internal", ACCOUNT)).db[VolumeCount]
    assert left.all() == []
