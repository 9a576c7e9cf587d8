"""What a cluster costs: its three instances by the hour, and the storage of each; where the storage is the cluster's
own, what of it holds something, and each member by itself.

https://aws.amazon.com/rds/postgresql/pricing/
https://aws.amazon.com/rds/aurora/pricing/
"""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal

from cloudjar.kit.usage import Meter, meters
from cloudjar.services.rds import bill
from cloudjar.services.rds.clusters import members
from cloudjar.services.rds.clusters.records import DbCluster
from cloudjar.spec import databases, prices

MEMBERS = 3
_IDLE = ("creating", "stopped", "starting", "deleting")


@meters(DbCluster)
def hours(cluster: DbCluster) -> Iterable[Meter]:
    """The members and their storage."""
    if not cluster.answering:
        return
    if members.shares(cluster):
        if cluster.used:
            yield Meter("AmazonRDS", "Aurora:StorageUsage", "", "GB-Mo", Decimal(cluster.used))
        return
    operation = databases.operation(cluster.engine)
    if cluster.state not in _IDLE:
        yield _running(cluster, operation)
    kind = bill.STORAGE[cluster.storage_type]
    yield Meter("AmazonRDS", kind, "", "GB-Mo", Decimal(cluster.storage) * MEMBERS)
    yield from bill.performance(cluster.storage_type, cluster.iops, cluster.throughput, MEMBERS)


def _running(cluster: DbCluster, operation: str) -> Meter:
    """Clusters have usage types of their own; where no price of one is known, it is three instances, of the class
    without disks of its own if no price of that is known either."""
    whole = f"Multi-AZClusterUsage:{cluster.instance_class}"
    if prices.is_priced("AmazonRDS", whole, cluster.region, operation):
        return Meter("AmazonRDS", whole, operation, "Hrs")
    single = f"InstanceUsage:{cluster.instance_class}"
    if not prices.is_priced("AmazonRDS", single, cluster.region, operation):
        single = f"InstanceUsage:{databases.diskless(cluster.instance_class)}"
    return Meter("AmazonRDS", single, operation, "Hrs", Decimal(MEMBERS))
