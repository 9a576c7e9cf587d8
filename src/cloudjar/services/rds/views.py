"""Records as the API shows them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cloudjar.base import arn as arns
from cloudjar.kit import tags
from cloudjar.kit.context import Ctx
from cloudjar.kit.record import arn_of
from cloudjar.services.rds import certificates, groups, kept_logs, naming, option_groups, pairs, replicas, rules
from cloudjar.services.rds.clusters import views as clusters
from cloudjar.services.rds.records import Change, DbInstance, ParameterGroup, Snapshot, SubnetGroup
from cloudjar.spec import databases
from cloudjar.spec.databases import Parameter


def show_subnet_group(group: SubnetGroup) -> dict[str, Any]:
    """A subnet group."""
    return {
        "DBSubnetGroupName": group.name,
        "DBSubnetGroupDescription": group.description,
        "VpcId": group.vpc_id,
        "SubnetGroupStatus": "Complete",
        "Subnets": [
            {
                "SubnetIdentifier": subnet.id,
                "SubnetAvailabilityZone": {"Name": subnet.zone},
                "SubnetOutpost": {},
                "SubnetStatus": "Active",
            }
            for subnet in group.subnets
        ],
        "DBSubnetGroupArn": arn_of(group),
        "SupportedNetworkTypes": ["IPV4"],
    }


_ALIKE: dict[str, Any] = {
    "DBSecurityGroups": [],
    "DbInstancePort": 0,
    "DomainMemberships": [],
    "AssociatedRoles": [],
    "CustomerOwnedIpEnabled": False,
    "NetworkType": "IPV4",
    "BackupTarget": "region",
    "DedicatedLogVolume": False,
    "IsStorageConfigUpgradeAvailable": False,
    "MultiTenant": False,
    "ActivityStreamStatus": "stopped",
}
"""What every instance says of what is not built."""


def show_instance(ctx: Ctx, db: DbInstance) -> dict[str, Any]:
    """An instance."""
    group = ctx.db[SubnetGroup].get(db.subnet_group)
    line, standby = databases.line(db.engine, db.major), pairs.of(ctx, db)
    assert line is not None
    shown: dict[str, Any] = {
        **_ALIKE,
        "DBInstanceIdentifier": db.id,
        "DBInstanceClass": db.instance_class,
        "Engine": db.engine,
        "MultiAZ": db.multi_az,
        "ReadReplicaDBInstanceIdentifiers": [
            replicas.shown(ctx, db, one) for one in pairs.replicas(ctx, db) if not one.cluster
        ],
        "SecondaryAvailabilityZone": standby.zone if standby is not None and standby.state != "waiting" else None,
        "DBInstanceStatus": _status(db),
        "MasterUsername": db.master,
        "DBName": db.db_name or None,
        "AllocatedStorage": db.storage,
        "MaxAllocatedStorage": db.most_storage or None,
        "PreferredBackupWindow": db.backup_window,
        "BackupRetentionPeriod": db.retention,
        "VpcSecurityGroups": [{"VpcSecurityGroupId": one, "Status": "active"} for one in db.groups],
        "DBParameterGroups": [
            {"DBParameterGroupName": db.parameter_group, "ParameterApplyStatus": apply_status(ctx, db)}
        ],
        "AvailabilityZone": db.zone,
        "DBSubnetGroup": show_subnet_group(group) if group else None,
        "PreferredMaintenanceWindow": db.maintenance_window,
        "PendingModifiedValues": _pending(db.pending),
        "EngineVersion": db.version,
        "AutoMinorVersionUpgrade": db.minor_upgrades,
        "LicenseModel": line.licence,
        "OptionGroupMemberships": [
            {"OptionGroupName": option_groups.of(db), "Status": option_groups.status(ctx, db)}
        ],
        "PubliclyAccessible": db.public,
        "CACertificateIdentifier": db.authority,
        "MonitoringInterval": db.monitoring,
        "MonitoringRoleArn": db.monitoring_role or None,
        "PerformanceInsightsEnabled": bool(db.insights),
        "PerformanceInsightsKMSKeyId": db.insights_key or None,
        "PerformanceInsightsRetentionPeriod": db.insights or None,
        "DatabaseInsightsMode": "standard",
        "CertificateDetails": certificates.shown(ctx, db),
        "StorageType": db.storage_type,
        "Iops": db.iops or None,
        "StorageThroughput": db.throughput or None,
        "DbiResourceId": db.resource_id,
        "CopyTagsToSnapshot": db.copies_tags,
        "DBInstanceArn": arn_of(db),
        "DeletionProtection": db.protected,
        "IAMDatabaseAuthenticationEnabled": db.iam,
        "StorageEncrypted": bool(db.kms_key),
        "EnabledCloudwatchLogsExports": list(db.exports) or None,
        "KmsKeyId": db.kms_key or None,
        "TagList": tags.as_list(db.tags),
    }
    return shown | _sometimes(ctx, db) | clusters.of_member(ctx, db)


def _status(db: DbInstance) -> str:
    if db.state == "modifying" and db.change.version:
        return "upgrading"
    return "renaming" if db.state == "modifying" and db.change.renamed else db.state


def _sometimes(ctx: Ctx, db: DbInstance) -> dict[str, Any]:
    """What an instance tells in some of its states."""
    shown: dict[str, Any] = {}
    if db.answering:
        zone = naming.HOSTED_ZONES.get(db.region)
        if db.monitoring:
            shown["EnhancedMonitoringResourceArn"] = _stream(db)
        shown["Endpoint"] = {"Address": naming.endpoint(db), "Port": db.port, "HostedZoneId": zone}
        shown["InstanceCreateTime"] = db.created
        shown["LatestRestorableTime"] = kept_logs.latest(ctx, db)
    if db.source and not db.cluster:
        source = replicas.source_of(ctx, db)
        near = source is not None and source.region == db.region
        shown["ReadReplicaSourceDBInstanceIdentifier"] = source.id if source and near else db.source
        shown["StatusInfos"] = replicas.status(ctx, db)
    if db.stopped is not None and db.state == "stopped":
        shown["AutomaticRestartTime"] = db.stopped + rules.RESTS
    if db.secret is not None:
        shown["MasterUserSecret"] = {
            "SecretArn": db.secret.arn, "SecretStatus": "active", "KmsKeyId": db.secret.key_id or None,
        }  # fmt: skip
    return shown


def _stream(db: DbInstance) -> str:
    """Where Enhanced Monitoring writes."""
    return arns.make("logs", db.region, db.account, f"log-group:RDSOSMetrics:log-stream:{db.resource_id}")


def apply_status(ctx: Ctx, db: DbInstance) -> str:
    """How far an instance has what its parameter group says."""
    group = groups.settings_of(ctx, db)
    wanted = {name: one.value for name, one in group.settings.items()} if group else {}
    if wanted == db.running or not db.answering:
        return "in-sync"
    return "applying" if at_once(ctx, db, group) != db.running else "pending-reboot"


def at_once(ctx: Ctx, db: DbInstance, group: ParameterGroup | None) -> dict[str, str]:
    """What an engine should run with before its next boot: what it has, and of what changed that which can be."""
    settings = group.settings if group else {}
    family = databases.parameters(group.family) if group else {}
    running = dict(db.running)
    for name in {*settings, *running}:
        known, one = family.get(name), settings.get(name)
        if known is None or known.apply != "dynamic" or (one is not None and not one.at_once):
            continue
        if one is None:
            running.pop(name, None)
        else:
            running[name] = one.value
    return running


def _pending(change: Change) -> dict[str, Any]:
    return {
        name: value
        for name, value in {
            "DBInstanceClass": change.instance_class,
            "AllocatedStorage": change.storage,
            "MasterUserPassword": "****" if change.verifier is not None else None,
            "Port": change.port,
            "BackupRetentionPeriod": change.retention,
            "MultiAZ": change.multi_az,
            "Iops": change.iops,
            "StorageThroughput": change.throughput,
            "StorageType": change.storage_type,
            "EngineVersion": change.version,
            "IAMDatabaseAuthenticationEnabled": change.iam,
            "CACertificateIdentifier": change.authority,
            "DBInstanceIdentifier": change.renamed,
        }.items()
        if value is not None
    }


def show_snapshot(snapshot: Snapshot) -> dict[str, Any]:
    """A snapshot."""
    line = databases.line(snapshot.engine, snapshot.major)
    assert line is not None
    done = snapshot.state == "available"
    return {
        "DBSnapshotIdentifier": snapshot.id,
        "DBInstanceIdentifier": snapshot.instance_id,
        "SnapshotCreateTime": snapshot.begun if done else None,
        "OriginalSnapshotCreateTime": (snapshot.original or snapshot.begun) if done else None,
        "SourceRegion": snapshot.source_arn.split(":")[3] if snapshot.source_arn else None,
        "SourceDBSnapshotIdentifier": snapshot.source_arn or None,
        "Engine": snapshot.engine,
        "AllocatedStorage": snapshot.storage,
        "Status": snapshot.state,
        "Port": snapshot.port,
        "AvailabilityZone": snapshot.zone,
        "VpcId": snapshot.vpc_id,
        "InstanceCreateTime": snapshot.instance_created,
        "MasterUsername": snapshot.master,
        "EngineVersion": snapshot.version,
        "LicenseModel": line.licence,
        "SnapshotType": snapshot.kind,
        "Iops": snapshot.iops or None,
        "StorageThroughput": snapshot.throughput or None,
        "OptionGroupName": option_groups.of_snapshot(snapshot),
        "PercentProgress": 100 if done else 0,
        "StorageType": snapshot.storage_type,
        "Encrypted": bool(snapshot.kms_key),
        "KmsKeyId": snapshot.kms_key or None,
        "DBSnapshotArn": arn_of(snapshot),
        "IAMDatabaseAuthenticationEnabled": snapshot.iam,
        "ProcessorFeatures": [],
        "DbiResourceId": snapshot.resource_id,
        "TagList": tags.as_list(snapshot.tags),
        "SnapshotTarget": "region",
    }


def show_parameter_group(group: ParameterGroup) -> dict[str, Any]:
    """A parameter group, without what is in it."""
    return {
        "DBParameterGroupName": group.name,
        "DBParameterGroupFamily": group.family,
        "Description": group.description,
        "DBParameterGroupArn": arn_of(group),
    }


def show_parameter(parameter: Parameter, settings: Mapping[str, Any]) -> dict[str, Any]:
    """A parameter as a group has it."""
    mine = settings.get(parameter.name)
    value = mine.value if mine is not None else parameter.value
    return {
        "ParameterName": parameter.name,
        "ParameterValue": value or None,
        "Description": parameter.description,
        "Source": "user" if mine is not None else "system" if parameter.value else "engine-default",
        "ApplyType": parameter.apply,
        "DataType": parameter.kind,
        "AllowedValues": parameter.allowed or None,
        "IsModifiable": parameter.modifiable,
        "ApplyMethod": "immediate" if mine is not None and mine.at_once else "pending-reboot",
    }


def version_arn(region: str, engine: str, version: str) -> str:
    """How an engine version is named."""
    return arns.make("rds", region, "", f"engine-version:{engine}/{version}")
