"""HTTP as the rest of the house sees it: two plain values, no sockets."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol


class Body(Protocol):
    """A request body that was too large to hold: spooled by the gateway, decoded (chunks, gzip) already."""

    size: int

    def chunks(self, size: int = 1 << 20) -> Iterable[bytes]:
        """The decoded body, once or again, from its beginning."""
        ...


class Request:
    """One HTTP request. `path` and `query` are as sent (percent-encoded, without ``?``).

    `headers` has lower-case names; repeated headers are joined by ``,``. `body` is decoded content.
    `trusted` is True when it arrived on a loopback listener (default credentials are accepted only there).
    `vpc` names the VPC whose guest sent it ("" for the host).
    """

    __slots__ = ("body", "headers", "method", "path", "peer", "query", "raw_body_hash", "secure", "trusted", "vpc")

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
        self.raw_body_hash = ""
        """Hex SHA-256 of the payload as sent, when the gateway computed it while streaming; else empty."""


class Response:
    """One HTTP response. `body` is bytes, or an iterable of bytes for streams (then sent chunked or with length)."""

    __slots__ = ("body", "headers", "status")

    def __init__(
        self, status: int, headers: list[tuple[str, str]] | None = None, body: bytes | Iterable[bytes] = b""
    ) -> None:
        self.status = status
        self.headers = headers if headers is not None else []
        self.body = body
