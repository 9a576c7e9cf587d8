"""Answers on their way out: heads, bodies in one piece, streams; and what is answered when there is no answer."""

from __future__ import annotations

import asyncio
import logging
import os
import socket
from abc import ABC, abstractmethod
from functools import partial
from typing import TYPE_CHECKING, Any

from cloudjar.base.clock import monotonic
from cloudjar.base.errors import AwsError
from cloudjar.gateway import http1
from cloudjar.gateway.ahead import AheadOutflow
from cloudjar.gateway.direct import DirectOutflow
from cloudjar.gateway.outflow import AsyncOutflow, Counted, Outflow, Transport, close_stream
from cloudjar.wire.message import FileRange, Request, Response, Upgrade

if TYPE_CHECKING:
    from cloudjar.gateway.server import Server

log = logging.getLogger("cloudjar.gateway")

_COPY = 64 << 10


class Answering(ABC):
    """The half of a connection that answers. What follows an answer is the other half's business."""

    server: Server
    deadline: float
    _wire: Any
    _tls: Any
    _transport: Transport
    _head: http1.Head | None
    _request: Request | None
    _outflow: Outflow | AsyncOutflow | AheadOutflow | DirectOutflow | None
    writable: bool

    @abstractmethod
    def abort(self) -> None:
        """Drop the connection at once."""

    @abstractmethod
    def _next(self) -> None:
        """The answer is written."""

    @abstractmethod
    def _proceed(self) -> None:
        """Go on with what was received meanwhile."""

    def _set_deadline(self, seconds: float) -> None:
        self.deadline = monotonic() + seconds if seconds else 0.0

    def _limit_hops(self, hops: int) -> None:
        if (sock := self._wire.get_extra_info("socket")) is not None and sock.family == socket.AF_INET:
            sock.setsockopt(socket.IPPROTO_IP, socket.IP_TTL, hops)

    def _respond(self, response: Response) -> None:
        """Send the answer to the current request, then be ready for the next."""
        head = self._head
        assert head is not None
        if isinstance(response, Upgrade):
            self._transport.write(http1.switching(response.headers))
            response.take(self)
            return
        body = response.body
        try:
            text, stated, said = http1.split_headers(response.headers)
        except ValueError:
            log.exception("a handler's headers cannot be sent")
            close_stream(body)
            response = self._failure()
            body, (text, stated, said) = response.body, http1.split_headers(response.headers)
        if "close" in said or self.server.closing:
            head.keep_alive = False
        if response.hop_limit:
            self._limit_hops(response.hop_limit)
        silent = head.method == "HEAD" or response.status in (204, 304) or response.status < 200
        if isinstance(body, (bytes, bytearray, memoryview)):
            length = stated if silent and (stated >= 0 or response.status == 304) else len(body)
            data = self._render(response.status, text, said, length)
            self._transport.write(data if silent or len(body) > _COPY else data + body)
            if not silent and len(body) > _COPY:
                self._transport.write(bytes(body))
            self._next()
            return
        length = body.size if isinstance(body, FileRange) else stated
        framed = length >= 0 or head.minor == 1
        head.keep_alive = head.keep_alive and framed
        chunked = length < 0 and framed
        rendered = self._render(response.status, text, said, length, chunked=chunked)
        if not silent and getattr(body, "blocks", False):
            self._stream_ahead(body, rendered, length, chunked=chunked)
            return
        self._transport.write(rendered)
        if silent:
            close_stream(body)
            self._next()
        else:
            self._stream(body, length, chunked=chunked)

    def _render(self, status: int, text: str, said: frozenset[str], length: int, *, chunked: bool = False) -> bytes:
        head = self._head
        parts = [http1.status_line(status), text]
        if "date" not in said:
            parts.append(self.server.date_line)
        if "server" not in said:
            parts.append("Server: Cloudjar\r\n")
        if chunked:
            parts.append("Transfer-Encoding: chunked\r\n")
        elif length >= 0 and status != 204 and status >= 200:
            parts.append(f"Content-Length: {length}\r\n")
        if head is None or not head.keep_alive:
            parts.append("Connection: close\r\n")
        elif head.minor == 0:
            parts.append("Connection: keep-alive\r\n")
        parts.append("\r\n")
        return http1.encode_head("".join(parts))

    def _stream(self, body: Any, length: int, *, chunked: bool) -> None:
        flow = AsyncOutflow if hasattr(body, "__aiter__") else Outflow
        self._set_deadline(self.server.timeouts.write if flow is Outflow else 0.0)
        self._outflow = flow(self, self._transport, body, length, chunked=chunked)
        self._outflow.resume()

    def _stream_ahead(self, body: Any, head: bytes, length: int, *, chunked: bool) -> None:
        """A body whose pieces are read on threads; the head waits for the first, which may be a failure."""
        threads = self.server.threads
        self.busy()
        if self._tls is None and length == getattr(body, "size", -1) and hasattr(body, "read_into"):
            wire = self._wire
            sock = wire.get_extra_info("socket")
            if sock is not None and not wire.get_write_buffer_size():
                loop = asyncio.get_running_loop()
                self._outflow = direct = DirectOutflow(self, os.dup(sock.fileno()), body, head, threads, loop)
                direct.begin()
                return
        begin = partial(self._transport.write, head)
        frames = Counted(length, chunked=chunked)
        soon = self.server.call_from_thread
        self._outflow = AheadOutflow(self, self._transport, body, frames, begin, threads, soon)

    def streamed(self, *, whole: bool) -> None:
        """The stream ended. Cut short, the connection must break: the client must not take it for whole."""
        self._outflow = None
        if not whole:
            self.abort()
            return
        self._next()
        self._proceed()

    def unstarted(self, error: Exception) -> None:
        """The stream failed before the client saw any of it: the failure is the answer."""
        self._outflow = None
        request = self._request
        known = isinstance(error, AwsError) and request is not None
        self._respond(self._error(request, error) if known else self._failure())  # type: ignore[arg-type] # as known
        self._proceed()

    def moved(self) -> None:
        """The client takes what it is sent."""
        self._set_deadline(self.server.timeouts.write)

    def busy(self) -> None:
        """It is not the client who is waited for."""
        self._set_deadline(0.0)

    def _error(self, request: Request, error: AwsError) -> Response:
        try:
            return self.server.on_error(request, error)
        except Exception:
            log.exception("on_error failed for %s", error.code)
            return self._failure()

    def _failure(self) -> Response:
        body = b"<Response><Errors><Error><Code>InternalError</Code></Error></Errors></Response>"
        return Response(500, [("Content-Type", "text/xml")], body)
