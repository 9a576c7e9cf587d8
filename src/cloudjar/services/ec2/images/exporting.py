"""AMIs as disk images in buckets, written by the role that an account gives to VM Import.

https://docs.aws.amazon.com/vm-import/latest/userguide/vmexport_image.html
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from msgspec.structs import replace

from cloudjar.base.errors import AwsError, PlaneError
from cloudjar.kit import tags
from cloudjar.kit.context import Ctx
from cloudjar.kit.machine import Step, reconciler
from cloudjar.kit.operation import op
from cloudjar.kit.record import Record, record
from cloudjar.planes.compute.foreign.systems import porter
from cloudjar.services.ec2 import errors
from cloudjar.services.ec2.images.catalogue import need_image
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
    try:
        role = service_role(step.ctx, task.role)
        host = porter(step.port("compute"))
        body = landed(step, lambda feed: host.give_disk(task.snapshot_id, task.form, feed))
        try:
            asked = {"Bucket": task.bucket, "Key": task.key, "Body": body}
            step.ctx.call("s3", "PutObject", asked, caller=role)
        finally:
            body.close()
    except (AwsError, PlaneError) as error:
        if isinstance(error, AwsError) and error.is_server_fault:
            raise
        said = error.message if isinstance(error, AwsError) else str(error)
        _end(step, "deleted", f"ClientError: {said}")
        return
    _end(step, "completed", "")


def _end(step: Step, status: str, message: str) -> None:
    def ended(now: ExportImageTask) -> ExportImageTask | None:
        return replace(now, status=status, message=message) if now.status == "active" else None

    step.change(ExportImageTask, ended)


def landed(step: Step, write: Callable[[Callable[[bytes], None]], None]) -> Any:
    """What `write` feeds, put down as the body of an object that is to be."""
    sink = step.world.ports["objects"].sink()
    try:
        write(sink.feed)
        return sink.finish()
    except BaseException:
        sink.abort()
        raise


def cancel(ctx: Ctx, task: ExportImageTask) -> None:
    """Give an export up that is not done yet."""
    if task.status != "active":
        raise errors.invalid_parameter(task.id, "exportTaskId", f"The task is {task.status}.")
    ctx.db[ExportImageTask].put(replace(task, status="deleted", message="User initiated task cancelation"))
