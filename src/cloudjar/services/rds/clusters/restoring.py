"""New clusters of what snapshots of clusters hold.

https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/USER_RestoreFromMultiAZDBClusterSnapshot.Restoring.html
"""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from cloudjar.base import ids
from cloudjar.base.errors import AwsError
from cloudjar.kit.context import Ctx
from cloudjar.kit.operation import op
from cloudjar.services.rds import encryption, errors
from cloudjar.services.rds.aurora import making as aurora
from cloudjar.services.rds.aurora import wording
from cloudjar.services.rds.clusters import making, ops, snapshots
from cloudjar.services.rds.clusters.records import SHARED, ClusterSnapshot, DbCluster, Held
from cloudjar.services.rds.clusters.views import show_cluster
from cloudjar.spec import databases

_ELSEWHERE = ("MasterUsername", "MasterUserPassword", "ManageMasterUserPassword", "MasterUserSecretKmsKeyId",
              "AllocatedStorage", "StorageEncrypted")  # fmt: skip
_SHARED = (*(member for member in aurora.BUILT if member not in _ELSEWHERE), "SnapshotIdentifier", "KmsKeyId")
_BUILT = (*(member for member in ops.BUILT if member not in _ELSEWHERE), "SnapshotIdentifier")


@op("RestoreDBClusterFromSnapshot")
def restore_db_cluster_from_snapshot(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """A new cluster with the data, users and passwords of a snapshot."""
    name = making.new_id(ctx, req["DBClusterIdentifier"])
    shared = req["Engine"].lower() in SHARED
    errors.only({k: v for k, v in req.items() if ops.PROVISIONED.get(k) != v}, _SHARED if shared else _BUILT)
    if ":snapshot:" in req["SnapshotIdentifier"]:
        raise errors.not_built("A cluster of an instance's snapshot")
    source = snapshots.readable(ctx, req["SnapshotIdentifier"])
    if source.state != "available":
        said = f"The snapshot {source.id} is not in available state."
        raise AwsError("InvalidDBClusterSnapshotStateFault", said)
    return {"DBCluster": show_cluster(ctx, _made(ctx, req, name, source))}


def _made(ctx: Ctx, req: dict[str, Any], name: str, source: ClusterSnapshot) -> Any:
    taken = snapshots.placed(source)
    if req["Engine"].lower() != source.engine:
        raise errors.combination(f"The snapshot {source.id} is of the engine {source.engine}.")
    if req.get("EngineVersion") not in (None, taken.version, taken.major):
        raise errors.not_built("A restore into another version")
    if req.get("DatabaseName"):
        raise errors.combination("DatabaseName cannot be specified for this engine")
    line = databases.line(taken.engine, taken.major)
    assert line is not None
    if source.engine in SHARED:
        return _shared(ctx, req, name, source, taken)
    kind = making.instance_class(req.get("DBClusterInstanceClass") or taken.instance_class, line, taken.version)
    asked = {
        "StorageType": taken.storage_type, "Iops": taken.iops if taken.storage_type != "gp3" else None,
        "Port": taken.port, "BackupRetentionPeriod": source.retention, **req, "AllocatedStorage": taken.storage,
    }  # fmt: skip
    disks = making.storage(asked, line.engine)
    members = making.planned(ctx, asked, line, taken.version, kind)
    lead = replace(members[0], master=taken.master, db_name=taken.db_name, source_snapshot=taken.key)
    key = _key(ctx, req, source, taken)
    return making.stored(ctx, making.blank(ctx, asked, name, line, lead, disks), members, lead, key)


def _shared(ctx: Ctx, req: dict[str, Any], name: str, source: ClusterSnapshot, taken: Any) -> Any:
    """A cluster without members: its data are a copy of the snapshot's, which is made first."""
    wording.refuse_members_own(req, source.engine)
    line = databases.line(taken.engine, taken.major)
    assert line is not None
    asked = {"Port": taken.port, "BackupRetentionPeriod": source.retention, **req}
    made = aurora.blank(ctx, asked, name, line, taken.version)
    key, data_key = encryption.new_key(ctx, _key(ctx, req, source, taken), made.resource_id)
    held = Held(
        volume=f"dbvol-{ids.entropy(8).hex()}", resource_id=made.resource_id, instance_id=name, instance_class="",
        zone=taken.zone, created=ctx.now, data_key=data_key,
    )  # fmt: skip
    return ctx.db[DbCluster].add(
        replace(
            made, master=taken.master, db_name=taken.db_name, storage=taken.storage, held=held, kms_key=key,
            source_snapshot=taken.key,
        )
    )  # fmt: skip


def _key(ctx: Ctx, req: dict[str, Any], source: ClusterSnapshot, taken: Any) -> str:
    """The key of the new cluster: a named one, or the snapshot's, which who restores must be able to use."""
    key: str = req.get("KmsKeyId") or taken.kms_key
    if taken.kms_key:
        if source.account != ctx.account:
            raise errors.combination("You can't restore a shared snapshot that is encrypted: copy it first.")
        encryption.open_snapshot(ctx, taken)
    return key
