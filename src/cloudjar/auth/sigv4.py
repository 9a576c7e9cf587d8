"""Signature Version 4: what was signed, and whether it holds. Pure: no I/O, no clock, no store.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-authenticating-requests.html

Text of a request is Latin-1, that is, the bytes that were sent (see `wire.message.Request`).
"""

from __future__ import annotations

import hashlib
import hmac
import re
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from functools import lru_cache
from typing import NamedTuple
from urllib.parse import quote_from_bytes, unquote_to_bytes

from cloudjar.auth import sigv4_errors as errors
from cloudjar.base.errors import AwsError
from cloudjar.wire.message import Request

ALGORITHM = "AWS4-HMAC-SHA256"
TERMINATOR = "aws4_request"
UNSIGNED = "UNSIGNED-PAYLOAD"
STREAMING = frozenset(
    {
        "STREAMING-AWS4-HMAC-SHA256-PAYLOAD",
        "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER",
        "STREAMING-UNSIGNED-PAYLOAD-TRAILER",
    }
)
"""Payload marks of aws-chunked bodies, whose chunks are checked as they are decoded (`auth.chunked`)."""
EVENTS = "STREAMING-AWS4-HMAC-SHA256-EVENTS"
SKEW = timedelta(minutes=15)
_EARLY = -SKEW
MAX_EXPIRES = 604_800

_EMPTY_SHA256 = hashlib.sha256(b"").hexdigest()
_HEADER = re.compile(
    ALGORITHM + r" +Credential=([^,\s]+),? *SignedHeaders=([^,\s]+),? *Signature=([^,\s]+) *", re.ASCII
)
_STAMP = re.compile(r"(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z", re.ASCII)
_HEX_SHA256 = re.compile(r"[0-9a-f]{64}")
_UNRESERVED = re.compile(r"[A-Za-z0-9\-_.~]*")
_PLAIN_PATH = re.compile(r"(?:/(?!\.{0,2}(?:/|$))[A-Za-z0-9\-_.~]+)*/?")
_SPACES = re.compile(r"[ \t]+")


class Signature(NamedTuple):
    """What a request says of its signature. `signed_headers` is as sent, joined by ``;``; `timestamp` is ISO 8601
    basic; `expires` is in seconds for a presigned URL, else None."""

    key_id: str
    date: str
    region: str
    service: str
    signed_headers: str
    signature: str
    timestamp: str
    token: str = ""
    expires: int | None = None

    @property
    def scope(self) -> str:
        """``20260115/us-east-1/iam/aws4_request``."""
        return f"{self.date}/{self.region}/{self.service}/{TERMINATOR}"


def parse(request: Request, dialect: str = "") -> Signature | None:
    """The signature of a request, from its Authorization header or its query; None for an anonymous one.

    `dialect` is a service's name or ``query``, ``json``, ``rest-json``: whose words an AwsError uses.
    """
    header = request.headers.get("authorization")
    query = request.query
    if "X-Amz-" in query and ("X-Amz-Algorithm=" in query or "X-Amz-Signature=" in query):
        if header is not None:
            raise errors.two_mechanisms(dialect)
        return _parse_query(query, dialect)
    if header is None:
        if "AWSAccessKeyId=" in query and "Signature=" in query:
            raise errors.version_2(dialect)
        return None
    return _parse_header(request, header, dialect)


def verify(
    request: Request,
    signature: Signature,
    secret: str,
    now: datetime,
    *,
    dialect: str = "query",
    unsigned_body: bool = False,
    body_read: bool = True,
) -> None:
    """Raise AwsError, in the words of `dialect`, unless the signature holds at `now` (real time, aware).

    `unsigned_body` is for operations whose model allows it (``v4-unsigned-body``); S3 always does.
    With ``body_read=False`` the payload is taken to be what the headers declare (see `declares_payload`): call
    `verify_payload` once the body is there. A chunked payload is checked by its decoder, and refused without one.
    """
    _check_time(signature, now, dialect)
    _check_headers(request, signature, dialect)
    s3 = errors.speaks_s3(dialect)
    payload = _declared(request, signature, s3=s3, dialect=dialect, unsigned_body=unsigned_body)
    if payload is None:
        if not body_read:
            raise ValueError("this request's signature cannot be checked before its body is read")
        payload = body_hash(request)
    canonical = canonical_request(request, signature, payload, s3=s3)
    to_sign = string_to_sign(signature, canonical)
    key = signing_key(secret, signature.date, signature.region, signature.service)
    expected = hmac.digest(key, to_sign.encode("latin-1"), "sha256").hex()
    if not hmac.compare_digest(expected, signature.signature):
        raise errors.mismatch(dialect, signature.key_id, signature.signature, canonical, to_sign)
    if body_read and "x-amz-content-sha256" in request.headers:
        verify_payload(request, dialect)


