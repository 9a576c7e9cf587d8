"""Sources of copies: which version, may it be copied, and what its bytes come to when that is not known already.

The bytes are never moved: a copy shares the files (`Blobs.share`), only their key is sealed anew. What must be
read is what a copy tells of its bytes and its source does not know: the MD5 of an object that came in parts, another
checksum, a range's. That is done before the transaction, on a thread (`op(prepare=...)`).
"""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Mapping
from typing import Any, NamedTuple

from cloudjar.base.errors import AwsError
from cloudjar.kit.context import Ctx
from cloudjar.services.s3 import errors
from cloudjar.services.s3.access.asking import missing_key
from cloudjar.services.s3.access.reaching import reach, source
from cloudjar.services.s3.buckets.records import Bucket
from cloudjar.services.s3.objects import encryption, finding, integrity, reading
from cloudjar.services.s3.objects.conditions import check_copy
from cloudjar.services.s3.objects.index import index
from cloudjar.services.s3.objects.rows import Content, Version
from cloudjar.services.s3.objects.writing import LARGEST, blobs


class Source(NamedTuple):
    """What is copied: from which bucket, which version, and the key of its bytes."""

    bucket: Bucket
    version: Version
    key: bytes
    named: bool
    """The request named the version."""

    @property
    def content(self) -> Content:
        """Where the bytes lie."""
        return self.version.content or Content()


class Digests(NamedTuple):
    """What bytes of a version came to: it is told by its row, should the key be written again meanwhile."""

    bucket: str
    key: str
    seq: int
    start: int
    size: int
    md5: bytes
    found: Mapping[str, bytes]


def find(ctx: Ctx, req: Mapping[str, Any]) -> Source:
    """The source that ``CopySource`` names, opened. Raises NoSuchKey and the like, 412, and what SSE-C demands."""
    name, key, version_id = source(ctx, req["CopySource"])
    bucket = reach(ctx, name).bucket
    expected = req.get("ExpectedSourceBucketOwner")
    if expected and expected != bucket.account:
        raise errors.access_denied()
    version = _version(ctx, bucket, key, version_id)
    customer = encryption.customer_key(req, "CopySource")
    encryption.check_customer(version.sse, customer)
    check_copy(req, version)
    _check_active(ctx, version)
    content = version.content or Content()
    opened = encryption.opened(ctx, bucket, key, version.sse, content.key, customer)
    return Source(bucket, version, opened, bool(version_id))


def _version(ctx: Ctx, bucket: Bucket, key: str, version_id: str) -> Version:
    if not version_id:
        found = index(ctx.world).current(bucket.name, key)
        if found is None:
            raise missing_key(ctx, bucket, key)
        return found
    found = finding.need_version(ctx, bucket, key, version_id)
    if found.marker:
        raise errors.invalid_request(
            "The source of a copy request may not specifically refer to a delete marker by version id."
        )
    return found


def _check_active(ctx: Ctx, version: Version) -> None:
    try:
        reading.check_readable(ctx, version)
    except AwsError:
        raise errors.error(
            "ObjectNotInActiveTierError",
            "The source object of the COPY action is not in the active tier and is only stored in Amazon S3 Glacier.",
            403,
        ) from None


def check_whole(version: Version) -> None:
    """Raise InvalidRequest for what is too large to be copied at once."""
    if version.size > LARGEST:
        raise errors.invalid_request(
            f"The specified copy source is larger than the maximum allowable size for a copy source: {LARGEST}"
        )


def digests(ctx: Ctx, origin: Source, start: int, size: int, *algorithms: str) -> Digests:
    """Read bytes of a source for their MD5 and checksums; blocks."""
    md5 = hashlib.md5(usedforsecurity=False)
    running = integrity.hashes(*algorithms)
    if size:
        with contextlib.closing(blobs(ctx).open(origin.content.blob, origin.key, start, size)) as pieces:
            for piece in pieces:
                md5.update(piece)
                for each in running.values():
                    each.update(piece)
    version = origin.version
    found = {name.upper(): each.digest() for name, each in running.items()}
    return Digests(version.bucket, version.key, version.seq, start, size, md5.digest(), found)


def fetched(ctx: Ctx, origin: Source, start: int, size: int) -> Digests:
    """The digests that were prepared for this call. Raises OperationAborted when the source was written meanwhile."""
    held: Digests | None = ctx.fetched
    version = origin.version
    if held is None or held[:5] != (version.bucket, version.key, version.seq, start, size):
        raise errors.error(
            "OperationAborted",
            "A conflicting conditional operation is currently in progress against this resource. Please try again.",
            409,
        )
    return held


def told_source(origin: Source) -> str | None:
    """``CopySourceVersionId``."""
    return origin.version.id if origin.bucket.ever_versioned else None
