"""Read replicas: made, and promoted.

https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_CreateDBInstanceReadReplica.html
"""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from cloudjar.base import arn as arns
from cloudjar.kit.context import Ctx
from cloudjar.kit.operation import op
from cloudjar.kit.record import arn_of
from cloudjar.services.rds import encryption, errors, making, pairs, replicas, rules, tagging
from cloudjar.services.rds.ops.instances import by_name
from cloudjar.services.rds.records import Change, DbInstance
from cloudjar.services.rds.views import show_instance
from cloudjar.spec import databases

_BUILT = (
    "DBInstanceIdentifier", "SourceDBInstanceIdentifier", "DBInstanceClass", "AvailabilityZone", "Port",
    "AutoMinorVersionUpgrade", "Iops", "OptionGroupName", "DBParameterGroupName", "PubliclyAccessible", "Tags",
    "TagSpecifications", "DBSubnetGroupName", "VpcSecurityGroupIds", "StorageType", "CopyTagsToSnapshot",
    "DeletionProtection", "StorageThroughput", "AllocatedStorage", "CACertificateIdentifier", "SourceRegion",
    "PreSignedUrl", "EnableIAMDatabaseAuthentication", "MonitoringInterval", "MonitoringRoleArn",
    "EnablePerformanceInsights",
    "PerformanceInsightsKMSKeyId", "PerformanceInsightsRetentionPeriod", "DatabaseInsightsMode",
)  # fmt: skip


@op("CreateDBInstanceReadReplica")
def create_db_instance_read_replica(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """An instance whose engine follows another one's, and answers questions only."""
    name = making.new_id(ctx, req["DBInstanceIdentifier"])
    errors.only(req, _BUILT)
    return {"DBInstance": show_instance(ctx, replicated(ctx, req, name, _source(ctx, req)))}


def replicated(ctx: Ctx, req: dict[str, Any], name: str, source: DbInstance) -> DbInstance:
    """A new replica of a name, as a request wants it; its life begins. Raises what AWS raises."""
    replicas.refuse_source(ctx.at(source.account, source.region), source)
    line = databases.line(source.engine, source.major)
    assert line is not None
    kind = req.get("StorageType") or source.storage_type
    size = rules.storage(kind, req.get("AllocatedStorage") or source.storage, source.engine)
    if size < source.storage:
        raise errors.combination("The allocated storage of a read replica cannot be less than that of its source.")
    speed = (req.get("Iops"), req.get("StorageThroughput"))
    if not any(speed) and kind == source.storage_type and kind in ("io1", "io2"):
        speed = (source.iops, None)
    iops, throughput = rules.performance(kind, size, *speed, source.engine)
    blank = making.blank(ctx, _asked(ctx, req, source), name, line, source.version, tagging.asked(req, "db"))
    if source.kms_key and source.region != ctx.region:
        raise errors.not_built("An encrypted read replica in another Region")
    blank = encryption.sealed(ctx, blank, source.kms_key)
    if not source.followers:
        sealed = pairs.sealed_password(ctx.world)
        source = ctx.at(source.account, source.region).db[DbInstance].put(replace(source, followers=sealed))
    return making.stored(
        ctx,
        replace(
            blank, master=source.master, db_name="", storage=size, storage_type=kind, iops=iops,
            throughput=throughput, source=arn_of(source), retention=0, followers=source.followers,
        ),
    )  # fmt: skip


def _source(ctx: Ctx, req: dict[str, Any]) -> DbInstance:
    name = req.get("SourceDBInstanceIdentifier")
    if not name:
        raise errors.missing("SourceDBInstanceIdentifier")
    parsed = arns.parse(name)
    if parsed is None or (parsed.account, parsed.region) == (ctx.account, ctx.region):
        source = by_name(ctx, name)
    elif parsed.account != ctx.account:
        raise errors.not_built("A read replica of another account's instance")
    else:
        source = by_name(ctx.at(ctx.account, parsed.region), name)
    if source.cluster:
        raise errors.not_built("A read replica of a cluster's member")
    if source.engine not in pairs.ENGINES:
        raise errors.not_built(f"A read replica of the engine {source.engine}")
    return source


def _asked(ctx: Ctx, req: dict[str, Any], source: DbInstance) -> dict[str, Any]:
    """The request with what is as the source's is: in its own Region the place too, but another zone."""
    asked = {
        "DBInstanceClass": source.instance_class,
        "Port": source.port,
        "BackupRetentionPeriod": 0,
        "AutoMinorVersionUpgrade": source.minor_upgrades,
        "PubliclyAccessible": False,
    }
    if source.region == ctx.region:
        asked["DBSubnetGroupName"] = source.subnet_group
        if not req.get("DBSubnetGroupName"):
            asked["VpcSecurityGroupIds"] = list(source.groups)
            if not req.get("AvailabilityZone"):
                asked["AvailabilityZone"] = pairs.zone_for(ctx, source)[1]
        asked["DBParameterGroupName"] = source.parameter_group
    return asked | req


@op("SwitchoverReadReplica")
def switchover_read_replica(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Refused: only an Oracle Data Guard replica changes places with its source, and none is built here."""
    db = by_name(ctx, req["DBInstanceIdentifier"])
    raise errors.state(f"DB instance {db.id} of the engine {db.engine} cannot be switched over.")


@op("PromoteReadReplica")
def promote_read_replica(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """A replica becomes an instance of its own."""
    db = by_name(ctx, req["DBInstanceIdentifier"])
    errors.only(req, ("DBInstanceIdentifier", "BackupRetentionPeriod", "PreferredBackupWindow"))
    if not db.source or db.cluster:
        raise errors.state(f"DB Instance is not a read replica: {db.id}")
    if db.state != "available":
        raise errors.state(f"DB instance {db.id} is not in available state.")
    window = req.get("PreferredBackupWindow") or db.backup_window
    rules.backup_window(window)
    rules.refuse_overlap(window, db.maintenance_window)
    days = rules.retention(req.get("BackupRetentionPeriod"))
    going = replicas.promoting(ctx, replace(db, backup_window=window), Change(source="", retention=days))
    return {"DBInstance": show_instance(ctx, going)}
