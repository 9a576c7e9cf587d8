"""Signing as a client does: requests that services send each other from outside, presigned URLs, and tests."""

from __future__ import annotations

import hmac
from collections.abc import Mapping
from datetime import datetime
from typing import NamedTuple
from urllib.parse import quote, urlsplit

from cloudjar.auth.sigv4 import (
    ALGORITHM,
    UNSIGNED,
    Signature,
    body_hash,
    canonical_request,
    signing_key,
    string_to_sign,
)
from cloudjar.auth.sigv4_errors import speaks_s3
from cloudjar.wire.message import Request

_ALSO_SIGNED = frozenset({"host", "content-type", "content-md5", "date"})


class Credentials(NamedTuple):
    """An access key; `token` for temporary ones."""

    key_id: str
    secret: str
    token: str = ""


def sign(
    request: Request,
    credentials: Credentials,
    region: str,
    service: str,
    now: datetime,
    *,
    payload: str | None = None,
) -> Signature:
    """Sign a request in place, in its Authorization header; it must have a ``host`` header.

    `payload` is the hash of its body, or a mark such as ``UNSIGNED-PAYLOAD``; by default it is computed.
    """
    headers = request.headers
    headers["x-amz-date"] = timestamp = _basic(now)
    if credentials.token:
        headers["x-amz-security-token"] = credentials.token
    payload = payload or body_hash(request)
    if speaks_s3(service) or payload == UNSIGNED:
        headers["x-amz-content-sha256"] = payload
    names = sorted(name for name in headers if name in _ALSO_SIGNED or name.startswith("x-amz-"))
    unsigned = Signature(
        credentials.key_id, timestamp[:8], region, service, ";".join(names), "", timestamp, credentials.token
    )
    signed = _signed(request, unsigned, credentials.secret, payload)
    headers["authorization"] = (
        f"{ALGORITHM} Credential={signed.key_id}/{signed.scope}, "
        f"SignedHeaders={signed.signed_headers}, Signature={signed.signature}"
    )
    return signed


def presign(
    method: str,
    url: str,
    credentials: Credentials,
    region: str,
    service: str,
    now: datetime,
    *,
    expires: int = 3600,
    headers: Mapping[str, str] | None = None,
    body: bytes = b"",
) -> str:
    """A URL that does `method` for whoever holds it, for `expires` seconds.

    `url` has its path and query encoded; `headers` (lower-case names) must then be sent as given. `body` is part of
    the signature except for S3.
    """
    parts = urlsplit(url)
    names = ";".join(sorted({"host", *(headers or {})}))
    timestamp = _basic(now)
    unsigned = Signature(
        credentials.key_id, timestamp[:8], region, service, names, "", timestamp, credentials.token, expires
    )
    added = {
        "X-Amz-Algorithm": ALGORITHM,
        "X-Amz-Credential": f"{credentials.key_id}/{unsigned.scope}",
        "X-Amz-Date": timestamp,
        "X-Amz-Expires": str(expires),
        "X-Amz-SignedHeaders": names,
    }
    if credentials.token:
        added["X-Amz-Security-Token"] = credentials.token
    ours = "&".join(f"{name}={quote(value, safe='-_.~')}" for name, value in added.items())
    query = f"{parts.query}&{ours}" if parts.query else ours
    path = parts.path or "/"
    request = Request(method, path, query, {"host": parts.netloc, **(headers or {})}, body)
    payload = UNSIGNED if speaks_s3(service) else body_hash(request)
    signed = _signed(request, unsigned, credentials.secret, payload)
    return f"{parts.scheme}://{parts.netloc}{path}?{query}&X-Amz-Signature={signed.signature}"


def sign_text(text: str, secret: str, date: str, region: str, service: str) -> str:
    """The hex signature of a text by itself, such as the policy of a browser's form upload."""
    return hmac.digest(signing_key(secret, date, region, service), text.encode(), "sha256").hex()


def _signed(request: Request, unsigned: Signature, secret: str, payload: str) -> Signature:
    canonical = canonical_request(request, unsigned, payload, s3=speaks_s3(unsigned.service))
    key = signing_key(secret, unsigned.date, unsigned.region, unsigned.service)
    digest = hmac.digest(key, string_to_sign(unsigned, canonical).encode("latin-1"), "sha256")
    return unsigned._replace(signature=digest.hex())


def _basic(now: datetime) -> str:
    return now.strftime("%Y%m%dT%H%M%SZ")
