"""AMIs as disk images in buckets, written by the role that an account gives to VM Import.

https://docs.aws.amazon.com/vm-import/latest/userguide/vmexport_image.html
"""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from cloudjar.base.errors import AwsError
from cloudjar.kit import tags
from cloudjar.kit.context import Ctx
from cloudjar.kit.machine import Step, reconciler
from cloudjar.kit.operation import op
from cloudjar.kit.record import Record, record
from cloudjar.planes.compute.foreign.systems import porter
from cloudjar.services.ec2.images.catalogue import need_image
from cloudjar.services.ec2.images.landing import CANCELLED, check_active, failure, landed
from cloudjar.services.ec2.lookup import Row, by_path, narrow
from cloudjar.services.ec2.snapshots.importing import service_role
from cloudjar.services.ec2.snapshots.records import Snapshot

_ROLE = "vmimport"
_FILTERS = by_path({"task-state": "Status"})


@record(
    "ec2",
    "export-image-task",
    missing=("InvalidExportTaskID.NotFound", "The export task ID '{key}' does not exist"),
)
class ExportImageTask(Record, frozen=True, kw_only=True):
    """An AMI's root on its way into a bucket; `key` is the object's."""

    id: str
    image_id: str
    snapshot_id: str
    form: str
    bucket: str
    prefix: str = ""
    role: str
    description: str = ""
    status: str = "active"
    message: str = "validating"
    client_token: str = ""
    tags: dict[str, str] = {}

    @property
    def key(self) -> str:
        return f"{self.prefix}{self.id}.{self.form.lower()}"


@op("ExportImage")
def export_image(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Have an AMI of one's own written as one disk image."""
    image = need_image(ctx, req["ImageId"])
    if image.own is None or image.own.account != ctx.account:
        raise AwsError("NotExportable", f"The image {image.id} is not the account's own and cannot be exported.")
    if image.own.state != "available":
        raise AwsError("InvalidAMIID.Unavailable", f"The image {image.id} is {image.own.state}.")
    root = image.own.root.snapshot_id
    snapshot = ctx.db[Snapshot].get(root) if root else None
    if snapshot is None or snapshot.encrypted or snapshot.archived:
        raise AwsError("NotExportable", f"The root snapshot of the image {image.id} is encrypted or cannot be read.")
    where = req["S3ExportLocation"]
    made = ctx.db[ExportImageTask].add(
        ExportImageTask(
            id=ctx.new_id("export-ami"),
            image_id=image.id,
            snapshot_id=snapshot.id,
            form=req["DiskImageFormat"],
            bucket=where["S3Bucket"],
            prefix=where.get("S3Prefix") or "",
            role=req.get("RoleName") or _ROLE,
            description=req.get("Description") or "",
            client_token=req.get("ClientToken") or "",
            tags=tags.specified(req, "export-image-task"),
        )
    )
    return {**show(made), "ImageId": image.id, "DiskImageFormat": made.form, "RoleName": made.role}


@op("DescribeExportImageTasks")
def describe_export_image_tasks(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Exports by id or filter."""
    wanted, table = req.get("ExportImageTaskIds"), ctx.db[ExportImageTask]
    items = table.need_all(wanted) if wanted else table.all()
    return {"ExportImageTasks": narrow(req, _FILTERS, [Row(item.tags, show(item)) for item in items])}


def show(task: ExportImageTask) -> dict[str, Any]:
    """AWS's ExportImageTask."""
    active = task.status == "active"
    return {
        "Description": task.description or None,
        "ExportImageTaskId": task.id,
        "Progress": "0" if active else None,
        "S3ExportLocation": {"S3Bucket": task.bucket, "S3Prefix": task.prefix or None},
        "Status": task.status,
        "StatusMessage": task.message or None,
        "Tags": tags.as_list(task.tags),
    }


@reconciler(ExportImageTask)
def converge(step: Step, task: ExportImageTask | None) -> None:
    """Write the image, then hand it to S3 as the role."""
    if task is None or task.status != "active":
        return
    step.world.load("s3")
    said = failure(lambda: _export(step, task))
    if said is None:
        _end(step, "completed", "")
    else:
        _end(step, "deleted", f"ClientError: {said}")


def _export(step: Step, task: ExportImageTask) -> None:
    role = service_role(step.ctx, task.role)
    host = porter(step.port("compute"))
    with landed(step, lambda feed: host.give_disk(task.snapshot_id, task.form, feed)) as body:
        step.ctx.call("s3", "PutObject", {"Bucket": task.bucket, "Key": task.key, "Body": body}, caller=role)


def _end(step: Step, status: str, message: str) -> None:
    def ended(now: ExportImageTask) -> ExportImageTask | None:
        return replace(now, status=status, message=message) if now.status == "active" else None

    step.change(ExportImageTask, ended)


def cancel(ctx: Ctx, task: ExportImageTask) -> None:
    """Give an export up that is not done yet."""
    check_active(task.id, task.status)
    ctx.db[ExportImageTask].put(replace(task, status="deleted", message=CANCELLED))
