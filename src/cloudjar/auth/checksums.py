"""The checksums that S3 accepts beside a body, computed as it passes.

https://docs.aws.amazon.com/AmazonS3/latest/userguide/checking-object-integrity.html
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import zlib
from collections.abc import Callable
from functools import cache
from typing import Protocol

from cloudjar.base.errors import AwsError

HEADER = "x-amz-checksum-"


class Checksum(Protocol):
    """An incremental checksum; `digest` is big-endian, as it is sent (in base64)."""

    def update(self, data: bytes | memoryview, /) -> None: ...

    def digest(self) -> bytes: ...


class _Crc:
    """A CRC whose function takes the data and the value so far."""

    __slots__ = ("_function", "_size", "_value")

    def __init__(self, function: Callable[[bytes | memoryview, int], int], size: int) -> None:
        self._function = function
        self._size = size
        self._value = 0

    def update(self, data: bytes | memoryview, /) -> None:
        self._value = self._function(data, self._value)

    def digest(self) -> bytes:
        return self._value.to_bytes(self._size, "big")


@cache
def _of_crt(name: str) -> Callable[[bytes | memoryview, int], int]:
    from awscrt import checksums  # slow to load: a server without objects does without

    function: Callable[[bytes | memoryview, int], int] = getattr(checksums, name)
    return function


def _crc32c() -> Checksum:
    return _Crc(_of_crt("crc32c"), 4)


class _Xx:
    """An xxHash; its digest may be asked for more than once."""

    __slots__ = ("_digest", "_hash")

    def __init__(self, variant: str) -> None:
        from awscrt.checksums import XXHash  # slow to load, rarely needed

        self._hash = getattr(XXHash, f"new_{variant}")()
        self._digest: bytes | None = None

    def update(self, data: bytes | memoryview, /) -> None:
        self._hash.update(data if isinstance(data, bytes) else bytes(data))  # it takes nothing else

    def digest(self) -> bytes:
        if self._digest is None:
            self._digest = bytes(self._hash.finalize())
        return self._digest


def _crc64nvme() -> Checksum:
    return _Crc(_of_crt("crc64nvme"), 8)


_MAKERS: dict[str, tuple[Callable[[], Checksum], int]] = {
    "crc32": (lambda: _Crc(zlib.crc32, 4), 4),
    "crc32c": (_crc32c, 4),
    "crc64nvme": (_crc64nvme, 8),
    "sha1": (lambda: hashlib.sha1(usedforsecurity=False), 20),
    "sha256": (hashlib.sha256, 32),
    "sha512": (hashlib.sha512, 64),
    "xxhash64": (lambda: _Xx("xxhash64"), 8),
    "xxhash3": (lambda: _Xx("xxhash3_64"), 8),
    "xxhash128": (lambda: _Xx("xxhash3_128"), 16),
}
ALGORITHMS = tuple(_MAKERS)
"""Lower-case names, as in the header ``x-amz-checksum-<name>``."""


def checksum(algorithm: str) -> Checksum:
    """A new checksum; KeyError for a name that is not in `ALGORITHMS`."""
    return _MAKERS[algorithm][0]()


def check(algorithm: str, running: Checksum, sent: str, *, where: str = "header") -> None:
    """Raise S3's AwsError unless `sent` (base64) is what `running` came to."""
    try:
        value = base64.b64decode(sent.encode("latin-1"), validate=True)
    except (binascii.Error, ValueError):
        value = b""
    if len(value) != _MAKERS[algorithm][1]:
        raise AwsError("InvalidRequest", f"Value for {HEADER}{algorithm} {where} is invalid.", 400)
    if not hmac.compare_digest(value, running.digest()):
        raise AwsError(
            "BadDigest", f"The {algorithm.upper()} you specified did not match the calculated checksum.", 400
        )
