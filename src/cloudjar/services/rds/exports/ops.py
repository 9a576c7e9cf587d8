"""Exports: started, shown, cancelled.

https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_StartExportTask.html
https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/USER_ExportSnapshot.html
"""

from __future__ import annotations

import re
from typing import Any

from msgspec.structs import replace

from cloudjar.base import arn as arns
from cloudjar.base import ids
from cloudjar.base.errors import AwsError
from cloudjar.kit import bucket_delivery, filters
from cloudjar.kit.context import Ctx
from cloudjar.kit.operation import op
from cloudjar.kit.record import arn_of
from cloudjar.planes.database import kinds
from cloudjar.services.rds import encryption, errors, rules
from cloudjar.services.rds.clusters import snapshots as of_clusters
from cloudjar.services.rds.clusters.records import DbCluster
from cloudjar.services.rds.exports import told
from cloudjar.services.rds.exports.records import CANCELING, OPEN, RUNNING, STARTING, ExportTask
from cloudjar.services.rds.ops.snapshots import need as need_snapshot
from cloudjar.services.rds.records import Snapshot
from cloudjar.spec import databases

VIA = "rds.amazonaws.com"
_AT_ONCE = 5
_LONGEST_LIST = 200 << 10
_GRANTED = ("Encrypt", "Decrypt", "GenerateDataKey", "GenerateDataKeyWithoutPlaintext", "DescribeKey")
_PART = re.compile(r"[A-Za-z0-9$_]+")
_GETTERS = {
    "export-task-identifier": lambda t: t.id,
    "s3-bucket": lambda t: t.bucket,
    "source-arn": lambda t: t.source_arn,
    "status": lambda t: t.status.lower(),
}