def _chunks_unchecked() -> AwsError:
    return AwsError("NotImplemented", "A header you provided implies functionality that is not implemented", 501)


def declares_payload(request: Request, signature: Signature, dialect: str) -> bool:
    """True when the signature can be checked before the body is read."""
    return "x-amz-content-sha256" in request.headers or (errors.speaks_s3(dialect) and signature.expires is not None)


def verify_payload(request: Request, dialect: str) -> None:
    """Raise AwsError unless the body is the one that ``x-amz-content-sha256`` promised."""
    declared = request.headers.get("x-amz-content-sha256")
    if declared is None or declared in (UNSIGNED, EVENTS):
        return
    if declared in STREAMING:
        if not request.decoded:
            raise _chunks_unchecked()
        return
    actual = body_hash(request)
    if not hmac.compare_digest(declared.encode("latin-1", "replace"), actual.encode()):
        raise errors.payload_mismatch(dialect, declared, actual)


def body_hash(request: Request) -> str:
    """Hex SHA-256 of the payload as sent."""
    if request.raw_body_hash:
        return request.raw_body_hash
    body = request.body
    if isinstance(body, bytes):
        return hashlib.sha256(body).hexdigest() if body else _EMPTY_SHA256
    digest = hashlib.sha256()
    for piece in body.chunks():
        digest.update(piece)
    return digest.hexdigest()


@lru_cache(maxsize=1024)
def signing_key(secret: str, date: str, region: str, service: str) -> bytes:
    """The key of a day, region and service; kept, since clients use one for a day."""
    key = ("AWS4" + secret).encode()
    for part in (date, region, service, TERMINATOR):
        key = hmac.digest(key, part.encode("latin-1", "replace"), "sha256")
    return key


def string_to_sign(signature: Signature, canonical: str) -> str:
    """The text that the signing key signs."""
    digest = hashlib.sha256(as_sent(canonical)).hexdigest()
    scope = f"{signature.date}/{signature.region}/{signature.service}/{TERMINATOR}"
    return f"{ALGORITHM}\n{signature.timestamp}\n{scope}\n{digest}"


def canonical_request(request: Request, signature: Signature, payload: str, *, s3: bool = False) -> str:
    """The request in the one spelling that both sides hash. S3 neither normalises nor double-encodes the path."""
    get = request.headers.get
    lines = "".join([f"{name}:{get(name, '')}\n" for name in _listed(signature.signed_headers)])
    if "  " in lines or "\t" in lines:
        lines = _SPACES.sub(" ", lines)
    path = request.path
    if path != "/":
        path = canonical_s3_path(path) if s3 else canonical_path(path)
    query = canonical_query(request.query) if request.query else ""
    return f"{request.method}\n{path}\n{query}\n{lines}\n{signature.signed_headers}\n{payload}"


@lru_cache(maxsize=1024)
def _listed(signed_headers: str) -> tuple[str, ...]:
    return tuple(signed_headers.split(";"))


def canonical_path(path: str) -> str:
    """A path as sent, normalised (RFC 3986 section 6) and encoded once more."""
    if path == "/" or (_PLAIN_PATH.fullmatch(path) and path):
        return path
    kept: list[str] = []
    for segment in path.split("/"):
        if segment == "..":
            del kept[-1:]
        elif segment not in ("", "."):
            kept.append(segment)
    if not kept:
        return "/"
    return "/" + quote_from_bytes(as_sent("/".join(kept)), safe="/-_.~") + ("/" if path.endswith("/") else "")


def canonical_s3_path(path: str) -> str:
    """An object's path as sent, each segment decoded and encoded in the one canonical way."""
    if _PLAIN_PATH.fullmatch(path):
        return path or "/"
    return "/".join([_encode(segment) for segment in path.split("/")])


def canonical_query(query: str) -> str:
    """The parameters, encoded in the one way, sorted by name and then value, without ``X-Amz-Signature``."""
    pairs = []
    for item in query.split("&"):
        if item:
            name, _, value = item.partition("=")
            if name != "X-Amz-Signature":
                pairs.append((_encode(name, plus=" "), _encode(value, plus=" ")))
    pairs.sort()
    return "&".join([f"{name}={value}" for name, value in pairs])


