"""What a request says of the object that it writes: headers, user metadata, tags, storage class.

https://docs.aws.amazon.com/AmazonS3/latest/userguide/UsingMetadata.html
"""

from __future__ import annotations

import base64
import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import unquote_plus

from cloudjar.kit.context import Ctx
from cloudjar.services.s3 import errors
from cloudjar.services.s3.objects.rows import STANDARD, Version
from cloudjar.wire.values import http_date

MAX_KEY = 1024
_MAX_METADATA = 2048
_MAX_TAGS = 10
_MAX_REDIRECT = 2048
DEFAULT_TYPE = "binary/octet-stream"
CLASSES = frozenset(
    (
        STANDARD,
        "REDUCED_REDUNDANCY",
        "STANDARD_IA",
        "ONEZONE_IA",
        "INTELLIGENT_TIERING",
        "GLACIER",
        "DEEP_ARCHIVE",
        "GLACIER_IR",
    )
)
_HEADERS = {
    "CacheControl": "cache-control",
    "ContentDisposition": "content-disposition",
    "ContentEncoding": "content-encoding",
    "ContentLanguage": "content-language",
    "Expires": "expires",
    "WebsiteRedirectLocation": "x-amz-website-redirect-location",
}
_TAG = re.compile(r"[\w\s+\-=._:/@]*")


def check_key(key: str) -> None:
    """Raise KeyTooLongError."""
    size = len(key.encode())
    if size > MAX_KEY:
        raise errors.error("KeyTooLongError", "Your key is too long", Size=size, MaxSizeAllowed=MAX_KEY)


def headers(ctx: Ctx, req: Mapping[str, Any]) -> dict[str, Any]:
    """``content_type``, ``headers`` and ``metadata`` of the version that a request describes."""
    found = {name: str(req[member]) for member, name in _HEADERS.items() if req.get(member)}
    if "expires" in found:
        found["expires"] = _expires(ctx, req)
    encoding = found.pop("content-encoding", "")
    kept = ",".join(one for one in (part.strip() for part in encoding.split(",")) if one not in ("", "aws-chunked"))
    if kept:
        found["content-encoding"] = kept
    redirect = found.get("x-amz-website-redirect-location")
    if redirect is not None:
        _check_redirect(redirect)
    return {
        "content_type": req.get("ContentType") or DEFAULT_TYPE,
        "headers": found,
        "metadata": _metadata(req.get("Metadata") or {}),
    }


def _expires(ctx: Ctx, req: Mapping[str, Any]) -> str:
    """As it was sent."""
    sent = ctx.request.headers.get("expires") if ctx.request is not None else None
    value = req["Expires"]
    return sent or (value if isinstance(value, str) else http_date(value))


def _check_redirect(location: str) -> None:
    if len(location) > _MAX_REDIRECT:
        raise errors.error(
            "InvalidRedirectLocation", "The length of website redirect location cannot exceed 2,048 characters."
        )
    if not location.startswith(("/", "http://", "https://")):
        raise errors.error(
            "InvalidRedirectLocation",
            "The website redirect location must have a prefix of 'http://' or 'https://' or '/'.",
        )


def _metadata(given: Mapping[str, str]) -> dict[str, str]:
    found = {name.lower(): value for name, value in given.items()}
    size = sum(len(name) + len(value.encode("latin-1", "replace")) for name, value in found.items())
    if size > _MAX_METADATA:
        raise errors.error(
            "MetadataTooLarge",
            "Your metadata headers exceed the maximum allowed metadata size",
            Size=size,
            MaxSizeAllowed=_MAX_METADATA,
        )
    return found


def storage_class(req: Mapping[str, Any]) -> str:
    """The storage class that a request asks for."""
    found: str = req.get("StorageClass") or STANDARD
    if found not in CLASSES:
        raise errors.error(
            "InvalidStorageClass", "The storage class you specified is not valid", StorageClassRequested=found
        )
    return found


# -- tags
def header_tags(text: str | None) -> dict[str, str]:
    """The tags of ``x-amz-tagging``: a query string."""
    if not text:
        return {}
    found: dict[str, str] = {}
    for part in text.split("&"):
        name, _, value = part.partition("=")
        try:
            name, value = unquote_plus(name, errors="strict"), unquote_plus(value, errors="strict")
        except UnicodeDecodeError:
            name = ""
        if not name or name in found:
            raise errors.invalid_argument(
                "The header 'x-amz-tagging' shall be encoded as UTF-8 then URLEncoded URL query parameters without "
                "tag name duplicates.",
                "x-amz-tagging",
                text,
            )
        found[name] = value
    check_tags(found)
    return found


def listed_tags(tag_set: list[dict[str, Any]]) -> dict[str, str]:
    """The tags of a ``TagSet``."""
    found: dict[str, str] = {}
    for tag in tag_set:
        if tag["Key"] in found:
            raise errors.invalid_tag("Cannot provide multiple Tags with the same key", tag["Key"])
        found[tag["Key"]] = tag["Value"]
    check_tags(found)
    return found


def check_tags(found: Mapping[str, str]) -> None:
    """Raise for tags that an object cannot have."""
    if len(found) > _MAX_TAGS:
        raise errors.error("BadRequest", "Object tags cannot be greater than 10")
    for name, value in found.items():
        if name.startswith("aws:"):
            raise errors.invalid_tag("System tags cannot be added/updated by requester", name)
        if not 1 <= len(name) <= 128 or not _TAG.fullmatch(name):
            raise errors.invalid_tag("The TagKey you have provided is invalid", name)
        if len(value) > 256 or not _TAG.fullmatch(value):
            raise errors.invalid_tag("The TagValue you have provided is invalid", name)


# -- telling
def shown_metadata(metadata: Mapping[str, str]) -> dict[str, str]:
    """User metadata as it is answered: what is not ASCII is spelled by RFC 2047, as UTF-8."""
    return {name: value if value.isascii() else _spelled(value) for name, value in metadata.items()}


def _spelled(value: str) -> str:
    """Headers hold the bytes that were sent, as Latin-1: they were UTF-8, or they were not."""
    raw = value.encode("latin-1", "replace")
    try:
        raw.decode()
    except UnicodeDecodeError:
        raw = value.encode()
    return f"=?UTF-8?B?{base64.b64encode(raw).decode()}?="


def shown_headers(version: Version) -> dict[str, Any]:
    """The members of an answer that tell an object's own headers."""
    held = version.headers
    found: dict[str, Any] = {member: held[name] for member, name in _HEADERS.items() if name in held}
    found["ContentType"] = version.content_type
    if version.metadata:
        found["Metadata"] = shown_metadata(version.metadata)
    return found
