"""What can be done to one member alone.

https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/Aurora.Modifying.html
"""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from cloudjar.kit.context import Ctx
from cloudjar.services.rds import errors
from cloudjar.services.rds.aurora import making, wording
from cloudjar.services.rds.clusters import errors as faults
from cloudjar.services.rds.clusters import members
from cloudjar.services.rds.records import DbInstance

_RESTING = ("stopping", "stopped", "starting")
_BUILT = (
    "DBInstanceIdentifier", "ApplyImmediately", "DBInstanceClass", "DBParameterGroupName", "PromotionTier",
    "PreferredMaintenanceWindow", "AutoMinorVersionUpgrade", "LicenseModel", "CopyTagsToSnapshot", "PubliclyAccessible",
    "CACertificateIdentifier", "CertificateRotationRestart", "MonitoringInterval", "MonitoringRoleArn",
    "EnablePerformanceInsights", "PerformanceInsightsKMSKeyId", "PerformanceInsightsRetentionPeriod",
    "DatabaseInsightsMode", "AllocatedStorage", "StorageType",
)  # fmt: skip


def deleted(ctx: Ctx, req: dict[str, Any], db: DbInstance) -> DbInstance:
    """Have a member removed; the data are the cluster's, and stay."""
    if req.get("FinalDBSnapshotIdentifier"):
        raise errors.combination("FinalDBSnapshotIdentifier can not be specified when deleting a cluster instance")
    if db.state == "deleting":
        raise errors.state(f"Instance {db.id} is already being deleted.")
    cluster = members.cluster_of(ctx, db)
    if cluster is not None and cluster.state in _RESTING:
        raise faults.expected(cluster, "available")
    if cluster is not None and cluster.writer == db.id and not db.answering and len(members.alive(ctx, cluster)) > 1:
        raise errors.state(f"Instance {db.id} is creating, and the other instances of {cluster.id} wait for it.")
    return ctx.db[DbInstance].put(replace(db, state="deleting"))


def modifying(ctx: Ctx, req: dict[str, Any], db: DbInstance) -> DbInstance:
    """The member with what changes at once because it is one. Raises where a request changes what is the cluster's."""
    wording.refuse_clusters_own(req, made=False)
    wording.refuse_storage(req, db.engine)
    errors.only(req, _BUILT)
    if db.state != "available":
        raise errors.state(f"Database instance is not in available state: {db.id}")
    if req.get("DBInstanceClass") == "db.serverless":
        raise errors.not_built("Aurora Serverless v2")
    cluster = members.cluster_of(ctx, db)
    if cluster is not None and cluster.state in _RESTING:
        raise faults.expected(cluster, "available")
    if req.get("PromotionTier") is not None:
        db = replace(db, tier=making.tier(req["PromotionTier"]))
    return db
