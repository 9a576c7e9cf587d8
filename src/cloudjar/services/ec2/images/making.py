"""Making AMIs: of an instance, of snapshots, of another AMI.

https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/creating-an-ami-ebs.html
"""

from __future__ import annotations

import re
from typing import Any

from msgspec.structs import replace

from cloudjar.base.errors import AwsError
from cloudjar.kit import tags
from cloudjar.kit.context import Ctx
from cloudjar.kit.operation import op
from cloudjar.planes.compute.port import ComputePort
from cloudjar.services.ec2 import errors
from cloudjar.services.ec2.images.catalogue import ROOT_GIB, find_image, need_image
from cloudjar.services.ec2.images.records import ImageDisk, OwnImage
from cloudjar.services.ec2.instances.records import Instance
from cloudjar.services.ec2.lookup import need
from cloudjar.services.ec2.snapshots.finding import usable
from cloudjar.services.ec2.snapshots.making import take
from cloudjar.services.ec2.snapshots.ops import copied
from cloudjar.services.ec2.snapshots.records import Snapshot
from cloudjar.services.ec2.volumes import rules
from cloudjar.services.ec2.volumes.records import Volume

_NAME = re.compile(r"[A-Za-z0-9()\[\] ./\-'@_]{3,128}")


def check_name(ctx: Ctx, name: str) -> str:
    """A name that an image may have and no other of the account's has."""
    if not _NAME.fullmatch(name):
        raise AwsError(
            "InvalidAMIName.Malformed",
            "AMI names must be between 3 and 128 characters long, and may contain letters, numbers, '(', ')', '.', "
            "'-', '/', '@', '[', ']', ''' and '_'",
        )
    for other in ctx.db[OwnImage].all():
        if other.name == name:
            raise AwsError("InvalidAMIName.Duplicate", f"AMI name {name} is already in use by AMI {other.id}")
    return name


