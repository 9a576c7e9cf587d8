"""What becomes of a cluster's data when its members come and go.

The data are on the volumes of those who are there. Whoever goes while others stay takes nothing with him that they
lack: a writer goes after a reader has taken over, a reader after nobody counts on him. The last one leaves his volume
to the cluster, and the next first one takes it.
https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/USER_DeleteCluster.html
"""

from __future__ import annotations

from msgspec.structs import replace

from cloudjar.base.errors import PlaneError
from cloudjar.kit.context import Ctx
from cloudjar.kit.machine import Step
from cloudjar.planes.compute.port import ComputePort, Disk
from cloudjar.services.rds.clusters import backups, members, takeover, telling, waiting
from cloudjar.services.rds.clusters.records import DbCluster, Held
from cloudjar.services.rds.records import DbInstance


def begin(step: Step, cluster: DbCluster) -> bool:
    """A cluster is there without members; what it is to hold of a snapshot is made first. Whether it is new."""
    host: ComputePort = step.port("compute")
    if cluster.source_snapshot and cluster.held is not None:
        host.make_volume(
            Disk(volume_id=cluster.held.volume, size_gib=cluster.storage, snapshot=cluster.source_snapshot)
        )
    with step.world.state.database.transaction():
        now = step.db[DbCluster].get(cluster.id)
        if now is None or now.resource_id != cluster.resource_id or now.state != "creating":
            return False
        held = None if now.writer else now.held
        filled = bool(now.source_snapshot)
        made = step.db[DbCluster].put(
            replace(now, state="available", answering=True, source_snapshot="", held=held, filled=filled)
        )
        telling.cluster(step.ctx, made, "RDS-EVENT-0170", "DB cluster created", "creation")
        for db in members.every(step.ctx, made):
            step.ctx.wake(db)
        return True


def early(ctx: Ctx, db: DbInstance) -> bool:
    """Whether a member has to wait until the cluster's data are there."""
    cluster = members.cluster_of(ctx, db)
    return cluster is not None and members.shares(cluster) and cluster.state == "creating"


def settle(step: Step) -> None:
    """Once the first engine runs there are data, and it has the master's password."""
    with step.world.state.database.transaction():
        cluster = step.db[DbCluster].get(step.key)
        writer = members.writer(step.ctx, cluster) if cluster is not None else None
        if cluster is None or writer is None or not writer.answering or writer.state == "creating":
            return
        known = b"" if not writer.verifier else cluster.verifier
        if (cluster.filled, cluster.verifier) == (True, known):
            return
        first = not cluster.filled
        now = step.db[DbCluster].put(replace(cluster, filled=True, verifier=known))
        if first and now.state == "available":
            backups.begin_automated(step.ctx, now)


def leaves(step: Step, db: DbInstance) -> bool:
    """A member goes: whether his volume is the cluster's from now on. Raises `PlaneError` while others still lack what
    he has."""
    found = members.cluster_of(step.ctx, db)
    if found is None or not members.shares(found):
        return False
    if backups.being_taken(step.ctx, found, db.volume):
        raise PlaneError(f"a snapshot of {db.id} is being taken")
    if found.writer != db.id:
        _let_go(step, found, db)
        return False
    if found.taking:
        takeover.take_over(step, db)
        raise PlaneError(f"{db.id} was being replaced as the writer of {found.id}")
    others = [one for one in members.alive(step.ctx, found) if one.id != db.id]
    if not others:
        return True
    _attend(step, found, db)
    if not takeover.take_over(step, db):
        raise PlaneError(f"{db.id} is the writer of {found.id} until a reader has everything")
    return False


def _attend(step: Step, cluster: DbCluster, writer: DbInstance) -> None:
    """See who gets what the writer writes, if it still runs."""
    host: ComputePort = step.port("compute")
    if not writer.answering or host.look(writer.machine) != "up":
        return
    with members.alone(cluster):
        now = step.db[DbCluster].get(cluster.id)
        if now is not None and not now.taking and now.writer == writer.id:
            waiting.tend(step, now, writer)


def _let_go(step: Step, cluster: DbCluster, reader: DbInstance) -> None:
    """Nobody waits for a reader any more, and nobody needs what he alone may have."""
    if cluster.taking:
        raise PlaneError(f"{reader.id} may be needed: the writer of {cluster.id} is being replaced")
    writer = members.writer(step.ctx, cluster)
    if writer is None or (writer.state == "deleting" and not members.alive(step.ctx, cluster)):
        return  # what the cluster keeps is the writer's
    _attend(step, cluster, writer)
    now = step.db[DbCluster].get(cluster.id)
    if now is not None and (now.taking or reader.id in (*now.waits, *now.safe, now.heir)):
        raise PlaneError(f"{reader.id} may be needed: the writer of {cluster.id} is not there")


def left(ctx: Ctx, db: DbInstance, *, kept: bool) -> None:
    """A member is gone; the cluster keeps his volume, or not. In a transaction."""
    cluster = members.cluster_of(ctx, db)
    if cluster is None or not kept:
        return
    held = Held(
        volume=db.volume, resource_id=db.resource_id, instance_id=db.id, instance_class=db.instance_class,
        zone=db.zone, created=db.created, data_key=db.data_key,
    )  # fmt: skip
    nobody: dict[str, object] = {"writer": "", "waits": (), "safe": (), "serving": (), "target": ""}
    if cluster.state in ("failing-over", "modifying"):
        nobody["state"] = "available"  # nobody is left to do it
    verifier = db.change.verifier or (db.verifier if db.answering else cluster.verifier)
    filled = cluster.filled or db.answering
    ctx.db[DbCluster].put(replace(cluster, held=held, verifier=verifier, filled=filled, **nobody))


def remove(step: Step, cluster: DbCluster) -> None:
    """The cluster goes: what it kept too."""
    host: ComputePort = step.port("compute")
    if cluster.held is not None:
        host.remove_volume(cluster.held.volume)
