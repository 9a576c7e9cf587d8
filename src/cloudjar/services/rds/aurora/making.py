"""A new cluster without members, and its members one by one.

https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/Aurora.CreateInstance.html
"""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from cloudjar.base.errors import AwsError
from cloudjar.kit.context import Ctx
from cloudjar.kit.record import arn_of
from cloudjar.services.rds import encryption, engine_rules, errors, pairs, places, rules, tagging
from cloudjar.services.rds import making as instances
from cloudjar.services.rds.aurora import wording
from cloudjar.services.rds.clusters import errors as faults
from cloudjar.services.rds.clusters import groups, making, members
from cloudjar.services.rds.clusters.records import DbCluster
from cloudjar.services.rds.records import DbInstance, SubnetGroup
from cloudjar.spec.databases import Line

MOST = 16
"""Members of a cluster: a writer and fifteen readers."""
GIB = 20
"""What each member's volume begins with; it grows (`storage`)."""
BUILT = (
    "DBClusterIdentifier", "Engine", "EngineVersion", "EngineMode", "DBSubnetGroupName", "VpcSecurityGroupIds", "Port",
    "DatabaseName", "MasterUsername", "MasterUserPassword", "ManageMasterUserPassword", "MasterUserSecretKmsKeyId",
    "BackupRetentionPeriod", "PreferredBackupWindow", "PreferredMaintenanceWindow", "CopyTagsToSnapshot",
    "DeletionProtection", "StorageEncrypted", "KmsKeyId", "StorageType", "AvailabilityZones",
    "DBClusterParameterGroupName", "EnableHttpEndpoint", "Tags", "TagSpecifications",
)  # fmt: skip
_MEMBER = (
    "DBInstanceIdentifier", "DBClusterIdentifier", "DBInstanceClass", "Engine", "EngineVersion", "LicenseModel",
    "AvailabilityZone", "DBSubnetGroupName", "PubliclyAccessible", "DBParameterGroupName", "PromotionTier",
    "PreferredMaintenanceWindow", "AutoMinorVersionUpgrade", "CopyTagsToSnapshot", "CACertificateIdentifier",
    "AllocatedStorage", "StorageType", "Tags", "TagSpecifications", "MonitoringInterval", "MonitoringRoleArn",
    "EnablePerformanceInsights", "PerformanceInsightsKMSKeyId", "PerformanceInsightsRetentionPeriod",
    "DatabaseInsightsMode",
)  # fmt: skip
_JOINED = ("creating", "available", "backing-up", "modifying", "failing-over")
"""States of a cluster in which it takes another member."""


def cluster(ctx: Ctx, req: dict[str, Any], name: str, line: Line, whole: str) -> DbCluster:
    """A cluster of what a request wants, in the store. Its life begins."""
    wording.refuse_members_own(req, line.engine)
    errors.only(req, BUILT)
    made = blank(ctx, req, name, line, whole)
    master = engine_rules.master_name(line.engine, req.get("MasterUsername"))
    db_name = engine_rules.database_name(line.engine, req.get("DatabaseName"))
    made = instances.credentials(ctx, req, replace(made, master=master, db_name=db_name), cluster=name)
    key = encryption.asked(req)
    return ctx.db[DbCluster].add(
        replace(made, kms_key=encryption.usable(ctx, key, made.resource_id) if key else "")
    )  # fmt: skip


def blank(ctx: Ctx, req: dict[str, Any], name: str, line: Line, whole: str) -> DbCluster:
    """A cluster of everything that says nothing of its data. Not stored."""
    group = places.group_of(ctx, req.get("DBSubnetGroupName"))
    backup, maintenance = instances.windows(req)
    return DbCluster(
        id=name, resource_id=making.resource_id(), engine=line.engine, major=line.major, version=whole,
        instance_class="", master="", db_name="", port=rules.port(req.get("Port"), line.port), storage=GIB,
        storage_type="aurora", iops=0, throughput=0, subnet_group=group.name, vpc_id=group.vpc_id,
        groups=places.security_groups(ctx, group.vpc_id, req.get("VpcSecurityGroupIds")), public=False,
        parameter_group=groups.named(ctx, req.get("DBClusterParameterGroupName"), line), created=ctx.now,
        retention=making.retention(req.get("BackupRetentionPeriod")), backup_window=backup,
        maintenance_window=maintenance, copies_tags=bool(req.get("CopyTagsToSnapshot")),
        protected=bool(req.get("DeletionProtection")), followers=pairs.sealed_password(ctx.world),
        zones=_zones(ctx, group, req.get("AvailabilityZones")),
        http=bool(req.get("EnableHttpEndpoint")), tags=tagging.asked(req, "cluster"),
    )  # fmt: skip


