"""Failing over, stopping, starting and rebooting clusters.

https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/multi-az-db-clusters-concepts-failover.html
"""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from cloudjar.kit.context import Ctx
from cloudjar.kit.operation import op
from cloudjar.services.rds import errors
from cloudjar.services.rds.clusters import errors as faults
from cloudjar.services.rds.clusters import members
from cloudjar.services.rds.clusters.ops import by_name
from cloudjar.services.rds.clusters.records import DbCluster
from cloudjar.services.rds.clusters.views import show_cluster
from cloudjar.services.rds.records import DbInstance


@op("FailoverDBCluster")
def failover_db_cluster(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Have a reader be the writer: the named one, or the first by tier."""
    cluster = need(ctx, req, "available")
    target = (req.get("TargetDBInstanceIdentifier") or "").rpartition(":db:")[2].lower()
    readers = [db.id for db in members.readers(ctx, cluster)]
    if not cluster.serving:
        raise faults.state(f"DB cluster {cluster.id} cannot fail over: no reader gets what the writer writes.")
    if target and target not in readers:
        ctx.db[DbInstance].need(target)
        raise errors.state(f"Instance {target} is not a reader of the DB cluster {cluster.id}.")
    if target and target not in cluster.serving:
        raise errors.state(f"Instance {target} does not get what the writer of the DB cluster {cluster.id} writes.")
    going = ctx.db[DbCluster].put(replace(cluster, state="failing-over", target=target))
    ctx.wake(ctx.db[DbInstance].need(cluster.writer))
    return {"DBCluster": show_cluster(ctx, going)}


@op("StopDBCluster")
def stop_db_cluster(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Shut all members down, for seven days at most."""
    cluster = need(ctx, req, "available")
    return _moved(ctx, replace(cluster, waits=(), safe=(), serving=()), "stopping", "available")


@op("StartDBCluster")
def start_db_cluster(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Start a stopped cluster."""
    return _moved(ctx, need(ctx, req, "stopped"), "starting", "stopped")


@op("RebootDBCluster")
def reboot_db_cluster(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Restart all members; with it come the parameters that wait for that. Of a cluster with storage of its own each is
    restarted by itself."""
    if members.shares(by_name(ctx, req["DBClusterIdentifier"])):
        raise errors.combination("RebootDBCluster is not supported for Aurora. Use RebootDBInstance instead.")
    return _moved(ctx, need(ctx, req, "available"), "rebooting", "available")


def need(ctx: Ctx, req: dict[str, Any], *states: str) -> DbCluster:
    """The cluster that a request names, which must be in one of these states."""
    cluster = by_name(ctx, req["DBClusterIdentifier"])
    if cluster.state not in states:
        raise faults.expected(cluster, *states)
    return cluster


def _moved(ctx: Ctx, cluster: DbCluster, state: str, before: str) -> dict[str, Any]:
    """Every member goes along."""
    if not members.every(ctx, cluster):
        raise faults.state(f"DB cluster {cluster.id} has no instances.")
    for db in members.every(ctx, cluster):
        if db.state != before:
            raise errors.state(f"Instance {db.id} is not in {before} state.")
        ctx.db[DbInstance].put(replace(db, state=state))
    return {"DBCluster": show_cluster(ctx, ctx.db[DbCluster].put(replace(cluster, state=state)))}
