"""The HTTP server: listeners, limits, deadlines. Bytes become `wire.message.Request`, a handler's
`wire.message.Response` becomes bytes; it knows nothing of AWS.

Built directly on uvloop's protocols: the bare exchange costs about a tenth of what the pipeline behind it may.
"""

from __future__ import annotations

import asyncio
import logging
import socket
import ssl
from collections.abc import Awaitable, Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from email.utils import formatdate
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from cloudjar.base.clock import SystemClock, monotonic
from cloudjar.base.errors import AwsError
from cloudjar.gateway.body import MAX_BODY, BodyPolicy
from cloudjar.gateway.connection import Connection
from cloudjar.wire.message import Request, Response

if TYPE_CHECKING:
    from cloudjar.gateway.shells import Shells
    from cloudjar.gateway.streams import Held

log = logging.getLogger("cloudjar.gateway")

Handler = Callable[[Request], Response | Awaitable[Response]]
OnHeaders = Callable[[Request], BodyPolicy | Response | None]
OnError = Callable[[Request, AwsError], Response]
TlsSource = ssl.SSLContext | Callable[[], ssl.SSLContext]
T = TypeVar("T")

_THREADS = 16
"""That move large bodies: more than processors, since they wait for the disk."""


@dataclass(frozen=True, slots=True)
class Timeouts:
    """Seconds a client may take: `head` for a whole request head (or TLS handshake), `body` and `write`
    between two signs of progress, `idle` between requests. `sweep` is how often they are looked at."""

    head: float = 20.0
    body: float = 30.0
    write: float = 60.0
    idle: float = 75.0
    sweep: float = 1.0


@dataclass(eq=False)
class Listener:
    """One listening socket. `trusted`, `vpc` and `vpce` are handed on with every request that arrives on it."""

    host: str
    port: int
    trusted: bool
    vpc: str
    tls: TlsSource | None
    server: asyncio.AbstractServer | None = None
    vpce: str = ""

    def close(self) -> None:
        """Accept no more connections; open ones live on."""
        if self.server is not None:
            self.server.close()


class Bodies:
    """Threads that move large bodies. Once closed, what little is left to do is done by who asks for it."""

    def __init__(self) -> None:
        self._pool: ThreadPoolExecutor | None = None

    def submit(self, work: Callable[[], object]) -> object:
        """Have something done that may block."""
        if self._pool is None:
            self._pool = ThreadPoolExecutor(_THREADS, "bodies")
        try:
            return self._pool.submit(work)
        except RuntimeError:
            return work()

    def close(self) -> None:
        """Wait for what is being done."""
        if self._pool is not None:
            self._pool.shutdown()


