"""Names of clusters' endpoints, and what they mean: the writer, or one of the readers, another one each time.

https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/multi-az-db-clusters-concepts-connection-management.html
"""

from __future__ import annotations

import itertools

from cloudjar.kit.context import Ctx
from cloudjar.services.rds import places, rules
from cloudjar.services.rds.clusters import members
from cloudjar.services.rds.clusters.records import ClusterEndpoint, DbCluster
from cloudjar.services.rds.records import DbInstance

_TURNS = itertools.count()
WRITES, READS, CUSTOM = "cluster", "cluster-ro", "cluster-custom"
"""What stands before an account's part in names."""


def domain(account: str, region: str, kind: str) -> str:
    """``.cluster-ro-c0123456789a.eu-west-3.rds.amazonaws.com``."""
    return f".{kind}-{rules.endpoint_part(account, region)}.{region}.rds.amazonaws.com"


def endpoint(cluster: DbCluster, kind: str = WRITES) -> str:
    """A cluster's name."""
    return cluster.id + domain(cluster.account, cluster.region, kind)


def custom(one: ClusterEndpoint) -> str:
    """What a custom endpoint is called."""
    return one.id + domain(one.account, one.region, CUSTOM)


def certified(ctx: Ctx, db: DbInstance) -> tuple[str, ...]:
    """Names beside its own that a member's certificate must have."""
    cluster = members.cluster_of(ctx, db)
    if cluster is None:
        return ()
    anything = f"*{domain(cluster.account, cluster.region, CUSTOM)}"
    return endpoint(cluster), endpoint(cluster, READS), anything


def addresses(ctx: Ctx, vpc_id: str, name: str) -> tuple[str, ...]:
    """The one address that a name means now."""
    for cluster in ctx.db.everywhere(DbCluster):
        there = ctx.at(cluster.account, cluster.region)
        meant = _meant(there, cluster, name)
        if meant:
            one = meant[next(_TURNS) % len(meant)]
            found = places.address(there, one, inside=vpc_id == cluster.vpc_id)
            return (found,) if found else ()
    return ()


def _meant(ctx: Ctx, cluster: DbCluster, name: str) -> list[DbInstance]:
    """The members that a name of a cluster may mean; the writer where there is no reader."""
    own = name.startswith(f"{cluster.id}.")
    if not cluster.answering or not (own or f".{CUSTOM}-" in name):
        return []
    writer = members.writer(ctx, cluster)
    lead = [writer] if writer is not None and writer.answering else []
    if name == endpoint(cluster):
        return lead
    readers = [db for db in members.readers(ctx, cluster) if db.answering and db.id in cluster.serving]
    if name == endpoint(cluster, READS):
        return readers or lead
    if not name.endswith(domain(cluster.account, cluster.region, CUSTOM)):
        return []
    one = ctx.db[ClusterEndpoint].get(name.partition(".")[0])
    if one is None or one.cluster != cluster.id:
        return []
    found = readers if one.kind == "READER" else [*lead, *readers]
    return [db for db in found if (db.id in one.static if one.static else db.id not in one.excluded)]
