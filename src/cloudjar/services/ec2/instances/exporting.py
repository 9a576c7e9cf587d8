"""Root disks of instances as disk images in buckets, written as the account of AWS's own that a bucket's list lets in.

https://docs.aws.amazon.com/vm-import/latest/userguide/vmexport.html
"""

from __future__ import annotations

import io
import tarfile
from collections.abc import Callable
from typing import Any

from msgspec.structs import replace

from cloudjar.base import caller as callers
from cloudjar.base.errors import AwsError
from cloudjar.kit import bucket_delivery, tags
from cloudjar.kit.context import Ctx
from cloudjar.kit.machine import Step, reconciler
from cloudjar.kit.operation import op
from cloudjar.kit.record import Record, record
from cloudjar.planes.compute.foreign.systems import porter
from cloudjar.planes.compute.port import ComputePort
from cloudjar.services.ec2 import errors
from cloudjar.services.ec2.images import exporting as images
from cloudjar.services.ec2.images.exporting import ExportImageTask
from cloudjar.services.ec2.images.landing import CANCELLED, check_active, failure, landed
from cloudjar.services.ec2.instances.records import Instance
from cloudjar.services.ec2.lookup import Row, need
from cloudjar.services.ec2.volumes.records import Volume
from cloudjar.services.ec2.volumes.rules import point

_FORMS = {"vmware": "VMDK", "citrix": "VHD", "microsoft": "VHD"}
_WRITER = callers.root(callers.VM_EXPORTS)


@record(
    "ec2",
    "export-instance-task",
    missing=("InvalidExportTaskID.NotFound", "The export task ID '{key}' does not exist"),
)
class ExportTask(Record, frozen=True, kw_only=True):
    """An instance's root volume on its way into a bucket."""

    id: str
    instance_id: str
    volume_id: str
    target: str
    form: str
    container: str = ""
    bucket: str
    prefix: str = ""
    description: str = ""
    state: str = "active"
    message: str = ""
    tags: dict[str, str] = {}

    @property
    def key(self) -> str:
        return f"{self.prefix}{self.id}.{self.container or self.form.lower()}"


