"""The volumes of a launch: the image's, changed by the request, and those that the request adds.

https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/block-device-mapping-concepts.html
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from cloudjar.base.errors import AwsError
from cloudjar.kit.context import Ctx
from cloudjar.services.ec2 import errors
from cloudjar.services.ec2.images.catalogue import Bootable
from cloudjar.services.ec2.images.records import ImageDisk
from cloudjar.services.ec2.snapshots.finding import usable
from cloudjar.services.ec2.snapshots.records import Snapshot
from cloudjar.services.ec2.volumes import keys, rules
from cloudjar.services.ec2.volumes.quota import check_iops, check_storage
from cloudjar.services.ec2.volumes.records import Volume


class NewDisk(NamedTuple):
    """A checked volume of a launch; `size` in GiB, `throughput` in MiB/s; `key` is empty for a plain one."""

    device: str
    size: int
    type: str
    iops: int
    throughput: int
    snapshot_id: str
    snapshot: Snapshot | None
    """The record, for a snapshot that is not the catalogue's."""
    key: str
    delete_on_termination: bool

    @property
    def encrypted(self) -> bool:
        return bool(self.key)


def planned_disks(ctx: Ctx, mappings: Sequence[Mapping[str, Any]], image: Bootable) -> list[NewDisk]:
    """Every volume that a launch makes, the root first. Raises what the request asks for and cannot have."""
    asked = {}
    for mapping in mappings:
        name = mapping.get("DeviceName")
        if not name:
            raise errors.missing("The request must contain the parameter deviceName")
        if rules.point(name) in asked:
            raise AwsError("InvalidBlockDeviceMapping", f"The device '{name}' is used in more than one mapping.")
        asked[rules.point(name)] = mapping
    found = []
    for disk in image.disks:
        mapping = asked.pop(rules.point(disk.device), {})
        if mapping.get("NoDevice") is None:
            found.append(_of_image(ctx, disk, mapping.get("Ebs") or {}, image))
        elif disk is image.disks[0]:
            raise AwsError("InvalidBlockDeviceMapping", "The root device cannot be left out.")
    extra = [one for one in asked.values() if one.get("NoDevice") is None and not one.get("VirtualName")]
    found += [_of_request(ctx, str(mapping["DeviceName"]), mapping.get("Ebs") or {}) for mapping in extra]
    rules.bootable(found[0].type)
    return found


def _of_image(ctx: Ctx, disk: ImageDisk, asked: Mapping[str, Any], image: Bootable) -> NewDisk:
    named = asked.get("SnapshotId") or disk.snapshot_id
    if named != disk.snapshot_id:
        if disk is image.disks[0]:
            raise AwsError("InvalidBlockDeviceMapping", "snapshotId cannot be modified on root device")
        return _of_request(ctx, disk.device, asked)
    snapshot = ctx.db.find(Snapshot, named) if image.own is not None and named else None
    least = snapshot.size if snapshot else disk.size
    size = asked.get("VolumeSize") or disk.size
    if named and size < least:
        raise AwsError(
            "InvalidBlockDeviceMapping",
            f"Volume of size {size}GB is smaller than snapshot '{named}', expect size >= {least}GB",
        )
    kind = asked.get("VolumeType") or disk.type
    same = kind == disk.type
    iops = asked.get("Iops") or (disk.iops if same and kind in ("gp3", "io1", "io2") else None)
    throughput = asked.get("Throughput") or (disk.throughput or None if same else None)
    return _disk(ctx, disk.device, (size, kind, iops, throughput), asked, snapshot, named, disk.delete_on_termination)


def _of_request(ctx: Ctx, device: str, asked: Mapping[str, Any]) -> NewDisk:
    named = asked.get("SnapshotId") or ""
    snapshot = usable(ctx, named) if named else None
    size = asked.get("VolumeSize") or (snapshot.size if snapshot else 0)
    if not size:
        raise errors.missing("The request must contain the parameter size or snapshotId")
    if snapshot and size < snapshot.size:
        raise AwsError(
            "InvalidBlockDeviceMapping",
            f"Volume of size {size}GB is smaller than snapshot '{named}', expect size >= {snapshot.size}GB",
        )
    shape = (size, asked.get("VolumeType") or "gp2", asked.get("Iops"), asked.get("Throughput"))
    return _disk(ctx, rules.device_name(device), shape, asked, snapshot, named, True)


def _disk(
    ctx: Ctx,
    device: str,
    wanted: tuple[int, str, int | None, int | None],
    asked: Mapping[str, Any],
    snapshot: Snapshot | None,
    snapshot_id: str,
    goes: bool,
) -> NewDisk:
    shape = rules.shape(*wanted)
    check_storage(ctx, shape.type, shape.size)
    check_iops(ctx, shape.type, shape.iops)
    own = snapshot is not None and snapshot.account == ctx.account
    key = keys.wanted(
        ctx,
        asked,
        source_encrypted=bool(snapshot and snapshot.encrypted),
        source_key=snapshot.kms_key_id if snapshot and own else "",
    )
    keep = asked.get("DeleteOnTermination")
    return NewDisk(device, *shape, snapshot_id, snapshot, key, goes if keep is None else bool(keep))


def make_disk(ctx: Ctx, disk: NewDisk, *, instance_id: str, zone: str, image_key: str, tags: dict[str, str]) -> Volume:
    """The record of a volume that is attached from its first moment; `image_key` is empty for data volumes."""
    if disk.snapshot is not None:
        keys.unlock(ctx, disk.snapshot.sealed_for, disk.snapshot.kms_key_id, disk.snapshot.data_key)
    volume_id = ctx.new_id("vol")
    sealed = keys.seal(ctx, disk.key, volume_id)
    return ctx.db[Volume].add(
        Volume(
            id=volume_id,
            zone=zone,
            size=disk.size,
            type=disk.type,
            iops=disk.iops,
            throughput=disk.throughput,
            created=ctx.now,
            snapshot_id=disk.snapshot_id,
            source=disk.snapshot.id if disk.snapshot else "",
            image_key=image_key or (disk.snapshot.image_key if disk.snapshot else ""),
            # The root of a public image is made by the machine's first start, of the image itself.
            ready=bool(image_key) and disk.snapshot is None,
            encrypted=disk.encrypted,
            kms_key_id=sealed.key_id,
            data_key=sealed.data_key,
            grant_id=keys.grant(ctx, volume_id, sealed.key_id),
            instance_id=instance_id,
            device=disk.device,
            attachment="attached",
            attached=ctx.now,
            delete_on_termination=disk.delete_on_termination,
            tags=tags,
        )
    )
