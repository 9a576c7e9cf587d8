"""Content-MD5 and checksums of a body: what was asked for, whether it holds, and how it is told.

https://docs.aws.amazon.com/AmazonS3/latest/userguide/checking-object-integrity.html
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from collections.abc import Mapping
from typing import Any, NamedTuple

from cloudjar.auth import checksums
from cloudjar.base.errors import AwsError
from cloudjar.kit.context import Ctx
from cloudjar.planes.objects.port import Hash, Landed
from cloudjar.services.s3 import errors

DEFAULT = "CRC64NVME"
"""What S3 computes when nobody asks for anything."""
ALGORITHMS = tuple(name.upper() for name in checksums.ALGORITHMS)
_MEMBERS = {f"Checksum{name}": name for name in (*ALGORITHMS, "MD5")}
_TRAILER = "x-amz-checksum-"


class Asked(NamedTuple):
    """The algorithm of a body, and the value that it must come to ("" when only a trailer said, which was checked)."""

    algorithm: str
    value: str
    chosen: bool
    """False when nobody asked: `algorithm` is the default."""


def asked(ctx: Ctx, req: Mapping[str, Any]) -> Asked:
    """What a request says of its body. Raises InvalidRequest."""
    given = values(req)
    if len(given) > 1:
        raise errors.invalid_request(
            "Expecting a single x-amz-checksum- header. Multiple checksum Types are not allowed."
        )
    algorithm, value = next(iter(given.items()), ("", ""))
    trailer = _trailer(ctx)
    sdk = req.get("ChecksumAlgorithm") or ""
    named = algorithm or trailer
    if sdk and ctx.request is not None:
        if not named:
            raise errors.invalid_request(
                "x-amz-sdk-checksum-algorithm specified, but no corresponding x-amz-checksum-* or x-amz-trailer "
                "headers were found."
            )
        if named != sdk:
            raise errors.invalid_request("Value for x-amz-sdk-checksum-algorithm header is invalid.")
    named = named or sdk
    return Asked(named or DEFAULT, value, bool(named))


def values(req: Mapping[str, Any]) -> dict[str, str]:
    """The checksums that a request (or one of its structures) states, by algorithm."""
    return {name: req[member] for member, name in _MEMBERS.items() if req.get(member)}


def _trailer(ctx: Ctx) -> str:
    if ctx.request is None:
        return ""
    for name in ctx.request.headers.get("x-amz-trailer", "").split(","):
        if name.strip().lower().startswith(_TRAILER):
            return name.strip()[len(_TRAILER) :].upper()
    return ""


def hashes(*algorithms: str) -> dict[str, Hash]:
    """Running digests for `store.blobs`; the MD5 is computed anyway."""
    return {name.lower(): checksums.checksum(name.lower()) for name in algorithms if name and name != "MD5"}


def digest(landed: Landed, algorithm: str) -> bytes:
    """What a body came to, in raw bytes."""
    return landed.md5 if algorithm == "MD5" else landed.digests[algorithm.lower()]


def told(raw: bytes) -> str:
    """A checksum as it is told."""
    return base64.b64encode(raw).decode()


def check(req: Mapping[str, Any], landed: Landed, wanted: Asked) -> None:
    """Raise BadDigest, InvalidDigest or InvalidRequest unless the body is what the request said."""
    if req.get("ContentMD5") is not None:
        check_md5(req["ContentMD5"], landed.md5)
    if wanted.value:
        check_value(wanted.algorithm, digest(landed, wanted.algorithm), wanted.value)


def check_value(algorithm: str, found: bytes, stated: str) -> None:
    """Raise unless a stated checksum (base64) is the computed one."""
    if hmac.compare_digest(_raw(algorithm, stated, len(found)), found):
        return
    raise AwsError("BadDigest", f"The {algorithm} you specified did not match the calculated checksum.", 400)


def _raw(algorithm: str, stated: str, length: int) -> bytes:
    try:
        raw = base64.b64decode(stated.encode("latin-1"), validate=True)
    except (binascii.Error, ValueError):
        raw = b""
    if len(raw) != length:
        raise errors.invalid_request(f"Value for x-amz-checksum-{algorithm.lower()} header is invalid.")
    return raw


def compute(algorithm: str, body: bytes) -> bytes:
    """The checksum of bytes in hand."""
    if algorithm == "MD5":
        return hashlib.md5(body, usedforsecurity=False).digest()
    running = checksums.checksum(algorithm.lower())
    running.update(body)
    return running.digest()


def check_md5(stated: str, found: bytes) -> None:
    """Raise InvalidDigest or BadDigest unless a stated MD5 (base64) is the computed one."""
    try:
        raw = base64.b64decode(stated.encode("latin-1"), validate=True)
    except (binascii.Error, ValueError):
        raw = b""
    if len(raw) != 16:
        raise errors.error(
            "InvalidDigest", "The Content-MD5 you specified was invalid.", 400, **{"Content-MD5": stated}
        )
    if not hmac.compare_digest(raw, found):
        raise errors.error(
            "BadDigest",
            "The Content-MD5 you specified did not match what we received.",
            ExpectedDigest=raw.hex(),
            CalculatedDigest=told(found),
        )


def shown(held: Mapping[str, str], kind: str) -> dict[str, Any]:
    """The members of an answer that tell checksums."""
    if not held:
        return {}
    return {**{f"Checksum{name}": value for name, value in held.items()}, "ChecksumType": kind}
