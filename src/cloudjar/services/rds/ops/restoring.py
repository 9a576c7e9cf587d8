"""New instances of what snapshots hold."""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from cloudjar.base.errors import AwsError
from cloudjar.kit.context import Ctx
from cloudjar.kit.operation import op
from cloudjar.services.rds import encryption, errors, making, rules, tagging
from cloudjar.services.rds.ops.instances import PLACED
from cloudjar.services.rds.ops.sharing import readable
from cloudjar.services.rds.records import DbInstance, Snapshot
from cloudjar.services.rds.views import show_instance
from cloudjar.spec import databases

_BUILT = (*PLACED, "DBSnapshotIdentifier")


@op("RestoreDBInstanceFromDBSnapshot")
def restore_db_instance_from_db_snapshot(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """A new instance with the data, users and passwords of a snapshot."""
    errors.only(req, _BUILT)
    if not req.get("DBSnapshotIdentifier"):
        raise errors.missing("DBSnapshotIdentifier")
    name = making.new_id(ctx, req["DBInstanceIdentifier"])
    source = readable(ctx, req["DBSnapshotIdentifier"])
    if source.state != "available":
        raise AwsError("InvalidDBSnapshotState", f"The snapshot {source.id} is not in available state.")
    return {"DBInstance": show_instance(ctx, making.stored(ctx, made_of(ctx, req, name, source)))}


def made_of(ctx: Ctx, req: dict[str, Any], name: str, source: Snapshot) -> DbInstance:
    """A new instance of a snapshot's volume, otherwise as a request says. Not stored."""
    if req.get("Engine") not in (None, source.engine):
        raise errors.combination(f"The snapshot {source.id} is of the engine {source.engine}.")
    if req.get("DBName"):
        raise errors.combination("DBName cannot be specified for this engine")
    line = databases.line(source.engine, source.major)
    assert line is not None
    asked = {"DBInstanceClass": source.instance_class, "Port": source.port, **req}
    if not asked.get("OptionGroupName") and source.account == ctx.account and source.region == ctx.region:
        asked["OptionGroupName"] = source.option_group or None
    kind = req.get("StorageType") or source.storage_type
    size = rules.storage(kind, req.get("AllocatedStorage") or source.storage, source.engine)
    if size < source.storage:
        raise errors.combination("The allocated storage is less than that of the snapshot.")
    speed = (req.get("Iops"), req.get("StorageThroughput"))
    if not any(speed) and kind == source.storage_type and kind in ("io1", "io2"):
        speed = (source.iops, None)
    iops, throughput = rules.performance(kind, size, *speed, source.engine)
    made = replace(
        making.blank(ctx, asked, name, line, source.version, tagging.asked(req, "db")),
        master=source.master,
        db_name=source.db_name,
        storage=size,
        storage_type=kind,
        iops=iops,
        throughput=throughput,
        most_storage=rules.most_storage(kind, size, req.get("MaxAllocatedStorage"), source.engine),
        source_snapshot=source.key,
    )
    return encryption.like(ctx, made, source)
