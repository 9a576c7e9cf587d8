"""The life of a cluster. Machines and engines are its members' own business (`rds.life`); here is what they are to each
other, and what is told of them all together.

https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/multi-az-db-cluster-status.html
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from msgspec.structs import replace

from cloudjar.base.caller import service as service_caller
from cloudjar.kit.context import Ctx, World
from cloudjar.kit.events import hears
from cloudjar.kit.faults import CHANGED, SOURCE
from cloudjar.kit.machine import Step, on_boot, reconciler
from cloudjar.planes.compute.port import ComputePort
from cloudjar.services.rds import rules
from cloudjar.services.rds.aurora import life as aurora
from cloudjar.services.rds.clusters import backups, members, telling, waiting
from cloudjar.services.rds.clusters.records import CLUSTER, ClusterEndpoint, DbCluster
from cloudjar.services.rds.records import DB, DbInstance

RESTART = "restart"
"""The purpose of the alarm at the end of a stopped cluster's rest."""
BACKUP = "backup"
"""The purpose of the alarm at the opening of the backup window."""
LOOK = "look"
"""The purpose of the wake-ups that come each minute."""


@reconciler(DbCluster)
def converge(step: Step, cluster: DbCluster | None) -> None:
    """One look."""
    if cluster is None:
        return
    listen(step.world)
    if cluster.state == "deleting":
        _delete(step, cluster)
        return
    with members.alone(cluster):
        now = step.db[DbCluster].get(step.key)
        if now is None or now.taking:
            return
        if members.shares(now) and now.state == "creating" and aurora.begin(step, now):
            _schedule(step, now)
        _tend(step, now)
    if members.shares(cluster):
        aurora.settle(step)
    _arrive(step)
    if step.wake.purpose == BACKUP:
        _on_time(step)


def _tend(step: Step, cluster: DbCluster) -> None:
    """See whom the writer waits for; have it replaced, if it is lost and now can be."""
    writer = members.writer(step.ctx, cluster)
    if writer is None or not writer.answering:
        return
    host: ComputePort = step.port("compute")
    lit = not step.world.faults.is_dark(writer.zone, writer.account)
    if lit and host.look(writer.machine) == "up":
        if writer.state in waiting.SERVING and cluster.state not in ("stopping", "failing-over"):
            waiting.tend(step, cluster, writer)
        return
    heirs = [step.db[DbInstance].get(name) for name in cluster.safe]
    if heirs and all(one is not None and host.look(one.machine) == "up" for one in heirs):
        with step.world.state.database.transaction():
            step.world.state.wakes.wake(DB, writer.account, writer.region, writer.id)


# -- what all members together are
def _arrive(step: Step) -> None:
    """What was asked for is done, if every member did it."""
    with step.world.state.database.transaction():
        cluster = step.db[DbCluster].get(step.key)
        if cluster is None or cluster.state not in _DONE:
            return
        everyone = members.every(step.ctx, cluster)
        reached, decide = _DONE[cluster.state]
        if (everyone or cluster.state in _WITHOUT) and all(reached(cluster, db) for db in everyone):
            decide(step, cluster, everyone)


def _there(cluster: DbCluster, db: DbInstance) -> bool:
    """A member serves, and a reader gets what the writer writes."""
    return db.state in ("available", "backing-up") and (db.id == cluster.writer or db.id in cluster.serving)


def _created(step: Step, cluster: DbCluster, everyone: list[DbInstance]) -> None:
    if len(everyone) > 1 and not cluster.safe:
        return
    lead = next(db for db in everyone if db.id == cluster.writer)
    made = replace(cluster, state="available", answering=True, version=lead.version)
    step.db[DbCluster].put(made)
    telling.cluster(step.ctx, made, "RDS-EVENT-0170", "DB cluster created", "creation")
    _schedule(step, made)
    backups.begin_automated(step.ctx, made)


def _schedule(step: Step, cluster: DbCluster) -> None:
    step.again(BACKUP, rules.next_backup(cluster.backup_window, step.world.clock.now()))


def _on_time(step: Step) -> None:
    """The backup window opened."""
    with step.world.state.database.transaction():
        cluster = step.db[DbCluster].get(step.key)
        if cluster is None or cluster.state in ("creating", "deleting"):
            return
        _schedule(step, cluster)
        if cluster.state == "available" and backups.can_be_taken(step.ctx, cluster):
            backups.begin_automated(step.ctx, cluster)


