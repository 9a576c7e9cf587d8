"""How a reader becomes the writer of its cluster, and the writer a reader.

Repeated after a death at any point it goes on: the record says that the writer is being replaced before anything is
done; the old writer's machine is down before anybody is asked how much he has; who has most takes over, and the record
says who that is before he does; the roles change last.
https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/multi-az-db-clusters-concepts-failover.html
"""

from __future__ import annotations

from typing import Any

import msgspec
from msgspec.structs import replace

from cloudjar.base.errors import PlaneError
from cloudjar.kit.machine import Step
from cloudjar.kit.record import arn_of
from cloudjar.planes.compute.port import ComputePort
from cloudjar.planes.database.replication import Peers
from cloudjar.services.rds import following, pairs, replicas, running
from cloudjar.services.rds.clusters import members, telling, waiting
from cloudjar.services.rds.clusters.records import DbCluster
from cloudjar.services.rds.records import DB, DbInstance
from cloudjar.spec import databases

_FAILS_OVER = ("available", "backing-up", "failing-over", "modifying", "rebooting")
"""States of a cluster in which its writer may be replaced."""


def goes_on(step: Step, db: DbInstance) -> bool:
    """Whether an instance is a writer that is to be replaced, or is being."""
    cluster = members.cluster_of(step.ctx, db)
    if cluster is None or cluster.writer != db.id or db.state == "deleting":
        return False
    return cluster.taking or cluster.state == "failing-over"


def take_over(step: Step, db: DbInstance) -> bool:
    """Have a reader be the writer instead, if one has every commit that was acknowledged. False: all is as it was."""
    found = members.cluster_of(step.ctx, db)
    if found is None or found.writer != db.id:
        return False
    with members.alone(found):
        cluster = step.db[DbCluster].get(found.id)
        if cluster is None or cluster.writer != db.id or cluster.state not in _FAILS_OVER:
            return False
        if not cluster.taking:
            begun = _begun(step, cluster, db)
            if begun is None:
                return False
            cluster = begun
        return _replace(step, cluster, db)


def _begun(step: Step, cluster: DbCluster, db: DbInstance) -> DbCluster | None:
    """The record of a cluster whose writer is being replaced from now on; None when that must not be."""
    host: ComputePort = step.port("compute")
    asked = cluster.state == "failing-over"
    try:
        if asked and host.look(db.machine) == "up":
            cluster = waiting.settle(step, cluster, db, _wanted(step, cluster, db))
    except PlaneError:
        _failed(step, cluster)
        return None
    heirs = [step.db[DbInstance].get(name) for name in cluster.safe]
    if not heirs or not all(one is not None and _can(step, one) for one in heirs):
        if asked:
            _failed(step, cluster)
        return None
    with step.world.state.database.transaction():
        now = step.db[DbCluster].get(cluster.id)
        if now is None or (now.writer, now.safe, now.state) != (cluster.writer, cluster.safe, cluster.state):
            raise PlaneError(f"cluster {cluster.id} changed meanwhile")
        return step.db[DbCluster].put(replace(now, state="failing-over", taking=True))


def _wanted(step: Step, cluster: DbCluster, db: DbInstance) -> tuple[str, ...]:
    """Whom a failover is to: who was named, or the first by tier. Raises `PlaneError` if he is not there."""
    engine = running.engine(step, db, db.running)
    there = waiting.port(step.world).attached(engine)
    ready = [one.id for one in members.readers(step.ctx, cluster) if one.machine in there and _can(step, one)]
    if cluster.target not in (*ready, "") or not ready:
        raise PlaneError(f"nobody takes over from {db.id}")
    return (cluster.target or ready[0],)


def _can(step: Step, reader: DbInstance) -> bool:
    """Whether a reader can be asked how much he has, and take over."""
    host: ComputePort = step.port("compute")
    lit = not step.world.faults.is_dark(reader.zone, reader.account)
    return lit and reader.state != "deleting" and host.look(reader.machine) == "up"


def _failed(step: Step, cluster: DbCluster) -> None:
    """A failover that was asked for is given up."""
    with step.world.state.database.transaction():
        now = step.db[DbCluster].get(cluster.id)
        if now is None or now.state != "failing-over" or now.taking:
            return
        step.db[DbCluster].put(replace(now, state="available", target=""))
        said = "Cluster failover failed, check the status of your cluster and try again"
        telling.cluster(step.ctx, now, "RDS-EVENT-0069", said, "failover")


