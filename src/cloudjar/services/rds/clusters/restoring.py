"""New clusters of what snapshots of clusters hold.

https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/USER_RestoreFromMultiAZDBClusterSnapshot.Restoring.html
"""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from cloudjar.base.errors import AwsError
from cloudjar.kit.context import Ctx
from cloudjar.kit.operation import op
from cloudjar.services.rds import encryption, errors
from cloudjar.services.rds.clusters import making, ops, snapshots
from cloudjar.services.rds.clusters.records import ClusterSnapshot
from cloudjar.services.rds.clusters.views import show_cluster
from cloudjar.spec import databases

_ELSEWHERE = ("MasterUsername", "MasterUserPassword", "ManageMasterUserPassword", "MasterUserSecretKmsKeyId",
              "AllocatedStorage", "StorageEncrypted")  # fmt: skip
_BUILT = (*(member for member in ops.BUILT if member not in _ELSEWHERE), "SnapshotIdentifier")


@op("RestoreDBClusterFromSnapshot")
def restore_db_cluster_from_snapshot(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """A new cluster with the data, users and passwords of a snapshot."""
    name = making.new_id(ctx, req["DBClusterIdentifier"])
    errors.only({k: v for k, v in req.items() if ops.PROVISIONED.get(k) != v}, _BUILT)
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


def _key(ctx: Ctx, req: dict[str, Any], source: ClusterSnapshot, taken: Any) -> str:
    """The key of the new cluster: a named one, or the snapshot's, which who restores must be able to use."""
    key: str = req.get("KmsKeyId") or taken.kms_key
    if taken.kms_key:
        if source.account != ctx.account:
            raise errors.combination("You can't restore a shared snapshot that is encrypted: copy it first.")
        encryption.open_snapshot(ctx, taken)
    return key
