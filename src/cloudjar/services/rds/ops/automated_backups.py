"""What can be restored of instances, those that are gone included.

https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/USER_WorkingWithAutomatedBackups.html
"""

from __future__ import annotations

from typing import Any

from cloudjar.base import arn as arns
from cloudjar.base.errors import AwsError
from cloudjar.kit import filters, tags
from cloudjar.kit.context import Ctx
from cloudjar.kit.operation import op
from cloudjar.kit.record import arn_of
from cloudjar.services.rds import archiving, errors, kept_logs, option_groups
from cloudjar.services.rds.backup_records import AutomatedBackup
from cloudjar.spec import databases

_GETTERS = {
    "status": lambda shown: shown["Status"],
    "db-instance-id": lambda shown: [shown["DBInstanceIdentifier"], shown["DBInstanceArn"]],
    "dbi-resource-id": lambda shown: shown["DbiResourceId"],
}


@op("DescribeDBInstanceAutomatedBackups")
def describe_db_instance_automated_backups(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Backups of instances that are there and of those that are gone."""
    found = ctx.db[AutomatedBackup].all()
    if name := req.get("DBInstanceIdentifier"):
        found = [one for one in found if one.instance_id == name.lower()]
    if resource := req.get("DbiResourceId"):
        found = [by_resource(ctx, resource)]
    if arn := req.get("DBInstanceAutomatedBackupsArn"):
        found = [by_arn(ctx, arn)]
    shown = [show(ctx, one) for one in sorted(found, key=lambda one: (one.instance_id, one.id))]
    return {"DBInstanceAutomatedBackups": filters.apply(req.get("Filters"), _GETTERS, shown)}


@op("DeleteDBInstanceAutomatedBackup")
def delete_db_instance_automated_backup(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """The backups of an instance that is gone."""
    resource, arn = req.get("DbiResourceId"), req.get("DBInstanceAutomatedBackupsArn")
    if (resource is None) == (arn is None):
        raise errors.combination("Either DbiResourceId or DBInstanceAutomatedBackupsArn must be specified.")
    kept = by_arn(ctx, arn) if arn is not None else by_resource(ctx, resource or "")
    shown = show(ctx, kept)
    if kept.retained is None:
        raise AwsError(
            "InvalidDBInstanceAutomatedBackupState",
            "Only retained automated backups of deleted instances can be deleted.",
        )
    archiving.forget(ctx, kept.resource_id)
    return {"DBInstanceAutomatedBackup": {**shown, "Status": "deleting"}}


def by_resource(ctx: Ctx, resource_id: str) -> AutomatedBackup:
    """The backups of an instance, by its resource id."""
    return ctx.db[AutomatedBackup].need(resource_id)


def by_arn(ctx: Ctx, arn: str) -> AutomatedBackup:
    """Backups by their own ARN."""
    parsed = arns.parse(arn)
    name = parsed.resource.partition("auto-backup:")[2] if parsed is not None else ""
    found = ctx.db[AutomatedBackup].all(id=name) if name else []
    if not found:
        raise AwsError("DBInstanceAutomatedBackupNotFound", f"No automated backup found for {arn}.", 404)
    return found[0]


def show(ctx: Ctx, kept: AutomatedBackup) -> dict[str, Any]:
    """Backups as the API shows them."""
    db = kept_logs.instance_of(ctx, kept)
    assert db is not None
    window = kept_logs.window(ctx, kept)
    line = databases.line(db.engine, db.major)
    return {
        "DBInstanceArn": arns.make("rds", ctx.region, ctx.account, f"db:{db.id}"),
        "DbiResourceId": db.resource_id,
        "Region": ctx.region,
        "DBInstanceIdentifier": db.id,
        "RestoreWindow": {"EarliestTime": window[0], "LatestTime": window[1]} if window else None,
        "AllocatedStorage": db.storage,
        "Status": "retained" if kept.retained is not None else "active" if window else "creating",
        "Port": db.port,
        "AvailabilityZone": db.zone,
        "VpcId": db.vpc_id,
        "InstanceCreateTime": db.created,
        "MasterUsername": db.master,
        "Engine": db.engine,
        "EngineVersion": db.version,
        "LicenseModel": line.licence if line else None,
        "Iops": db.iops or None,
        "StorageThroughput": db.throughput or None,
        "OptionGroupName": option_groups.of(db),
        "Encrypted": bool(db.kms_key),
        "KmsKeyId": db.kms_key or None,
        "StorageType": db.storage_type,
        "IAMDatabaseAuthenticationEnabled": db.iam,
        "BackupRetentionPeriod": db.retention,
        "PreferredBackupWindow": db.backup_window,
        "DBInstanceAutomatedBackupsArn": arn_of(kept),
        "BackupTarget": "region",
        "MultiTenant": False,
        "DedicatedLogVolume": False,
        "TagList": tags.as_list(db.tags),
    }