@op("StartExportTask")
def start_export_task(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """A task that reads a snapshot in a machine of its own, and writes what is in it into a bucket."""
    name = rules.identifier("ExportTaskIdentifier", req["ExportTaskIdentifier"], 60)
    if ctx.db[ExportTask].get(name) is not None:
        raise AwsError("ExportTaskAlreadyExists", f"The export task with the ID {name} already exists.")
    source_arn, source = _source(ctx, req["SourceArn"])
    _refuse_crowd(ctx, source_arn)
    only = _only(req.get("ExportOnly") or [], databases.kind(source.engine))
    prefix = req.get("S3Prefix") or ""
    if ":" in prefix:
        raise errors.invalid("The parameter S3Prefix must not contain a colon.")
    if bucket_delivery.place(ctx, req["S3BucketName"]) is None:
        raise AwsError(
            "InvalidS3BucketFault",
            f"The S3 bucket {req['S3BucketName']} isn't valid. Either it isn't located in the current AWS Region or it "
            "doesn't exist. Review your S3 bucket name and retry the export.",
        )
    role = _role(ctx, req["IamRoleArn"])
    if source.kms_key:
        encryption.open_snapshot(ctx, source)
    key, grant = _key(ctx, req["KmsKeyId"], role, name)
    made = ctx.db[ExportTask].add(
        ExportTask(
            id=name, source_arn=source_arn, source=source, only=only, bucket=req["S3BucketName"], prefix=prefix,
            role=role, key=key, grant=grant, machine=f"db-x{ids.entropy(8).hex()}",
            volume=f"dbvol-x{ids.entropy(8).hex()}", begun=ctx.now,
        )
    )  # fmt: skip
    return show(made)


def _source(ctx: Ctx, arn: str) -> tuple[str, Snapshot]:
    """(ARN, snapshot) that a request names, of an instance or a cluster, which can be exported."""
    parsed = arns.parse(arn)
    kind = parsed.resource.partition(":")[0] if parsed is not None and parsed.service == "rds" else ""
    mine = parsed is not None and (parsed.account, parsed.region) == (ctx.account, ctx.region)
    if kind == "cluster" and mine:
        ctx.db[DbCluster].need(arn.rpartition(":")[2].lower())
        raise errors.not_built("The export of a cluster that is no snapshot")
    if kind not in ("snapshot", "cluster-snapshot"):
        raise errors.invalid(f"Invalid source ARN: {arn}")
    if not mine:
        code = "DBSnapshotNotFound" if kind == "snapshot" else "DBClusterSnapshotNotFoundFault"
        raise AwsError(code, f"{'DBSnapshot' if kind == 'snapshot' else 'DBClusterSnapshot'} {arn} not found.", 404)
    if kind == "snapshot":
        found = need_snapshot(ctx, arn)
        named, state = arn_of(found), found.state
    else:
        whole = of_clusters.need(ctx, arn)
        found, named, state = of_clusters.placed(whole), arn_of(whole), whole.state
    if state != "available":
        raise AwsError("InvalidExportSourceState", f"The snapshot {found.id} is not in available state.")
    if found.storage_type == "standard":
        raise AwsError("InvalidExportSourceState", "Snapshots of magnetic storage can't be exported.")
    if databases.kind(found.engine) not in kinds.KINDS:
        raise errors.not_built(f"The export of snapshots of {found.engine}")
    return named, found


def _refuse_crowd(ctx: Ctx, source_arn: str) -> None:
    """Five at once in an account, and one of a snapshot."""
    there = [task for task in ctx.db.everywhere(ExportTask) if task.account == ctx.account and task.status in OPEN]
    if any(task.source_arn == source_arn for task in there):
        raise AwsError("ExportTaskAlreadyExists", f"An export task of {source_arn} is already running.")
    if len(there) >= _AT_ONCE:
        raise AwsError("ExportTaskLimitReachedFault", f"You can't run more than {_AT_ONCE} export tasks at once.")


def _only(given: list[str], kind: str) -> tuple[str, ...]:
    """What of a snapshot is wanted: databases, schemas, tables. Raises InvalidExportOnly."""
    most = 2 if kind == "mariadb" else 3
    for one in given:
        parts = one.split(".")
        if len(parts) > most or not all(_PART.fullmatch(part) for part in parts):
            raise AwsError("InvalidExportOnly", f"The identifier {one} is not valid for the export of this snapshot.")
    if sum(len(one) for one in given) > _LONGEST_LIST:
        raise AwsError("InvalidExportOnly", "The list of what is to be exported is larger than 200 KB.")
    return tuple(dict.fromkeys(given))


def _role(ctx: Ctx, arn: str) -> str:
    parsed = arns.parse(arn)
    name = parsed.resource.rpartition("/")[2] if parsed is not None and parsed.resource.startswith("role/") else ""
    role = ctx.find("iam", "role", name) if name else None
    if role is None or arn_of(role) != arn:
        raise AwsError("IamRoleNotFound", f"The IAM role {arn} is missing for exporting to an Amazon S3 bucket.", 404)
    return arn


def _key(ctx: Ctx, given: str, role: str, name: str) -> tuple[str, str]:
    """(key, grant): the role may have data encrypted with the key for as long as the export runs."""
    try:
        described = ctx.call("kms", "DescribeKey", {"KeyId": given}, via=VIA)["KeyMetadata"]
        if described["KeyManager"] == "AWS" or described["KeyState"] != "Enabled":
            raise AwsError("DisabledException", given)
        grant = ctx.call("kms", "CreateGrant", {
            "KeyId": described["Arn"], "GranteePrincipal": role, "RetiringPrincipal": VIA,
            "Operations": list(_GRANTED), "Name": f"rds-export-{name}",
        }, via=VIA)  # fmt: skip
    except AwsError as refused:
        if refused.is_server_fault:
            raise
        raise AwsError(
            "KMSKeyNotAccessibleFault",
            f"The specified KMS key [{given}] does not exist, is not enabled or you do not have permissions to access "
            "it.",
        ) from refused
    return described["Arn"], grant["GrantId"]


@op("DescribeExportTasks")
def describe_export_tasks(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Exports of an account, narrowed by what a request says."""
    name, source, kind = req.get("ExportTaskIdentifier"), req.get("SourceArn"), req.get("SourceType")
    found = [ctx.db[ExportTask].need(name.lower())] if name else ctx.db[ExportTask].all()
    found = [task for task in found if source in (None, "", task.source_arn) and kind in (None, "SNAPSHOT")]
    shown = filters.apply(req.get("Filters"), _GETTERS, sorted(found, key=lambda task: (task.begun, task.id)))
    return {"ExportTasks": [show(task) for task in shown]}


@op("CancelExportTask")
def cancel_export_task(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """End an export that goes on; what is in the bucket stays there."""
    task = ctx.db[ExportTask].need(req["ExportTaskIdentifier"].lower())
    if task.status not in (STARTING, RUNNING):
        said = f"You can't cancel the export task {task.id}: it is {task.status}."
        raise AwsError("InvalidExportTaskStateFault", said)
    return show(ctx.db[ExportTask].put(replace(task, status=CANCELING)))


def show(task: ExportTask) -> dict[str, Any]:
    """AWS's ExportTask."""
    return {
        "ExportTaskIdentifier": task.id,
        "SourceArn": task.source_arn,
        "ExportOnly": list(task.only) or None,
        "SnapshotTime": task.source.begun,
        "TaskStartTime": task.begun,
        "TaskEndTime": task.ended,
        "S3Bucket": task.bucket,
        "S3Prefix": task.prefix,
        "IamRoleArn": task.role,
        "KmsKeyId": task.key,
        "Status": task.status,
        "PercentProgress": task.percent,
        "TotalExtractedDataInGB": task.extracted >> 30,
        "FailureCause": task.cause or None,
        "WarningMessage": told.warning(task) or None,
        "SourceType": "SNAPSHOT",
    }
