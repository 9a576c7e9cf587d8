"""Connections that a conversation of `kit.streams` has taken over; WebSockets are those with a door and framing.

The connection's own protocol hands its transport over; from then on this one hears it. Pings keep middle boxes and
dead peers from being mistaken for silence.
"""

from __future__ import annotations

import asyncio
import logging
from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from cloudjar.base.clock import monotonic
from cloudjar.base.errors import AwsError
from cloudjar.kit.context import World
from cloudjar.kit.streams import Conversation, door
from cloudjar.wire import websocket
from cloudjar.wire.message import Request, Response, Upgrade

if TYPE_CHECKING:
    from cloudjar.gateway.connection import Connection
    from cloudjar.gateway.server import Server

log = logging.getLogger("cloudjar.gateway")

_QUIET = 120.0
"""Seconds without a sign of life after which the client is asked for one, and as long again until it is given up."""


class Doors:
    """Answers requests for a WebSocket."""

    def __init__(self, world: World) -> None:
        self._world = world

    def __call__(self, request: Request) -> Response:
        """The switch of protocols, or why there is none; `AwsError` is the caller's to word."""
        found = door(self._world, request.path)
        if found is None:
            raise AwsError("ResourceNotFoundException", "There is no such stream.", 404)
        conversation = found(self._world, request)

        def take(connection: Connection) -> Stream:
            return Stream(connection.server, connection, conversation)

        return Upgrade([("Sec-WebSocket-Accept", websocket.accept(request.headers["sec-websocket-key"]))], take)


class Held(asyncio.Protocol, ABC):
    """The protocol of a connection that was taken over, and the `Outlet` of its conversation (None: not yet)."""

    def __init__(self, server: Server, connection: Connection, conversation: Conversation | None) -> None:
        self.server = server
        self.deadline = monotonic() + _QUIET
        self.full = False
        self._asked = False
        self._over = False
        self._closing = False
        self._talk = conversation
        self._loop = asyncio.get_running_loop()
        self._wire, self._transport, self._tls = connection.handed_over(self)
        server.connections.add(self)

    @abstractmethod
    def _take(self, data: bytes) -> None:
        """Bytes of the client."""

    @abstractmethod
    def timed_out(self) -> None:
        """The deadline has passed."""

    @abstractmethod
    def send(self, data: bytes | str) -> None:
        """A message of the conversation's."""

    @abstractmethod
    def close(self, code: int = websocket.NORMAL, why: str = "") -> None:
        """The conversation's last word."""

    # -- what the transport calls
    def data_received(self, data: bytes) -> None:
        if self._tls is not None:
            self._tls.feed(data)
        else:
            self.plain_received(data)

    def plain_received(self, data: bytes) -> None:
        """Bytes as the client meant them (after TLS)."""
        self._asked = False
        self.deadline = monotonic() + _QUIET
        self._guard(self._take, data)

    def eof_received(self) -> bool:
        self._end()
        return False

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 gone is gone
        self._end()
        self.server.forget(self)

    def pause_writing(self) -> None:
        self.full = True

    def resume_writing(self) -> None:
        self.full = False
        if self._talk is not None:
            self._guard(self._talk.room)

    # -- what the server calls
    def shut(self) -> None:
        """The server goes."""
        self.close(websocket.GOING_AWAY)

    def abort(self) -> None:
        """At once."""
        self._end()
        self._wire.abort()

    # -- what the conversation calls
    def soon(self, work: Callable[[], None]) -> None:
        try:
            self._loop.call_soon_threadsafe(self._guard, work)
        except RuntimeError:  # the loop has ended, and with it whatever there was to do
            log.debug("a stream had something to do after the end")

    def apart(self, work: Callable[[], Any], then: Callable[[Any], None]) -> None:
        def done(future: asyncio.Future[Any]) -> None:
            if not future.cancelled():
                self._guard(then, future.exception() or future.result())

        self._loop.run_in_executor(None, work).add_done_callback(done)

    def _end(self) -> None:
        if not self._over:
            self._over = True
            self.deadline = monotonic() + 5.0
            if self._talk is not None:
                self._guard(self._talk.over)

    def _guard(self, step: Callable[..., object], *args: Any) -> None:
        """No exception leaves: a bug costs the client its connection and is logged whole."""
        try:
            step(*args)
        except Exception:
            log.exception("a stream failed")
            if self._talk is None or step != self._talk.over:
                self._end()
            self._wire.abort()


class Stream(Held):
    """A connection that became a WebSocket."""

    _talk: Conversation

    def __init__(self, server: Server, connection: Connection, conversation: Conversation) -> None:
        super().__init__(server, connection, conversation)
        self._reader = websocket.Reader(masked=True)
        self._guard(conversation.began, self)

    def timed_out(self) -> None:
        """Nothing was heard for long: ask, then give up."""
        if self._asked or self._over:
            self.abort()
            return
        self._asked = True
        self.deadline = monotonic() + _QUIET
        self._transport.write(websocket.frame(websocket.PING, b""))

    # -- what the conversation calls
    def send(self, data: bytes | str) -> None:
        if self._over or self._closing:
            return
        kind, payload = (websocket.TEXT, data.encode()) if isinstance(data, str) else (websocket.BINARY, data)
        self._transport.write(websocket.frame(kind, payload))

    def close(self, code: int = websocket.NORMAL, why: str = "") -> None:
        if not (self._over or self._closing):
            self._closing = True
            self._transport.write(websocket.closing(code, why))
            self._end()
            self._transport.close()

    # -- frames
    def _take(self, data: bytes) -> None:
        try:
            for kind, payload in self._reader.feed(data):
                if self._over:
                    return
                self._message(kind, payload)
        except websocket.Broken as broken:
            self.close(broken.code, str(broken))

    def _message(self, kind: int, payload: bytes) -> None:
        if kind == websocket.PING:
            self._transport.write(websocket.frame(websocket.PONG, payload))
        elif kind == websocket.CLOSE:
            self.close(websocket.close_code(payload) if len(payload) >= 2 else websocket.NORMAL)
        elif kind == websocket.BINARY:
            self._talk.received(payload)
        elif kind == websocket.TEXT:
            try:
                self._talk.received(payload.decode())
            except UnicodeDecodeError as wrong:
                raise websocket.Broken(websocket.NOT_TEXT, "text that is no UTF-8") from wrong