def _backed_up(step: Step, cluster: DbCluster, _: list[DbInstance]) -> None:
    if not backups.unfinished(step.ctx, cluster):
        step.db[DbCluster].put(replace(cluster, state="available"))


def _is(_: DbCluster, __: DbInstance) -> bool:
    return True


def _stopped(step: Step, cluster: DbCluster, _: list[DbInstance]) -> None:
    now = step.world.clock.now()
    step.db[DbCluster].put(replace(cluster, state="stopped", stopped=now))
    telling.cluster(step.ctx, cluster, "RDS-EVENT-0150", "DB cluster stopped", "notification")
    step.again(RESTART, now + rules.RESTS)


def _started(step: Step, cluster: DbCluster, _: list[DbInstance]) -> None:
    step.db[DbCluster].put(replace(cluster, state="available", stopped=None))
    telling.cluster(step.ctx, cluster, "RDS-EVENT-0151", "DB cluster started", "notification")


def _ready(step: Step, cluster: DbCluster, _: list[DbInstance]) -> None:
    step.db[DbCluster].put(replace(cluster, state="available"))


def _rested(step: Step, cluster: DbCluster, everyone: list[DbInstance]) -> None:
    """No longer than seven days."""
    if cluster.stopped is None or step.world.clock.now() < cluster.stopped + rules.RESTS:
        return
    step.db[DbCluster].put(replace(cluster, state="starting"))
    for db in everyone:
        step.db[DbInstance].put(replace(db, state="starting"))
    why = "DB cluster is being started due to it exceeding the maximum allowed time being stopped."
    telling.cluster(step.ctx, cluster, "RDS-EVENT-0153", why, "notification")


def _down(_: DbCluster, db: DbInstance) -> bool:
    return db.state == "stopped"


_DONE: dict[
    str, tuple[Callable[[DbCluster, DbInstance], bool], Callable[[Step, DbCluster, list[DbInstance]], None]]
] = {
    "creating": (_there, _created),
    "stopping": (_down, _stopped),
    "stopped": (_down, _rested),
    "starting": (_there, _started),
    "rebooting": (_there, _ready),
    "modifying": (_there, _ready),
    "backing-up": (_is, _backed_up),
}
"""By state: when a member has done what was asked for, and what becomes of the cluster then."""
_WITHOUT = ("backing-up",)
"""States that end though there are no members."""


def _delete(step: Step, cluster: DbCluster) -> None:
    """The members go, and the cluster with the last of them."""
    emptied = not members.every(step.ctx, cluster) and not backups.unfinished(step.ctx, cluster)
    if emptied and (left := step.db[DbCluster].get(cluster.id)) is not None:
        aurora.remove(step, left)  # what the last of them left
    with step.world.state.database.transaction():
        now = step.db[DbCluster].get(cluster.id)
        if now is None or now.state != "deleting":
            return
        if backups.unfinished(step.ctx, now):
            return  # whose reconciler wakes this one
        everyone = members.every(step.ctx, now)
        for db in everyone:
            if db.state != "deleting":
                step.db[DbInstance].put(replace(db, state="deleting", protected=False))
        if not everyone and emptied:
            step.db[DbCluster].drop(now)
            for one in step.db[ClusterEndpoint].all(cluster=now.id):
                step.db[ClusterEndpoint].drop(one)
            telling.cluster(step.ctx, now, "RDS-EVENT-0171", "DB cluster deleted", "deletion")


# -- who tells that something is the matter
@hears(SOURCE, CHANGED)
def power_changed(world: World, _: str, __: str, detail: dict[str, Any]) -> None:
    """Members go with the power of their zone."""
    if detail.get("zone"):
        _wake_all(world, "")


def listen(world: World) -> None:
    """From the first cluster on, have a look each minute."""
    if "clusters listen" not in world.ports:
        world.ports["clusters listen"] = True
        world.at_minute.append(lambda: _wake_all(world, LOOK))


@on_boot("rds")
def at_start(world: World) -> None:
    """Look at every cluster."""
    _wake_all(world, "boot")


def _wake_all(world: World, purpose: str) -> None:
    ctx = Ctx(world, "", "", service_caller("cloudjar.internal", ""))
    with world.state.database.transaction():
        for one in ctx.db.everywhere(DbCluster):
            world.state.wakes.wake(CLUSTER, one.account, one.region, one.id, purpose=purpose)
