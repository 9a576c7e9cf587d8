"""What S3 Batch Operations (S3 Control) asks of S3 beside its public operations: to replicate what was there before,
and to list what a bucket holds with what is known of it.

Here and not in a service, since services do not import each other. S3 declares both; who asks loads it first.

https://docs.aws.amazon.com/AmazonS3/latest/userguide/s3-batch-replication-batch.html
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple

from cloudjar.kit.context import Ctx


class Listed(NamedTuple):
    """A version (no marker) as a generated manifest chooses by. `modified` is in Unix seconds, `encryption` AWS's word
    (``SSES3``, ``SSEKMS``, ``DSSEKMS``, ``SSEC``), `replication` ``PENDING``, ``COMPLETED``, ``FAILED``, ``REPLICA`` or
    "", `eligible` whether a rule of the bucket would copy it."""

    key: str
    version: str
    latest: bool
    size: int
    modified: int
    storage_class: str
    encryption: str
    kms_key: str
    bucket_key: bool
    replication: str
    eligible: bool


Replicate = Callable[[Ctx, str, str, str], None]
Walk = Callable[[Ctx, str], Iterator[Listed]]
_HANDS: dict[str, Callable[..., object]] = {}


def replicates(function: Replicate) -> Replicate:
    """Decorator: copies a version (bucket, key, version id) by the bucket's rules, for a caller who may. Raises what
    refuses it."""
    _HANDS["replicate"] = function
    return function


def walks(function: Walk) -> Walk:
    """Decorator: all versions of a bucket, in the order of keys, newest first."""
    _HANDS["walk"] = function
    return function


def replicate(ctx: Ctx, bucket: str, key: str, version: str) -> None:
    """Have a version copied now."""
    ctx.world.load("s3")
    _HANDS["replicate"](ctx, bucket, key, version)


def walk(ctx: Ctx, bucket: str) -> Iterator[Listed]:
    """What a bucket holds."""
    ctx.world.load("s3")
    found = _HANDS["walk"](ctx, bucket)
    assert isinstance(found, Iterator)
    return found
