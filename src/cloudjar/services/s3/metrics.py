"""CloudWatch's storage metrics: how much each bucket holds, once a day.

https://docs.aws.amazon.com/AmazonS3/latest/userguide/metrics-dimensions.html
"""

from __future__ import annotations

from collections import Counter
from datetime import datetime, timedelta

from cloudjar.kit import metrics
from cloudjar.kit.db import State, watches
from cloudjar.kit.machine import Step, reconciler
from cloudjar.kit.metrics import Metric
from cloudjar.kit.record import Record, record
from cloudjar.services.s3.buckets.finding import find_bucket
from cloudjar.services.s3.buckets.records import Bucket
from cloudjar.services.s3.objects.index import index

_NAMESPACE = "AWS/S3"
_TABLE = "s3/storage-metrics"
_TYPES = {
    "STANDARD": "StandardStorage",
    "REDUCED_REDUNDANCY": "ReducedRedundancyStorage",
    "STANDARD_IA": "StandardIAStorage",
    "ONEZONE_IA": "OneZoneIAStorage",
    "INTELLIGENT_TIERING": "IntelligentTieringFAStorage",
    "GLACIER_IR": "GlacierInstantRetrievalStorage",
    "GLACIER": "GlacierStorage",
    "DEEP_ARCHIVE": "DeepArchiveStorage",
}


@record("s3", "storage-metrics", key="bucket")
class Measured(Record, frozen=True, kw_only=True):
    """Whose storage is measured next. Never stored: it wakes itself from day to day."""

    bucket: str


@watches("s3/bucket")
def on_bucket(state: State, item: Record) -> None:
    """A bucket was made, or changed: it is measured at midnight."""
    assert isinstance(item, Bucket)
    state.wakes.wake(_TABLE, item.account, item.location, item.name, due=_midnight(state.wakes.now()))


def _midnight(now: datetime) -> datetime:
    return now.replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=1)


@reconciler(Measured)
def measure(step: Step, item: Measured | None) -> None:
    """Put the day's points, and come again tomorrow."""
    bucket = find_bucket(step.ctx, step.key)
    if bucket is None:
        return
    now = step.ctx.now
    with step.world.state.database.transaction():
        objects, sizes = 0, Counter[str]()
        for total in index(step.world).totals(bucket.name):
            objects += total.objects
            sizes[_TYPES.get(total.storage_class, total.storage_class)] += total.bytes
        if objects:
            _put(step, bucket, "NumberOfObjects", "AllStorageTypes", "Count", objects)
        for kind, size in sizes.items():
            _put(step, bucket, "BucketSizeBytes", kind, "Bytes", size)
    step.again("", _midnight(now))


def _put(step: Step, bucket: Bucket, name: str, kind: str, unit: str, amount: int) -> None:
    metric = Metric(_NAMESPACE, name, (("BucketName", bucket.name), ("StorageType", kind)))
    metrics.put(step.world, bucket.account, bucket.location, metric, [metrics.value(step.ctx.now, amount, unit)])
