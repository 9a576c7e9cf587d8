"""CloudWatch's storage metrics: how much each bucket holds, once a day.

https://docs.aws.amazon.com/AmazonS3/latest/userguide/metrics-dimensions.html
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from datetime import datetime, timedelta

from cloudjar.kit import metrics
from cloudjar.kit.db import State, watches
from cloudjar.kit.machine import Step, reconciler
from cloudjar.kit.metrics import Metric
from cloudjar.kit.record import Record, record
from cloudjar.services.s3.bill import meters
from cloudjar.services.s3.buckets.finding import find_bucket
from cloudjar.services.s3.buckets.records import Bucket
from cloudjar.services.s3.lifecycle.classes import CLASSES
from cloudjar.services.s3.multipart.table import uploads
from cloudjar.services.s3.objects.index import index

_NAMESPACE = "AWS/S3"
_TABLE = "s3/storage-metrics"
_TYPES = {
    "STANDARD": "StandardStorage",
    "REDUCED_REDUNDANCY": "ReducedRedundancyStorage",
    "STANDARD_IA": "StandardIAStorage",
    "ONEZONE_IA": "OneZoneIAStorage",
    "GLACIER_IR": "GlacierInstantRetrievalStorage",
    "GLACIER": "GlacierStorage",
    "DEEP_ARCHIVE": "DeepArchiveStorage",
}
_TIERING = "INTELLIGENT_TIERING"
_TIERS = {
    "TimedStorage-INT-FA-ByteHrs": "IntelligentTieringFAStorage",
    "TimedStorage-INT-IA-ByteHrs": "IntelligentTieringIAStorage",
    "TimedStorage-INT-AIA-ByteHrs": "IntelligentTieringAIAStorage",
    "TimedStorage-INT-AA-ByteHrs": "IntelligentTieringAAStorage",
    "TimedStorage-INT-DAA-ByteHrs": "IntelligentTieringDAAStorage",
}
_RAISED = {
    "STANDARD_IA": ("TimedStorage-SIA-ByteHrs", "StandardIASizeOverhead"),
    "ONEZONE_IA": ("TimedStorage-ZIA-ByteHrs", "OneZoneIASizeOverhead"),
    "GLACIER_IR": ("TimedStorage-GIR-ByteHrs", "GlacierInstantRetrievalSizeOverhead"),
}
"""Classes with a least size: what is paid of it, and the type of what small objects lack to it."""
_STAGED = {"GLACIER": "GlacierStagingStorage", "DEEP_ARCHIVE": "DeepArchiveStagingStorage"}
"""What parts of uploads to archives are, until they are complete."""
_OVERHEAD = {"GLACIER": "Glacier", "DEEP_ARCHIVE": "DeepArchive"}


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
            if total.storage_class != _TIERING:
                sizes[_TYPES.get(total.storage_class, total.storage_class)] += total.bytes
        waiting = _waiting(step, bucket)
        objects += sum(count for count, _ in waiting.values())
        for storage_class, (_, size) in waiting.items():
            if storage_class != _TIERING:
                sizes[_STAGED.get(storage_class) or _TYPES.get(storage_class, storage_class)] += size
        if objects:
            _put(step, bucket, "NumberOfObjects", "AllStorageTypes", "Count", objects)
        for kind, size in {**sizes, **_beside(step, bucket, waiting)}.items():
            _put(step, bucket, "BucketSizeBytes", kind, "Bytes", size)
    step.again("", _midnight(now))


def _waiting(step: Step, bucket: Bucket) -> dict[str, tuple[int, int]]:
    """Parts of uploads under way and their bytes, by storage class."""
    found: dict[str, tuple[int, int]] = {}
    for upload in uploads(step.world).every(bucket.name):
        count, size = found.get(upload.draft.storage_class, (0, 0))
        parts = uploads(step.world).parts(upload.id)
        found[upload.draft.storage_class] = (count + len(parts), size + sum(part.size for part in parts))
    return found


def _beside(step: Step, bucket: Bucket, waiting: Mapping[str, tuple[int, int]]) -> dict[str, int]:
    """Bytes by Intelligent-Tiering's tiers, and what is paid beside the objects' own."""
    paid = meters(step.world).held(bucket.name)
    found = {kind: paid[usage] for usage, kind in _TIERS.items() if paid.get(usage)}
    for total in index(step.world).totals(bucket.name):
        if total.storage_class in _RAISED:
            usage, kind = _RAISED[total.storage_class]
            lacking = paid.get(usage, 0) - total.bytes - waiting.get(total.storage_class, (0, 0))[1]
            if lacking > 0:
                found[kind] = lacking
        name = _OVERHEAD.get(total.storage_class)
        if name and total.objects:
            found[f"{name}ObjectOverhead"] = total.objects * CLASSES[total.storage_class].overhead
            found[f"{name}S3ObjectOverhead"] = total.objects * CLASSES[total.storage_class].standard
    return found


def _put(step: Step, bucket: Bucket, name: str, kind: str, unit: str, amount: int) -> None:
    metric = Metric(_NAMESPACE, name, (("BucketName", bucket.name), ("StorageType", kind)))
    metrics.put(step.world, bucket.account, bucket.location, metric, [metrics.value(step.ctx.now, amount, unit)])
