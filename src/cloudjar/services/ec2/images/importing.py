"""AMIs of disk images that lie in buckets: fetched by the role that an account gives to VM Import.

The first disk's system becomes an image's tree on the host, its snapshot the root; further disks stay as they are.
https://docs.aws.amazon.com/vm-import/latest/userguide/vmimport-image-import.html
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

import msgspec
from msgspec.structs import replace

from cloudjar.base.errors import AwsError, PlaneError
from cloudjar.kit import tags
from cloudjar.kit.context import Ctx
from cloudjar.kit.machine import Step, reconciler
from cloudjar.kit.operation import op
from cloudjar.kit.record import Record, record
from cloudjar.planes.compute.foreign.systems import porter
from cloudjar.services.ec2 import errors
from cloudjar.services.ec2.images.records import ImageDisk, OwnImage
from cloudjar.services.ec2.lookup import Row, by_path, narrow
from cloudjar.services.ec2.snapshots.importing import (
    ImportSnapshotTask,
    form_of,
    pieces_of,
    place_of,
    service_role,
)
from cloudjar.services.ec2.snapshots.records import Snapshot
from cloudjar.services.ec2.volumes import rules
from cloudjar.spec import images

_ROLE = "vmimport"
_FILTERS = by_path({"task-state": "Status"})
_NO_VOLUME = "vol-ffffffff"


class ImportDisk(msgspec.Struct, frozen=True, kw_only=True):
    """A disk image; `size` in bytes is known once it was fetched."""

    bucket: str
    key: str
    form: str
    device: str
    description: str = ""
    snapshot_id: str
    size: int = 0
    gib: int = 0


@record(
    "ec2",
    "import-image-task",
    missing=("InvalidConversionTaskId", "The specified import task does not exist: {key}"),
)
class ImportImageTask(Record, frozen=True, kw_only=True):
    """Disk images that become an AMI. The first of its disks is the root."""

    id: str
    image_id: str
    disks: tuple[ImportDisk, ...]
    role: str
    description: str = ""
    boot_mode: str = ""
    started: datetime
    status: str = "active"
    message: str = "pending"
    client_token: str = ""
    tags: dict[str, str] = {}


@op("ImportImage")
def import_image(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Have disk images fetched and made an AMI of; what is wrong with them is told by the task."""
    errors.refuse(req, "Encrypted", "KmsKeyId", "LicenseSpecifications", "UsageOperation")
    if (req.get("Platform") or "Linux").lower() != "linux" or req.get("LicenseType") not in (None, "", "BYOL"):
        raise errors.not_built("An import of a system that is not Linux, or with a license of AWS's")
    if (req.get("Architecture") or images.X86) != images.X86:
        raise errors.not_built(f"An import for the architecture {req['Architecture']}")
    containers = req.get("DiskContainers") or []
    if not containers:
        raise errors.missing_one("DiskContainers")
    made = ctx.db[ImportImageTask].add(
        ImportImageTask(
            id=ctx.new_id("import-ami"),
            image_id=ctx.new_id("ami"),
            disks=tuple(_disk(ctx, container, n) for n, container in enumerate(containers)),
            role=req.get("RoleName") or _ROLE,
            description=req.get("Description") or "",
            boot_mode=req.get("BootMode") or "",
            started=ctx.now,
            client_token=req.get("ClientToken") or "",
            tags=tags.specified(req, "import-image-task"),
        )
    )
    return show(made)


def _disk(ctx: Ctx, container: dict[str, Any], number: int) -> ImportDisk:
    errors.refuse(container, "SnapshotId")
    bucket, key = place_of(container)
    # A root device name of another hypervisor's (/dev/sda1) is the image's own here.
    given = container.get("DeviceName") or f"/dev/sd{chr(ord('f') + number)}"
    return ImportDisk(
        bucket=bucket,
        key=key,
        form=form_of(container, "RAW", "VMDK", "VHD", "OVA"),
        device=rules.device_name(given) if number else "/dev/xvda",
        description=container.get("Description") or "",
        snapshot_id=ctx.new_id("snap"),
    )


