"""Changing an instance: some things at once, some now or in the maintenance window.

https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/Overview.DBInstance.Modifying.html
"""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from cloudjar.kit.context import Ctx
from cloudjar.kit.operation import op
from cloudjar.services.rds import (
    engine_rules,
    errors,
    exporting,
    groups,
    insights,
    making,
    monitoring,
    option_groups,
    pairs,
    places,
    renaming,
    rules,
    telling,
    tokens,
    upgrading,
)
from cloudjar.services.rds.aurora import changes
from cloudjar.services.rds.clusters import members
from cloudjar.services.rds.ops.instances import by_name
from cloudjar.services.rds.records import Change, DbInstance
from cloudjar.services.rds.views import show_instance
from cloudjar.spec import databases
from cloudjar.spec.databases import Line

_BUILT = (
    "DBInstanceIdentifier", "ApplyImmediately", "AllocatedStorage", "DBInstanceClass", "VpcSecurityGroupIds",
    "MasterUserPassword", "DBParameterGroupName", "BackupRetentionPeriod", "PreferredBackupWindow",
    "PreferredMaintenanceWindow", "AutoMinorVersionUpgrade", "LicenseModel", "Iops", "StorageThroughput", "StorageType",
    "CopyTagsToSnapshot", "DBPortNumber", "PubliclyAccessible", "DeletionProtection", "EngineVersion", "Engine",
    "CACertificateIdentifier", "OptionGroupName", "MultiAZ", "AllowMajorVersionUpgrade",
    "CloudwatchLogsExportConfiguration", "EnableIAMDatabaseAuthentication", "CertificateRotationRestart",
    "NewDBInstanceIdentifier", "MaxAllocatedStorage", "MonitoringInterval", "MonitoringRoleArn",
    "EnablePerformanceInsights", "PerformanceInsightsKMSKeyId", "PerformanceInsightsRetentionPeriod",
    "DatabaseInsightsMode",
)  # fmt: skip


