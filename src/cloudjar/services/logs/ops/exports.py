"""Exports: events of a group, written into a bucket.

https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_CreateExportTask.html
"""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from cloudjar.base import ids
from cloudjar.base.errors import AwsError
from cloudjar.kit import bucket_delivery
from cloudjar.kit.bucket_delivery import Place
from cloudjar.kit.context import Ctx
from cloudjar.kit.operation import op
from cloudjar.services.logs import errors, exporting
from cloudjar.services.logs.finding import millis
from cloudjar.services.logs.records import ExportTask, LogGroup

FOLDER = "exportedlogs"
_OPEN = ("PENDING", "RUNNING")
_TEST, _WORDS = "aws-logs-write-test", b"Permission Check Successful"
_REFUSED = (
    "{} call on the given bucket failed. Please check if CloudWatch Logs has been granted permission to perform this "
    "operation."
)


@op("CreateExportTask")
def create_export_task(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """A task that runs behind the request, after a file in the bucket has shown that it may be written to."""
    group = ctx.db[LogGroup].need(req["logGroupName"])
    if req["from"] >= req["to"]:
        raise errors.invalid("The start time must be before the end time.")
    where = _place(ctx, req)
    if any(task.status in _OPEN for task in ctx.db[ExportTask].all()):
        raise errors.limit()
    who = exporting.writer(ctx, group.public_arn)
    try:
        ctx.at(ctx.account, where.region).call("s3", "GetBucketAcl", {"Bucket": where.bucket}, caller=who)
    except AwsError:
        raise errors.invalid(_REFUSED.format("GetBucketAcl")) from None
    try:
        bucket_delivery.put(ctx, who, where, _TEST, _WORDS)
    except AwsError:
        raise errors.invalid(_REFUSED.format("PutObject")) from None
    task = ctx.db[ExportTask].add(
        ExportTask(
            id=ids.uuid4(),
            name=req.get("taskName") or "",
            group=group.name,
            prefix=req.get("logStreamNamePrefix") or "",
            start=req["from"],
            end=req["to"],
            bucket=where.bucket,
            folder=req.get("destinationPrefix") or FOLDER,
            created=ctx.now,
        )
    )
    return {"taskId": task.id}


def _place(ctx: Ctx, req: dict[str, Any]) -> Place:
    where = bucket_delivery.place(ctx, req["destination"], req.get("destinationPrefix") or FOLDER)
    if where is None:
        raise errors.invalid("The given bucket does not exist. Please provide a valid bucket name.")
    if where.region != ctx.region:
        raise errors.invalid("The bucket must be in the same Region as the log group.")
    return where


@op("CancelExportTask")
def cancel_export_task(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """End a task that has not ended yet; what is in the bucket stays there."""
    task = ctx.db[ExportTask].need(req["taskId"])
    if task.status not in _OPEN:
        raise AwsError("InvalidOperationException", "The specified export task has already finished.")
    ctx.db[ExportTask].put(replace(task, status="CANCELLED", message="Cancelled by user", completed=ctx.now))
    return {}


@op("DescribeExportTasks")
def describe_export_tasks(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Tasks, the newest first; one by its id, or those in a state."""
    found = sorted(ctx.db[ExportTask].all(), key=lambda task: (task.created, task.id), reverse=True)
    wanted = [
        task
        for task in found
        if req.get("taskId") in (None, task.id) and req.get("statusCode") in (None, task.status)
    ]
    return {"exportTasks": [_show(task) for task in wanted]}


def _show(task: ExportTask) -> dict[str, Any]:
    ran = {"creationTime": millis(task.created)}
    if task.completed is not None:
        ran["completionTime"] = millis(task.completed)
    return {
        "taskId": task.id,
        "taskName": task.name or None,
        "logGroupName": task.group,
        "from": task.start,
        "to": task.end,
        "destination": task.bucket,
        "destinationPrefix": task.folder,
        "status": {"code": task.status, "message": task.message or None},
        "executionInfo": ran,
    }