class Server:
    """Serves `handler` on any number of listeners.

    `handler` is a plain function. When it returns a `Response`, that is written in the same turn of the event
    loop. An awaitable is awaited; if it is a coroutine (or a task) and the client goes away, it is cancelled; a plain
    future is only forgotten, since others may wait on it. `on_headers` is called for requests with a body before it
    is read, and may refuse (a `Response`, or AwsError) or say how to read it (`BodyPolicy`). `on_error` words
    an AwsError that was raised by either or by a body's decoder. `shells` serves clients that speak SSH.
    `now` is what the Date header tells: real time, unless told otherwise.
    """

    def __init__(
        self,
        handler: Handler,
        *,
        on_headers: OnHeaders | None = None,
        on_error: OnError | None = None,
        folder: Path | None = None,
        timeouts: Timeouts | None = None,
        max_body: int = MAX_BODY,
        max_connections: int = 10_000,
        shells: Shells | None = None,
        now: Callable[[], datetime] | None = None,
    ) -> None:
        self.handler = handler
        self.on_headers = on_headers
        self.on_error = on_error or plain_error
        self.folder = folder
        self.timeouts = timeouts or Timeouts()
        self.policy = BodyPolicy(max_size=max_body)
        self.shells = shells
        self.closing = False
        self.connections: set[Connection | Held] = set()
        self.date_line = ""
        self._max_connections = max_connections
        self._listeners: list[Listener] = []
        self._loop: asyncio.AbstractEventLoop | None = None
        self._sweep: asyncio.TimerHandle | None = None
        self._now = now or SystemClock().real
        self.threads = Bodies()
        """They move large bodies between connections and disk."""

    async def listen(
        self,
        host: str | None = None,
        port: int = 0,
        *,
        trusted: bool,
        tls: TlsSource | None = None,
        sock: socket.socket | None = None,
        fd: int | None = None,
        vpc: str = "",
        vpce: str = "",
    ) -> Listener:
        """Listen on an address, or on a socket (TCP or Unix, listening or bound) given as `sock` or `fd`.

        With `tls` both HTTP and HTTPS are served: the first byte tells. A function is called at the first TLS client.
        `port` 0 picks a free one, see `Listener.port`. Raises OSError.
        """
        loop = self._start()
        if fd is not None:
            sock = socket.socket(fileno=fd)
        listener = Listener(host or "", port, trusted, vpc, tls, vpce=vpce)

        def accept() -> Connection:
            return Connection(self, listener)

        if sock is None:
            listener.server = await loop.create_server(accept, host or "127.0.0.1", port, backlog=1024)
        elif sock.family == socket.AF_UNIX:
            listener.server = await loop.create_unix_server(accept, sock=sock, backlog=1024)
        else:
            listener.server = await loop.create_server(accept, sock=sock, backlog=1024)
        name = listener.server.sockets[0].getsockname() if hasattr(listener.server, "sockets") else None
        if isinstance(name, tuple):
            listener.host, listener.port = name[0], name[1]
        self._listeners.append(listener)
        return listener

    def call_from_thread(self, function: Callable[..., object], *args: object) -> None:
        """Run `function` on the server's loop, from any thread. Raises RuntimeError before the first `listen`."""
        if self._loop is None:
            raise RuntimeError("the server is not listening")
        self._loop.call_soon_threadsafe(function, *args)

    async def close(self, grace: float = 5.0) -> None:
        """Stop: no new connections, idle ones closed, busy ones given `grace` seconds to finish their answer."""
        self.closing = True
        for listener in self._listeners:
            listener.close()
        for connection in list(self.connections):
            connection.shut()
        until = monotonic() + grace
        while self.connections and monotonic() < until:
            await asyncio.sleep(0.01)
        for connection in list(self.connections):
            connection.abort()
        self.threads.close()
        if self._sweep is not None:
            self._sweep.cancel()
            self._sweep = None

    # What connections call.

    def admit(self, connection: Connection) -> bool:
        """Count a new connection in, unless there are too many."""
        if self.closing or len(self.connections) >= self._max_connections:
            return False
        self.connections.add(connection)
        return True

    def forget(self, connection: Connection | Held) -> None:
        """A connection is gone."""
        self.connections.discard(connection)

    def _start(self) -> asyncio.AbstractEventLoop:
        if self._loop is None:
            self._loop = asyncio.get_running_loop()
            self._tick()
        return self._loop

    def _tick(self) -> None:
        """Once a second: the Date header, and whose time is up."""
        self.date_line = f"Date: {formatdate(self._now().timestamp(), usegmt=True)}\r\n"
        now = monotonic()
        for connection in [c for c in self.connections if c.deadline and c.deadline < now]:
            connection.timed_out()
        assert self._loop is not None
        self._sweep = self._loop.call_later(self.timeouts.sweep, self._tick)


def plain_error(request: Request, error: AwsError) -> Response:
    """An AwsError in S3's form, for servers without words of their own."""
    body = f"<Error><Code>{escape(error.code)}</Code><Message>{escape(error.message)}</Message></Error>"
    headers = [("Content-Type", "application/xml"), *error.headers.items()]
    return Response(error.status or 400, headers, body.encode())


def run(main: Coroutine[Any, Any, T]) -> T:
    """Run `main` on uvloop, until it returns."""
    import uvloop

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(main)
