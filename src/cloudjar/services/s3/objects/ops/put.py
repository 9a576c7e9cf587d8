"""PutObject."""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from cloudjar.kit.context import Ctx
from cloudjar.kit.operation import op
from cloudjar.services.s3 import errors
from cloudjar.services.s3.buckets.finding import need_bucket
from cloudjar.services.s3.objects import changes, encryption, integrity, writing
from cloudjar.services.s3.objects.rows import Content


@op("PutObject", data=True, joins=True)
def put_object(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """A body becomes an object: checked, sealed, recorded."""
    bucket = need_bucket(ctx, req)
    writing.check_length(ctx)
    if req.get("WriteOffsetBytes") is not None:
        raise errors.not_built("Appending to objects (directory buckets)")
    version = writing.draft(ctx, bucket, req)
    how = encryption.wanted(ctx, bucket, req)
    asked = integrity.asked(ctx, req)
    if version.lock is not None and ctx.request is not None and not asked.chosen and req.get("ContentMD5") is None:
        raise errors.invalid_request(
            "Content-MD5 OR x-amz-checksum- HTTP header is required for Put Object requests with Object Lock parameters"
        )
    landed = writing.blobs(ctx).take(req.get("Body"), integrity.hashes(asked.algorithm))
    writing.check_size(landed.size)
    integrity.check(req, landed, asked)
    sse, sealed = encryption.sealed(ctx, bucket, version.key, how, landed.key)
    version = replace(
        version,
        size=landed.size,
        etag=writing.etag(sse, landed.md5),
        checksums={asked.algorithm: integrity.told(integrity.digest(landed, asked.algorithm))},
        sse=sse,
        content=Content(writing.blobs(ctx).keep(landed), sealed),
    )
    placed = writing.record(ctx, bucket, version, req, changes.PUT)
    return writing.answer(ctx, bucket, placed)