@op("CreateInstanceExportTask")
def create_instance_export_task(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Have the root volume of an instance, as it is soon, written as one disk image."""
    vm = need(ctx, Instance, req["InstanceId"])
    if vm.state not in ("running", "stopped"):
        raise AwsError("IncorrectState", f"Instance '{vm.id}' is not 'running' or 'stopped'.")
    volumes = ctx.db[Volume].all(instance_id=vm.id)
    root = next((one for one in volumes if point(one.device) == point(vm.root_device)), None)
    if root is None or root.encrypted:
        raise AwsError("NotExportable", f"The instance '{vm.id}' has an encrypted root volume, or none.")
    asked, target = req["ExportToS3Task"], req["TargetEnvironment"]
    form = asked.get("DiskImageFormat") or _FORMS[target]
    if asked.get("ContainerFormat") and form != "VMDK":
        raise errors.combination("The container format ova requires the disk image format VMDK.")
    if not asked.get("S3Bucket"):
        raise errors.missing_one("ExportToS3Task.S3Bucket")
    _look_at(ctx, asked["S3Bucket"])
    made = ctx.db[ExportTask].add(
        ExportTask(
            id=ctx.new_id("export-i"),
            instance_id=vm.id,
            volume_id=root.id,
            target=target,
            form=form,
            container=asked.get("ContainerFormat") or "",
            bucket=asked["S3Bucket"],
            prefix=asked.get("S3Prefix") or "",
            description=req.get("Description") or "",
            tags=tags.specified(req, "export-instance-task"),
        )
    )
    return {"ExportTask": show(made)}


def _look_at(ctx: Ctx, bucket: str) -> None:
    """Whether AWS's account may read the bucket's list, which is to say also that it may write."""
    where = bucket_delivery.place(ctx, bucket)
    try:
        if where is None:
            raise AwsError("NoSuchBucket", "The specified bucket does not exist")
        held = ctx.at(ctx.account, where.region).call("s3", "GetBucketAcl", {"Bucket": bucket}, caller=_WRITER)
    except AwsError as error:
        if error.is_server_fault:
            raise
        raise _not_let_in() from error
    writer = callers.canonical_id(callers.VM_EXPORTS)
    given = {one["Permission"] for one in held.get("Grants") or () if one["Grantee"].get("ID") == writer}
    if not given & {"WRITE", "FULL_CONTROL"}:
        raise _not_let_in()


def _not_let_in() -> AwsError:
    return AwsError(
        "AuthFailure", "vm-import-export@amazon.com must have WRITE and READ_ACL permission on the S3 bucket."
    )


@op("DescribeExportTasks")
def describe_export_tasks(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Exports of instances."""
    wanted, table = req.get("ExportTaskIds"), ctx.db[ExportTask]
    items = table.need_all(wanted) if wanted else table.all()
    return {"ExportTasks": [row.view for row in [Row(item.tags, show(item)) for item in items]]}


@op("CancelExportTask")
def cancel_export_task(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Give an export up, of an instance or an image, that is not done yet."""
    image = ctx.db[ExportImageTask].get(req["ExportTaskId"])
    if image is not None:
        images.cancel(ctx, image)
        return {}
    task = ctx.db[ExportTask].need(req["ExportTaskId"])
    check_active(task.id, task.state)
    ctx.db[ExportTask].put(replace(task, state="cancelled", message=CANCELLED))
    return {}


def show(task: ExportTask) -> dict[str, Any]:
    """AWS's ExportTask."""
    return {
        "Description": task.description or None,
        "ExportTaskId": task.id,
        "ExportToS3Task": {
            "ContainerFormat": task.container or None,
            "DiskImageFormat": task.form,
            "S3Bucket": task.bucket,
            "S3Key": task.key,
        },
        "InstanceExportDetails": {"InstanceId": task.instance_id, "TargetEnvironment": task.target},
        "State": task.state,
        "StatusMessage": task.message or None,
        "Tags": tags.as_list(task.tags),
    }


@reconciler(ExportTask)
def converge(step: Step, task: ExportTask | None) -> None:
    """Copy the volume at one instant, write it, forget the copy."""
    if task is None or task.state != "active":
        return
    step.world.load("s3")
    host: ComputePort = step.port("compute")
    said = failure(lambda: _export(step, task, host))
    if said is None:
        _end(step, "completed", "")
    else:
        _end(step, "cancelled", said)
    host.remove_snapshot(task.id)


def _export(step: Step, task: ExportTask, host: ComputePort) -> None:
    host.take_snapshot(task.id, task.volume_id)
    with landed(step, lambda feed: _write(host, task, feed)) as body:
        _put(step.ctx, task, body)


def _end(step: Step, state: str, message: str) -> None:
    def ended(now: ExportTask) -> ExportTask | None:
        return replace(now, state=state, message=message) if now.state == "active" else None

    step.change(ExportTask, ended)


def _put(ctx: Ctx, task: ExportTask, body: Any) -> None:
    """The bucket's list lets AWS's account write; what it wrote is its own, and it lets the bucket's owner read."""
    where = bucket_delivery.place(ctx, task.bucket)
    if where is None:
        raise AwsError("NoSuchBucket", "The specified bucket does not exist")
    there, named = ctx.at(ctx.account, where.region), {"Bucket": task.bucket, "Key": task.key}
    there.call("s3", "PutObject", {**named, "Body": body}, caller=_WRITER)
    there.call("s3", "PutObjectAcl", {**named, "ACL": "bucket-owner-full-control"}, caller=_WRITER)


def _write(host: ComputePort, task: ExportTask, feed: Callable[[bytes], None]) -> None:
    give = porter(host).give_disk
    if not task.container:
        give(task.id, task.form, feed)
        return
    lengths: list[int] = []
    give(task.id, task.form, lambda data: lengths.append(len(data)))  # an archive says how long a file is before it
    disk, text = f"{task.id}-disk1.vmdk", _descriptor(task, sum(lengths)).encode()
    feed(_entry(f"{task.id}.ovf", len(text)) + text + bytes(-len(text) % 512))
    feed(_entry(disk, sum(lengths)))
    give(task.id, task.form, feed)
    feed(bytes(-sum(lengths) % 512) + bytes(1024))


def _entry(name: str, size: int) -> bytes:
    made = tarfile.TarInfo(name)
    made.size = size
    return made.tobuf(tarfile.USTAR_FORMAT) if size < 8 << 30 else made.tobuf(tarfile.GNU_FORMAT)


def _descriptor(task: ExportTask, size: int) -> str:
    """The archive's own description of a machine with one disk.

    https://www.dmtf.org/standards/ovf (DSP0243)
    """
    out = io.StringIO()
    out.write('<?xml version="1.0" encoding="UTF-8"?>\n')
    out.write('<Envelope xmlns="http://schemas.dmtf.org/ovf/envelope/1" ')
    out.write('xmlns:ovf="http://schemas.dmtf.org/ovf/envelope/1">\n')
    out.write(f'<References><File ovf:id="file1" ovf:href="{task.id}-disk1.vmdk" ovf:size="{size}"/></References>\n')
    out.write('<DiskSection><Info>Disks</Info><Disk ovf:diskId="disk1" ovf:fileRef="file1" ovf:format=')
    out.write('"http://www.vmware.com/interfaces/specifications/vmdk.html#streamOptimized"/></DiskSection>\n')
    out.write(f'<VirtualSystem ovf:id="{task.instance_id}"><Info>An exported instance</Info></VirtualSystem>\n')
    out.write("</Envelope>\n")
    return out.getvalue()