def as_sent(text: str) -> bytes:
    """The bytes behind the text of a request; text that never was on a wire is taken as UTF-8."""
    try:
        return text.encode("latin-1")
    except UnicodeEncodeError:
        return text.encode("utf-8", "surrogatepass")


def _encode(text: str, plus: str = "+") -> str:
    if _UNRESERVED.fullmatch(text):
        return text
    return quote_from_bytes(unquote_to_bytes(as_sent(text.replace("+", plus))), safe="-_.~")


def _parse_header(request: Request, header: str, dialect: str) -> Signature:
    said, mark, signature = header.rpartition("Signature=")
    known = _said_before.get(said)
    if known is None or not _HEX_SHA256.fullmatch(signature):
        match = _HEADER.fullmatch(header)
        if match is not None:
            credential, signed, signature = match.groups()
        else:
            credential, signed, signature = _parse_parts(request, header, dialect)
        known = (*_credential(credential, dialect), signed.lower())
        if match is not None and header == f"{said}{mark}{signature}":
            _remember(said, known)
    key_id, date, region, service, signed = known
    stamp = request.headers.get("x-amz-date") or request.headers.get("date")
    if stamp is None:
        raise errors.incomplete_header(dialect or service, header, ["Date"])
    timestamp = _timestamp(stamp)
    if timestamp is None:
        raise errors.bad_date(dialect or service, stamp)
    _same_day(dialect or service, date, timestamp)
    token = request.headers.get("x-amz-security-token", "")
    return Signature(key_id, date, region, service, signed, signature, timestamp, token)


_said_before: dict[str, tuple[str, str, str, str, str]] = {}
"""What the header says before the signature, which a client repeats all day: key, date, region, service, headers."""


def _remember(said: str, parts: tuple[str, str, str, str, str]) -> None:
    if len(_said_before) >= 1024:
        _said_before.clear()
    _said_before[said] = parts


def _parse_parts(request: Request, header: str, dialect: str) -> tuple[str, str, str]:
    """The parameters in whatever order they come; the answer to a header that has not all of them."""
    scheme, _, rest = header.partition(" ")
    if scheme.startswith("AWS4-ECDSA"):
        raise errors.version_4a()
    if scheme in ("AWS", "AWS3", "AWS3-HTTPS"):
        raise errors.version_2(dialect)
    if scheme != ALGORITHM:
        raise errors.unknown_scheme(dialect, header)
    parts: dict[str, str] = {}
    for item in rest.replace(",", " ").split():
        name, _, value = item.partition("=")
        parts[name] = value
    missing = [name for name in ("Credential", "Signature", "SignedHeaders") if not parts.get(name)]
    if missing:
        if not {"x-amz-date", "date"} & request.headers.keys():
            missing.append("Date")
        raise errors.incomplete_header(dialect, header, missing)
    return parts["Credential"], parts["SignedHeaders"], parts["Signature"]


def _parse_query(query: str, dialect: str) -> Signature:
    values: dict[str, str] = {}
    for item in query.split("&"):
        name, _, value = item.partition("=")
        if name.startswith("X-Amz-"):
            if name in values:
                raise errors.query_parameters(dialect, f"{name} is given more than once")
            values[name] = unquote_to_bytes(as_sent(value.replace("+", " "))).decode("latin-1")
    algorithm = values.get("X-Amz-Algorithm", ALGORITHM)
    if algorithm.startswith("AWS4-ECDSA"):
        raise errors.version_4a()
    names = ("X-Amz-Algorithm", "X-Amz-Credential", "X-Amz-Signature", "X-Amz-Date", "X-Amz-SignedHeaders")
    missing = [name for name in names if not values.get(name)]
    if errors.speaks_s3(dialect) and "X-Amz-Expires" not in values:
        missing.append("X-Amz-Expires")
    if missing:
        raise errors.incomplete_query(dialect, missing)
    if algorithm != ALGORITHM:
        raise errors.query_parameters(dialect, f'X-Amz-Algorithm only supports "{ALGORITHM}"')
    key_id, date, region, service = _credential(values["X-Amz-Credential"], dialect, query=True)
    timestamp = values["X-Amz-Date"]
    if not _STAMP.fullmatch(timestamp) or instant(timestamp) is None:
        raise errors.query_parameters(
            dialect or service, "X-Amz-Date must be in the ISO8601 Long Format \"yyyyMMdd'T'HHmmss'Z'\""
        )
    _same_day(dialect or service, date, timestamp, query=True)
    return Signature(
        key_id,
        date,
        region,
        service,
        values["X-Amz-SignedHeaders"].lower(),
        values["X-Amz-Signature"],
        timestamp,
        values.get("X-Amz-Security-Token", ""),
        _expires(values.get("X-Amz-Expires", "900"), dialect or service),
    )


