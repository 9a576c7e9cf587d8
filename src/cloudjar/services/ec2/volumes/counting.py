"""``AWS/EBS``: what the block devices behind a running instance's volumes count, read each minute.

Requests count as the device sees them, below the guest's own cache.

https://docs.aws.amazon.com/ebs/latest/userguide/using_cloudwatch_ebs.html
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from msgspec.structs import replace

from cloudjar.kit.machine import Step
from cloudjar.kit.record import Record, record
from cloudjar.planes.compute.port import ComputePort
from cloudjar.planes.compute.usage import DiskUse
from cloudjar.services.ec2 import readings
from cloudjar.services.ec2.volumes.records import Volume

NAMESPACE = "AWS/EBS"
_BUCKET = 5_400_000.0
"""Requests that a full bucket of a gp2 volume is good for.

https://docs.aws.amazon.com/ebs/latest/userguide/general-purpose.html#gp2-performance
"""
_WITHOUT_BUCKET = 1000
"""GiB from which on a gp2 volume does as much all the time as it could in bursts."""
_LOWEST, _PER_GIB = 100.0, 3.0


@record("ec2", "volume-count")
class VolumeCount(Record, frozen=True, kw_only=True):
    """What a volume's device had counted when it was last read (`since`, AWS time), and what is left for bursts (0 to
    100)."""

    id: str
    read: DiskUse
    since: datetime
    burst: float = 100.0


def count(step: Step, instance_id: str, host: ComputePort) -> None:
    """Tell what the volumes of a running instance have done since they were last looked at. Not within a transaction.
    Raises `PlaneError`."""
    with readings.turn(step.world, "volume"):
        seen = host.disk_use(instance_id)
        with step.world.state.database.transaction():
            for volume in step.db[Volume].all(instance_id=instance_id):
                if volume.id in seen:
                    _count(step, volume, seen[volume.id])


def _count(step: Step, volume: Volume, seen: DiskUse) -> None:
    table, now = step.db[VolumeCount], step.world.clock.now()
    known = table.get(volume.id)
    if known is None:
        table.add(VolumeCount(id=volume.id, read=seen, since=now))
        return
    if (seen.born, seen.at) == (known.read.born, known.read.at):
        return  # two looks at one moment
    # A volume that was away fills its bucket meanwhile; what its new device did before, nobody saw.
    used = _since(known.read, seen) if known.read.born == seen.born else None
    burst = _burst(volume, known, used, (now - known.since).total_seconds())
    table.put(replace(known, read=seen, since=now, burst=burst))
    if used is None:
        return
    named = (("VolumeId", volume.id),)
    told = ((named, *one) for one in _told(volume, used, burst))
    readings.tell(step.world, volume.account, volume.region, NAMESPACE, told)


def _since(before: DiskUse, now: DiskUse) -> DiskUse | None:
    """What was done between two readings, `at` being how long that took; None when there is nothing to compare."""
    more = {name: getattr(now, name) - getattr(before, name) for name in DiskUse.__struct_fields__ if name != "born"}
    return DiskUse(born=now.born, **more) if min(more.values()) >= 0 and more["at"] > 0 else None


def _told(volume: Volume, used: DiskUse, burst: float) -> Iterator[tuple[str, str, float]]:
    yield "VolumeReadOps", "Count", used.read_ops
    yield "VolumeWriteOps", "Count", used.write_ops
    yield "VolumeReadBytes", "Bytes", used.read_bytes
    yield "VolumeWriteBytes", "Bytes", used.written_bytes
    yield "VolumeTotalReadTime", "Seconds", used.read_ms / 1000
    yield "VolumeTotalWriteTime", "Seconds", used.write_ms / 1000
    yield "VolumeIdleTime", "Seconds", max(used.at - used.busy_ms / 1000, 0.0)
    yield "VolumeQueueLength", "Count", used.queued_ms / 1000 / used.at
    if _has_bucket(volume):
        yield "BurstBalance", "Percent", burst


def _has_bucket(volume: Volume) -> bool:
    return volume.type == "gp2" and volume.size < _WITHOUT_BUCKET


def _burst(volume: Volume, known: VolumeCount, used: DiskUse | None, seconds: float) -> float:
    """What is left in a bucket that fills with what the volume may do all the time; it spends what it really does."""
    if not _has_bucket(volume):
        return 100.0
    earned = max(_PER_GIB * volume.size, _LOWEST) * max(seconds, 0.0)
    spent = used.read_ops + used.write_ops if used is not None else 0.0
    return min(100.0, max(0.0, known.burst + (earned - spent) / _BUCKET * 100))


def forget(step: Step, volume_id: str) -> None:
    """The volume is gone: what was read of it is dropped."""
    with step.world.state.database.transaction():
        readings.forget(step.db[VolumeCount], [step.db[VolumeCount].get(volume_id)])
