"""Which bucket a request means."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cloudjar.base import arn as arns
from cloudjar.kit.context import Ctx, World
from cloudjar.services.s3 import errors
from cloudjar.services.s3.buckets.records import Bucket

_KNOWN = "s3.buckets"
_MOST = 4096


def find_bucket(ctx: Ctx, name: str) -> Bucket | None:
    """The bucket of a name, whoever's it is."""
    known: _Known | None = ctx.world.ports.get(_KNOWN)
    if known is None:
        known = ctx.world.ports[_KNOWN] = _Known(ctx.world)
    return known.buckets.get(name) or known.look(ctx, name)


class _Known:
    """Buckets by name, as every request asks for them several times; forgotten at every change of one.

    What a transaction has changed is not remembered before it has committed.
    """

    def __init__(self, world: World) -> None:
        self.buckets: dict[str, Bucket] = {}
        self._database = world.state.database
        self._changing = False
        world.state.watchers.setdefault("s3", []).append(self._forget)

    def look(self, ctx: Ctx, name: str) -> Bucket | None:
        """The bucket from the store."""
        found = ctx.db.find(Bucket, name)
        if found is not None and not self._changing:
            if len(self.buckets) >= _MOST:
                self.buckets.clear()
            self.buckets[name] = found
        return found

    def _forget(self) -> None:
        self.buckets.clear()
        if self._database.in_transaction:
            self._changing = True
            self._database.on_commit(self._settled)
            self._database.on_rollback(self._settled)

    def _settled(self) -> None:
        self.buckets.clear()
        self._changing = False


def need_bucket(ctx: Ctx, req: Mapping[str, Any]) -> Bucket:
    """The bucket that a request names (member ``Bucket``), with ``ExpectedBucketOwner`` checked.

    Raises NoSuchBucket, and AccessDenied when somebody else owns it. Where it lies and whether the caller may was found
    out before (`access.locating`).
    """
    name = req["Bucket"]
    bucket = find_bucket(ctx, name)
    if bucket is None:
        raise errors.no_bucket(name)
    expected = req.get("ExpectedBucketOwner")
    if expected and expected != bucket.account:
        raise errors.access_denied()
    return bucket


def bucket_of_arn(ctx: Ctx, text: str) -> Bucket | None:
    """The bucket of an ARN (``arn:aws:s3:::name``), or None."""
    arn = arns.parse(text)
    if arn is None or arn.service != "s3":
        return None
    return find_bucket(ctx, arn.resource.partition("/")[0])


def save(ctx: Ctx, bucket: Bucket) -> Bucket:
    """Store a changed bucket, whoever the caller is."""
    return ctx.db.at(bucket.account, "")[Bucket].put(bucket)
