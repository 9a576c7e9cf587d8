"""How long copies take: CloudWatch's metrics of rules, and what is told when a copy takes longer than it may.

https://docs.aws.amazon.com/AmazonS3/latest/userguide/repl-metrics.html
https://docs.aws.amazon.com/AmazonS3/latest/userguide/replication-time-control.html
"""

from __future__ import annotations

from typing import Any

from cloudjar.base import caller as callers
from cloudjar.base.errors import AwsError
from cloudjar.kit import metrics
from cloudjar.kit.context import Ctx
from cloudjar.kit.metrics import Metric
from cloudjar.services.s3.buckets.records import Bucket
from cloudjar.services.s3.notifications.messages import instant
from cloudjar.services.s3.notifications.telling import tell
from cloudjar.services.s3.objects.rows import Version
from cloudjar.services.s3.replication.config import Rule
from cloudjar.services.s3.replication.queue import Queue, Task

_PRINCIPAL = "s3.amazonaws.com"
_MAY = 15 * 60.0
"""Seconds that a copy may take by Replication Time Control."""


def is_late(ctx: Ctx, rule: Rule, task: Task) -> bool:
    """Whether a copy takes too long, and nobody was told yet."""
    return rule.timed and not task.missed and ctx.now.timestamp() - task.born > _MAY


def missed(ctx: Ctx, held: Queue, bucket: Bucket, rule: Rule, version: Version, task: Task) -> None:
    """Tell that a copy takes too long, in the running transaction."""
    held.missed(task)
    say(ctx, bucket, rule, version, task, "OperationMissedThreshold", threshold=int(_MAY // 60))


def settled(
    ctx: Ctx, held: Queue, bucket: Bucket, rule: Rule, version: Version, task: Task, why: AwsError | None
) -> None:
    """A copy was made, or never will be: measure it; tell when it is late."""
    took = ctx.now.timestamp() - task.born
    if rule.timed and took > _MAY and why is None:
        say(ctx, bucket, rule, version, task, "OperationReplicatedAfterThreshold", threshold=int(_MAY // 60),
            replicationTime=int(took // 60))  # fmt: skip
    if rule.measured:
        count, size = held.waiting(bucket.name, rule.id)
        _put(ctx, bucket, rule, "OperationsPendingReplication", "Count", count)
        _put(ctx, bucket, rule, "BytesPendingReplication", "Bytes", size)
        _put(ctx, bucket, rule, "OperationsFailedReplication", "Count", int(why is not None))
        if why is None:
            _put(ctx, bucket, rule, "ReplicationLatency", "Seconds", took)


def pending(ctx: Ctx, held: Queue, bucket: Bucket, rule: Rule) -> None:
    """A copy has come to wait: measure what does, in the running transaction."""
    if rule.measured:
        count, size = held.waiting(bucket.name, rule.id)
        _put(ctx, bucket, rule, "OperationsPendingReplication", "Count", count)
        _put(ctx, bucket, rule, "BytesPendingReplication", "Bytes", size)


def _put(ctx: Ctx, bucket: Bucket, rule: Rule, name: str, unit: str, amount: float) -> None:
    named = (("DestinationBucket", rule.target), ("RuleId", rule.id), ("SourceBucket", bucket.name))
    point = metrics.value(ctx.now, amount, unit)
    metrics.put(ctx.world, bucket.account, bucket.location, Metric("AWS/S3", name, named), [point])


def say(ctx: Ctx, bucket: Bucket, rule: Rule, version: Version, task: Task, event: str, **more: Any) -> None:
    """Tell of a copy, in the running transaction."""
    acting = Ctx(ctx.world, bucket.account, bucket.location, callers.service(_PRINCIPAL, bucket.account))
    told: dict[str, Any] = {
        "replicationEventData": {
            "replicationRuleId": rule.id,
            "destinationBucket": f"arn:aws:s3:::{rule.target}",
            "s3Operation": "OBJECT_PUT",
            "requestTime": instant(task.born),
            **more,
        }
    }
    tell(acting, bucket, f"Replication:{event}", version, data=told)
