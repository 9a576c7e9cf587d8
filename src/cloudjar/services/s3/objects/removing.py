"""Removing objects: a marker where versions are kept, the bytes where they are not, a named version for good.

https://docs.aws.amazon.com/AmazonS3/latest/userguide/DeletingObjectVersions.html
"""

from __future__ import annotations

from typing import NamedTuple

from cloudjar.kit.context import Ctx
from cloudjar.services.s3.buckets.records import Bucket
from cloudjar.services.s3.objects import changes
from cloudjar.services.s3.objects.index import index
from cloudjar.services.s3.objects.locking import check_removable
from cloudjar.services.s3.objects.rows import Version
from cloudjar.services.s3.objects.writing import release


class Removed(NamedTuple):
    """What a removal did: the marker that it made, or the version that is gone for good; neither when there was
    nothing."""

    marker: Version | None = None
    gone: Version | None = None


def remove(
    ctx: Ctx, bucket: Bucket, key: str, *, events: tuple[str, str] = (changes.DELETED, changes.MARKED)
) -> Removed:
    """Delete without naming a version. `events` are told of (what is gone, a marker)."""
    objects = index(ctx.world)
    if not bucket.ever_versioned:
        found = objects.current(bucket.name, key)
        if found is None:
            return Removed()
        return remove_version(ctx, bucket, found, bypass=False, event=events[0])
    micros = int(ctx.world.clock.real().timestamp() * 1_000_000)
    before = objects.current(bucket.name, key)
    seq, version_id = objects.place(bucket.name, key, micros, versioned=bucket.versioned)
    marker = Version(
        bucket=bucket.name,
        key=key,
        seq=seq,
        id=version_id,
        modified=int(ctx.now.timestamp()),
        marker=True,
        owner=bucket.account if bucket.acls_off else ctx.caller.account,
    )
    replaced = objects.put(marker)
    if replaced is not None:
        release(ctx, replaced)
    changes.tell(ctx, bucket, changes.Change(events[1], marker, before))
    return Removed(marker=marker)


def remove_version(
    ctx: Ctx, bucket: Bucket, version: Version, *, bypass: bool, event: str = changes.DELETED
) -> Removed:
    """Delete a version or marker for good. Raises AccessDenied for what Object Lock keeps."""
    check_removable(ctx, version, bypass=bypass)
    index(ctx.world).drop(version)
    release(ctx, version)
    changes.tell(ctx, bucket, changes.Change(event, version, version))
    return Removed(gone=version)
