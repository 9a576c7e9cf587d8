"""Answers of GetObject and HeadObject: which bytes, and everything that is told beside them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from itertools import accumulate
from typing import Any, NamedTuple
from urllib.parse import parse_qsl

from cloudjar.base.errors import AwsError
from cloudjar.kit.context import Ctx
from cloudjar.services.s3 import errors
from cloudjar.services.s3.access.asking import object_refusal
from cloudjar.services.s3.buckets.records import Bucket
from cloudjar.services.s3.lifecycle.classes import tier_of
from cloudjar.services.s3.objects import attributes, encryption, expiring, integrity, locking
from cloudjar.services.s3.objects.conditions import modified
from cloudjar.services.s3.objects.rows import Content, Version
from cloudjar.services.s3.objects.writing import blobs, charged, told_id
from cloudjar.wire.values import http_date

_RANGE = re.compile(r"bytes\s*=\s*(\d*)\s*-\s*(\d*)\s*", re.ASCII)
_OVERRIDES = {
    "ResponseCacheControl": "CacheControl",
    "ResponseContentDisposition": "ContentDisposition",
    "ResponseContentEncoding": "ContentEncoding",
    "ResponseContentLanguage": "ContentLanguage",
    "ResponseContentType": "ContentType",
    "ResponseExpires": "Expires",
}


class Span(NamedTuple):
    """Which bytes to give; `part` when they were asked for as one."""

    start: int
    size: int
    partial: bool = False
    part: int = 0


def span(req: Mapping[str, Any], version: Version) -> Span:
    """The bytes that ``Range`` or ``PartNumber`` mean. Raises 416."""
    asked, part = req.get("Range"), req.get("PartNumber")
    if part is not None:
        if asked:
            raise errors.invalid_request("Cannot specify both Range header and partNumber query parameter")
        return _part(version, part)
    match = _RANGE.fullmatch(asked) if asked else None
    if match is None or not (match[1] or match[2]):
        return Span(0, version.size)  # what is no single range is passed over
    if not match[1]:
        length = min(int(match[2]), version.size)
        if not length:
            raise _unsatisfiable(asked, version)
        return Span(version.size - length, length, True)
    start = int(match[1])
    last = min(int(match[2]), version.size - 1) if match[2] else version.size - 1
    if match[2] and int(match[2]) < start:
        return Span(0, version.size)
    if start >= version.size:
        raise _unsatisfiable(asked, version)
    return Span(start, last - start + 1, True)


def _part(version: Version, number: int) -> Span:
    parts = version.content.parts if version.content is not None else ()
    count = len(parts) or 1
    if not 1 <= number <= count:
        raise errors.error(
            "InvalidPartNumber",
            "The requested partnumber is not satisfiable",
            416,
            PartNumberRequested=number,
            ActualPartCount=count,
        )
    if not parts:
        return Span(0, version.size, True, 1)
    ends = list(accumulate(part.size for part in parts))
    size = parts[number - 1].size
    return Span(ends[number - 1] - size, size, True, number)


def _unsatisfiable(asked: str | None, version: Version) -> AwsError:
    return errors.error(
        "InvalidRange",
        "The requested range is not satisfiable",
        416,
        RangeRequested=asked,
        ActualObjectSize=version.size,
    )


def check_readable(ctx: Ctx, version: Version) -> None:
    """Raise InvalidObjectState for an archived object that is not restored."""
    tier = tier_of(version)
    if not tier:
        return
    restore = version.restore
    now = ctx.now.timestamp()
    if restore is not None and restore.ready <= now < restore.until:
        return
    said = errors.invalid_state("The operation is not valid for the object's storage class", version.storage_class)
    if version.storage_class == "INTELLIGENT_TIERING":
        said.members["AccessTier"] = tier
    raise said


def body(ctx: Ctx, bucket: Bucket, version: Version, where: Span, customer: encryption.Customer | None) -> Any:
    """The bytes of a span: in one piece when they lie in the row, else a source that the gateway pulls, since whoever
    reads files waits for the disk."""
    content = version.content or Content()
    key = encryption.opened(ctx, bucket, version.key, version.sse, content.key, customer)
    if not where.size:
        return b""
    if not content.blob.pieces:
        return blobs(ctx).read(content.blob, key, where.start, where.size)
    return blobs(ctx).open(content.blob, key, where.start, where.size)


def shown(ctx: Ctx, bucket: Bucket, version: Version, req: Mapping[str, Any], where: Span) -> dict[str, Any]:
    """Everything that is told of an object beside its bytes."""
    told: dict[str, Any] = {
        "AcceptRanges": "bytes",
        "LastModified": modified(version),
        "ContentLength": where.size,
        "ETag": version.quoted_etag,
        "VersionId": told_id(bucket, version),
        "Expiration": expiring.header(bucket, version),
        **attributes.shown_headers(version),
        **encryption.shown(version.sse),
        **_lock(ctx, bucket, version),
    }
    if where.partial:
        told["$status"] = 206
        if version.size:
            told["ContentRange"] = f"bytes {where.start}-{where.start + where.size - 1}/{version.size}"
    if where.part and version.parts:
        told["PartsCount"] = version.parts
    if version.storage_class != "STANDARD":
        told["StorageClass"] = version.storage_class
    if version.tags and may_see(ctx, bucket, version, "s3:GetObjectTagging"):
        told["TagCount"] = len(version.tags)
    if version.replication:
        told["ReplicationStatus"] = version.replication
    if version.restore is not None:
        told["Restore"] = _restore(ctx, version)
    if req.get("ChecksumMode") == "ENABLED":
        told.update(_checksums(version, where))
    _override(ctx, req, told)
    return told | charged(ctx, bucket)


def may_see(ctx: Ctx, bucket: Bucket, version: Version, action: str) -> bool:
    """Whether who reads an object may also see its tags, or its lock."""
    return object_refusal(ctx, bucket, version.key, action, "GetObject", {}) is None


def _lock(ctx: Ctx, bucket: Bucket, version: Version) -> dict[str, Any]:
    """Retention and legal hold, each for who may see it."""
    told = locking.shown(version)
    if "ObjectLockMode" in told and not may_see(ctx, bucket, version, "s3:GetObjectRetention"):
        told = {name: value for name, value in told.items() if name == "ObjectLockLegalHoldStatus"}
    if "ObjectLockLegalHoldStatus" in told and not may_see(ctx, bucket, version, "s3:GetObjectLegalHold"):
        told.pop("ObjectLockLegalHoldStatus")
    return told


def _checksums(version: Version, where: Span) -> dict[str, Any]:
    """Those of the whole; of a part its own; of any other range none."""
    if where.part and version.content is not None and version.content.parts:
        part = version.content.parts[where.part - 1]
        return integrity.shown(part.checksums, version.checksum_type)
    if where.partial and where.size != version.size:
        return {}
    return integrity.shown(version.checksums, version.checksum_type)


def _restore(ctx: Ctx, version: Version) -> str | None:
    restore = version.restore
    if restore is None:
        return None
    if restore.ready > ctx.now.timestamp():
        return 'ongoing-request="true"'
    if version.storage_class == "INTELLIGENT_TIERING":
        return None
    return f'ongoing-request="false", expiry-date="{http_date(restore.until)}"'


def _override(ctx: Ctx, req: Mapping[str, Any], told: dict[str, Any]) -> None:
    """``response-content-type`` and the like: only who signs may say how an answer looks."""
    given = {member: req[name] for name, member in _OVERRIDES.items() if req.get(name)}
    if not given:
        return
    if ctx.caller.kind == "anonymous":
        raise errors.invalid_request("Request specific response headers cannot be used for anonymous GET requests.")
    if "Expires" in given:
        given["Expires"] = _raw_expires(ctx) or http_date(given["Expires"])
    told.update(given)


def _raw_expires(ctx: Ctx) -> str:
    query = ctx.request.query if ctx.request is not None else ""
    return dict(parse_qsl(query)).get("response-expires", "")
