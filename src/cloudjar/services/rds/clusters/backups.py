"""Snapshots of clusters: taken by hand or every day, of the writer's volume, kept as long as they are wanted.

https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/USER_CreateMultiAZDBClusterSnapshot.html
"""

from __future__ import annotations

from datetime import timedelta

from msgspec.structs import replace

from cloudjar.base import ids
from cloudjar.base.caller import service as service_caller
from cloudjar.base.errors import AwsError
from cloudjar.kit.context import Ctx, World
from cloudjar.kit.machine import Step, on_boot, reconciler
from cloudjar.planes.compute.port import ComputePort
from cloudjar.services.rds import rules
from cloudjar.services.rds.clusters import errors, members, telling
from cloudjar.services.rds.clusters.records import ClusterSnapshot, DbCluster, Held
from cloudjar.services.rds.records import Snapshot


def new_id(ctx: Ctx, member: str, given: str) -> str:
    """The identifier of a new snapshot of a cluster."""
    name = rules.identifier(member, given, 255)
    if ctx.db[ClusterSnapshot].get(name) is not None:
        raise AwsError(
            "DBClusterSnapshotAlreadyExistsFault",
            f"Cannot create the cluster snapshot because one with the identifier {name} already exists.",
        )
    return name


def _source(ctx: Ctx, cluster: DbCluster) -> Held | None:
    """What a snapshot would be taken of: the writer's volume, or what the last one left; None: there is nothing."""
    writer = members.writer(ctx, cluster)
    if writer is None:
        return cluster.held if cluster.filled else None
    if not (writer.answering or cluster.filled):
        return None
    return Held(
        volume=writer.volume, resource_id=writer.resource_id, instance_id=writer.id, data_key=writer.data_key,
        instance_class=writer.instance_class, zone=writer.zone, created=writer.created,
    )  # fmt: skip


def can_be_taken(ctx: Ctx, cluster: DbCluster) -> bool:
    """Whether there are data."""
    return _source(ctx, cluster) is not None


def begin(ctx: Ctx, cluster: DbCluster, name: str, kind: str, tags: dict[str, str]) -> ClusterSnapshot:
    """A snapshot that is being taken. Raises InvalidDBClusterStateFault where there is nothing to take it of."""
    source = _source(ctx, cluster)
    if source is None:
        raise errors.state(f"DB cluster {cluster.id} has no instance of which a snapshot can be taken.")
    now = ctx.world.clock.now()
    taken = Snapshot(
        id=name, key=f"dbsnap-{ids.entropy(8).hex()}", kind=kind, instance_id=source.instance_id,
        resource_id=source.resource_id, volume=source.volume, begun=now, instance_created=source.created,
        engine=cluster.engine, major=cluster.major, version=cluster.version, master=cluster.master,
        db_name=cluster.db_name, port=cluster.port, storage=cluster.storage, storage_type=cluster.storage_type,
        iops=cluster.iops, throughput=cluster.throughput, vpc_id=cluster.vpc_id, zone=source.zone,
        instance_class=cluster.instance_class, kms_key=cluster.kms_key, data_key=source.data_key,
    )  # fmt: skip
    zones = cluster.zones or tuple(sorted({db.zone for db in members.every(ctx, cluster)}))
    made = ctx.db[ClusterSnapshot].add(
        ClusterSnapshot(
            id=name, kind=kind, cluster_id=cluster.id, resource_id=cluster.resource_id,
            cluster_created=cluster.created, engine=cluster.engine, retention=cluster.retention,
            backup_window=cluster.backup_window, zones=zones, begun=now, taken=taken,
            tags={**(cluster.tags if cluster.copies_tags else {}), **tags},
        )
    )  # fmt: skip
    told = ("RDS-EVENT-0074", "Creating manual cluster snapshot") if kind == "manual" else _AUTOMATED
    telling.snapshot(ctx, made, *told, "backup")
    return made


_AUTOMATED = ("RDS-EVENT-0168", "Creating automated cluster snapshot")
_AUTOMATED_DONE = ("RDS-EVENT-0169", "Automated cluster snapshot created")


