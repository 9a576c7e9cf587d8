"""What a bucket holds, in the figures that S3 Storage Lens tells: S3 counts, S3 Control reports.

Here and not in a service, since services do not import each other. S3 declares how; who asks loads it first.

https://docs.aws.amazon.com/AmazonS3/latest/userguide/storage_lens_metrics_glossary.html
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

from cloudjar.kit.context import Ctx

Figures = Counter[tuple[str, str]]
"""By (storage class, metric): ``("STANDARD", "StorageBytes")``. Bytes and numbers of objects."""
Count = Callable[[Ctx, str], Figures]
_COUNTS: list[Count] = []


def counts(function: Count) -> Count:
    """Decorator: counts a bucket by its name."""
    _COUNTS.append(function)
    return function


def figures(ctx: Ctx, bucket: str) -> Figures:
    """What a bucket holds now; nothing of one that is not there."""
    ctx.world.load("s3")
    return _COUNTS[0](ctx, bucket)