def _expires(text: str, dialect: str) -> int:
    if not re.fullmatch(r"-?[0-9]{1,18}", text, re.ASCII):
        raise errors.query_parameters(dialect, "X-Amz-Expires should be a number")
    seconds = int(text)
    if seconds < 0:
        raise errors.query_parameters(dialect, "X-Amz-Expires must be non-negative")
    if seconds > MAX_EXPIRES:
        raise errors.query_parameters(
            dialect,
            "X-Amz-Expires must be less than a week (in seconds); that is, the given X-Amz-Expires "
            f"must be less than {MAX_EXPIRES} seconds",
        )
    return seconds


def _credential(text: str, dialect: str, *, query: bool = False) -> tuple[str, str, str, str]:
    parts = text.split("/")
    if len(parts) != 5 or not all(parts):
        raise errors.bad_credential(dialect, text, query=query)
    key_id, date, region, service, terminator = parts
    if terminator != TERMINATOR:
        raise errors.bad_terminator(dialect or service, terminator, query=query)
    return key_id, date, region, service


def _same_day(dialect: str, date: str, timestamp: str, *, query: bool = False) -> None:
    if timestamp[:8] != date:
        raise errors.other_day(dialect, date, timestamp, query=query)


def _timestamp(text: str) -> str | None:
    """A date header's value as ISO 8601 basic; None when it is not a date."""
    if instant(text) is not None:
        return text
    try:
        moment = parsedate_to_datetime(text)
    except (ValueError, TypeError, OverflowError, IndexError):
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    try:
        return moment.astimezone(UTC).strftime("%Y%m%dT%H%M%SZ")
    except (ValueError, OverflowError):
        return None


@lru_cache(maxsize=256)
def instant(timestamp: str) -> datetime | None:
    """The moment of an ISO 8601 basic timestamp; None when there is no such moment."""
    match = _STAMP.fullmatch(timestamp)
    try:
        return None if match is None else datetime(*map(int, match.groups()), tzinfo=UTC)  # type: ignore[misc,arg-type] # six integers
    except ValueError:
        return None


def _check_time(signature: Signature, now: datetime, dialect: str) -> None:
    signed = instant(signature.timestamp)
    if signed is None:
        raise errors.bad_date(dialect, signature.timestamp)
    age = now - signed
    if signature.expires is None:
        if not _EARLY <= age <= SKEW:
            raise errors.skewed(dialect, signature.timestamp, signed, now)
        return
    if age < _EARLY:
        raise errors.not_yet_valid(dialect, signature.timestamp, signed, now)
    life = timedelta(seconds=signature.expires)
    if not errors.speaks_s3(dialect):
        life = max(life, SKEW)
    if age > life:
        raise errors.expired_url(dialect, signature.timestamp, signature.expires, signed, now)


@lru_cache(maxsize=1024)
def _covers(signed_headers: str, names: tuple[str, ...]) -> bool:
    """Whether all that must be signed is, of a request with these headers: a client sends the same ones all day."""
    signed = _listed(signed_headers)
    return "host" in signed and all(name[:6] != "x-amz-" or name in signed for name in names)


def _check_headers(request: Request, signature: Signature, dialect: str) -> None:
    if _covers(signature.signed_headers, tuple(request.headers)):
        return
    signed = _listed(signature.signed_headers)
    if "host" not in signed:
        raise errors.host_unsigned(dialect, presigned=signature.expires is not None)
    unsigned = [name for name in request.headers if name[:6] == "x-amz-" and name not in signed]
    if unsigned:
        raise errors.headers_unsigned(dialect, unsigned)


def _declared(request: Request, signature: Signature, *, s3: bool, dialect: str, unsigned_body: bool) -> str | None:
    """The payload hash that the client says it signed; None when it is for us to compute."""
    declared = request.headers.get("x-amz-content-sha256")
    if declared is None:
        if not s3:
            return None
        if signature.expires is not None:
            return UNSIGNED
        raise AwsError("InvalidRequest", "Missing required header for this request: x-amz-content-sha256", 400)
    if _HEX_SHA256.fullmatch(declared):
        return declared
    if s3 and (declared == UNSIGNED or declared in STREAMING):
        return declared
    if unsigned_body and declared in (UNSIGNED, EVENTS):
        return declared
    raise errors.bad_payload_mark(dialect, declared)
