"""CopyObject."""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from cloudjar.kit.context import Ctx
from cloudjar.kit.operation import op
from cloudjar.services.s3 import errors
from cloudjar.services.s3.access.asking import object_refusal
from cloudjar.services.s3.buckets.finding import need_bucket
from cloudjar.services.s3.buckets.records import Bucket
from cloudjar.services.s3.objects import changes, copying, encryption, integrity, writing
from cloudjar.services.s3.objects.conditions import modified
from cloudjar.services.s3.objects.copying import Source
from cloudjar.services.s3.objects.rows import Content, Version

_REDIRECT = "x-amz-website-redirect-location"


def _algorithm(req: dict[str, Any], version: Version) -> str:
    """The checksum that the copy gets: what is asked for, else the source's."""
    return req.get("ChecksumAlgorithm") or next(iter(version.checksums), integrity.DEFAULT)


def _knows_checksum(req: dict[str, Any], version: Version) -> bool:
    return _algorithm(req, version) in version.checksums and version.checksum_type == "FULL_OBJECT"


def _knows_md5(version: Version) -> bool:
    sse = version.sse
    return not version.parts and (sse is None or sse.kind == encryption.S3)


def _prepare(ctx: Ctx, req: dict[str, Any]) -> Ctx:
    """Read the source when that must be."""
    origin = copying.find(ctx, req)
    copying.check_whole(origin.version)
    if _knows_md5(origin.version) and _knows_checksum(req, origin.version):
        return ctx
    algorithm = _algorithm(req, origin.version)
    return ctx.prepared(copying.digests(ctx, origin, 0, origin.version.size, algorithm))


@op("CopyObject", prepare=_prepare, data=True)
def copy_object(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """An object becomes another: its description taken over or given anew, its bytes shared, its key sealed anew."""
    bucket = need_bucket(ctx, req)
    origin = copying.find(ctx, req)
    copying.check_whole(origin.version)
    how = encryption.wanted(ctx, bucket, req)
    version = _described(ctx, bucket, req, origin)
    _check_changes(bucket, req, origin, version)
    sse, sealed = encryption.sealed(ctx, bucket, version.key, how, origin.key)
    etag, checksums = _digests(ctx, req, origin, sse.kind == encryption.S3)
    version = replace(
        version,
        size=origin.version.size,
        etag=etag or writing.etag(sse, b""),
        checksums=checksums,
        sse=sse,
        content=Content(writing.blobs(ctx).share(origin.content.blob), sealed),
    )
    placed = writing.record(ctx, bucket, version, req, changes.COPY)
    told = writing.answer(ctx, bucket, placed)
    members = ("ETag", "ChecksumType", *(name for name in told if name.startswith("Checksum")))
    result = {name: told.pop(name) for name in dict.fromkeys(members) if name in told}
    result["LastModified"] = modified(placed)
    return {**told, "CopyObjectResult": result, "CopySourceVersionId": copying.told_source(origin)}


def _digests(ctx: Ctx, req: dict[str, Any], origin: Source, plain: bool) -> tuple[str, dict[str, str]]:
    """ETag ("" for an opaque one) and checksums of the copy."""
    version = origin.version
    algorithm = _algorithm(req, version)
    if _knows_md5(version) and _knows_checksum(req, version):
        return version.etag if plain else "", {algorithm: version.checksums[algorithm]}
    held = copying.fetched(ctx, origin, 0, version.size)
    digest = held.md5 if algorithm == "MD5" else held.found[algorithm]
    return held.md5.hex() if plain else "", {algorithm: integrity.told(digest)}


def _described(ctx: Ctx, bucket: Bucket, req: dict[str, Any], origin: Source) -> Version:
    source = origin.version
    tags = source.tags if req.get("TaggingDirective") != "REPLACE" else None
    if tags:
        refused = object_refusal(ctx, bucket, req["Key"], "s3:PutObjectTagging", "CopyObject", req)
        if refused is not None:
            raise refused
    version = writing.draft(ctx, bucket, req, tags=tags)
    if req.get("MetadataDirective") == "REPLACE":
        return version
    headers = {name: value for name, value in source.headers.items() if name != _REDIRECT}
    if _REDIRECT in version.headers:
        headers[_REDIRECT] = version.headers[_REDIRECT]
    return replace(version, content_type=source.content_type, headers=headers, metadata=source.metadata)


def _check_changes(bucket: Bucket, req: dict[str, Any], origin: Source, version: Version) -> None:
    """A copy onto itself must change something."""
    source = origin.version
    if (bucket.name, version.key) != (origin.bucket.name, source.key) or origin.named:
        return
    encrypts = ("ServerSideEncryption", "SSECustomerAlgorithm", "BucketKeyEnabled", "CopySourceSSECustomerAlgorithm")
    if (
        req.get("MetadataDirective") == "REPLACE"
        or version.storage_class != source.storage_class
        or _REDIRECT in version.headers
        or any(req.get(name) is not None for name in encrypts)
    ):
        return
    raise errors.invalid_request(
        "This copy request is illegal because it is trying to copy an object to itself without changing the object's "
        "metadata, storage class, website redirect location or encryption attributes."
    )
