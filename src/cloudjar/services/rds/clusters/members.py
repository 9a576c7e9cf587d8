"""Who is in a cluster, and as what."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from cloudjar.base.errors import PlaneError
from cloudjar.kit.context import Ctx
from cloudjar.services.rds import errors
from cloudjar.services.rds.clusters.records import CLUSTER, SHARED, DbCluster
from cloudjar.services.rds.records import DbInstance

_LOCKS: dict[str, threading.RLock] = {}
_GUARD = threading.Lock()


@contextmanager
def alone(cluster: DbCluster) -> Iterator[None]:
    """While this lasts nobody else changes for whom the writer waits, or who it is. In no transaction."""
    with _GUARD:
        lock = _LOCKS.setdefault(cluster.resource_id, threading.RLock())
    with lock:
        yield


def cluster_of(ctx: Ctx, db: DbInstance) -> DbCluster | None:
    """The cluster that an instance is a member of."""
    return ctx.db[DbCluster].get(db.cluster) if db.cluster else None


def shares(item: DbCluster | DbInstance) -> bool:
    """Whether the storage is the cluster's, and not its members'."""
    return item.engine in SHARED


def alive(ctx: Ctx, cluster: DbCluster) -> list[DbInstance]:
    """All members that are to stay."""
    return [db for db in every(ctx, cluster) if db.state != "deleting"]


def every(ctx: Ctx, cluster: DbCluster) -> list[DbInstance]:
    """All members: by tier, then by name."""
    return sorted(ctx.db[DbInstance].all(cluster=cluster.id), key=lambda db: (db.tier, db.id))


def writer(ctx: Ctx, cluster: DbCluster) -> DbInstance | None:
    """Who takes writes."""
    return ctx.db[DbInstance].get(cluster.writer) if cluster.writer else None


def readers(ctx: Ctx, cluster: DbCluster) -> list[DbInstance]:
    """All but the writer."""
    return [db for db in every(ctx, cluster) if db.id != cluster.writer]


def waited_for(ctx: Ctx, db: DbInstance) -> tuple[str, ...]:
    """Machines, any one of which must have a commit before an instance's engine acknowledges it."""
    cluster = cluster_of(ctx, db)
    if cluster is None or cluster.writer != db.id:
        return ()
    found = (ctx.db[DbInstance].get(name) for name in cluster.waits)
    return tuple(one.machine for one in found if one is not None)


def refuse_stale(ctx: Ctx, db: DbInstance) -> None:
    """Raises `PlaneError` where a member is taken for what it is not (any more): telling its engine so would ruin its
    data. Called by who holds `pairs.alone(db)`."""
    if not db.cluster:
        return
    there = ctx.at(db.account, db.region).db
    cluster, now = there[DbCluster].get(db.cluster), there[DbInstance].get(db.id)
    if cluster is None or now is None or cluster.taking:
        raise PlaneError(f"{db.id} waits until it is certain who is the writer of {db.cluster}")
    if (now.source, now.machine) != (db.source, db.machine) or (cluster.writer == db.id) != (not db.source):
        raise PlaneError(f"{db.id} is something else in {db.cluster} now")


def behind(ctx: Ctx, db: DbInstance) -> bool:
    """Whether a reader has to wait for its writer to be there."""
    cluster = cluster_of(ctx, db)
    if cluster is None or cluster.writer == db.id:
        return False
    lead = writer(ctx, cluster)
    return lead is None or lead.state == "creating"


def stir(ctx: Ctx, db: DbInstance, purpose: str = "") -> None:
    """Have the cluster of an instance looked at, if it is in one. In a transaction."""
    if db.cluster:
        ctx.world.state.wakes.wake(CLUSTER, db.account, db.region, db.cluster, purpose=purpose)


def refuse_alone(db: DbInstance, doing: str, instead: str) -> None:
    """Raises where a member of a Multi-AZ cluster is to be treated as an instance of its own."""
    if db.cluster:
        raise errors.state(
            f"The DB instance {db.id} is a member of the Multi-AZ DB cluster {db.cluster} and cannot be {doing} on its "
            f"own. Use {instead}."
        )
