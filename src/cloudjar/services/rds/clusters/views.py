"""Clusters as the API shows them."""

from __future__ import annotations

from typing import Any

from cloudjar.kit import tags
from cloudjar.kit.context import Ctx
from cloudjar.kit.record import arn_of
from cloudjar.services.rds import rules
from cloudjar.services.rds.clusters import groups, members, naming
from cloudjar.services.rds.clusters.records import (
    SHARED,
    ClusterEndpoint,
    ClusterParameterGroup,
    ClusterSnapshot,
    DbCluster,
)
from cloudjar.services.rds.naming import HOSTED_ZONES
from cloudjar.services.rds.records import DbInstance
from cloudjar.spec import databases

_ALIKE: dict[str, Any] = {
    "ReadReplicaIdentifiers": [],
    "AssociatedRoles": [],
    "IAMDatabaseAuthenticationEnabled": False,
    "EngineMode": "provisioned",
    "ActivityStreamStatus": "stopped",
    "CrossAccountClone": False,
    "DomainMemberships": [],
    "NetworkType": "IPV4",
    "MonitoringInterval": 0,
    "PerformanceInsightsEnabled": False,
}
"""What every cluster says of what is not built."""


_OF_MEMBERS = (
    "DBClusterInstanceClass", "StorageType", "Iops", "StorageThroughput", "PubliclyAccessible", "MonitoringInterval",
    "PerformanceInsightsEnabled", "AutoMinorVersionUpgrade",
)  # fmt: skip
"""What a cluster does not say of itself where each member says it."""


def show_cluster(ctx: Ctx, cluster: DbCluster) -> dict[str, Any]:
    """A cluster."""
    everyone = members.every(ctx, cluster)
    zones = sorted({db.zone for db in everyone})
    shown: dict[str, Any] = {
        **_ALIKE,
        "AllocatedStorage": cluster.storage,
        "AvailabilityZones": zones,
        "BackupRetentionPeriod": cluster.retention,
        "DatabaseName": cluster.db_name or None,
        "DBClusterIdentifier": cluster.id,
        "DBClusterParameterGroup": groups.name_of(cluster),
        "DBSubnetGroup": cluster.subnet_group,
        "Status": cluster.state,
        "Endpoint": naming.endpoint(cluster),
        "ReaderEndpoint": naming.endpoint(cluster, naming.READS),
        "MultiAZ": len(zones) > 1,
        "HttpEndpointEnabled": cluster.http,
        "Engine": cluster.engine,
        "EngineVersion": cluster.version,
        "Port": cluster.port,
        "MasterUsername": cluster.master,
        "DBClusterOptionGroupMemberships": [
            {"DBClusterOptionGroupName": databases.option_group(cluster.engine, cluster.major), "Status": "in-sync"}
        ],
        "PreferredBackupWindow": cluster.backup_window,
        "PreferredMaintenanceWindow": cluster.maintenance_window,
        "DBClusterMembers": [_member(cluster, db, groups.wanted_of(ctx, db)) for db in everyone],
        "VpcSecurityGroups": [{"VpcSecurityGroupId": one, "Status": "active"} for one in cluster.groups],
        "HostedZoneId": HOSTED_ZONES.get(cluster.region),
        "StorageEncrypted": bool(cluster.kms_key),
        "KmsKeyId": cluster.kms_key or None,
        "DbClusterResourceId": cluster.resource_id,
        "DBClusterArn": arn_of(cluster),
        "ClusterCreateTime": cluster.created,
        "DBClusterInstanceClass": cluster.instance_class or None,
        "StorageType": cluster.storage_type,
        "Iops": cluster.iops or None,
        "StorageThroughput": cluster.throughput or None,
        "PubliclyAccessible": cluster.public,
        "AutoMinorVersionUpgrade": cluster.minor_upgrades,
        "DeletionProtection": cluster.protected,
        "CopyTagsToSnapshot": cluster.copies_tags,
        "TagList": tags.as_list(cluster.tags),
    }
    if members.shares(cluster):
        named = [naming.custom(one) for one in ctx.db[ClusterEndpoint].all(cluster=cluster.id)]
        zoned = {
            "AvailabilityZones": list(cluster.zones), "AllocatedStorage": 1, "CustomEndpoints": sorted(named) or None,
        }  # fmt: skip
        shown = {name: value for name, value in shown.items() if name not in _OF_MEMBERS} | zoned
    if cluster.stopped is not None and cluster.state == "stopped":
        shown["AutomaticRestartTime"] = cluster.stopped + rules.RESTS
    if cluster.secret is not None:
        shown["MasterUserSecret"] = {
            "SecretArn": cluster.secret.arn, "SecretStatus": "active", "KmsKeyId": cluster.secret.key_id or None,
        }  # fmt: skip
    return shown


