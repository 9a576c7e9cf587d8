"""What happens to objects, told to whoever in S3 acts on it: notifications, replication, lifecycle, Object Lock.

Each is told in the write's own transaction, after the index has it: what it stores commits with it or not at all.
It must not raise for reasons of its own: the write would be undone.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from cloudjar.kit.context import Ctx
from cloudjar.services.s3.buckets.records import Bucket
from cloudjar.services.s3.objects.rows import Version

PUT = "ObjectCreated:Put"
POST = "ObjectCreated:Post"
COPY = "ObjectCreated:Copy"
COMPLETED = "ObjectCreated:CompleteMultipartUpload"
DELETED = "ObjectRemoved:Delete"
MARKED = "ObjectRemoved:DeleteMarkerCreated"
EXPIRED = "LifecycleExpiration:Delete"
EXPIRED_MARKED = "LifecycleExpiration:DeleteMarkerCreated"
MOVED = "LifecycleTransition"
TAGGED = "ObjectTagging:Put"
UNTAGGED = "ObjectTagging:Delete"
ACL = "ObjectAcl:Put"
RESTORING = "ObjectRestore:Post"
RESTORED = "ObjectRestore:Completed"
RESTORE_ENDED = "ObjectRestore:Delete"
LOCKED = "ObjectLock"
"""Retention or legal hold changed: nothing that a notification tells, but replication does."""


class Change(NamedTuple):
    """`event` as notifications name it, without ``s3:``; `version` as it is now, or the one that was removed, or the
    marker that was made; `before` is what it replaced or was."""

    event: str
    version: Version
    before: Version | None = None


Hear = Callable[[Ctx, Bucket, Change], None]
_HEARERS: list[Hear] = []


def hears(function: Hear) -> Hear:
    """Decorator: be told of every change of an object. `ctx` is the call's own: whoever it was, in whatever account."""
    _HEARERS.append(function)
    return function


def tell(ctx: Ctx, bucket: Bucket, change: Change) -> None:
    """Tell everybody."""
    for hear in _HEARERS:
        hear(ctx, bucket, change)
