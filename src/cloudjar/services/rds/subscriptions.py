"""Who is told of events: topics of SNS, by kind of source, category and name.

https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/USER_Events.html
"""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

from cloudjar.base.caller import service as service_caller
from cloudjar.base.errors import AwsError
from cloudjar.kit.context import Ctx
from cloudjar.kit.record import Quota, Record, arn_of, record
from cloudjar.services.rds.blue_green.records import Deployment
from cloudjar.services.rds.clusters.records import ClusterSnapshot, DbCluster
from cloudjar.services.rds.records import DbInstance, Event, ParameterGroup, Snapshot

_PRINCIPAL = "events.rds.amazonaws.com"
CATEGORIES: dict[str, tuple[str, ...]] = {
    "db-instance": (
        "availability", "backup", "configuration change", "creation", "deletion", "failover", "failure", "low storage",
        "maintenance", "notification", "read replica", "recovery", "restoration", "security", "security patching",
    ),
    "db-snapshot": ("creation", "deletion", "notification", "restoration"),
    "db-parameter-group": ("configuration change",),
    "db-cluster": (
        "configuration change", "creation", "deletion", "failover", "failure", "maintenance", "notification",
    ),
    "db-cluster-snapshot": ("backup", "notification"),
    "db-security-group": ("configuration change", "failure"),
    "blue-green-deployment": ("creation", "deletion", "failure", "notification"),
}  # fmt: skip
"""Categories of events, by kind of source."""
SOURCES: dict[str, type[Any]] = {
    "db-instance": DbInstance, "db-snapshot": Snapshot, "db-parameter-group": ParameterGroup,
    "db-cluster": DbCluster, "db-cluster-snapshot": ClusterSnapshot, "blue-green-deployment": Deployment,
}  # fmt: skip
"""What a source may be, by kind."""


@record(
    "rds",
    "es",
    key="name",
    arn="es:{name}",
    missing=("SubscriptionNotFound", "Event Subscription {key} not found.", 404),
    quotas=(
        Quota(
            ("rds", "L-A59F4C87"),
            ("EventSubscriptionQuotaExceeded", "The number of event subscriptions exceeds the quota of {limit}."),
        ),
    ),
)
class EventSubscription(Record, frozen=True, kw_only=True):
    """A topic, and what it is told: an empty kind, set of categories or of sources is every one."""

    name: str
    topic: str
    made: datetime
    kind: str = ""
    categories: tuple[str, ...] = ()
    sources: tuple[str, ...] = ()
    enabled: bool = True
    tags: dict[str, str] = {}


def wants(one: EventSubscription, event: Event) -> bool:
    """Whether a subscription is about an event."""
    return (
        one.enabled
        and one.kind in ("", event.kind)
        and (not one.sources or event.source in one.sources)
        and (not one.categories or bool(set(one.categories) & set(event.categories)))
    )


def tell(ctx: Ctx, event: Event, event_id: str) -> None:
    """Publish an event to the topics that want it; a topic that refuses misses it, and nobody else does."""
    for one in ctx.db[EventSubscription].all():
        if wants(one, event):
            _publish(ctx, one, event, event_id)


def _publish(ctx: Ctx, one: EventSubscription, event: Event, event_id: str) -> None:
    guide = "http://docs.amazonwebservices.com/AmazonRDS/latest/UserGuide/USER_Events.html"
    console = f"https://console.aws.amazon.com/rds/home?region={ctx.region}#dbinstance:id={event.source}"
    message = {
        "Event Source": event.kind,
        "Event Time": event.at.strftime("%Y-%m-%d %H:%M:%S.000"),
        "Identifier Link": console,
        "Source ID": event.source,
        "Source ARN": event.arn,
        "Event ID": f"{guide}#{event_id}",
        "Event Message": event.message,
    }
    asked = {"TopicArn": one.topic, "Subject": "RDS Notification Message", "Message": json.dumps(message)}
    region = one.topic.split(":")[3]
    try:
        caller = service_caller(_PRINCIPAL, ctx.account, arn_of(one))
        ctx.at(ctx.account, region).call("sns", "Publish", asked, caller=caller)
    except AwsError:
        return
