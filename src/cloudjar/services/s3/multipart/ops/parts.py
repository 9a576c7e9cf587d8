"""UploadPart, UploadPartCopy."""

from __future__ import annotations

import contextlib
import re
from typing import Any, NamedTuple

from cloudjar.kit.context import Ctx
from cloudjar.kit.operation import op
from cloudjar.planes.objects.port import Blob, Landed
from cloudjar.services.s3 import errors
from cloudjar.services.s3.bill import meters
from cloudjar.services.s3.buckets.finding import need_bucket
from cloudjar.services.s3.multipart import finding, rules
from cloudjar.services.s3.multipart.table import uploads
from cloudjar.services.s3.objects import copying, encryption, integrity, writing
from cloudjar.services.s3.objects.conditions import at
from cloudjar.services.s3.objects.copying import Digests, Source
from cloudjar.services.s3.objects.rows import Part, Upload

_RANGE = re.compile(r"bytes=(\d+)-(\d+)", re.ASCII)


@op("UploadPart", data=True)
def upload_part(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """A part's bytes; one of the same number is replaced."""
    bucket = need_bucket(ctx, req)
    writing.check_length(ctx)
    rules.check_number(req["PartNumber"])
    upload = finding.need_upload(ctx, bucket, req)
    asked = integrity.asked(ctx, req)
    rules.check_algorithm(upload, asked.algorithm if asked.chosen else "")
    key = finding.opened(ctx, bucket, upload, req)
    blobs = writing.blobs(ctx)
    landed = blobs.take(req.get("Body"), integrity.hashes(asked.algorithm, _counts(upload)))
    writing.check_size(landed.size)
    integrity.check(req, landed, asked)
    names = dict.fromkeys((asked.algorithm, _counts(upload)))
    checksums = {name: integrity.told(integrity.digest(landed, name)) for name in names}
    blob = blobs.compose([(blobs.keep(landed), landed.key)], key)
    part = _put(ctx, upload, req["PartNumber"], blob, landed.md5, checksums)
    told = {"ETag": f'"{part.etag}"', **encryption.shown(upload.draft.sse), **writing.charged(ctx, bucket)}
    if asked.chosen or upload.algorithm:
        told[f"Checksum{asked.algorithm}"] = checksums[asked.algorithm]
    else:
        told[f"Checksum{integrity.DEFAULT}"] = checksums[integrity.DEFAULT]
    return told


def _counts(upload: Upload) -> str:
    """The algorithm of the whole."""
    return upload.algorithm or integrity.DEFAULT


def _put(ctx: Ctx, upload: Upload, number: int, blob: Blob, md5: bytes, checksums: dict[str, str]) -> Part:
    part = Part(
        number=number,
        size=blob.size,
        etag=md5.hex(),
        modified=int(ctx.now.timestamp()),
        blob=blob,
        checksums=checksums,
    )
    replaced = uploads(ctx.world).put_part(upload.id, part)
    meters(ctx.world).parts(upload, part.size - (replaced.size if replaced is not None else 0))
    if replaced is not None:
        finding.release(ctx, [replaced])
    return part


class _Prepared(NamedTuple):
    """What a copied part comes to; its bytes written anew where they cannot be shared."""

    digests: Digests
    landed: Landed | None


def _prepare(ctx: Ctx, req: dict[str, Any]) -> Ctx:
    """Read what is copied: a part's ETag is the MD5 of just these bytes."""
    bucket = need_bucket(ctx, req)
    rules.check_number(req["PartNumber"])
    upload = finding.need_upload(ctx, bucket, req)
    origin = copying.find(ctx, req)
    start, size = _span(req, origin)
    digests = copying.digests(ctx, origin, start, size, _counts(upload))
    return ctx.prepared(_Prepared(digests, _anew(ctx, origin, start, size)))


def _anew(ctx: Ctx, origin: Source, start: int, size: int) -> Landed | None:
    """Bytes that begin in files and end in a row cannot be followed by others: they are written again."""
    blob = origin.content.blob
    in_files = sum(piece.size for piece in blob.pieces)
    if not blob.inline or not start < in_files < start + size:
        return None
    sink = writing.blobs(ctx).sink()
    try:
        with contextlib.closing(writing.blobs(ctx).open(blob, origin.key, start, size)) as pieces:
            for piece in pieces:
                sink.feed(piece)
        return sink.finish()
    except BaseException:
        sink.abort()
        raise


def _span(req: dict[str, Any], origin: Source) -> tuple[int, int]:
    """The bytes that are copied: all, or ``CopySourceRange``."""
    size, text = origin.version.size, req.get("CopySourceRange")
    if not text:
        copying.check_whole(origin.version)
        return 0, size
    match = _RANGE.fullmatch(text)
    if match is None:
        raise errors.invalid_argument(
            "The x-amz-copy-source-range value must be of the form bytes=first-last where first and last are the "
            "zero-based offsets of the first and last bytes to copy",
            "x-amz-copy-source-range",
            text,
        )
    first, last = int(match[1]), int(match[2])
    if first > last or last >= size:
        raise errors.invalid_argument(
            f"Range specified is not valid for source object of size: {size}", "x-amz-copy-source-range", text
        )
    if last - first + 1 > writing.LARGEST:
        raise errors.invalid_request(
            f"The specified copy source is larger than the maximum allowable size for a copy source: {writing.LARGEST}"
        )
    return first, last - first + 1


@op("UploadPartCopy", prepare=_prepare, data=True)
def upload_part_copy(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """A part whose bytes are another object's."""
    bucket = need_bucket(ctx, req)
    upload = finding.need_upload(ctx, bucket, req)
    key = finding.opened(ctx, bucket, upload, req)
    origin = copying.find(ctx, req)
    start, size = _span(req, origin)
    prepared: _Prepared = ctx.fetched
    held = copying.fetched(ctx.prepared(prepared.digests), origin, start, size)
    algorithm = _counts(upload)
    checksums = {algorithm: integrity.told(held.found[algorithm])}
    part = _put(ctx, upload, req["PartNumber"], _blob(ctx, origin, start, size, key), held.md5, checksums)
    result = {"ETag": f'"{part.etag}"', "LastModified": at(part.modified)}
    if upload.algorithm:
        result[f"Checksum{algorithm}"] = checksums[algorithm]
    return {
        "CopyPartResult": result,
        "CopySourceVersionId": copying.told_source(origin),
        **encryption.shown(upload.draft.sse),
        **writing.charged(ctx, bucket),
    }


def _blob(ctx: Ctx, origin: Source, start: int, size: int, key: bytes) -> Blob:
    blobs = writing.blobs(ctx)
    landed: Landed | None = ctx.fetched.landed
    if landed is not None:
        return blobs.compose([(blobs.keep(landed), landed.key)], key)
    return blobs.compose([(blobs.slice(origin.content.blob, origin.key, start, size), origin.key)], key)
