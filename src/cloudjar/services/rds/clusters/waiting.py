"""For whom a cluster's writer waits before it acknowledges a commit: any one of two readers.

The order of what is written down and what is told is all that matters. Whoever is in `safe` is asked when the writer is
lost, and who of them has most has everything. So the record drops a reader only after another one has everything, and
it says that nobody is safe before the engine goes on alone.
"""

from __future__ import annotations

from msgspec.structs import replace

from cloudjar.base.errors import PlaneError
from cloudjar.kit.context import World
from cloudjar.kit.machine import Step
from cloudjar.planes.compute.port import ComputePort
from cloudjar.planes.database.quorum import QuorumPort
from cloudjar.planes.database.quorum import quorum as chosen
from cloudjar.services.rds import following, running
from cloudjar.services.rds.clusters import members
from cloudjar.services.rds.clusters.records import DbCluster
from cloudjar.services.rds.records import DbInstance

ENOUGH = 2
"""Of so many readers the writer waits for one."""
SERVING = ("available", "backing-up", "modifying", "rebooting")
"""States of a member in which its engine runs, or comes back at once."""


def port(world: World) -> QuorumPort:
    """Who knows how far readers are."""
    found: QuorumPort = world.ports.setdefault("database quorum", chosen(world.ports["compute"]))
    return found


def tend(step: Step, cluster: DbCluster, writer: DbInstance) -> DbCluster:
    """One look at a cluster whose writer runs: who gets what it writes, and whom it waits for. By who has the cluster
    for himself. Raises `PlaneError` to be tried again."""
    host: ComputePort = step.port("compute")
    ready = [
        db
        for db in members.readers(step.ctx, cluster)
        if db.state in SERVING and db.follows == writer.machine and host.look(db.machine) == "up"
    ]
    found = port(step.world).attached(running.engine(step, writer, writer.running)) if ready else frozenset()
    there = [db for db in ready if db.machine in found]
    for db in ready:
        if db.machine not in found:  # a machine that was booted has lost its links
            following.port(step.world).join(following.place(step, db.machine), following.place(step, writer.machine))
            step.soon(2.0)
    serving = tuple(db.id for db in there)
    if serving != cluster.serving:
        cluster = _stored(step, cluster, serving=serving)
    return settle(step, cluster, writer, _kept(cluster, serving))


def _kept(cluster: DbCluster, serving: tuple[str, ...]) -> tuple[str, ...]:
    """Whom to wait for: who is waited for already, as long as he is there, and others by tier. Where tiers are said by
    whoever made the members, they alone count: one of those who are waited for takes over."""
    if members.shares(cluster):
        return serving[:ENOUGH]
    stay = [name for name in cluster.waits if name in serving]
    return tuple([*stay, *(name for name in serving if name not in stay)][:ENOUGH])


def settle(step: Step, cluster: DbCluster, writer: DbInstance, wanted: tuple[str, ...]) -> DbCluster:
    """Have the running writer wait for any one of these readers, and know that one of them has everything."""
    if cluster.waits == cluster.safe == wanted:
        return cluster
    if not wanted:
        cluster = _stored(step, cluster, waits=(), safe=())
        running.apply(step, writer, writer.running)
        return cluster
    if cluster.waits != wanted:
        either = tuple(dict.fromkeys((*cluster.safe, *wanted))) if cluster.safe else ()
        cluster = _stored(step, cluster, waits=wanted, safe=either)
    running.apply(step, writer, writer.running)
    port(step.world).covered(running.engine(step, writer, writer.running))
    return _stored(step, cluster, safe=wanted)


def _stored(step: Step, cluster: DbCluster, **fields: object) -> DbCluster:
    """Change the record, if nobody else did. Raises `PlaneError`."""
    with step.world.state.database.transaction():
        now = step.db[DbCluster].get(cluster.id)
        mine = (cluster.resource_id, cluster.writer, cluster.waits, cluster.safe, cluster.taking)
        if now is None or (now.resource_id, now.writer, now.waits, now.safe, now.taking) != mine:
            raise PlaneError(f"cluster {cluster.id} changed meanwhile")
        return step.db[DbCluster].put(replace(now, **fields))
