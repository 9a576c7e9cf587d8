"""Snapshots: taken, shown, deleted."""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from cloudjar.base.errors import AwsError
from cloudjar.kit import filters
from cloudjar.kit.context import Ctx
from cloudjar.kit.operation import op
from cloudjar.kit.record import arn_of
from cloudjar.services.rds import backups, errors, option_groups, tagging, versions
from cloudjar.services.rds.ops.instances import by_name, new_snapshot_id
from cloudjar.services.rds.records import DbInstance, Snapshot
from cloudjar.services.rds.views import show_snapshot
from cloudjar.spec import databases

_GETTERS = {
    "db-instance-id": lambda s: s.instance_id,
    "db-snapshot-id": lambda s: [s.id, arn_of(s)],
    "dbi-resource-id": lambda s: s.resource_id,
    "snapshot-type": lambda s: s.kind,
    "engine": lambda s: s.engine,
}


@op("CreateDBSnapshot")
def create_db_snapshot(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """A copy of an instance's volume as it is at one instant."""
    db = by_name(ctx, req["DBInstanceIdentifier"])
    name = new_snapshot_id(ctx, "DBSnapshotIdentifier", req["DBSnapshotIdentifier"])
    if db.cluster:
        raise errors.invalid("The specified instance is a member of a cluster and a snapshot cannot be created "
                             "directly. Please use the CreateDBClusterSnapshot API instead.")  # fmt: skip
    if db.state != "available":
        raise errors.state(f"Cannot create a snapshot because the database instance {db.id} is not currently in the "
                           "available state.")  # fmt: skip
    made = backups.begin(ctx, db, name, "manual", tagging.asked(req))
    ctx.db[DbInstance].put(replace(db, state="backing-up"))
    return {"DBSnapshot": show_snapshot(made)}


@op("DescribeDBSnapshots")
def describe_db_snapshots(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Snapshots of an account, narrowed by what a request says."""
    name, kind = req.get("DBSnapshotIdentifier"), req.get("SnapshotType")
    found = [*(ctx.db[Snapshot].all() if kind not in ("shared", "public") else ()), *_of_others(ctx, req)]
    if name:
        found = [s for s in found if name.lower() in (s.id, arn_of(s))] or [need(ctx, name)]
    if instance := req.get("DBInstanceIdentifier"):
        found = [s for s in found if s.instance_id == instance.rpartition(":db:")[2].lower()]
    if resource := req.get("DbiResourceId"):
        found = [s for s in found if s.resource_id == resource]
    if kind and kind not in ("shared", "public"):
        found = [s for s in found if s.kind == kind]
    shown = filters.apply(req.get("Filters"), _GETTERS, sorted(found, key=lambda s: (s.begun, s.id)))
    return {"DBSnapshots": [show_snapshot(s) for s in shown]}


def _of_others(ctx: Ctx, req: dict[str, Any]) -> list[Snapshot]:
    """Snapshots of other accounts that this one may restore, as far as they are asked for."""
    wanted = set()
    if req.get("IncludeShared") or req.get("SnapshotType") == "shared":
        wanted.add(ctx.account)
    if req.get("IncludePublic") or req.get("SnapshotType") == "public":
        wanted.add("all")
    if not wanted:
        return []
    here = [one for one in ctx.db.everywhere(Snapshot) if one.region == ctx.region and one.account != ctx.account]
    return [one for one in here if wanted & set(one.shared_with)]


@op("ModifyDBSnapshot")
def modify_db_snapshot(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Another minor version of the engine, or another option group, for what is made of a snapshot."""
    found = need(ctx, req["DBSnapshotIdentifier"])
    if found.kind != "manual":
        raise AwsError("InvalidDBSnapshotState", "Only manual snapshots may be modified.")
    if found.state != "available":
        raise AwsError("InvalidDBSnapshotState", f"The snapshot {found.id} is not in available state.")
    line = databases.line(found.engine, found.major)
    assert line is not None
    if (wanted := req.get("EngineVersion")) and wanted != found.version:
        chosen = versions.chosen(ctx.world, found.engine, wanted)
        if chosen.whole not in {one.whole for one in versions.targets(ctx.world, found.engine, found.version)}:
            raise errors.combination(f"Cannot upgrade {found.engine} from {found.version} to {chosen.whole}")
        if chosen.line != line:
            raise errors.not_built("An upgrade of a snapshot to another major version")
        found = replace(found, version=chosen.whole)
    if name := req.get("OptionGroupName"):
        found = replace(found, option_group=option_groups.stored(option_groups.named(ctx, name, line)))
    return {"DBSnapshot": show_snapshot(ctx.db[Snapshot].put(found))}


@op("DeleteDBSnapshot")
def delete_db_snapshot(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """A snapshot that was taken by hand."""
    found = need(ctx, req["DBSnapshotIdentifier"])
    if found.kind != "manual":
        raise AwsError("InvalidDBSnapshotState", "Only manual snapshots may be deleted.")
    if found.state != "available":
        raise AwsError("InvalidDBSnapshotState", f"The snapshot {found.id} is not in available state.")
    backups.forget(ctx, found)
    return {"DBSnapshot": {**show_snapshot(found), "Status": "deleted"}}


def need(ctx: Ctx, name: str) -> Snapshot:
    """A snapshot by its identifier or ARN. Raises DBSnapshotNotFound."""
    return ctx.db[Snapshot].need(name.rpartition(":snapshot:")[2].lower())
