"""CreateMultipartUpload, CompleteMultipartUpload, AbortMultipartUpload."""

from __future__ import annotations

import hashlib
from typing import Any
from urllib.parse import quote

import msgspec
from msgspec.structs import replace

from cloudjar.kit.context import Ctx
from cloudjar.kit.operation import op
from cloudjar.planes.objects.port import Blob
from cloudjar.services.s3 import errors
from cloudjar.services.s3.buckets.finding import need_bucket
from cloudjar.services.s3.buckets.records import Bucket
from cloudjar.services.s3.lifecycle.uploads import begun
from cloudjar.services.s3.multipart import finding, rules
from cloudjar.services.s3.multipart.table import uploads
from cloudjar.services.s3.objects import changes, encryption, version_ids, writing
from cloudjar.services.s3.objects.index import index
from cloudjar.services.s3.objects.rows import Content, ObjectPart, Part, Upload, Version

_REMEMBERED = 86_400
"""Seconds of AWS time for which a completion may be repeated."""


@op("CreateMultipartUpload", data=True)
def create_multipart_upload(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """An upload, with all that the object will be but its bytes."""
    bucket = need_bucket(ctx, req)
    draft = writing.draft(ctx, bucket, req)
    algorithm = req.get("ChecksumAlgorithm") or ""
    kind = rules.checksum_type(algorithm, req.get("ChecksumType") or "")
    how = encryption.wanted(ctx, bucket, req)
    sse, sealed = encryption.sealed(ctx, bucket, draft.key, how, writing.blobs(ctx).new_key())
    seq = index(ctx.world).tick(int(ctx.world.clock.real().timestamp() * 1_000_000))
    upload = Upload(
        id=version_ids.make(seq),
        bucket=bucket.name,
        key=draft.key,
        started=draft.modified,
        initiator=ctx.caller.arn,
        initiator_account=ctx.caller.account,
        draft=replace(draft, sse=sse, content=Content(Blob(), sealed)),
        algorithm=algorithm,
        checksum_type=kind,
        metered=True,
    )
    uploads(ctx.world).add(upload, seq)
    begun(ctx, bucket, upload)
    told: dict[str, Any] = {
        "Bucket": bucket.name,
        "Key": upload.key,
        "UploadId": upload.id,
        **finding.abort_date(bucket, upload),
        **encryption.shown(sse, context=True),
        **writing.charged(ctx, bucket),
    }
    if algorithm:
        told |= {"ChecksumAlgorithm": algorithm, "ChecksumType": kind}
    return told


@op("AbortMultipartUpload", data=True)
def abort_multipart_upload(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Give an upload up."""
    bucket = need_bucket(ctx, req)
    if req.get("IfMatchInitiatedTime") is not None:
        raise errors.not_built("Conditional aborts (directory buckets)")
    finding.abort(ctx, finding.need_upload(ctx, bucket, req))
    return writing.charged(ctx, bucket)


@op("CompleteMultipartUpload", data=True)
def complete_multipart_upload(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """The listed parts become the object, without their bytes being touched; the others go."""
    bucket = need_bucket(ctx, req)
    listed = (req.get("MultipartUpload") or {}).get("Parts") or []
    known = uploads(ctx.world).completed(bucket.name, req["Key"], req["UploadId"])
    if known is not None:
        return _again(ctx, bucket, known, listed)
    upload = finding.need_upload(ctx, bucket, req)
    held = {part.number: part for part in uploads(ctx.world).parts(upload.id)}
    parts = rules.chosen(upload, listed, held)
    checksums = rules.checksum(upload, parts)
    size = sum(part.size for part in parts)
    rules.check_completion(upload, req, size, checksums)
    version = writing.record(ctx, bucket, _version(ctx, upload, parts, size, checksums), req, changes.COMPLETED)
    used = {part.number for part in parts}
    finding.release(ctx, [part for part in finding.drop(ctx, upload) if part.number not in used])
    done = replace(upload, completed=version.id, completed_parts=_print(listed), draft=replace(version, content=None))
    uploads(ctx.world).remember(done, int(ctx.now.timestamp()), _REMEMBERED)
    return _answer(ctx, bucket, upload, version)


def _version(ctx: Ctx, upload: Upload, parts: list[Part], size: int, checksums: dict[str, str]) -> Version:
    algorithm = next(iter(checksums))
    if any(part.blob.inline for part in parts[:-1]):
        raise RuntimeError(f"a part of upload {upload.id} that others follow lies inline")
    pieces = tuple(piece for part in parts for piece in part.blob.pieces)
    blob = Blob(size, parts[-1].blob.inline, pieces)
    sealed = upload.draft.content.key if upload.draft.content is not None else b""
    described = tuple(ObjectPart(part.number, part.size, {algorithm: part.checksums[algorithm]}) for part in parts)
    return replace(
        upload.draft,
        size=size,
        etag=rules.etag(parts),
        modified=int(ctx.now.timestamp()),
        parts=len(parts),
        checksums=checksums,
        checksum_type=upload.checksum_type,
        content=Content(blob, sealed, described),
    )


def _again(ctx: Ctx, bucket: Bucket, upload: Upload, listed: list[dict[str, Any]]) -> dict[str, Any]:
    """The same completion once more is answered as it was."""
    if upload.completed_parts != _print(listed):
        raise errors.no_upload(upload.id)
    return _answer(ctx, bucket, upload, upload.draft)


def _print(listed: list[dict[str, Any]]) -> str:
    plain = [(one.get("PartNumber"), str(one.get("ETag")).strip('"')) for one in listed]
    return hashlib.sha256(msgspec.json.encode(plain)).hexdigest()


def _answer(ctx: Ctx, bucket: Bucket, upload: Upload, version: Version) -> dict[str, Any]:
    told = writing.answer(ctx, bucket, version)
    if not upload.algorithm and version.checksum_type == "COMPOSITE":
        told = {name: value for name, value in told.items() if not name.startswith("Checksum")}
    return told | {
        "Location": _location(ctx, bucket, version.key),
        "Bucket": bucket.name,
        "Key": version.key,
    }


def _location(ctx: Ctx, bucket: Bucket, key: str) -> str:
    """Where the object may be asked for, as the client came."""
    path = quote(key, safe="-_.~")
    if ctx.request is None:
        return f"https://{bucket.name}.s3.{bucket.location}.amazonaws.com/{path}"
    scheme = "https" if ctx.request.secure else "http"
    host = ctx.request.headers.get("host", "")
    if host.startswith(f"{bucket.name}."):
        return f"{scheme}://{host}/{path}"
    return f"{scheme}://{host}/{bucket.name}/{path}"