@op("DescribeImportImageTasks")
def describe_import_image_tasks(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Imports by id or filter."""
    wanted, table = req.get("ImportTaskIds"), ctx.db[ImportImageTask]
    items = table.need_all(wanted) if wanted else table.all()
    return {"ImportImageTasks": narrow(req, _FILTERS, [Row(item.tags, show(item)) for item in items])}


@op("CancelImportTask")
def cancel_import_task(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Give an import up, of an image or a snapshot, that is not done yet."""
    key = req.get("ImportTaskId") or ""
    task = ctx.db[ImportImageTask].get(key) or ctx.db[ImportSnapshotTask].need(key)
    if task.status != "active":
        raise AwsError("IncorrectState", f"The import task {task.id} is {task.status}.")
    given_up = {"status": "deleted", "message": req.get("CancelReason") or "User initiated task cancelation"}
    if isinstance(task, ImportImageTask):
        ctx.db[ImportImageTask].put(replace(task, **given_up))
    else:
        ctx.db[ImportSnapshotTask].put(replace(task, **given_up))
    return {"ImportTaskId": task.id, "PreviousState": "active", "State": "deleted"}


def show(task: ImportImageTask) -> dict[str, Any]:
    """AWS's ImportImageTask."""
    done = task.status == "completed"
    return {
        "Architecture": images.X86,
        "BootMode": task.boot_mode or None,
        "Description": task.description or None,
        "Encrypted": False,
        "ImageId": task.image_id if done else None,
        "ImportTaskId": task.id,
        "LicenseType": "BYOL",
        "Platform": "Linux",
        "Progress": "19" if task.status == "active" else None,
        "SnapshotDetails": [_detail(disk, done=done) for disk in task.disks],
        "Status": task.status,
        "StatusMessage": None if done else task.message,
        "Tags": tags.as_list(task.tags),
    }


def _detail(disk: ImportDisk, *, done: bool) -> dict[str, Any]:
    return {
        "Description": disk.description or None,
        "DeviceName": disk.device,
        "DiskImageSize": float(disk.size),
        "Format": disk.form,
        "SnapshotId": disk.snapshot_id if done else None,
        "Status": "completed" if done else "active",
        "UserBucket": {"S3Bucket": disk.bucket, "S3Key": disk.key},
    }


@reconciler(ImportImageTask)
def converge(step: Step, task: ImportImageTask | None) -> None:
    """Fetch and take in every disk, then have the image."""
    if task is None or task.status != "active":
        return
    try:
        role = service_role(step.ctx, task.role)
        system, disks = "", []
        for number, disk in enumerate(task.disks):
            found = step.ctx.call("s3", "GetObject", {"Bucket": disk.bucket, "Key": disk.key}, caller=role)
            size, pieces = int(found["ContentLength"]), pieces_of(found["Body"])
            host = porter(step.port("compute"))
            if number:
                disks.append(replace(disk, size=size, gib=host.take_disk(disk.snapshot_id, disk.form, pieces)))
            else:
                taken = host.take_system(disk.snapshot_id, disk.form, pieces)
                system, gib = taken.key, taken.size_gib
                disks.append(replace(disk, size=size, gib=gib))
    except (AwsError, PlaneError) as error:
        if isinstance(error, AwsError) and error.is_server_fault:
            raise
        _fail(step, f"ClientError: {error.message if isinstance(error, AwsError) else error}")
        return
    with step.world.state.database.transaction():
        now = step.db[ImportImageTask].get(task.id)
        if now is not None and now.status == "active":
            _complete(step.ctx, replace(now, disks=tuple(disks), status="completed", message=""), system)


def _fail(step: Step, why: str) -> None:
    def failed(now: ImportImageTask) -> ImportImageTask | None:
        return replace(now, status="deleted", message=why) if now.status == "active" else None

    step.change(ImportImageTask, failed)


def _complete(ctx: Ctx, task: ImportImageTask, system: str) -> None:
    ctx.db[ImportImageTask].put(task)
    ctx.db[OwnImage].add(
        OwnImage(
            id=task.image_id,
            name=task.id,
            description=task.description or f"AWS-VMImport service: Linux - {task.id}",
            created=ctx.now,
            architecture=images.X86,
            image_key=system,
            disks=tuple(_image_disk(disk) for disk in task.disks),
            boot_mode=task.boot_mode or "uefi-preferred",
        )
    )
    for number, disk in enumerate(task.disks):
        ctx.db[Snapshot].add(
            Snapshot(id=disk.snapshot_id, volume_id=_NO_VOLUME, size=disk.gib, started=ctx.now, arrival="here",
                     image_key="" if number else system, image_id=task.image_id,
                     description=disk.description or f"Created by AWS-VMImport service for {task.id}")
        )  # fmt: skip


def _image_disk(disk: ImportDisk) -> ImageDisk:
    shape = rules.shape(disk.gib, "gp3", None, None)
    return ImageDisk(device=disk.device, snapshot_id=disk.snapshot_id, size=shape.size, type=shape.type,
                     iops=shape.iops, throughput=shape.throughput)  # fmt: skip
