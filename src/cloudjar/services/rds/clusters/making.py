"""A new cluster of what a request asks for, and its members.

https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/create-multi-az-db-cluster.html
"""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from cloudjar.base import ids
from cloudjar.base.errors import AwsError
from cloudjar.kit.context import Ctx
from cloudjar.kit.record import arn_of
from cloudjar.services.rds import encryption, errors, making, pairs, places, rules, tagging, versions
from cloudjar.services.rds.clusters import groups
from cloudjar.services.rds.clusters.records import SHARED, DbCluster
from cloudjar.services.rds.records import DbInstance, SubnetGroup
from cloudjar.spec import databases
from cloudjar.spec.databases import Line

ENGINES = ("postgres", *SHARED)
"""Of which there are clusters: of the first with members of their own making."""
ZONES = 3


def new_id(ctx: Ctx, given: str) -> str:
    """The identifier of a new cluster."""
    name = rules.identifier("DBClusterIdentifier", given)
    if ctx.db[DbCluster].get(name) is not None:
        raise AwsError("DBClusterAlreadyExistsFault", "DB Cluster already exists")
    return name


def version(ctx: Ctx, req: dict[str, Any]) -> versions.Version:
    """Which engine a request wants."""
    engine = req["Engine"].lower()
    found = versions.chosen(ctx.world, engine, req.get("EngineVersion"))
    if engine not in ENGINES:
        raise errors.invalid(f"Invalid DB engine: {engine}")
    return found


def line_of(cluster: DbCluster) -> Line:
    """The major version that a cluster is of."""
    found = databases.line(cluster.engine, cluster.major)
    assert found is not None
    return found


def instance_class(given: str | None, line: Line, whole: str) -> str:
    """A class that members of a Multi-AZ cluster can have: one with disks of its own."""
    if not given:
        raise errors.missing("DBClusterInstanceClass")
    if not databases.looks_like_class(given):
        raise errors.invalid(f"Invalid DB Instance class: {given}")
    if not databases.for_clusters(given):
        raise errors.combination(
            f"The DB instance class {given} isn't supported for Multi-AZ DB clusters of the engine {line.engine} "
            f"{whole}. For supported combinations of instance class and database engine version, see the documentation."
        )
    return given


def storage(req: dict[str, Any], engine: str) -> dict[str, Any]:
    """Kind, size and speed."""
    kind = req.get("StorageType") or "io1"
    if kind not in ("io1", "io2", "gp3"):
        raise errors.combination(f"The storage type {kind} isn't supported for Multi-AZ DB clusters.")
    size = rules.storage(kind, req.get("AllocatedStorage"), engine)
    iops, throughput = rules.performance(kind, size, req.get("Iops"), None, engine)
    return {"storage": size, "storage_type": kind, "iops": iops, "throughput": throughput}


def zones(ctx: Ctx, group: SubnetGroup) -> list[str]:
    """Three zones of a subnet group, in which members can be."""
    there = sorted({s.zone for s in group.subnets if ctx.find("ec2", "subnet", s.id) is not None})
    if len(there) < ZONES:
        raise AwsError(
            "DBSubnetGroupDoesNotCoverEnoughAZs",
            "The DB subnet group doesn't meet Availability Zone (AZ) coverage requirement. "
            f"Current AZ coverage: {', '.join(there)}. Add subnets to cover at least {ZONES} AZs.",
        )
    lit = [zone for zone in there if not ctx.world.faults.is_dark(zone, ctx.account)]
    if len(lit) < ZONES:
        raise AwsError(
            "InsufficientDBInstanceCapacity", "The specified DB instance class isn't available in the group's zones."
        )
    return lit[:ZONES]


def planned(ctx: Ctx, req: dict[str, Any], line: Line, whole: str, kind: str) -> list[DbInstance]:
    """The members of a new cluster, in three zones, without data and unknown to each other. Not stored."""
    group = places.group_of(ctx, req.get("DBSubnetGroupName"))
    backup, maintenance = making.windows(req)
    asked = {
        name: req[name]
        for name in ("DBSubnetGroupName", "VpcSecurityGroupIds", "PubliclyAccessible", "Port", "CopyTagsToSnapshot",
                     "EnableCloudwatchLogsExports", "CACertificateIdentifier", "OptionGroupName")
        if req.get(name) is not None
    }  # fmt: skip
    asked |= {
        "BackupRetentionPeriod": 0, "PreferredBackupWindow": backup, "PreferredMaintenanceWindow": maintenance,
        "AutoMinorVersionUpgrade": False,
    }  # fmt: skip
    cluster = req["DBClusterIdentifier"].lower()
    return [
        making.blank(
            ctx, {**asked, "AvailabilityZone": zone}, making.new_id(ctx, f"{cluster}-instance-{n}"), line, whole, {},
            kind=kind,
        )
        for n, zone in enumerate(zones(ctx, group), 1)
    ]  # fmt: skip


def blank(
    ctx: Ctx, req: dict[str, Any], name: str, line: Line, lead: DbInstance, disks: dict[str, Any]
) -> DbCluster:
    """A cluster as a request wants it, of what its writer will be and of `storage`. Not stored."""
    return DbCluster(
        id=name, resource_id=resource_id(), engine=line.engine, major=line.major, version=lead.version,
        instance_class=lead.instance_class, master=lead.master, db_name=lead.db_name, port=lead.port,
        subnet_group=lead.subnet_group, vpc_id=lead.vpc_id, groups=lead.groups, public=lead.public, created=ctx.now,
        retention=retention(req.get("BackupRetentionPeriod")), backup_window=lead.backup_window,
        maintenance_window=lead.maintenance_window, secret=lead.secret,
        minor_upgrades=req.get("AutoMinorVersionUpgrade") is not False,
        copies_tags=bool(req.get("CopyTagsToSnapshot")), protected=bool(req.get("DeletionProtection")),
        parameter_group=groups.named(ctx, req.get("DBClusterParameterGroupName"), line),
        tags=tagging.asked(req, "cluster"), **disks,
    )  # fmt: skip


def retention(given: int | None) -> int:
    """Days for which automated snapshots are kept: never none."""
    days = rules.retention(given)
    if not days:
        raise errors.invalid(f"Invalid backup retention period: {days}. Must be between 1 and 35.")
    return days


def stored(ctx: Ctx, cluster: DbCluster, planned: list[DbInstance], first: DbInstance, key: str) -> DbCluster:
    """Cluster and members in the store; `first` is the first of them with what only the writer has. Their lives
    begin."""
    sealed = pairs.sealed_password(ctx.world)
    made = [
        encryption.sealed(
            ctx, replace(
                db, cluster=cluster.id, master=cluster.master, storage=cluster.storage,
                storage_type=cluster.storage_type, iops=cluster.iops, throughput=cluster.throughput, followers=sealed,
            ), key,
        )
        for db in (first, *planned[1:])
    ]  # fmt: skip
    cluster = ctx.db[DbCluster].add(replace(cluster, writer=first.id, followers=sealed, kms_key=made[0].kms_key))
    writer = making.stored(ctx, made[0])
    for db in made[1:]:
        making.stored(ctx, replace(db, source=arn_of(writer)))
    return cluster


def resource_id() -> str:
    """What a cluster is called for good."""
    return f"cluster-{ids.unique_id('')}{ids.unique_id('')[:5]}"