def _zones(ctx: Ctx, group: SubnetGroup, asked: list[str] | None) -> tuple[str, ...]:
    """Where members can be: three zones of the subnet group at most."""
    there = sorted({s.zone for s in group.subnets if ctx.find("ec2", "subnet", s.id) is not None})
    if asked and not set(asked) <= set(there):
        raise errors.network(
            f"Availability zones '{', '.join(asked)}' do not match the Availability Zones of the DB subnet group "
            f"'{group.name}'."
        )
    return tuple((sorted(set(asked)) if asked else there)[: making.ZONES])


def member(ctx: Ctx, req: dict[str, Any], cluster: DbCluster) -> DbInstance:
    """A new member, in the store: the first is the writer, on the data that the cluster has; all others follow."""
    name = instances.new_id(ctx, req["DBInstanceIdentifier"])
    line = _engine(ctx, req, cluster)
    wording.refuse_clusters_own(req, made=True)
    wording.refuse_storage(req, cluster.engine)
    errors.only(req, _MEMBER)
    if (group := req.get("DBSubnetGroupName")) and group.lower() != cluster.subnet_group:
        raise errors.combination(
            "The requested DB Instance will be a member of a DB Cluster. Set DB subnet group for the DB Cluster."
        )
    _refuse_state(ctx, cluster)
    db = replace(
        instances.blank(ctx, _asked(ctx, req, cluster), name, line, cluster.version, tagging.asked(req, "db")),
        cluster=cluster.id, master=cluster.master, db_name=cluster.db_name, storage=cluster.storage,
        storage_type=cluster.storage_type, followers=cluster.followers, tier=tier(req.get("PromotionTier")),
    )  # fmt: skip
    db = encryption.sealed(ctx, db, cluster.kms_key)
    writer = members.writer(ctx, cluster)
    if writer is not None:
        return instances.stored(ctx, replace(db, source=arn_of(writer)))
    held = cluster.held
    db = replace(db, verifier=cluster.verifier, volume=held.volume if held is not None else db.volume)
    made = instances.stored(ctx, db)
    waits = held if cluster.source_snapshot else None  # whose volume is still being made
    ctx.db[DbCluster].put(replace(ctx.db[DbCluster].need(cluster.id), writer=made.id, held=waits))
    return made


def _engine(ctx: Ctx, req: dict[str, Any], cluster: DbCluster) -> Line:
    """The line of a cluster's engine, if the request is of that."""
    if not members.shares(cluster):
        raise errors.invalid(
            "CreateDBInstance can't be used to create a DB instance in a Multi-AZ DB cluster. Use CreateDBCluster "
            "instead."
        )
    engine = req["Engine"].lower()
    if engine != cluster.engine:
        raise errors.combination(
            f"The engine name requested for your DB instance ({engine}) doesn't match the engine name of your DB "
            f"cluster ({cluster.engine})."
        )
    if req.get("DBInstanceClass") == "db.serverless":
        raise errors.not_built("Aurora Serverless v2")
    if (version := req.get("EngineVersion")) not in (None, "", cluster.version, cluster.major):
        raise errors.combination(
            f"The engine version that you requested for your DB instance ({version}) does not match the engine version "
            f"of your DB cluster ({cluster.version})."
        )
    return making.line_of(cluster)


def _refuse_state(ctx: Ctx, cluster: DbCluster) -> None:
    """What cannot have one more member now."""
    if cluster.state not in _JOINED:
        raise faults.expected(cluster, *_JOINED)
    everyone, staying = members.every(ctx, cluster), members.alive(ctx, cluster)
    if everyone and not staying:
        raise faults.state(f"DB cluster {cluster.id} takes no instance before the last one is deleted.")
    if len(staying) >= MOST:
        raise AwsError("InstanceQuotaExceeded", f"The DB cluster {cluster.id} has {MOST} DB instances already.")


def tier(given: int | None) -> int:
    """How soon a member is to be the writer."""
    if given is None:
        return 1
    if not 0 <= given <= 15:
        raise errors.invalid(f"Invalid promotion tier: {given}. Must be between 0 and 15.")
    return given


def _asked(ctx: Ctx, req: dict[str, Any], cluster: DbCluster) -> dict[str, Any]:
    """The request with what is as the cluster has it; a zone where there are the fewest members."""
    asked = {
        **{name: value for name, value in req.items() if name not in ("AllocatedStorage", "StorageType")},
        "DBSubnetGroupName": cluster.subnet_group, "VpcSecurityGroupIds": list(cluster.groups), "Port": cluster.port,
        "BackupRetentionPeriod": 0, "PreferredBackupWindow": cluster.backup_window,
    }  # fmt: skip
    if not req.get("AvailabilityZone"):
        taken = [db.zone for db in members.alive(ctx, cluster)]
        lit = [zone for zone in cluster.zones if not ctx.world.faults.is_dark(zone, ctx.account)]
        asked["AvailabilityZone"] = min(lit or cluster.zones, key=lambda zone: (taken.count(zone), zone))
    elif req["AvailabilityZone"] not in cluster.zones:
        raise errors.network(
            f"Availability zones '{req['AvailabilityZone']}' do not match the Availability Zones of the DB cluster "
            f"'{cluster.id}'."
        )
    return asked