@op("ModifyDBInstance")
def modify_db_instance(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Change what can be changed at once; the rest now, or when the maintenance window opens."""
    db = by_name(ctx, req["DBInstanceIdentifier"])
    if db.cluster and members.shares(db):
        return {"DBInstance": show_instance(ctx, _member(ctx, req, db))}
    members.refuse_alone(db, "modified", "ModifyDBCluster")
    errors.only(req, _BUILT)
    if db.state != "available":
        raise errors.state(f"Database instance is not in available state: {db.id}")
    line = databases.line(db.engine, db.major)
    assert line is not None
    making.refuse_foreign(req, line)
    upgrade = upgrading.wanted(ctx, req, db)
    db = _at_once(ctx, {**req, **({"DBParameterGroupName": None} if "major" in upgrade else {})}, db, line)
    db = _later(ctx, req, db, replace(_wanted(ctx, req, db, line), **upgrade))
    return {"DBInstance": show_instance(ctx, ctx.db[DbInstance].put(db))}


def _member(ctx: Ctx, req: dict[str, Any], db: DbInstance) -> DbInstance:
    """A member of a cluster with storage of its own: what is not the cluster's is changed as any instance's."""
    db = changes.modifying(ctx, req, db)
    line = databases.line(db.engine, db.major)
    assert line is not None
    making.refuse_foreign(req, line)
    asked = {name: value for name, value in req.items() if name not in ("AllocatedStorage", "StorageType")}
    db = _at_once(ctx, asked, db, line)
    return ctx.db[DbInstance].put(_later(ctx, asked, db, _wanted(ctx, asked, db, line)))


def _at_once(ctx: Ctx, req: dict[str, Any], db: DbInstance, line: Line) -> DbInstance:
    """What takes no time and interrupts nobody."""
    if req.get("VpcSecurityGroupIds"):
        wanted = places.security_groups(ctx, db.vpc_id, req["VpcSecurityGroupIds"])
        db = places.regroup(ctx, db, wanted, *_others(ctx, db))
    if name := req.get("DBParameterGroupName"):
        db = replace(db, parameter_group=groups.named(ctx, name, line).name)
        telling.instance(ctx, db, "RDS-EVENT-0092", "Finished updating DB parameter group", "configuration change")
    for member, field in (
        ("AutoMinorVersionUpgrade", "minor_upgrades"),
        ("CopyTagsToSnapshot", "copies_tags"),
        ("DeletionProtection", "protected"),
    ):
        if req.get(member) is not None:
            db = replace(db, **{field: req[member]})
    if (public := req.get("PubliclyAccessible")) not in (None, db.public):
        db = places.expose(ctx, db, public, *_others(ctx, db))
    if (most := req.get("MaxAllocatedStorage")) is not None:
        size, kind = req.get("AllocatedStorage") or db.storage, req.get("StorageType") or db.storage_type
        db = replace(db, most_storage=rules.most_storage(kind, size, most, db.engine))
    db = insights.asked(ctx, req, monitoring.asked(ctx, req, db))
    return _windows(req, exporting.changed(ctx, db, req.get("CloudwatchLogsExportConfiguration")))


def _others(ctx: Ctx, db: DbInstance) -> tuple[str, ...]:
    """The interfaces that an instance has besides its own."""
    standby = pairs.of(ctx, db)
    return (standby.interface_id,) if standby else ()


def _windows(req: dict[str, Any], db: DbInstance) -> DbInstance:
    backup = req.get("PreferredBackupWindow") or db.backup_window
    maintenance = req.get("PreferredMaintenanceWindow") or db.maintenance_window
    if (backup, maintenance) == (db.backup_window, db.maintenance_window):
        return db
    rules.backup_window(backup)
    maintenance = rules.maintenance_window(maintenance)
    rules.refuse_overlap(backup, maintenance)
    return replace(db, backup_window=backup, maintenance_window=maintenance)


def _wanted(ctx: Ctx, req: dict[str, Any], db: DbInstance, line: Line) -> Change:
    """What a request wants otherwise than it is."""
    found: dict[str, Any] = {**_storage(ctx, req, db), **renaming.wanted(ctx, req, db)}
    if (kind := req.get("DBInstanceClass")) and kind != db.instance_class:
        found["instance_class"] = making.instance_class(kind, line, db.version)
    if (port := req.get("DBPortNumber")) and port != db.port:
        found["port"] = rules.port(port, db.port)
    if (password := req.get("MasterUserPassword")) is not None:
        if db.secret is not None:
            raise errors.combination("You can't specify MasterUserPassword when ManageMasterUserPassword is enabled.")
        found["verifier"] = making.verifier(ctx, db.engine, engine_rules.password(db.engine, password))
    if (multi := req.get("MultiAZ")) is not None and multi != db.multi_az:
        if pairs.asked({"MultiAZ": multi}, db.engine):
            pairs.zone_for(ctx, db)
        found["multi_az"] = multi
    if (authority := req.get("CACertificateIdentifier")) and authority != db.authority:
        found["authority"] = authority
    if name := req.get("OptionGroupName"):
        group = option_groups.named(ctx, name, line)
        if option_groups.stored(group) != db.option_group:
            found |= {"option_group": option_groups.stored(group), "options": group.options}
    if (days := req.get("BackupRetentionPeriod")) is not None and days != db.retention:
        found["retention"] = rules.retention(days)
    if (takes := req.get(tokens.MEMBER)) is not None and takes != db.iam:
        found["iam"] = takes and tokens.asked(req, db.engine, db.version)
    return Change(**found)


def _storage(ctx: Ctx, req: dict[str, Any], db: DbInstance) -> dict[str, Any]:
    """Storage only grows, and by a tenth at least."""
    members = ("AllocatedStorage", "StorageType", "Iops", "StorageThroughput")
    if all(req.get(member) is None for member in members):
        return {}
    kind, size = req.get("StorageType") or db.storage_type, req.get("AllocatedStorage") or db.storage
    if size < db.storage:
        raise errors.invalid("Requested size cannot be smaller than the current size.")
    if db.storage < size < db.storage * 1.1:
        raise errors.combination(
            f"Invalid storage size for engine name {db.engine} and storage type {kind}: {size}. It must be at least 10 "
            "percent larger than the current size."
        )
    rules.storage(kind, size, db.engine)
    making.refuse_too_much(ctx, size - db.storage)
    iops, through = req.get("Iops"), req.get("StorageThroughput")
    if kind == db.storage_type and (kind != "gp3" or min(size, db.storage) >= rules.GP3_WIDE):
        iops, through = iops or db.iops or None, through or db.throughput or None
    speed, throughput = rules.performance(kind, size, iops, through, db.engine)
    wanted = {"storage": size, "storage_type": kind, "iops": speed, "throughput": throughput}
    return {name: value for name, value in wanted.items() if value != getattr(db, name)}


def _later(ctx: Ctx, req: dict[str, Any], db: DbInstance, wanted: Change) -> DbInstance:
    """Passwords are changed at once, whatever is asked; the rest when `ApplyImmediately` or the window says."""
    if wanted.empty and not (req.get("ApplyImmediately") and not db.pending.empty):
        return db
    now = req.get("ApplyImmediately") is True
    waiting = {
        name: value
        for change in (db.pending, wanted)
        for name in Change.__struct_fields__
        if (value := getattr(change, name)) is not None
    }
    at_once = waiting if now else {name: waiting.pop(name) for name in ("verifier",) if name in waiting}
    if not now and "retention" in waiting and 0 not in (waiting["retention"], db.retention):
        at_once["retention"] = waiting.pop("retention")
    if not at_once:
        return replace(db, pending=Change(**waiting))
    rest = Change() if now else Change(**waiting)
    return replace(db, state="modifying", change=Change(**at_once), pending=rest)
