"""HTTP as the rest of the house sees it: two plain values, no sockets."""

from __future__ import annotations

import os
from collections.abc import AsyncIterable, Callable, Iterable, Iterator
from typing import Any, Protocol


class Body(Protocol):
    """A request body that was too large to hold: spooled by the gateway, decoded (chunks, gzip) already."""

    size: int

    def chunks(self, size: int = 1 << 20) -> Iterable[bytes]:
        """The decoded body, once or again, from its beginning."""
        ...


class Agreed(Protocol):
    """A connection's TLS."""

    def agreed(self) -> tuple[str, str]:
        """Version and cipher suite: ``("TLSv1.3", "TLS_AES_128_GCM_SHA256")``."""
        ...


class Request:
    """One HTTP request. `path` and `query` are as sent (percent-encoded, without ``?``).

    `headers` has lower-case names; repeated headers are joined by ``,``. `body` is decoded content.
    `trusted` is True when it arrived on a loopback listener (default credentials are accepted only there).
    `vpc` names the VPC whose guest sent it ("" for the host), `vpce` the VPC endpoint it came by. `tls` knows what a
    secure connection agreed upon. Text is Latin-1: the bytes that were sent.
    """

    __slots__ = (
        "attached",
        "body",
        "decoded",
        "headers",
        "method",
        "path",
        "peer",
        "query",
        "raw_body_hash",
        "secure",
        "tls",
        "trusted",
        "vpc",
        "vpce",
    )

    def __init__(
        self,
        method: str,
        path: str,
        query: str = "",
        headers: dict[str, str] | None = None,
        body: bytes | Body = b"",
        *,
        peer: str = "127.0.0.1",
        secure: bool = False,
        trusted: bool = True,
        vpc: str = "",
        vpce: str = "",
        tls: Agreed | None = None,
    ) -> None:
        self.method = method
        self.path = path
        self.query = query
        self.headers = headers if headers is not None else {}
        self.body = body
        self.peer = peer
        self.secure = secure
        self.trusted = trusted
        self.vpc = vpc
        self.vpce = vpce
        self.tls = tls
        self.raw_body_hash = ""
        """Hex SHA-256 of the payload as sent, when the gateway computed it while streaming; else empty."""
        self.decoded = False
        """True once a decoder (aws-chunked) has undone and checked the whole body."""
        self.attached: object = None
        """Whatever was found out before the body was read and the handler need not find out again."""


class FileRange:
    """Part of an open file as a response body: bytes ``[start, start + size)``. Owns the descriptor `fd`."""

    __slots__ = ("fd", "size", "start")

    def __init__(self, fd: int, start: int, size: int) -> None:
        self.fd = fd
        self.start = start
        self.size = size

    def __iter__(self) -> Iterator[bytes]:
        at, end = self.start, self.start + self.size
        while at < end:
            piece = os.pread(self.fd, min(256 << 10, end - at), at)
            if not piece:
                raise EOFError("the file is shorter than the range to send")
            at += len(piece)
            yield piece

    def close(self) -> None:
        """Close the descriptor; the gateway does so when the answer was sent or given up."""
        if self.fd >= 0:
            os.close(self.fd)
            self.fd = -1


class Response:
    """One HTTP response. `body` is bytes, or a stream: an iterable of bytes (pulled only as fast as the client
    reads, on the event loop, so it must not block), an async iterable, or a `FileRange`.

    An iterable with a true attribute `blocks` is pulled on threads, a little ahead, and may take its time; when its
    first piece fails, the failure is answered instead.
    A stream is sent with a length if it is a `FileRange` or the headers state ``Content-Length``, else chunked;
    it is closed (`close` or `aclose`, where it has one) when it was sent or the client went away. `hop_limit` is the
    IP time-to-live of its packets; 0 leaves the system's.
    """

    __slots__ = ("body", "headers", "hop_limit", "status")

    def __init__(
        self,
        status: int,
        headers: list[tuple[str, str]] | None = None,
        body: bytes | Iterable[bytes] | AsyncIterable[bytes] = b"",
    ) -> None:
        self.status = status
        self.headers = headers if headers is not None else []
        self.body = body
        self.hop_limit = 0


class Upgrade(Response):
    """A switch of protocols: after its head the connection belongs to whom `take` makes of it."""

    __slots__ = ("take",)

    def __init__(self, headers: list[tuple[str, str]], take: Callable[[Any], object]) -> None:
        super().__init__(101, headers)
        self.take = take