def begin_automated(ctx: Ctx, cluster: DbCluster) -> None:
    """The backup of a day; the cluster says so meanwhile. In a transaction."""
    name = f"rds:{cluster.id}-{ctx.world.clock.now():%Y-%m-%d-%H-%M}"
    if ctx.db[ClusterSnapshot].get(name) is None:
        begin(ctx, cluster, name, "automated", {})
        ctx.db[DbCluster].put(replace(cluster, state="backing-up"))


def unfinished(ctx: Ctx, cluster: DbCluster) -> bool:
    """Whether a snapshot is still being taken."""
    return any(one.state == "creating" for one in ctx.db[ClusterSnapshot].all(resource_id=cluster.resource_id))


def being_taken(ctx: Ctx, cluster: DbCluster, volume: str) -> bool:
    """Whether a snapshot is being taken of a volume."""
    found = ctx.db[ClusterSnapshot].all(resource_id=cluster.resource_id)
    return any(one.state == "creating" and not one.copy_of and one.taken.volume == volume for one in found)


def keep_days(ctx: Ctx, cluster: DbCluster) -> None:
    """Let go of automated snapshots that are older than the cluster keeps them. In a transaction."""
    oldest = ctx.world.clock.now() - timedelta(days=cluster.retention)
    for old in ctx.db[ClusterSnapshot].all(resource_id=cluster.resource_id):
        if old.kind == "automated" and old.state == "available" and old.begun < oldest:
            forget(ctx, old)


def forget_automated(ctx: Ctx, cluster: DbCluster) -> None:
    """They go with their cluster. In a transaction."""
    for one in ctx.db[ClusterSnapshot].all(resource_id=cluster.resource_id):
        if one.kind == "automated":
            forget(ctx, one)


def forget(ctx: Ctx, snapshot: ClusterSnapshot) -> ClusterSnapshot:
    """Have a snapshot removed."""
    return ctx.db[ClusterSnapshot].put(replace(snapshot, state="deleting"))


@reconciler(ClusterSnapshot)
def converge(step: Step, snapshot: ClusterSnapshot | None) -> None:
    """Take it, or remove it."""
    if snapshot is None or snapshot.state == "available":
        return
    host: ComputePort = step.port("compute")
    if snapshot.state == "creating" and snapshot.copy_of:
        host.copy_snapshot(snapshot.taken.key, snapshot.copy_of)
    elif snapshot.state == "creating":
        host.take_snapshot(snapshot.taken.key, snapshot.taken.volume)
    else:
        host.remove_snapshot(snapshot.taken.key)
    with step.world.state.database.transaction():
        now = step.db[ClusterSnapshot].get(snapshot.id)
        if now is None or now.state != snapshot.state:
            return
        if now.state == "creating":
            _taken(step.ctx, now)
        else:
            step.db[ClusterSnapshot].drop(now)


def _taken(ctx: Ctx, snapshot: ClusterSnapshot) -> None:
    """It is there; backups that are too old go."""
    frozen = replace(snapshot.taken, frozen=ctx.world.clock.now())
    made = ctx.db[ClusterSnapshot].put(replace(snapshot, state="available", taken=frozen))
    if snapshot.copy_of:
        return
    manual = snapshot.kind == "manual"
    told = ("RDS-EVENT-0075", "Manual cluster snapshot created") if manual else _AUTOMATED_DONE
    telling.snapshot(ctx, made, *told, "backup")
    cluster = ctx.db[DbCluster].get(snapshot.cluster_id)
    if cluster is not None and cluster.resource_id == snapshot.resource_id:
        keep_days(ctx, cluster)
        ctx.wake(cluster)


@on_boot("rds")
def at_start(world: World) -> None:
    """Wake what the last run left unfinished."""
    for one in Ctx(world, "", "", service_caller("cloudjar.internal", "")).db.everywhere(ClusterSnapshot):
        if one.state != "available":
            world.state.wakes.wake("rds/cluster-snapshot", one.account, one.region, one.id, purpose="boot")