@op("CreateImage")
def create_image(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """An image of an instance and its volumes; the instance is rebooted, unless it is asked not to be."""
    errors.refuse(req, "SnapshotLocation", "BootModeOverride")
    vm = need(ctx, Instance, req["InstanceId"])
    if vm.state not in ("running", "stopped"):
        raise AwsError("IncorrectState", f"Instance '{vm.id}' is not in a state from which an image can be created.")
    name = check_name(ctx, req["Name"])
    image_id = ctx.new_id("ami")
    disks = _disks_of(ctx, vm, image_id, req)
    source = find_image(ctx, vm.image_id)
    ctx.db[OwnImage].add(
        OwnImage(
            id=image_id,
            name=name,
            description=req.get("Description") or "",
            created=ctx.now,
            architecture=vm.architecture,
            image_key=_system(ctx, vm),
            disks=disks,
            source_instance_id=vm.id,
            source_image_id=vm.image_id,
            source_image_region=ctx.region,
            imds_support=(source.facts.get("ImdsSupport") or "") if source else "",
            watermarks=source.own.watermarks if source and source.own else (),
            tags=tags.specified(req, "image"),
        )
    )
    if vm.state == "running" and not req.get("NoReboot"):
        ctx.db[Instance].put(replace(vm, reboots=vm.reboots + 1))
    return {"ImageId": image_id}


def _system(ctx: Ctx, vm: Instance) -> str:
    """What the instance boots now: its root volume may not be that of its launch any more."""
    volumes = ctx.db[Volume].all(instance_id=vm.id)
    return next((v.image_key for v in volumes if v.device == vm.root_device and v.image_key), vm.image_key)


def _disks_of(ctx: Ctx, vm: Instance, image_id: str, req: dict[str, Any]) -> tuple[ImageDisk, ...]:
    """A snapshot of every volume that the request does not leave out, the root's first; and empty disks it adds."""
    asked = {rules.point(one["DeviceName"]): one for one in req.get("BlockDeviceMappings") or () if "DeviceName" in one}
    volumes = sorted(ctx.db[Volume].all(instance_id=vm.id), key=lambda v: (v.device != vm.root_device, v.device))
    given = tags.specified(req, "snapshot")
    disks = []
    for volume in volumes:
        mapping = asked.pop(rules.point(volume.device), {})
        if mapping.get("NoDevice") is not None:
            continue
        text = f"Created by CreateImage({vm.id}) for {image_id}"
        snapshot = take(ctx, volume, description=text, tags=given, image_id=image_id)
        disks.append(_disk_of(volume, snapshot, mapping.get("Ebs") or {}))
    if not disks or disks[0].device != vm.root_device:
        raise errors.invalid_value("The root device of the instance cannot be left out of its image.")
    disks += [_added(ctx, mapping) for mapping in asked.values() if mapping.get("Ebs")]
    return tuple(disks)


def _added(ctx: Ctx, mapping: dict[str, Any]) -> ImageDisk:
    """A disk that a mapping adds: empty, or of the snapshot that it names."""
    named = mapping["Ebs"].get("SnapshotId")
    snapshot = usable(ctx, named) if named else None
    return _described(mapping, snapshot.size if snapshot else 0, snapshot)


def _disk_of(volume: Volume, snapshot: Snapshot, changed: dict[str, Any]) -> ImageDisk:
    kind = changed.get("VolumeType") or volume.type
    size = max(changed.get("VolumeSize") or 0, volume.size)
    same = kind == volume.type
    iops = changed.get("Iops") or (volume.iops if same and kind in ("gp3", "io1", "io2") else None)
    shape = rules.shape(size, kind, iops, changed.get("Throughput") or (volume.throughput or None if same else None))
    keep = changed.get("DeleteOnTermination")
    return ImageDisk(
        device=volume.device,
        snapshot_id=snapshot.id,
        size=shape.size,
        type=shape.type,
        iops=shape.iops,
        throughput=shape.throughput,
        encrypted=volume.encrypted,
        delete_on_termination=volume.delete_on_termination if keep is None else keep,
    )


def _described(mapping: dict[str, Any], size: int, snapshot: Snapshot | None) -> ImageDisk:
    """A disk as a mapping describes it: empty, or of a snapshot."""
    ebs = mapping.get("Ebs") or {}
    wanted = ebs.get("VolumeSize") or size
    if not wanted:
        raise errors.missing("The request must contain the parameter size or snapshotId")
    shape = rules.shape(wanted, ebs.get("VolumeType") or "gp2", ebs.get("Iops"), ebs.get("Throughput"))
    keep = ebs.get("DeleteOnTermination")
    return ImageDisk(
        device=rules.device_name(mapping["DeviceName"]),
        snapshot_id=snapshot.id if snapshot else "",
        size=shape.size,
        type=shape.type,
        iops=shape.iops,
        throughput=shape.throughput,
        encrypted=bool(ebs.get("Encrypted")) or bool(snapshot and snapshot.encrypted),
        delete_on_termination=True if keep is None else keep,
    )


@op("RegisterImage")
def register_image(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """An image of snapshots: the root device's must be of a volume that a system was on.

    `ImageLocation` ``cloudjar/KEY`` names a root file system that was imported on this host (``cloudjar ami import``).
    """
    errors.refuse(req, "BillingProducts", "KernelId", "RamdiskId", "TpmSupport", "UefiData")
    if req.get("VirtualizationType") not in (None, "hvm"):
        raise errors.not_built("Paravirtual images")
    name = check_name(ctx, req.get("Name") or "")
    root_device = req.get("RootDeviceName") or "/dev/sda1"
    if req.get("ImageLocation"):
        key, disks = _imported(ctx, req["ImageLocation"], root_device)
    else:
        key, disks = _of_snapshots(ctx, req, root_device)
    image = OwnImage(
        id=ctx.new_id("ami"),
        name=name,
        description=req.get("Description") or "",
        created=ctx.now,
        architecture=req.get("Architecture") or "i386",
        image_key=key,
        disks=disks,
        imds_support=req.get("ImdsSupport") or "",
        boot_mode=req.get("BootMode") or "legacy-bios",
        ena=bool(req.get("EnaSupport")),
        tags=tags.specified(req, "image"),
    )
    return {"ImageId": ctx.db[OwnImage].add(image).id}


def _of_snapshots(ctx: Ctx, req: dict[str, Any], root_device: str) -> tuple[str, tuple[ImageDisk, ...]]:
    """The system and the disks of the request's mappings, the root first."""
    disks: list[ImageDisk] = []
    root: Snapshot | None = None
    for mapping in req.get("BlockDeviceMappings") or ():
        if not mapping.get("Ebs") or "DeviceName" not in mapping:
            continue
        disk = _added(ctx, mapping)
        if rules.point(disk.device) == rules.point(root_device):
            root = usable(ctx, disk.snapshot_id) if disk.snapshot_id else None
            disks.insert(0, disk)
        else:
            disks.append(disk)
    if root is None:
        raise AwsError("InvalidBlockDeviceMapping", f"The root device {root_device} is not mapped to a snapshot.")
    if not root.image_key:
        raise errors.not_built("An image of a snapshot that no system of Cloudjar's was on")
    return root.image_key, tuple(disks)


def _imported(ctx: Ctx, location: str, root_device: str) -> tuple[str, tuple[ImageDisk, ...]]:
    """A root file system of this host; its root volumes are made of it, as those of public images are."""
    owner, _, key = location.partition("/")
    if owner != "cloudjar" or not key.startswith("import-"):
        raise errors.not_built("An image of a manifest in a bucket")
    host: ComputePort = ctx.world.ports["compute"]
    if key not in host.images():
        raise AwsError("InvalidAMIID.Unavailable", f"The system '{key}' was not imported on this host.")
    return key, (ImageDisk(device=rules.device_name(root_device), size=ROOT_GIB, iops=3000, throughput=125),)


@op("CopyImage")
def copy_image(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """An image here with copies of another one's snapshots."""
    errors.refuse(req, "DestinationOutpostArn", "SnapshotCopyCompletionDurationMinutes", "DestinationAvailabilityZone")
    source = need_image(ctx, req["SourceImageId"], req["SourceRegion"])
    if source.own is None:
        raise errors.not_built("A copy of a public image of the catalogue")
    name = check_name(ctx, req["Name"])
    image_id = ctx.new_id("ami")
    given = tags.specified(req, "snapshot")
    disks = []
    for disk in source.own.disks:
        if disk.snapshot_id:
            text = f"Copied for DestinationAmi {image_id} from SourceAmi {source.id}."
            snapshot = usable_of(ctx, disk.snapshot_id)
            made = copied(ctx, snapshot, req, description=text, given=given, image_id=image_id)
            disks.append(replace(disk, snapshot_id=made.id, encrypted=made.encrypted))
        else:
            disks.append(disk)
    own_tags = source.own.tags if req.get("CopyImageTags") else {}
    image = replace(
        source.own,
        id=image_id,
        name=name,
        description=req.get("Description") or "",
        state="pending",
        created=ctx.now,
        disks=tuple(disks),
        source_image_id=source.id,
        source_image_region=req["SourceRegion"],
        source_instance_id="",
        client_token=req.get("ClientToken") or "",
        public=False,
        shared_with=(),
        protected=False,
        deprecated=None,
        tags={**own_tags, **tags.specified(req, "image")},
    )
    return {"ImageId": ctx.db[OwnImage].add(image).id}


def usable_of(ctx: Ctx, snapshot_id: str) -> Snapshot:
    """A snapshot of an image that the caller may launch: its owner must share the snapshot for a copy, too."""
    found = ctx.db.find(Snapshot, snapshot_id)
    region = found.region if found else ""
    return usable(ctx, snapshot_id, region)
