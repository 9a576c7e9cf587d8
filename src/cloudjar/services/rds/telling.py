"""What happens is written down where DescribeEvents finds it, and told to EventBridge.

https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/USER_Events.Messages.html
"""

from __future__ import annotations

from datetime import timedelta

from cloudjar.base import ids
from cloudjar.kit.context import Ctx
from cloudjar.kit.record import arn_of
from cloudjar.services.rds import subscriptions
from cloudjar.services.rds.records import DbInstance, Event, ParameterGroup, Snapshot

KEPT = timedelta(days=14)
_DETAIL = {
    "db-instance": ("RDS DB Instance Event", "DB_INSTANCE"),
    "db-snapshot": ("RDS DB Snapshot Event", "SNAPSHOT"),
    "db-cluster": ("RDS DB Cluster Event", "CLUSTER"),
    "db-cluster-snapshot": ("RDS DB Cluster Snapshot Event", "CLUSTER_SNAPSHOT"),
    "db-parameter-group": ("RDS DB Parameter Group Event", "DB_PARAM"),
    "blue-green-deployment": ("RDS Blue Green Deployment Event", "BLUE_GREEN_DEPLOYMENT"),
}


def instance(ctx: Ctx, db: DbInstance, event_id: str, message: str, category: str) -> None:
    """Something happened to an instance."""
    tell(ctx, "db-instance", db.id, arn_of(db), event_id, message, category)


def snapshot(ctx: Ctx, item: Snapshot, event_id: str, message: str, category: str) -> None:
    """Something happened to a snapshot."""
    tell(ctx, "db-snapshot", item.id, arn_of(item), event_id, message, category)


def group(ctx: Ctx, item: ParameterGroup, event_id: str, message: str) -> None:
    """Something happened to a parameter group."""
    tell(ctx, "db-parameter-group", item.name, arn_of(item), event_id, message, "configuration change")


def tell(ctx: Ctx, kind: str, source: str, arn: str, event_id: str, message: str, category: str) -> None:
    """Something happened to a thing of a kind."""
    now = ctx.world.clock.now()
    for old in ctx.db[Event].all():
        if old.at < now - KEPT:
            ctx.db[Event].drop(old)
    noted = Event(
        id=ids.request_id(), source=source, kind=kind, arn=arn, message=message, categories=(category,), at=now
    )
    subscriptions.tell(ctx, ctx.db[Event].add(noted), event_id)
    detail_type, name = _DETAIL[kind]
    detail = {
        "EventCategories": [category],
        "SourceType": name,
        "SourceArn": arn,
        "Date": now.strftime("%Y-%m-%dT%H:%M:%S.000Z"),
        "Message": message,
        "SourceIdentifier": source,
        "EventID": event_id,
    }
    ctx.emit("aws.rds", detail_type, detail, (arn,))
