"""Changing a cluster: all members become otherwise together.

https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/modify-multi-az-db-cluster.html
"""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from cloudjar.kit.context import Ctx
from cloudjar.kit.operation import op
from cloudjar.services.rds import engine_rules, errors, places, rules
from cloudjar.services.rds import making as instances
from cloudjar.services.rds.aurora import wording
from cloudjar.services.rds.clusters import groups, making, members, power
from cloudjar.services.rds.clusters.records import DbCluster
from cloudjar.services.rds.clusters.views import show_cluster
from cloudjar.services.rds.records import Change, DbInstance
from cloudjar.spec import databases

_NOW = (
    "DBClusterIdentifier", "ApplyImmediately", "BackupRetentionPeriod", "PreferredBackupWindow",
    "PreferredMaintenanceWindow", "AutoMinorVersionUpgrade", "CopyTagsToSnapshot", "DeletionProtection",
    "VpcSecurityGroupIds", "MasterUserPassword", "DBClusterParameterGroupName",
)  # fmt: skip
_INTERRUPTS = ("DBClusterInstanceClass", "AllocatedStorage", "StorageType", "Iops", "Port")
"""Done at once if it is asked for; that it waits for the maintenance window is not built."""


@op("ModifyDBCluster")
def modify_db_cluster(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Change what takes no time, and the members' machines if that is to be at once."""
    cluster = power.need(ctx, req, "available")
    if members.shares(cluster):
        wording.refuse_members_own(req, cluster.engine)
    errors.only(req, (*_NOW, *_INTERRUPTS))
    before, cluster = cluster, _windows(req, _at_once(ctx, req, cluster))
    cluster, change = _changed(ctx, req, cluster)
    if not change.empty and not req.get("ApplyImmediately"):
        raise errors.not_built("A change of a cluster that waits for the maintenance window")
    password = req.get("MasterUserPassword")
    if password is not None:
        if cluster.secret is not None:
            raise errors.combination("You can't specify MasterUserPassword when ManageMasterUserPassword is enabled.")
        engine_rules.password(cluster.engine, password)
        if not cluster.writer:
            cluster, password = instances.with_password(ctx, cluster, password), None
    return {"DBCluster": show_cluster(ctx, _told(ctx, before, cluster, change, password))}


def _told(ctx: Ctx, before: DbCluster, cluster: DbCluster, change: Change, password: str | None) -> DbCluster:
    """The cluster in the store, and every member with what it is to become; the writer alone is told a password."""
    there = members.alive(ctx, cluster)
    going = bool(there) and (not change.empty or password is not None)
    for db in there:
        if cluster.groups != before.groups:
            db = places.regroup(ctx, db, cluster.groups)
        mine = change
        if password is not None and db.id == cluster.writer:
            mine = replace(change, verifier=instances.verifier(ctx, db.engine, password))
        db = replace(db, backup_window=cluster.backup_window)
        if not members.shares(cluster):
            db = replace(db, maintenance_window=cluster.maintenance_window)
        if not mine.empty:
            if db.state != "available":
                raise errors.state(f"Instance {db.id} is not in available state.")
            db = replace(db, state="modifying", change=mine)
        ctx.db[DbInstance].put(db)
    return ctx.db[DbCluster].put(replace(cluster, state="modifying" if going else cluster.state))


def _at_once(ctx: Ctx, req: dict[str, Any], cluster: DbCluster) -> DbCluster:
    fields: dict[str, Any] = {}
    if req.get("BackupRetentionPeriod") is not None:
        fields["retention"] = making.retention(req["BackupRetentionPeriod"])
    if req.get("VpcSecurityGroupIds"):
        fields["groups"] = places.security_groups(ctx, cluster.vpc_id, req["VpcSecurityGroupIds"])
    if name := req.get("DBClusterParameterGroupName"):
        line = databases.line(cluster.engine, cluster.major)
        assert line is not None
        fields["parameter_group"] = groups.named(ctx, name, line)
    for member, field in (
        ("AutoMinorVersionUpgrade", "minor_upgrades"),
        ("CopyTagsToSnapshot", "copies_tags"),
        ("DeletionProtection", "protected"),
    ):
        if req.get(member) is not None:
            fields[field] = req[member]
    return replace(cluster, **fields)


def _windows(req: dict[str, Any], cluster: DbCluster) -> DbCluster:
    backup = req.get("PreferredBackupWindow") or cluster.backup_window
    maintenance = req.get("PreferredMaintenanceWindow") or cluster.maintenance_window
    if (backup, maintenance) == (cluster.backup_window, cluster.maintenance_window):
        return cluster
    rules.backup_window(backup)
    maintenance = rules.maintenance_window(maintenance)
    rules.refuse_overlap(backup, maintenance)
    return replace(cluster, backup_window=backup, maintenance_window=maintenance)


def _changed(ctx: Ctx, req: dict[str, Any], cluster: DbCluster) -> tuple[DbCluster, Change]:
    """The cluster as it is to be, and what of that its members must become."""
    line, wanted = databases.line(cluster.engine, cluster.major), dict[str, Any]()
    assert line is not None
    if kind := req.get("DBClusterInstanceClass"):
        wanted["instance_class"] = making.instance_class(kind, line, cluster.version)
    if port := req.get("Port"):
        wanted["port"] = rules.port(port, cluster.port)
    if any(req.get(member) is not None for member in ("AllocatedStorage", "StorageType", "Iops")):
        wanted |= _storage(ctx, req, cluster)
    found = {name: value for name, value in wanted.items() if value != getattr(cluster, name)}
    return replace(cluster, **found), Change(**found)


def _storage(ctx: Ctx, req: dict[str, Any], cluster: DbCluster) -> dict[str, Any]:
    """Storage only grows, and by a tenth at least."""
    kind, size = req.get("StorageType") or cluster.storage_type, req.get("AllocatedStorage") or cluster.storage
    if size < cluster.storage:
        raise errors.invalid("Requested size cannot be smaller than the current size.")
    if cluster.storage < size < cluster.storage * 1.1:
        raise errors.combination(
            f"Invalid storage size for engine name {cluster.engine} and storage type {kind}: {size}. It must be at "
            "least 10 percent larger than the current size."
        )
    instances.refuse_too_much(ctx, (size - cluster.storage) * len(members.every(ctx, cluster)))
    iops = req.get("Iops") or (cluster.iops if kind == cluster.storage_type and kind != "gp3" else None)
    return making.storage({"StorageType": kind, "AllocatedStorage": size, "Iops": iops}, cluster.engine)
