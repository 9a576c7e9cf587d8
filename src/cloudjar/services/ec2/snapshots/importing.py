"""Snapshots of disk images that lie in buckets, fetched by the role that an account gives to VM Import.

https://docs.aws.amazon.com/vm-import/latest/userguide/vmimport-import-snapshot.html
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from msgspec.structs import replace

from cloudjar.base.caller import Caller
from cloudjar.base.caller import service as service_caller
from cloudjar.base.errors import AwsError, PlaneError
from cloudjar.kit import tags
from cloudjar.kit.context import Ctx
from cloudjar.kit.machine import Step, reconciler
from cloudjar.kit.operation import op
from cloudjar.kit.record import Record, record
from cloudjar.planes.compute.foreign.systems import porter
from cloudjar.planes.compute.moving import mover
from cloudjar.services.ec2 import errors
from cloudjar.services.ec2.lookup import Row, by_path, narrow
from cloudjar.services.ec2.snapshots.records import Snapshot

_ROLE, _EXTERNAL, _PRINCIPAL = "vmimport", "vmimport", "vmie.amazonaws.com"
_GIB = 1 << 30
_NO_VOLUME = "vol-ffffffff"
_FILTERS = by_path({"task-state": "SnapshotTaskDetail.Status"})


@record(
    "ec2",
    "import-snapshot-task",
    missing=("InvalidConversionTaskId", "The specified import task does not exist: {key}"),
)
class ImportSnapshotTask(Record, frozen=True, kw_only=True):
    """A disk image that becomes a snapshot."""

    id: str
    bucket: str
    key: str
    form: str = "RAW"
    role: str
    description: str
    started: datetime
    status: str = "active"
    message: str = "pending"
    size: int = 0
    """Bytes of the disk image."""
    snapshot_id: str
    tags: dict[str, str] = {}


@op("ImportSnapshot")
def import_snapshot(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Have a disk image fetched; what is wrong with it is told by the task."""
    errors.refuse(req, "Encrypted", "KmsKeyId")
    container = req.get("DiskContainer") or {}
    bucket, key = place_of(container)
    made = ctx.db[ImportSnapshotTask].add(
        ImportSnapshotTask(
            id=ctx.new_id("import-snap"),
            bucket=bucket,
            key=key,
            form=form_of(container, "RAW", "VMDK", "VHD"),
            role=req.get("RoleName") or _ROLE,
            description=req.get("Description") or "",
            started=ctx.now,
            snapshot_id=ctx.new_id("snap"),
            tags=tags.specified(req, "import-snapshot-task"),
        )
    )
    return show(made)


def form_of(container: dict[str, Any], *forms: str) -> str:
    """The format that a container says, of those that can be read; raw where it says none."""
    form = (container.get("Format") or "RAW").upper()
    if form not in forms:
        raise errors.not_built(f"A disk image in the format {form}")
    return form


def place_of(container: dict[str, Any]) -> tuple[str, str]:
    """The bucket and the key of a container's image."""
    given, url = container.get("UserBucket") or {}, container.get("Url") or ""
    if bool(given) == bool(url):
        raise errors.combination("Exactly one of UserBucket and Url must be specified in DiskContainer.")
    if url:
        bucket, _, key = url.removeprefix("s3://").partition("/")
        if not url.startswith("s3://"):
            raise errors.not_built("A disk image by an address that is not s3://BUCKET/KEY")
    else:
        bucket, key = given.get("S3Bucket") or "", given.get("S3Key") or ""
    if not bucket or not key:
        raise errors.missing("The disk image's bucket and key must be specified.")
    return bucket, key


@op("DescribeImportSnapshotTasks")
def describe_import_snapshot_tasks(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Imports by id or filter."""
    wanted, table = req.get("ImportTaskIds"), ctx.db[ImportSnapshotTask]
    items = table.need_all(wanted) if wanted else table.all()
    shown = narrow(req, _FILTERS, [Row(item.tags, show(item)) for item in items])
    return {"ImportSnapshotTasks": shown}


def show(task: ImportSnapshotTask) -> dict[str, Any]:
    """AWS's ImportSnapshotTask."""
    done = task.status == "completed"
    return {
        "Description": task.description,
        "ImportTaskId": task.id,
        "SnapshotTaskDetail": {
            "Description": task.description,
            "DiskImageSize": float(task.size),
            "Encrypted": False,
            "Format": task.form,
            "Progress": None if done else "19",
            "SnapshotId": task.snapshot_id if done else None,
            "Status": task.status,
            "StatusMessage": None if done else task.message,
            "UserBucket": {"S3Bucket": task.bucket, "S3Key": task.key},
        },
        "Tags": tags.as_list(task.tags),
    }


@reconciler(ImportSnapshotTask)
def converge(step: Step, task: ImportSnapshotTask | None) -> None:
    """Fetch the disk image, then have its snapshot."""
    if task is None or task.status != "active":
        return
    try:
        role = service_role(step.ctx, task.role)
        found = step.ctx.call("s3", "GetObject", {"Bucket": task.bucket, "Key": task.key}, caller=role)
        size = int(found["ContentLength"])
        if not size:
            raise PlaneError("the disk image is empty")
        gib = _taken(step, task, size, pieces_of(found["Body"]))
    except AwsError as error:
        _fail(step, f"ClientError: {error.message}")
        return
    except PlaneError as error:
        _fail(step, f"ClientError: {error}")
        return
    with step.world.state.database.transaction():
        now = step.db[ImportSnapshotTask].get(task.id)
        if now is None or now.status != "active":
            return
        step.db[ImportSnapshotTask].put(replace(now, status="completed", message="", size=size))
        step.db[Snapshot].add(
            Snapshot(id=task.snapshot_id, volume_id=_NO_VOLUME, size=gib, started=step.ctx.now, arrival="here",
                     description=task.description or f"Created by AWS-VMImport service for {task.id}")
        )  # fmt: skip


def _taken(step: Step, task: ImportSnapshotTask, size: int, pieces: Iterable[bytes]) -> int:
    """Make the snapshot; its size in GiB. A raw image is not put down on its way."""
    if task.form != "RAW":
        return porter(step.port("compute")).take_disk(task.snapshot_id, task.form, pieces)
    gib = -(-size // _GIB)
    mover(step.port("compute")).from_disk(task.snapshot_id, gib, pieces)
    return gib


def _fail(step: Step, why: str) -> None:
    def failed(now: ImportSnapshotTask) -> ImportSnapshotTask | None:
        return replace(now, status="deleted", message=why) if now.status == "active" else None

    step.change(ImportSnapshotTask, failed)


def service_role(ctx: Ctx, name: str) -> Caller:
    """The session of the account's role for VM Import, which must trust it (and may ask for its external id)."""
    asked = {
        "RoleArn": f"arn:aws:iam::{ctx.account}:role/{name}", "RoleSessionName": "vmimport", "ExternalId": _EXTERNAL,
    }  # fmt: skip
    try:
        issued = ctx.call("sts", "AssumeRole", asked, caller=service_caller(_PRINCIPAL, ctx.account))["Credentials"]
    except AwsError as error:
        text = f"The service role {name} provided does not exist or does not have sufficient permissions"
        raise AwsError("InvalidParameter", text) from error
    found: Caller = ctx.world.ports["sessions"].open(issued["SessionToken"]).caller
    return found


def pieces_of(body: Any) -> Iterable[bytes]:
    """The bytes of an object, as S3 answers them inside of this jar."""
    return (body,) if isinstance(body, bytes) else body
