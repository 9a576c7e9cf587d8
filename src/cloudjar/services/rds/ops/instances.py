"""DB instances: made, shown, deleted."""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from cloudjar.base.errors import AwsError
from cloudjar.kit import filters
from cloudjar.kit.context import Ctx
from cloudjar.kit.operation import op
from cloudjar.kit.record import arn_of
from cloudjar.services.rds import backups, encryption, engine_rules, errors, making, rules, tagging, versions
from cloudjar.services.rds.aurora import changes as aurora_changes
from cloudjar.services.rds.aurora import making as aurora
from cloudjar.services.rds.aurora import wording
from cloudjar.services.rds.clusters import members
from cloudjar.services.rds.clusters import ops as clusters
from cloudjar.services.rds.records import DbInstance, Snapshot
from cloudjar.services.rds.views import show_instance

PLACED = (
    "DBInstanceIdentifier", "DBInstanceClass", "Engine", "EngineVersion", "LicenseModel", "Port", "AvailabilityZone",
    "DBSubnetGroupName", "VpcSecurityGroupIds", "PubliclyAccessible", "DBParameterGroupName", "BackupRetentionPeriod",
    "PreferredBackupWindow", "PreferredMaintenanceWindow", "AutoMinorVersionUpgrade", "CopyTagsToSnapshot",
    "DeletionProtection", "CACertificateIdentifier", "OptionGroupName", "Tags", "TagSpecifications", "AllocatedStorage",
    "StorageType", "Iops", "StorageThroughput", "DBName", "EnableCloudwatchLogsExports", "MultiAZ",
    "EnableIAMDatabaseAuthentication",
    "MaxAllocatedStorage", "MonitoringInterval", "MonitoringRoleArn", "EnablePerformanceInsights",
    "PerformanceInsightsKMSKeyId", "PerformanceInsightsRetentionPeriod", "DatabaseInsightsMode",
)  # fmt: skip
"""Members of requests that something is done with, whatever the instance's data come from."""
_BUILT = (
    *PLACED, "MasterUsername", "MasterUserPassword", "ManageMasterUserPassword", "MasterUserSecretKmsKeyId",
    "StorageEncrypted", "KmsKeyId",
)  # fmt: skip
_GETTERS = {
    "db-instance-id": lambda db: [db.id, arn_of(db)],
    "dbi-resource-id": lambda db: db.resource_id,
    "engine": lambda db: db.engine,
    "db-cluster-id": lambda db: db.cluster or None,
    "domain": lambda db: None,
}


@op("CreateDBInstance")
def create_db_instance(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """An engine on a machine of its own in a subnet of the group, by itself or in a cluster; it is built afterwards."""
    if (cluster := req.get("DBClusterIdentifier")) is not None:
        return {"DBInstance": show_instance(ctx, aurora.member(ctx, req, clusters.by_name(ctx, cluster)))}
    name = making.new_id(ctx, req["DBInstanceIdentifier"])
    line, whole = versions.chosen(ctx.world, req["Engine"].lower(), req.get("EngineVersion"))
    if line.listed:
        raise wording.without_cluster(req, line.engine)
    errors.only(req, _BUILT)
    kind = req.get("StorageType") or ("io1" if req.get("Iops") and (req.get("AllocatedStorage") or 0) < 400 else "gp3")
    master = engine_rules.master_name(line.engine, req.get("MasterUsername"))
    size = rules.storage(kind, req.get("AllocatedStorage"), line.engine)
    iops, throughput = rules.performance(kind, size, req.get("Iops"), req.get("StorageThroughput"), line.engine)
    db = replace(
        making.blank(ctx, req, name, line, whole, tagging.asked(req, "db")),
        master=master,
        db_name=engine_rules.database_name(line.engine, req.get("DBName")),
        storage=size,
        storage_type=kind,
        iops=iops,
        throughput=throughput,
        most_storage=rules.most_storage(kind, size, req.get("MaxAllocatedStorage"), line.engine),
    )
    db = encryption.sealed(ctx, making.credentials(ctx, req, db), encryption.asked(req))
    shown = show_instance(ctx, made := making.stored(ctx, db))
    return {"DBInstance": {**shown, "PendingModifiedValues": _first(made)}}


def _first(db: DbInstance) -> dict[str, Any]:
    """What is still to be done to a new instance."""
    return {"MasterUserPassword": "****"} if db.secret is None else {}


@op("DescribeDBInstances")
def describe_db_instances(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """One instance, or all."""
    name = req.get("DBInstanceIdentifier")
    found = [by_name(ctx, name)] if name else sorted(ctx.db[DbInstance].all(), key=lambda db: db.id)
    shown = filters.apply(req.get("Filters"), _GETTERS, found)
    return {"DBInstances": [show_instance(ctx, db) for db in shown]}


def by_name(ctx: Ctx, name: str) -> DbInstance:
    """An instance by its identifier or ARN. Raises DBInstanceNotFound."""
    return ctx.db[DbInstance].need(name.rpartition(":db:")[2].lower())


@op("DeleteDBInstance")
def delete_db_instance(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Have an instance removed, after a last snapshot unless that is skipped in so many words."""
    db = by_name(ctx, req["DBInstanceIdentifier"])
    if db.cluster and members.shares(db):
        return {"DBInstance": show_instance(ctx, aurora_changes.deleted(ctx, req, db))}
    members.refuse_alone(db, "deleted", "DeleteDBCluster")
    final, skipped = req.get("FinalDBSnapshotIdentifier"), bool(req.get("SkipFinalSnapshot"))
    if db.protected:
        raise errors.combination(
            "Cannot delete protected DB Instance, please disable deletion protection and try again."
        )
    if db.state == "deleting":
        raise errors.state(f"Instance {db.id} is already being deleted.")
    if db.state == "renaming":
        raise errors.state(f"Instance {db.id} is being switched over.")
    if skipped and final:
        raise errors.combination("FinalDBSnapshotIdentifier can not be specified when deleting with SkipFinalSnapshot")
    if not skipped and not final:
        raise errors.combination("FinalDBSnapshotIdentifier is required unless SkipFinalSnapshot is specified.")
    if final:
        if db.state in (encryption.RECOVERABLE, encryption.LOST):
            raise errors.state(f"Instance {db.id} is not available for a final snapshot while it is {db.state}.")
        _take_last(ctx, db, final)
    if db.secret is not None:
        gone = {"SecretId": db.secret.arn, "ForceDeleteWithoutRecovery": True}
        ctx.call("secretsmanager", "DeleteSecret", gone, via=making.VIA)
    going = replace(db, state="deleting", keeps_backups=req.get("DeleteAutomatedBackups") is False)
    return {"DBInstance": show_instance(ctx, ctx.db[DbInstance].put(going))}


def _take_last(ctx: Ctx, db: DbInstance, name: str) -> None:
    if db.state == "creating":
        raise errors.state(f"Instance {db.id} is not available for a final snapshot while it is creating.")
    backups.begin(ctx, db, new_snapshot_id(ctx, "FinalDBSnapshotIdentifier", name), "manual", {})


def new_snapshot_id(ctx: Ctx, member: str, given: str) -> str:
    """The identifier of a new snapshot."""
    name = rules.identifier(member, given, 255)
    if ctx.db[Snapshot].get(name) is not None:
        raise AwsError("DBSnapshotAlreadyExists", f"Cannot create the snapshot because one with the identifier {name} "
                       "already exists.")  # fmt: skip
    return name
