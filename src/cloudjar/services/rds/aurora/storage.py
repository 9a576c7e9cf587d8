"""A cluster's storage as it is seen from outside: it has room for whatever comes, and costs what it holds and what is
read and written.

Each member has a volume of the same size, and all are made larger long before one is full.
https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/Aurora.Overview.StorageReliability.html
"""

from __future__ import annotations

import math
from datetime import timedelta

from msgspec.structs import replace

from cloudjar.kit.context import Ctx
from cloudjar.kit.quantities import Owner, Quantities, Tally
from cloudjar.planes.compute.usage import DiskUse
from cloudjar.services.rds.clusters import members
from cloudjar.services.rds.clusters.records import DbCluster
from cloudjar.services.rds.records import DB, DbInstance

GROW = "grow"
"""The purpose of a member's wake-up when his volume is to be made larger."""
MOST = 131_072
"""GiB: 128 TiB."""
_LEAST, _ROOM = 20, 0.25
"""By how many GiB it grows at least, and what share of it is to be free."""
_APART = timedelta(minutes=1)
"""What is free is known again by then."""
_GIB = 1 << 30
_TALLY = Tally("AmazonRDS", "Aurora:StorageIOUsage", "", "IOs", 1)


def looked(ctx: Ctx, db: DbInstance, free: float | None) -> None:
    """So many bytes of a member's volume are free. In a transaction."""
    cluster = members.cluster_of(ctx, db)
    if free is None or cluster is None or not members.shares(cluster):
        return
    if cluster.writer == db.id:
        used = max(math.ceil((db.storage * _GIB - free) / _GIB), 1)
        if used != cluster.used:
            cluster = ctx.db[DbCluster].put(replace(cluster, used=used))
    if db.storage != cluster.storage or cluster.storage >= MOST or free >= db.storage * _GIB * _ROOM:
        return
    if cluster.grown is None or ctx.world.clock.real() - cluster.grown >= _APART:
        _grow(ctx, cluster)


def _grow(ctx: Ctx, cluster: DbCluster) -> None:
    size = min(cluster.storage + max(_LEAST, cluster.storage // 4), MOST)
    ctx.db[DbCluster].put(replace(cluster, storage=size, grown=ctx.world.clock.real()))
    for db in members.every(ctx, cluster):
        ctx.db[DbInstance].put(replace(db, storage=size))
        ctx.world.state.wakes.wake(DB, db.account, db.region, db.id, purpose=GROW)


def carried(ctx: Ctx, db: DbInstance, before: DiskUse | None, now: DiskUse | None) -> None:
    """Count what was read, and what the writer wrote, between two looks at a member's volume. In a transaction."""
    cluster = members.cluster_of(ctx, db)
    if cluster is None or not members.shares(cluster) or before is None or now is None or before.born != now.born:
        return
    done = now.read_ops - before.read_ops
    if cluster.writer == db.id:
        done += now.write_ops - before.write_ops
    if done > 0:
        quantities: Quantities = ctx.world.ports["quantities"]
        quantities.add(Owner(cluster.account, cluster.region, cluster.id), _TALLY, int(done))
