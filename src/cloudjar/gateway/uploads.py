"""Large objects on their way into S3: who sends one is asked who he is and whether he may before a byte is read, and
the bytes go to where they are kept as they come.

Small ones (up to what lies in a row) are ordinary requests.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Protocol

from cloudjar.auth import checksums
from cloudjar.auth.authenticate import Authenticator
from cloudjar.auth.chunked import is_chunked
from cloudjar.base.errors import AwsError
from cloudjar.gateway.body import BodyPolicy
from cloudjar.gateway.inflow import Sink
from cloudjar.planes.objects.port import INLINE, Hash
from cloudjar.wire.message import Request
from cloudjar.wire.route import Route, detect

LARGEST = 5 << 30
"""Bytes of one PutObject or UploadPart."""
_STREAMED = frozenset({("s3", "PutObject"), ("s3", "UploadPart")})
_OVERHEAD = 64 << 20
"""What the signatures between the chunks may add."""
_DECODED = "x-amz-decoded-content-length"
_USUAL = "crc64nvme"
"""Computed whether it is asked for or not: S3 gives it to objects that come without a checksum."""


class Admission(Protocol):
    """The pipeline, before a body is there."""

    def admit(self, request: Request, route: Route) -> None:
        """Raise what the call would be refused with for who makes it."""
        ...


class Uploads:
    """Says of a request whether its body goes straight to the objects. `sink` makes a place for it."""

    def __init__(
        self, admission: Admission, authenticator: Authenticator, sink: Callable[[Mapping[str, Hash]], Sink]
    ) -> None:
        self._admission = admission
        self._authenticator = authenticator
        self._sink = sink

    def policy(self, request: Request) -> BodyPolicy | None:
        """None for what is no large upload. Raises AwsError: it is refused as it is."""
        if request.method != "PUT":
            return None
        headers = request.headers
        size = _size(headers)
        if 0 <= size <= INLINE:
            return None
        route = detect(request)
        if route[:2] not in _STREAMED:
            return None
        if size < 0:
            raise AwsError("MissingContentLength", "You must provide the Content-Length HTTP header.", 411)
        chunks = self._authenticator.begin_chunked(request) if is_chunked(request) else None
        if chunks is None:
            self._authenticator.begin(request)
        self._admission.admit(request, route)
        if size > LARGEST:
            raise _too_large(size)
        sink = partial(self._sink, _hashes(headers))
        return BodyPolicy(max_size=LARGEST + (_OVERHEAD if chunks else 0), decoder=chunks, sink=sink)


def _size(headers: Mapping[str, str]) -> int:
    """Bytes of the object to be; -1 when the headers do not say."""
    said = headers.get(_DECODED) or headers.get("content-length")
    if said is None:
        return -1 if "transfer-encoding" in headers else 0
    return int(said) if said.isascii() and said.isdecimal() and len(said) < 19 else -1


def _hashes(headers: Mapping[str, str]) -> dict[str, Hash]:
    """The digests that somebody will ask for: of the payload as signed, and the checksums that the headers name."""
    names = {_USUAL}
    if len(headers.get("x-amz-content-sha256", "")) == 64:
        names.add("sha256")
    names.add(headers.get("x-amz-sdk-checksum-algorithm", "").lower())
    names.update(name[len(checksums.HEADER) :] for name in headers if name.startswith(checksums.HEADER))
    names.update(
        name.strip()[len(checksums.HEADER) :]
        for name in headers.get("x-amz-trailer", "").lower().split(",")
        if name.strip().startswith(checksums.HEADER)
    )
    return {name: checksums.checksum(name) for name in sorted(names) if name in checksums.ALGORITHMS}


def _too_large(size: int) -> AwsError:
    return AwsError(
        "EntityTooLarge",
        "Your proposed upload exceeds the maximum allowed size",
        400,
        members={"ProposedSize": str(size), "MaxSizeAllowed": str(LARGEST)},
    )
