"""New instances as an instance was at a second.

https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/USER_PIT.html
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from msgspec.structs import replace

from cloudjar.base.errors import AwsError
from cloudjar.kit.context import Ctx
from cloudjar.kit.operation import op
from cloudjar.services.rds import errors, kept_logs, making
from cloudjar.services.rds.backup_records import AutomatedBackup
from cloudjar.services.rds.ops.automated_backups import by_arn, by_resource
from cloudjar.services.rds.ops.instances import PLACED, by_name
from cloudjar.services.rds.ops.restoring import made_of
from cloudjar.services.rds.records import DbInstance
from cloudjar.services.rds.views import show_instance

_SOURCES = ("SourceDBInstanceIdentifier", "SourceDbiResourceId", "SourceDBInstanceAutomatedBackupsArn")
_BUILT = (*PLACED, *_SOURCES, "TargetDBInstanceIdentifier", "RestoreTime", "UseLatestRestorableTime")


@op("RestoreDBInstanceToPointInTime")
def restore_db_instance_to_point_in_time(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """A new instance with everything that was committed by an instant, of the backup before it and the log since."""
    errors.only(req, _BUILT)
    kept = _source(ctx, req)
    name = making.new_id(ctx, req["TargetDBInstanceIdentifier"])
    until = _instant(ctx, req, kept)
    db = kept_logs.instance_of(ctx, kept)
    if db is None or db.engine not in kept_logs.ENGINES:
        raise errors.not_built("Point-in-time restore of this engine")
    base, recovery = kept_logs.recovery(ctx, kept, until)
    made = replace(made_of(ctx, _as_source(req, db), name, base), recovery=recovery)
    return {"DBInstance": show_instance(ctx, making.stored(ctx, made))}


def _source(ctx: Ctx, req: dict[str, Any]) -> AutomatedBackup:
    given = [member for member in _SOURCES if req.get(member)]
    if len(given) != 1:
        raise errors.combination(f"Exactly one of {', '.join(_SOURCES)} must be specified.")
    value = req[given[0]]
    if given[0] == "SourceDBInstanceAutomatedBackupsArn":
        return by_arn(ctx, value)
    if given[0] == "SourceDbiResourceId":
        return by_resource(ctx, value)
    db = by_name(ctx, value)
    kept = ctx.db[AutomatedBackup].get(db.resource_id)
    if kept is None or not db.retention:
        raise AwsError(
            "PointInTimeRestoreNotEnabled", f"Point in time restore is not enabled for the DB instance {db.id}"
        )
    return kept


def _instant(ctx: Ctx, req: dict[str, Any], kept: AutomatedBackup) -> datetime:
    """What is asked for, within what can be had."""
    at, latest = req.get("RestoreTime"), bool(req.get("UseLatestRestorableTime"))
    if at is not None and latest:
        raise errors.combination("Only one of RestoreTime and UseLatestRestorableTime can be specified.")
    if at is None and not latest:
        raise errors.combination("Either RestoreTime or UseLatestRestorableTime must be specified.")
    window = kept_logs.window(ctx, kept)
    if window is None:
        raise AwsError("InvalidRestoreFault", f"No backup of {kept.instance_id} can be restored yet.")
    if at is None:
        return window[1]
    if not window[0] <= at <= window[1]:
        side, end = ("earlier", window[0]) if at < window[0] else ("later", window[1])
        raise errors.invalid(
            f"The specified instance cannot be restored to a time {side} than {end:%Y-%m-%dT%H:%M:%SZ}."
        )
    return at  # type: ignore[no-any-return]  # a timestamp of the model is one


def _as_source(req: dict[str, Any], db: DbInstance) -> dict[str, Any]:
    """What a request leaves out is as the source has it now."""
    return {"DBInstanceClass": db.instance_class, "Port": db.port, "BackupRetentionPeriod": db.retention, **req}
