"""What a bucket holds, in S3 Storage Lens's free metrics.

https://docs.aws.amazon.com/AmazonS3/latest/userguide/storage_lens_metrics_glossary.html
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from cloudjar.kit import storage_figures
from cloudjar.kit.context import Ctx
from cloudjar.kit.storage_figures import Figures
from cloudjar.services.s3.buckets.finding import find_bucket
from cloudjar.services.s3.buckets.records import Bucket
from cloudjar.services.s3.multipart.table import uploads
from cloudjar.services.s3.objects.index import index
from cloudjar.services.s3.objects.rows import STANDARD, Version

_KEYS = 500


@storage_figures.counts
def count(ctx: Ctx, name: str) -> Figures:
    """Every version, marker and unfinished upload."""
    found: Figures = Counter()
    bucket = find_bucket(ctx, name)
    if bucket is None:
        return found
    objects, after = index(ctx.world), ""
    while keys := objects.keys(name, after, _KEYS):
        after = keys[-1]
        for key in keys:
            for place, version in enumerate(objects.versions(name, key)):
                _add(found, bucket, version, latest=place == 0)
    for upload in uploads(ctx.world).every(name):
        storage_class = upload.draft.storage_class
        found[storage_class, "IncompleteMultipartUploadObjectCount"] += 1
        size = sum(part.size for part in uploads(ctx.world).parts(upload.id))
        found[storage_class, "IncompleteMultipartUploadStorageBytes"] += size
    return found


def _add(found: Figures, bucket: Bucket, version: Version, *, latest: bool) -> None:
    if version.marker:
        found[STANDARD, "DeleteMarkerObjectCount"] += 1
        return
    for kind in _kinds(bucket, version, latest=latest):
        found[version.storage_class, f"{kind}StorageBytes"] += version.size
        found[version.storage_class, f"{kind}ObjectCount"] += 1


def _kinds(bucket: Bucket, version: Version, *, latest: bool) -> Iterator[str]:
    """What a version counts as; everything is encrypted."""
    yield from ("", "Encrypted")
    yield "CurrentVersion" if latest else "NonCurrentVersion"
    if version.replication == "REPLICA":
        yield "Replicated"
    if bucket.object_lock:
        yield "ObjectLockEnabled"
