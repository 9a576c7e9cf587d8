"""Snapshots of clusters: asked for, shown, shared, copied, deleted.

https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_CreateDBClusterSnapshot.html
"""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from cloudjar.base import arn as arns
from cloudjar.base import ids
from cloudjar.base.errors import AwsError
from cloudjar.kit import filters
from cloudjar.kit.context import Ctx
from cloudjar.kit.operation import op
from cloudjar.kit.record import arn_of
from cloudjar.services.rds import encryption, errors, tagging
from cloudjar.services.rds.clusters import backups, power
from cloudjar.services.rds.clusters.records import ClusterSnapshot, DbCluster
from cloudjar.services.rds.clusters.views import show_snapshot
from cloudjar.services.rds.ops.sharing import ACCOUNTS, ALL, accounts

_GETTERS = {
    "db-cluster-id": lambda s: s.cluster_id,
    "db-cluster-snapshot-id": lambda s: [s.id, arn_of(s)],
    "snapshot-type": lambda s: s.kind,
    "engine": lambda s: s.engine,
}


@op("CreateDBClusterSnapshot")
def create_db_cluster_snapshot(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """A copy of a cluster's data as they are at one instant."""
    name = backups.new_id(ctx, "DBClusterSnapshotIdentifier", req["DBClusterSnapshotIdentifier"])
    cluster = power.need(ctx, req, "available")
    made = backups.begin(ctx, cluster, name, "manual", tagging.asked(req))
    ctx.db[DbCluster].put(replace(cluster, state="backing-up"))
    return {"DBClusterSnapshot": show_snapshot(made)}


@op("DescribeDBClusterSnapshots")
def describe_db_cluster_snapshots(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Snapshots of an account, narrowed by what a request says."""
    name, kind = req.get("DBClusterSnapshotIdentifier"), req.get("SnapshotType")
    found = [*(ctx.db[ClusterSnapshot].all() if kind not in ("shared", "public") else ()), *_of_others(ctx, req)]
    if name:
        found = [s for s in found if name.lower() in (s.id, arn_of(s))] or [need(ctx, name)]
    if cluster := req.get("DBClusterIdentifier"):
        found = [s for s in found if s.cluster_id == cluster.rpartition(":cluster:")[2].lower()]
    if resource := req.get("DbClusterResourceId"):
        found = [s for s in found if s.resource_id == resource]
    if kind and kind not in ("shared", "public"):
        found = [s for s in found if s.kind == kind]
    shown = filters.apply(req.get("Filters"), _GETTERS, sorted(found, key=lambda s: (s.begun, s.id)))
    return {"DBClusterSnapshots": [show_snapshot(s) for s in shown]}


def _of_others(ctx: Ctx, req: dict[str, Any]) -> list[ClusterSnapshot]:
    """Snapshots of other accounts that this one may restore, as far as they are asked for."""
    wanted = set()
    if req.get("IncludeShared") or req.get("SnapshotType") == "shared":
        wanted.add(ctx.account)
    if req.get("IncludePublic") or req.get("SnapshotType") == "public":
        wanted.add(ALL)
    every = ctx.db.everywhere(ClusterSnapshot) if wanted else ()
    here = [one for one in every if one.region == ctx.region and one.account != ctx.account]
    return [one for one in here if wanted & set(one.shared_with)]


@op("DeleteDBClusterSnapshot")
def delete_db_cluster_snapshot(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """A snapshot that was taken by hand."""
    found = _manual(need(ctx, req["DBClusterSnapshotIdentifier"]), "deleted")
    backups.forget(ctx, found)
    return {"DBClusterSnapshot": {**show_snapshot(found), "Status": "deleted"}}


@op("ModifyDBClusterSnapshotAttribute")
def modify_db_cluster_snapshot_attribute(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Let accounts, or everybody, restore a snapshot that was taken by hand; or no longer."""
    found = need(ctx, req["DBClusterSnapshotIdentifier"])
    if req["AttributeName"] != "restore":
        raise errors.invalid(f"Invalid attribute name: {req['AttributeName']}. Valid values: restore")
    _manual(found, "shared")
    adding, removing = accounts(req.get("ValuesToAdd")), accounts(req.get("ValuesToRemove"))
    wanted = tuple(sorted({*found.shared_with, *adding} - set(removing)))
    if len(wanted) > ACCOUNTS:
        raise AwsError("SharedSnapshotQuotaExceeded", f"A snapshot can be shared with at most {ACCOUNTS} accounts.")
    encryption.refuse_to_share(ctx, found.taken, wanted)
    return _attributes(ctx.db[ClusterSnapshot].put(replace(found, shared_with=wanted)))


@op("DescribeDBClusterSnapshotAttributes")
def describe_db_cluster_snapshot_attributes(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Who may restore a snapshot."""
    return _attributes(need(ctx, req["DBClusterSnapshotIdentifier"]))


def _attributes(found: ClusterSnapshot) -> dict[str, Any]:
    values = [{"AttributeName": "restore", "AttributeValues": list(found.shared_with)}]
    shown = {"DBClusterSnapshotIdentifier": found.id, "DBClusterSnapshotAttributes": values}
    return {"DBClusterSnapshotAttributesResult": shown}


@op("CopyDBClusterSnapshot")
def copy_db_cluster_snapshot(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """A snapshot of one's own of another: of this Region or another, of this account or one that shares it."""
    source = readable(ctx, req["SourceDBClusterSnapshotIdentifier"])
    name = backups.new_id(ctx, "TargetDBClusterSnapshotIdentifier", req["TargetDBClusterSnapshotIdentifier"])
    _there(source)
    key, data_key = encryption.copied(ctx, req, placed(source))
    own = source.tags if req.get("CopyTags") else {}
    taken = replace(
        source.taken, id=name, key=f"dbsnap-{ids.entropy(8).hex()}", kind="manual", kms_key=key, data_key=data_key,
        frozen=None, log="", logged=None,
    )  # fmt: skip
    made = ctx.db[ClusterSnapshot].add(
        replace(
            source, id=name, kind="manual", state="creating", taken=taken, copy_of=source.taken.key,
            source_arn=arn_of(source), begun=ctx.now, shared_with=(), tags={**own, **tagging.asked(req)},
        )
    )  # fmt: skip
    return {"DBClusterSnapshot": show_snapshot(made)}


def placed(snapshot: ClusterSnapshot) -> Any:
    """What a snapshot is as an instance's, where it lies."""
    return replace(snapshot.taken, account=snapshot.account, region=snapshot.region)


def need(ctx: Ctx, name: str) -> ClusterSnapshot:
    """A snapshot by its identifier or ARN. Raises DBClusterSnapshotNotFoundFault."""
    return ctx.db[ClusterSnapshot].need(name.rpartition(":cluster-snapshot:")[2].lower())


def readable(ctx: Ctx, name: str) -> ClusterSnapshot:
    """A snapshot that one may restore or copy: one's own by its identifier or ARN, another's by its ARN."""
    parsed = arns.parse(name)
    if parsed is None:
        return need(ctx, name)
    key = parsed.resource.partition("cluster-snapshot:")[2]
    found = ctx.db.at(parsed.account, parsed.region)[ClusterSnapshot].get(key) if parsed.service == "rds" else None
    if found is None or not (found.account == ctx.account or {ctx.account, ALL} & set(found.shared_with)):
        raise AwsError("DBClusterSnapshotNotFoundFault", f"DBClusterSnapshot {name} not found.", 404)
    return found


def _manual(found: ClusterSnapshot, done: str) -> ClusterSnapshot:
    if found.kind != "manual":
        raise AwsError("InvalidDBClusterSnapshotStateFault", f"Only manual snapshots may be {done}.")
    return _there(found)


def _there(found: ClusterSnapshot) -> ClusterSnapshot:
    if found.state != "available":
        said = f"The snapshot {found.id} is not in available state."
        raise AwsError("InvalidDBClusterSnapshotStateFault", said)
    return found
