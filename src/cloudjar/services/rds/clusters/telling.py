"""What happens to clusters, as events.

https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/USER_Events.Messages.html
"""

from __future__ import annotations

from cloudjar.kit.context import Ctx
from cloudjar.kit.record import arn_of
from cloudjar.services.rds.clusters.records import ClusterSnapshot, DbCluster
from cloudjar.services.rds.telling import tell


def cluster(ctx: Ctx, item: DbCluster, event_id: str, message: str, category: str) -> None:
    """Something happened to a cluster."""
    tell(ctx, "db-cluster", item.id, arn_of(item), event_id, message, category)


def snapshot(ctx: Ctx, item: ClusterSnapshot, event_id: str, message: str, category: str) -> None:
    """Something happened to a cluster's snapshot."""
    tell(ctx, "db-cluster-snapshot", item.id, arn_of(item), event_id, message, category)
