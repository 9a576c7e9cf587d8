"""One client's connection: bytes in, requests one at a time, answers in order, bytes out.

Nothing a client sends raises out of here, is held without bound or waits for ever: every phase has a deadline
that the server's sweep enforces, and reading pauses whenever more input would only be stored.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable
from functools import partial
from typing import TYPE_CHECKING, Any

from cloudjar.base.errors import AwsError
from cloudjar.gateway import http1
from cloudjar.gateway.ahead import AheadOutflow
from cloudjar.gateway.body import BodyPolicy, Intake
from cloudjar.gateway.direct import DirectOutflow
from cloudjar.gateway.drawing import Drawn
from cloudjar.gateway.inflow import Inflow
from cloudjar.gateway.outflow import AsyncOutflow, Outflow, Transport, close_stream
from cloudjar.gateway.phase import Phase
from cloudjar.gateway.taking import Taking
from cloudjar.wire.message import Request, Response

if TYPE_CHECKING:
    from cloudjar.gateway.server import Listener, Server

log = logging.getLogger("cloudjar.gateway")

_AHEAD = 64 << 10
"""Bytes of further requests kept while one is being answered; reading pauses beyond."""
_DRAIN = 1 << 20
"""An unread body up to this size is read and dropped to keep the connection; a larger one costs it."""
_LINGER = 2.0
_BLANK = 16
"""Bytes of line ends that are forgiven before a request."""
_TLS_HANDSHAKE = 0x16


class Connection(Taking, asyncio.Protocol):
    """The protocol of one accepted connection; see `server.Server` for what it serves."""

    def __init__(self, server: Server, listener: Listener) -> None:
        self.server = server
        self.listener = listener
        self.phase = Phase.HEAD
        self.deadline = 0.0
        self.secure = False
        self.peer = ""
        self.writable = True
        self._wire: Any = None
        self._tls: Any = None
        self._transport: Transport = None  # type: ignore[assignment] # set by connection_made, before any use
        self._buffer = b""
        self._head: http1.Head | None = None
        self._request: Request | None = None
        self._intake: Intake | None = None
        self._inflow: Inflow | Drawn | None = None
        self._waiting: asyncio.Future[Response] | None = None
        self._outflow: Outflow | AsyncOutflow | AheadOutflow | DirectOutflow | None = None
        self._reading = True
        self._partial = False
        self._peer_done = False

    # What the transport calls.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._wire = self._transport = transport  # type: ignore[assignment] # uvloop's transports are duck-typed
        peer = transport.get_extra_info("peername")
        self.peer = peer[0] if isinstance(peer, tuple) else ""
        self._set_deadline(self.server.timeouts.head)
        if not self.server.admit(self):
            self.abort()

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 the reason does not matter: it is gone
        self.phase = Phase.CLOSED
        self.server.forget(self)
        self._drop_work()

    def data_received(self, data: bytes) -> None:
        if self._tls is None:
            fresh = self._head is None and not self._buffer
            if data[0] == _TLS_HANDSHAKE and fresh and self.listener.tls:
                self._start_tls()
            elif fresh and self.server.shells is not None and data.startswith(b"SSH-"):
                self.server.shells.take(self, data)
                return
            else:
                self.plain_received(data)
                return
        self._tls.feed(data)

    def eof_received(self) -> bool:
        """Keep writing a stream to a half-closed peer; anything else ends with it."""
        self._peer_done = True
        if self.phase is Phase.BUSY and self._outflow is not None:
            self._head_closes()
            return True
        self._drop_work()
        return False

    def pause_writing(self) -> None:
        self.writable = False
        self._set_deadline(self.server.timeouts.write)

    def resume_writing(self) -> None:
        self.writable = True
        if self._outflow is not None:
            self._set_deadline(self.server.timeouts.write)
            self._guard(self._outflow.resume)
        elif self.phase is Phase.HEAD:
            self._set_deadline(self.server.timeouts.idle)
        elif self.phase is Phase.LINGER:
            self._set_deadline(_LINGER)
        elif self.phase is Phase.BUSY:
            self.deadline = 0.0
        self._proceed()

    # What the rest of the gateway calls.

    def plain_received(self, data: bytes) -> None:
        """Take bytes as the client meant them (after TLS)."""
        if self.phase is Phase.LINGER or self.phase is Phase.CLOSED:
            return
        data, self._buffer = self._buffer + data, b""
        self._guard(self._advance, data)

    def abort(self) -> None:
        """Drop the connection at once."""
        self.phase = Phase.CLOSED
        self._drop_work()
        self._wire.abort()

    def handed_over(self, protocol: asyncio.Protocol) -> tuple[Any, Transport, Any]:
        """Another protocol has the connection from now on: its wire, its transport, and TLS if there is any."""
        self.phase = Phase.CLOSED
        self._drop_work()
        self.server.forget(self)
        self._wire.set_protocol(protocol)
        if self._tls is not None:
            self._tls.hand_over(protocol)
        return self._wire, self._transport, self._tls

    def shut(self) -> None:
        """Close when idle; else after the answer under way, which then says so."""
        if self.phase is Phase.HEAD and not self._buffer:
            self._close()
        else:
            self._head_closes()

    def timed_out(self) -> None:
        """The deadline passed: answer where an answer is due, then close."""
        if self.phase is Phase.BODY and self._request is not None:
            error = AwsError(
                "RequestTimeout",
                "Your socket connection to the server was not read from or written to within the timeout period. "
                "Idle connections will be closed.",
                400,
            )
            self._guard(self._refuse, self._error(self._request, error))
        elif self.phase is Phase.HEAD and self._partial and self.writable:
            self._guard(self._malformed, http1.Malformed(408, "Request Timeout"))
        elif (self.phase is Phase.HEAD or self.phase is Phase.LINGER) and self.writable:
            self._close()
        else:
            self.abort()

    # Requests.

    def _guard(self, step: Any, *args: Any) -> None:
        """Run one step; no exception leaves. A bug costs the client its connection and is logged whole."""
        try:
            step(*args)
        except http1.Malformed as refusal:
            self._malformed(refusal)
        except Exception:
            log.exception("a connection failed")
            self.abort()

    def _advance(self, data: bytes) -> None:
        """Consume as many whole requests as the bytes hold, each answered before the next is looked at."""
        while data:
            if self.phase is Phase.BODY or self.phase is Phase.DRAIN:
                data = self._take_body(data)
                continue
            if self.phase is not Phase.HEAD or not self.writable:
                break
            if data[0] in b"\r\n":
                data = self._skip_blank(data)
                continue
            end = data.find(http1.END)
            if end < 0 or end > http1.MAX_HEAD:
                http1.check_partial(data)
                self._wait_for_head()
                break
            self._partial = False
            data = self._begin(http1.parse_head(data[:end]), data[end + 4 :])
        self._keep(data)

    def _keep(self, data: bytes) -> None:
        if self.phase is Phase.LINGER or self.phase is Phase.CLOSED:
            return
        self._buffer = bytes(data)
        if self.phase is Phase.BUSY or not self.writable:
            self._read(len(data) < _AHEAD)

    def _wait_for_head(self) -> None:
        """The deadline counts from a head's first byte, not its last: trickling does not extend it."""
        if not self._partial:
            self._partial = True
            self._set_deadline(self.server.timeouts.head)

    def _skip_blank(self, data: bytes) -> bytes:
        rest = data.lstrip(b"\r\n")
        if len(data) - len(rest) > _BLANK:
            raise http1.Malformed(400, "Malformed request line")
        return rest

    def _begin(self, head: http1.Head, data: bytes) -> bytes:
        request = Request(
            head.method,
            head.path,
            head.query,
            head.headers,
            peer=self.peer,
            secure=self.secure, tls=self._tls,
            trusted=self.listener.trusted,
            vpc=self.listener.vpc, vpce=self.listener.vpce,
        )
        self._head, self._request = head, request
        policy = self.server.policy
        length = head.length
        if length:
            if isinstance(verdict := self._ask(request), Response):
                return self._refuse(verdict, data)
            policy = verdict or policy
            if policy.sink is not None:
                return self._begin_flow(head, policy, data)
            if not policy.is_plain or length == http1.CHUNKED or len(data) < length or length > policy.memory:
                return self._begin_body(head, policy, data)
            request.body = data[:length]
        self._dispatch(request)
        return data[length:] if length else data

    def _ask(self, request: Request) -> BodyPolicy | Response | None:
        if self.server.on_headers is None:
            return None
        try:
            return self.server.on_headers(request)
        except AwsError as error:
            return self._error(request, error)
        except Exception:
            log.exception("on_headers failed")
            return self._failure()

    def _begin_body(self, head: http1.Head, policy: BodyPolicy, data: bytes) -> bytes:
        assert self._request is not None
        try:
            self._intake = Intake(head.length, policy, self.server.folder)
        except AwsError as error:
            return self._refuse(self._error(self._request, error), data)
        self._expect_body(head, data)
        return data

    def _expect_body(self, head: http1.Head, data: bytes) -> None:
        self.phase = Phase.BODY
        self._set_deadline(self.server.timeouts.body)
        if head.expects_continue and not data:
            self._transport.write(http1.CONTINUE)

    def _take_body(self, data: bytes) -> bytes:
        if isinstance(self._inflow, Inflow):
            return self._take_flow(self._inflow, data)
        intake, request = self._intake, self._request
        assert intake is not None
        self._set_deadline(self.server.timeouts.body)
        if self.phase is Phase.DRAIN:
            data = intake.feed(data)
            if intake.done:
                self._next()
            return data
        assert request is not None
        try:
            rest = intake.feed(data)
            if not intake.done:
                return rest
            request.body, request.raw_body_hash = intake.finish()
        except AwsError as error:
            return self._refuse(self._error(request, error))
        except OSError:
            log.exception("a request body could not be stored")
            return self._refuse(self._failure())
        request.decoded = intake.decodes
        self._intake = None
        self._dispatch(request)
        return rest

    def _dispatch(self, request: Request) -> None:
        self.phase = Phase.BUSY
        self.deadline = 0.0
        try:
            answer = self.server.handler(request)
        except AwsError as error:
            answer = self._error(request, error)
        except Exception:
            log.exception("a handler failed: %s %s", request.method, request.path)
            answer = self._failure()
        if isinstance(answer, Response):
            self._respond(answer)
        else:
            self._await(answer)

    def _await(self, answer: Awaitable[Response]) -> None:
        self._waiting = answer if isinstance(answer, asyncio.Future) else asyncio.ensure_future(answer)
        self._waiting.add_done_callback(self._answered)

    def _answered(self, future: asyncio.Future[Response]) -> None:
        if self._waiting is not future:
            if not future.cancelled():
                future.exception()
            return
        self._waiting = None
        assert self._request is not None
        try:
            response = future.result()
        except AwsError as error:
            response = self._error(self._request, error)
        except asyncio.CancelledError:
            response = self._failure()
        except Exception as failure:
            log.error("a handler failed: %s %s", self._request.method, self._request.path, exc_info=failure)
            response = self._failure()
        self._guard(self._respond, response)
        self._proceed()

    # Refusals.

    def _refuse(self, response: Response, data: bytes = b"") -> bytes:
        """Answer before the body was read. The rest of a small one is dropped; else the connection ends."""
        head, intake = self._head, self._intake
        assert head is not None
        self._intake = None
        fresh = intake is None and self._inflow is None
        if intake is not None:
            intake.close()
        self._stop_flow()
        small = fresh and not head.expects_continue and 0 <= head.length <= _DRAIN
        head.keep_alive = head.keep_alive and small
        if isinstance(response.body, (bytes, bytearray)):
            self._respond(response)
        else:
            close_stream(response.body)
            self._respond(self._failure())
        if self.phase is Phase.HEAD and head.length:
            self._intake = Intake(head.length, BodyPolicy(digest=False, memory=_DRAIN), None)
            self.phase = Phase.DRAIN
        return data

    def _malformed(self, refusal: http1.Malformed) -> None:
        if self.phase in (Phase.BUSY, Phase.LINGER, Phase.CLOSED):
            self.abort()
            return
        self._head, body = None, refusal.message.encode()
        head = self._render(refusal.status, "Content-Type: text/plain\r\n", frozenset(), len(body))
        self._transport.write(head + body)
        self._linger()

    # Between requests.

    def _next(self) -> None:
        """The answer is written: close, or wait for the next request."""
        self._drop_request()
        head = self._head
        self._intake = None
        if head is None or not head.keep_alive:
            self._linger()
            return
        self.phase = Phase.HEAD
        self._set_deadline(self.server.timeouts.idle if self.writable else self.server.timeouts.write)

    def _proceed(self) -> None:
        """Go on with what was received meanwhile."""
        if self.phase is Phase.HEAD and self.writable:
            self._read(True)
            if self._buffer:
                self.plain_received(b"")

    def _read(self, wanted: bool) -> None:
        if wanted is not self._reading and self.phase is not Phase.CLOSED:
            self._reading = wanted
            (self._wire.resume_reading if wanted else self._wire.pause_reading)()

    def _linger(self) -> None:
        """Say that no more is coming, but read on for a moment: unread input would reset the connection."""
        self._read(True)
        self.phase = Phase.LINGER
        self._buffer = b""
        self._set_deadline(_LINGER if self.writable else self.server.timeouts.write)
        self._drop_work()
        if self._transport.can_write_eof() and not self._peer_done:
            self._transport.write_eof()
        else:
            self._close()

    def _close(self) -> None:
        """Close once what was written has left; a client that does not take it is cut off at the deadline."""
        self.phase = Phase.CLOSED
        self._set_deadline(self.server.timeouts.write)
        self._transport.close()

    def _head_closes(self) -> None:
        if self._head is not None:
            self._head.keep_alive = False

    def _drop_work(self) -> None:
        """Stop whatever was being done for a client that is gone."""
        waiting, self._waiting = self._waiting, None
        if isinstance(waiting, asyncio.Task):
            waiting.cancel()
        outflow, self._outflow = self._outflow, None
        if outflow is not None:
            outflow.stop()
        intake, self._intake = self._intake, None
        if intake is not None:
            intake.close()
        self._stop_flow()
        self._drop_request()

    def _drop_request(self) -> None:
        """A body in a file goes with its request, unless somebody recorded it."""
        request, self._request = self._request, None
        if request is None or isinstance(request.body, bytes):
            return
        if getattr(request.body, "recorded", True):
            close_stream(request.body)
        else:  # a large file takes its time to go
            self.server.threads.submit(partial(close_stream, request.body))

    def _start_tls(self) -> None:
        from cloudjar.gateway.tls import Layer

        assert self.listener.tls is not None
        tls = self.listener.tls
        self.secure = True
        self._tls = self._transport = Layer(tls() if callable(tls) else tls, self._wire, self)