def _replace(step: Step, cluster: DbCluster, db: DbInstance) -> bool:
    """The writer's machine is stopped; who has most is the writer."""
    host: ComputePort = step.port("compute")
    host.stop(db.machine, force=True)
    if host.look(db.machine) == "up":
        raise PlaneError(f"{db.cluster} cannot fail over: the writer's machine does not go down")
    if not cluster.heir:
        chosen = _most(step, cluster)
        if chosen is None:
            _give_up(step, cluster)
            return False
        cluster = _inherits(step, cluster, db, chosen)
    heir = step.db[DbInstance].need(cluster.heir)
    with pairs.alone(heir):
        engine = msgspec.structs.replace(running.engine(step, heir, heir.running), peers=Peers(), source=None)
        port = following.port(step.world)
        if host.look(heir.machine) != "up":
            running.start(step, heir)
            source = following.source(step, db, readable=True)
            port.resume(msgspec.structs.replace(engine, source=source))
        port.promote(engine)
        _swap(step, cluster, db, heir)
    return True


def _most(step: Step, cluster: DbCluster) -> DbInstance | None:
    """Who of those of whom one has everything has most; None when that cannot be told."""
    found = [step.db[DbInstance].get(name) for name in cluster.safe]
    heirs = [one for one in found if one is not None and _can(step, one)]
    if not heirs or len(heirs) < len(cluster.safe):
        return None
    port = waiting.port(step.world)
    try:
        has = {one.id: port.position(one.machine) for one in heirs}
    except PlaneError:
        return None
    return min(heirs, key=lambda one: (-has[one.id], one.tier, -_size(one), one.id))


def _size(db: DbInstance) -> int:
    """Among equals the largest takes over."""
    return databases.size(db.instance_class).memory_mib


def _give_up(step: Step, cluster: DbCluster) -> None:
    """Nobody took a write yet: the writer goes on where it was stopped."""
    with step.world.state.database.transaction():
        now = step.db[DbCluster].get(cluster.id)
        if now is not None and now.taking and not now.heir:
            step.db[DbCluster].put(replace(now, taking=False))
    _failed(step, cluster)


def _inherits(step: Step, cluster: DbCluster, db: DbInstance, heir: DbInstance) -> DbCluster:
    with step.world.state.database.transaction():
        now = step.db[DbCluster].get(cluster.id)
        if now is None or not now.taking or now.writer != db.id or now.heir:
            raise PlaneError(f"cluster {cluster.id} changed while its writer was replaced")
        way = "same" if heir.zone == db.zone else "cross"
        said = f"Started {way} AZ failover to DB instance: {heir.id}"
        telling.cluster(step.ctx, now, "RDS-EVENT-0072" if way == "same" else "RDS-EVENT-0073", said, "failover")
        return step.db[DbCluster].put(replace(now, heir=heir.id))


def _swap(step: Step, cluster: DbCluster, db: DbInstance, heir: DbInstance) -> None:
    with step.world.state.database.transaction():
        now, old, new = (step.db[DbCluster].get(cluster.id), step.db[DbInstance].get(db.id),
                         step.db[DbInstance].get(heir.id))  # fmt: skip
        if now is None or new is None or (now.writer, now.heir) != (db.id, heir.id):
            raise PlaneError(f"cluster {cluster.id} changed while its writer was replaced")
        done: dict[str, Any] = {"waits": (), "safe": (), "serving": (), "heir": "", "taking": False, "target": ""}
        now = step.db[DbCluster].put(replace(now, writer=new.id, state="available", **done))
        new = step.db[DbInstance].put(replace(new, source="", follows=""))
        for reader in members.readers(step.ctx, now):
            step.db[DbInstance].put(replace(reader, source=arn_of(new), follows=""))
        if old is not None:
            step.world.state.wakes.wake(DB, old.account, old.region, old.id)
        replicas.stir(step.ctx, new)
        said = f"Completed failover to DB instance: {new.id}"
        telling.cluster(step.ctx, now, "RDS-EVENT-0071", said, "failover")