def show_snapshot(snapshot: ClusterSnapshot) -> dict[str, Any]:
    """A snapshot of a cluster."""
    taken, done = snapshot.taken, snapshot.state == "available"
    line = databases.line(taken.engine, taken.major)
    return {
        "AvailabilityZones": list(snapshot.zones),
        "DBClusterSnapshotIdentifier": snapshot.id,
        "DBClusterIdentifier": snapshot.cluster_id,
        "SnapshotCreateTime": snapshot.begun,
        "Engine": snapshot.engine,
        "EngineMode": "provisioned",
        "AllocatedStorage": 1 if taken.engine in SHARED else taken.storage,
        "Status": snapshot.state,
        "Port": taken.port,
        "VpcId": taken.vpc_id,
        "ClusterCreateTime": snapshot.cluster_created,
        "MasterUsername": taken.master,
        "EngineVersion": taken.version,
        "LicenseModel": line.licence if line is not None else None,
        "SnapshotType": snapshot.kind,
        "PercentProgress": 100 if done else 0,
        "StorageEncrypted": bool(taken.kms_key),
        "BackupRetentionPeriod": snapshot.retention,
        "PreferredBackupWindow": snapshot.backup_window,
        "KmsKeyId": taken.kms_key or None,
        "DBClusterSnapshotArn": arn_of(snapshot),
        "SourceDBClusterSnapshotArn": snapshot.source_arn or None,
        "IAMDatabaseAuthenticationEnabled": False,
        "TagList": tags.as_list(snapshot.tags),
        "StorageType": taken.storage_type,
        "StorageThroughput": taken.throughput or None,
        "DbClusterResourceId": snapshot.resource_id,
    }


def _member(cluster: DbCluster, db: DbInstance, wanted: dict[str, str]) -> dict[str, Any]:
    return {
        "DBInstanceIdentifier": db.id,
        "IsClusterWriter": db.id == cluster.writer,
        "DBClusterParameterGroupStatus": "in-sync" if wanted == db.running or not db.answering else "pending-reboot",
        "PromotionTier": db.tier,
    }


def of_member(ctx: Ctx, db: DbInstance) -> dict[str, Any]:
    """What an instance says otherwise for being in a cluster."""
    cluster = members.cluster_of(ctx, db)
    if cluster is None:
        return {}
    if members.shares(cluster):
        return {
            "DBClusterIdentifier": cluster.id,
            "PromotionTier": db.tier,
            "BackupRetentionPeriod": cluster.retention,
            "PreferredBackupWindow": cluster.backup_window,
            "AllocatedStorage": 1,
        }
    return {
        "DBClusterIdentifier": cluster.id,
        "PromotionTier": db.tier,
        "BackupRetentionPeriod": cluster.retention,
        "AutoMinorVersionUpgrade": cluster.minor_upgrades,
        "DeletionProtection": cluster.protected,
        "CopyTagsToSnapshot": cluster.copies_tags,
    }


def show_parameter_group(group: ClusterParameterGroup) -> dict[str, Any]:
    """A parameter group of clusters, without what is in it."""
    return {
        "DBClusterParameterGroupName": group.name,
        "DBParameterGroupFamily": group.family,
        "Description": group.description,
        "DBClusterParameterGroupArn": arn_of(group),
    }
