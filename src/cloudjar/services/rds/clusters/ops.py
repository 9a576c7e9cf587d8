"""Clusters: made, shown, deleted."""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from cloudjar.kit import filters
from cloudjar.kit.context import Ctx
from cloudjar.kit.operation import op
from cloudjar.kit.record import arn_of
from cloudjar.services.rds import encryption, engine_rules, errors
from cloudjar.services.rds import making as instances
from cloudjar.services.rds.aurora import making as aurora
from cloudjar.services.rds.clusters import backups, making, members
from cloudjar.services.rds.clusters import errors as faults
from cloudjar.services.rds.clusters.records import SHARED, DbCluster
from cloudjar.services.rds.clusters.views import show_cluster

BUILT = (
    "DBClusterIdentifier", "Engine", "EngineVersion", "DBClusterInstanceClass", "AllocatedStorage", "StorageType",
    "Iops", "DBSubnetGroupName", "VpcSecurityGroupIds", "PubliclyAccessible", "Port", "DatabaseName",
    "MasterUsername", "MasterUserPassword", "ManageMasterUserPassword", "MasterUserSecretKmsKeyId",
    "BackupRetentionPeriod", "PreferredBackupWindow", "PreferredMaintenanceWindow", "AutoMinorVersionUpgrade",
    "CopyTagsToSnapshot", "DeletionProtection", "CACertificateIdentifier", "OptionGroupName", "StorageEncrypted",
    "KmsKeyId", "DBClusterParameterGroupName", "EnableCloudwatchLogsExports", "Tags", "TagSpecifications",
)  # fmt: skip
PROVISIONED = {"EngineMode": "provisioned"}
_GETTERS = {
    "db-cluster-id": lambda one: [one.id, arn_of(one)],
    "db-cluster-resource-id": lambda one: one.resource_id,
    "engine": lambda one: one.engine,
    "clone-group-id": lambda _: None,
    "domain": lambda _: None,
}


@op("CreateDBCluster")
def create_db_cluster(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """A writer and two readers in three zones, which are built afterwards; or one that has no members yet."""
    name = making.new_id(ctx, req["DBClusterIdentifier"])
    line, whole = making.version(ctx, req)
    if line.engine in SHARED:
        return {"DBCluster": show_cluster(ctx, aurora.cluster(ctx, req, name, line, whole))}
    errors.only({k: v for k, v in req.items() if PROVISIONED.get(k) != v}, BUILT)
    kind = making.instance_class(req.get("DBClusterInstanceClass"), line, whole)
    master = engine_rules.master_name(line.engine, req.get("MasterUsername"))
    disks, db_name = making.storage(req, line.engine), engine_rules.database_name(line.engine, req.get("DatabaseName"))
    planned = making.planned(ctx, req, line, whole, kind)
    lead, key = replace(planned[0], master=master, db_name=db_name), encryption.asked(req)
    lead = instances.credentials(ctx, req, lead, cluster=name)
    made = making.blank(ctx, req, name, line, lead, disks)
    made = making.stored(ctx, made, planned, replace(lead, secret=None), key)
    return {"DBCluster": show_cluster(ctx, made)}


@op("DescribeDBClusters")
def describe_db_clusters(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """One cluster, or all."""
    name = req.get("DBClusterIdentifier")
    found = [by_name(ctx, name)] if name else sorted(ctx.db[DbCluster].all(), key=lambda one: one.id)
    return {"DBClusters": [show_cluster(ctx, one) for one in filters.apply(req.get("Filters"), _GETTERS, found)]}


def by_name(ctx: Ctx, name: str) -> DbCluster:
    """A cluster by its identifier or ARN. Raises DBClusterNotFoundFault."""
    return ctx.db[DbCluster].need(name.rpartition(":cluster:")[2].lower())


@op("DeleteDBCluster")
def delete_db_cluster(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Have a cluster and its members removed, after a last snapshot unless that is skipped in so many words."""
    cluster = by_name(ctx, req["DBClusterIdentifier"])
    final, skipped = req.get("FinalDBSnapshotIdentifier"), bool(req.get("SkipFinalSnapshot"))
    if req.get("DeleteAutomatedBackups") is False:
        raise errors.not_built("Keeping the automated backups of a cluster that is gone")
    if cluster.protected:
        raise errors.combination(
            "Cannot delete protected Cluster, please disable deletion protection and try again."
        )
    if cluster.state == "deleting":
        raise faults.state(f"Cluster {cluster.id} is already being deleted.")
    if members.shares(cluster) and members.alive(ctx, cluster):
        raise faults.state("Cluster cannot be deleted, it still contains DB instances in non-deleting state.")
    if skipped and final:
        raise errors.combination("FinalDBSnapshotIdentifier can not be specified when deleting with SkipFinalSnapshot")
    if not skipped and not final:
        raise errors.combination("FinalDBSnapshotIdentifier is required unless SkipFinalSnapshot is specified.")
    if final:
        backups.begin(ctx, cluster, backups.new_id(ctx, "FinalDBSnapshotIdentifier", final), "manual", {})
    backups.forget_automated(ctx, cluster)
    if cluster.secret is not None:
        gone = {"SecretId": cluster.secret.arn, "ForceDeleteWithoutRecovery": True}
        ctx.call("secretsmanager", "DeleteSecret", gone, via=instances.VIA)
    return {"DBCluster": show_cluster(ctx, ctx.db[DbCluster].put(replace(cluster, state="deleting")))}
