"""Writing an object, however its bytes came: the one way into the index.

`draft` reads what a request says of the object; `record` checks the conditions, makes the version the newest of its key
in the caller's transaction, lets go of what it replaced, and tells who acts on changes.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from msgspec.structs import replace

from cloudjar.base import ids
from cloudjar.kit.context import Ctx
from cloudjar.services.s3 import errors
from cloudjar.services.s3.access.asking import check_may_match
from cloudjar.services.s3.buckets.records import Bucket
from cloudjar.services.s3.objects import attributes, changes, encryption, expiring, integrity, locking, owning
from cloudjar.services.s3.objects.conditions import check_write
from cloudjar.services.s3.objects.index import index
from cloudjar.services.s3.objects.rows import NULL, Encryption, Version
from cloudjar.store.blobs import Blobs

LARGEST = 5 << 30
"""Bytes of one PutObject, part or copy."""


def blobs(ctx: Ctx) -> Blobs:
    """Where bytes lie."""
    found: Blobs = ctx.world.ports["objects"]
    return found


def draft(ctx: Ctx, bucket: Bucket, req: Mapping[str, Any], *, tags: dict[str, str] | None = None) -> Version:
    """What a request (PutObject, CreateMultipartUpload, CopyObject with REPLACE) says of its object, without bytes.

    `tags` are taken instead of the header's, where something else brings them.
    """
    key = req["Key"]
    attributes.check_key(key)
    owned = owning.of_request(ctx, bucket, req)
    return Version(
        bucket=bucket.name,
        key=key,
        modified=int(ctx.now.timestamp()),
        storage_class=attributes.storage_class(req),
        owner=owned.owner,
        acl=owned.acl,
        tags=attributes.header_tags(req.get("Tagging")) if tags is None else tags,
        lock=locking.of_write(ctx, bucket, req),
        **attributes.headers(ctx, req),
    )


def check_length(ctx: Ctx) -> None:
    """Raise MissingContentLength: who puts something says how much, and be it nothing."""
    request = ctx.request
    if request is None or request.method != "PUT":
        return
    if "content-length" not in request.headers and "transfer-encoding" not in request.headers:
        raise errors.error("MissingContentLength", "You must provide the Content-Length HTTP header.", 411)


def check_size(size: int) -> None:
    """Raise EntityTooLarge."""
    if size > LARGEST:
        text = "Your proposed upload exceeds the maximum allowed size"
        raise errors.error("EntityTooLarge", text, ProposedSize=size, MaxSizeAllowed=LARGEST)


def etag(sse: Encryption, md5: bytes) -> str:
    """An ETag: the MD5 of the bytes, but of what others' keys encrypt something opaque."""
    return md5.hex() if sse.kind == encryption.S3 else ids.entropy(16).hex()


def record(ctx: Ctx, bucket: Bucket, version: Version, req: Mapping[str, Any], event: str) -> Version:
    """Make a version (with its content kept already) the newest of its key. Raises 412, 404 (conditions)."""
    objects = index(ctx.world)
    check_may_match(ctx, bucket, version.key, req.get("IfMatch"))
    current = objects.current(bucket.name, version.key)
    check_write(req, current, version.key)
    micros = int(ctx.world.clock.real().timestamp() * 1_000_000)
    if bucket.ever_versioned:
        seq, version_id = objects.place(
            bucket.name, version.key, micros, versioned=bucket.versioned, current=current
        )
        placed = replace(version, seq=seq, id=version_id)
        replaced = objects.put(placed)
    else:
        placed = replace(version, seq=objects.tick(micros, current.seq if current is not None else 0))
        replaced = current
        objects.replace(placed, current)
    if replaced is not None:
        release(ctx, replaced)
    changes.tell(ctx, bucket, changes.Change(event, placed, replaced))
    return placed


def release(ctx: Ctx, version: Version) -> None:
    """Let go of the bytes of a version that is no more."""
    if version.content is not None:
        blobs(ctx).drop(version.content.blob)


def told_id(bucket: Bucket, version: Version) -> str | None:
    """The version id that an answer tells: none where versioning never was on."""
    return version.id if bucket.ever_versioned or version.id != NULL else None


def answer(ctx: Ctx, bucket: Bucket, version: Version) -> dict[str, Any]:
    """What the answers to all writes tell."""
    told = {
        "ETag": version.quoted_etag,
        "VersionId": told_id(bucket, version),
        "Expiration": expiring.header(bucket, version),
        **encryption.shown(version.sse, context=True),
        **integrity.shown(version.checksums, version.checksum_type),
    }
    return told | charged(ctx, bucket)


def charged(ctx: Ctx, bucket: Bucket) -> dict[str, Any]:
    """``RequestCharged``, where who asks pays."""
    return {"RequestCharged": "requester"} if bucket.requester_pays and ctx.caller.account != bucket.account else {}
