"""Conditional requests: reads (RFC 9110's order, as S3 keeps it), copies, and writes.

https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-requests.html
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from cloudjar.base.errors import AwsError
from cloudjar.services.s3 import errors
from cloudjar.services.s3.objects.rows import Version
from cloudjar.wire.values import http_date


def matches(stated: str, etag: str) -> bool:
    """Whether a list of ETags (quoted or not), or ``*``, holds an object's."""
    for one in stated.split(","):
        text = one.strip().removeprefix("W/").strip('"')
        if text in ("*", etag):
            return True
    return False


def check_read(req: Mapping[str, Any], version: Version) -> None:
    """Raise 412, or 304 with the headers that go with it."""
    failed = _failed(req, version, "")
    if failed in ("If-Match", "If-Unmodified-Since"):
        raise errors.precondition_failed(failed)
    if failed:
        raise _not_modified(version)


def check_copy(req: Mapping[str, Any], source: Version) -> None:
    """Raise 412 unless a copy's conditions on its source hold."""
    failed = _failed(req, source, "CopySource")
    if failed:
        raise errors.precondition_failed(f"x-amz-copy-source-{failed}")


def _failed(req: Mapping[str, Any], version: Version, prefix: str) -> str:
    """The condition that does not hold; dates count only where no ETag was asked about."""
    match, none_match = req.get(f"{prefix}IfMatch"), req.get(f"{prefix}IfNoneMatch")
    since, until = req.get(f"{prefix}IfModifiedSince"), req.get(f"{prefix}IfUnmodifiedSince")
    if match is not None:
        if not matches(match, version.etag):
            return "If-Match"
    elif until is not None and version.modified > _seconds(until):
        return "If-Unmodified-Since"
    if none_match is not None:
        if matches(none_match, version.etag):
            return "If-None-Match"
    elif since is not None and version.modified <= _seconds(since):
        return "If-Modified-Since"
    return ""


def _seconds(at: datetime) -> int:
    return int(at.timestamp())


def _not_modified(version: Version) -> AwsError:
    headers = {"ETag": version.quoted_etag, "Last-Modified": http_date(modified(version))}
    if "cache-control" in version.headers:
        headers["Cache-Control"] = version.headers["cache-control"]
    return AwsError("NotModified", "Not Modified", 304, headers=headers)


def modified(version: Version) -> datetime:
    """When a version was written."""
    return at(version.modified)


def at(seconds: int) -> datetime:
    """An instant of AWS time."""
    return datetime.fromtimestamp(seconds, UTC)


def check_write(req: Mapping[str, Any], current: Version | None, key: str) -> None:
    """Raise 412 (or 404: If-Match of nothing) unless a write's conditions on what is there now hold."""
    match, none_match = req.get("IfMatch"), req.get("IfNoneMatch")
    if none_match is not None:
        if none_match.strip() != "*" or match is not None:
            raise errors.error(
                "NotImplemented",
                "A header you provided implies functionality that is not implemented",
                501,
                Header="If-None-Match",
            )
        if current is not None:
            raise errors.precondition_failed("If-None-Match")
    if match is not None:
        if current is None:
            raise errors.no_key(key)
        if not matches(match, current.etag):
            raise errors.precondition_failed("If-Match")


def check_delete(req: Mapping[str, Any], there: Version | None) -> None:
    """Raise 412 unless what is to be deleted is what the request says (``IfMatch``: an ETag, or ``*`` for anything).

    Nothing there (or a delete marker) never matches.
    """
    match = req.get("IfMatch") or req.get("ETag")
    if match is None:
        return
    if there is None or there.marker or not matches(match, there.etag):
        raise errors.precondition_failed("If-Match")
