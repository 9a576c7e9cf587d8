"""Large bodies on their way to where they are kept: decoded, hashed and written on threads beside the event loop.

The loop only counts the bytes and hands them on. It holds little: when the threads cannot keep up, the connection
stops reading.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Mapping
from typing import Protocol

from cloudjar.gateway.http1 import CHUNKED, Dechunker
from cloudjar.gateway.outflow import Threads
from cloudjar.wire.message import Body

HIGH = 384 << 10
"""Bytes that wait for a thread before the connection stops reading."""
LOW = 128 << 10


class Landed(Body, Protocol):
    """A body where it is kept (`planes.objects.port.Landed`), with the digests that were asked for."""

    digests: Mapping[str, bytes]

    def close(self) -> None:
        """Remove it unless somebody recorded it."""
        ...


class Sink(Protocol):
    """Takes a body's decoded bytes, on a thread, and has it whole at last (`planes.objects.port.Sink`)."""

    def feed(self, data: bytes) -> None: ...

    def finish(self) -> Landed: ...

    def abort(self) -> None: ...


class Decoder(Protocol):
    """An incremental decoder, such as `auth.chunked.ChunkedDecoder`. Both methods may raise `AwsError`."""

    def feed(self, data: bytes) -> bytes: ...

    def finish(self) -> None:
        """Called after the last byte: raise if the body is not whole."""
        ...


class Taker(Protocol):
    """The connection, as an inflow sees it; called on the event loop."""

    def flow_reading(self, flow: Inflow, wanted: bool) -> None:
        """Read on, or stop for a while."""
        ...

    def flow_landed(self, flow: Inflow, body: Landed) -> None:
        """Everything came and is kept."""
        ...

    def flow_failed(self, flow: Inflow, error: Exception) -> None:
        """It cannot be kept, or is not what it claims to be."""
        ...


class Inflow:
    """One body. `feed` and `close` are called on the event loop; `soon` runs a function there."""

    def __init__(
        self,
        taker: Taker,
        sink: Sink,
        decoder: Decoder | None,
        length: int,
        threads: Threads,
        soon: Callable[..., object],
    ) -> None:
        self._taker = taker
        self._sink = sink
        self._decoder = decoder
        self._framing = Dechunker() if length == CHUNKED else None
        self._remaining = length
        self._threads = threads
        self._soon = soon
        self._lock = threading.Lock()
        self._waiting: deque[bytes] = deque()
        self._held = 0
        self._paused = False
        self._working = False
        self._given_up = False
        self.done = False
        """Every byte came in, though it need not be kept yet."""

    def feed(self, data: bytes) -> bytes:
        """Take bytes off the wire; gives what follows the body. Raises `http1.Malformed` (framing)."""
        if self._framing is not None:
            pieces, rest = self._framing.feed(data)
            done = self._framing.done
        else:
            pieces, rest = [data[: self._remaining]], data[self._remaining :]
            self._remaining -= len(pieces[0])
            done = not self._remaining
        with self._lock:
            if self._given_up:
                return rest
            self._waiting.extend(piece for piece in pieces if piece)
            self._held += sum(map(len, pieces))
            self.done = done
            start = not self._working and (bool(self._waiting) or done)
            self._working = self._working or start
            stop = self._held > HIGH and not self._paused and not self.done
            self._paused = self._paused or stop
        if stop:
            self._taker.flow_reading(self, False)
        if start:
            self._threads.submit(self._work)
        return rest

    @property
    def decodes(self) -> bool:
        """True when a decoder checks this body."""
        return self._decoder is not None

    def close(self) -> None:
        """Give up: nothing remains, and nobody is called any more."""
        with self._lock:
            if self._given_up:
                return
            self._given_up = True
            self._waiting.clear()
            idle = not self._working
            self._working = True
        if idle:
            self._threads.submit(self._sink.abort)

    # On a thread, one at a time for each body.

    def _work(self) -> None:
        try:
            while piece := self._next():
                self._relax()  # so that more has come when this is kept
                if self._decoder is not None:
                    piece = self._decoder.feed(piece)
                self._sink.feed(piece)
            if piece is not None:
                self._finish()
        except Exception as error:  # noqa: BLE001 told to the connection, which logs what is our fault
            self._fail(error)

    def _next(self) -> bytes | None:
        """What is next: bytes, empty at the end, None when more will come (and will start the work again)."""
        with self._lock:
            if self._waiting:
                piece = self._waiting.popleft()
                self._held -= len(piece)
                return piece
            self._working = self.done or self._given_up
            return b"" if self._working else None

    def _relax(self) -> None:
        with self._lock:
            resume = self._paused and self._held <= LOW and not self._given_up
            self._paused = self._paused and not resume
        if resume:
            self._soon(self._taker.flow_reading, self, True)

    def _finish(self) -> None:
        if self._given_up:
            self._sink.abort()
            return
        if self._decoder is not None:
            self._decoder.finish()
        self._soon(self._hand_over, self._sink.finish())

    def _hand_over(self, body: Landed) -> None:
        if self._given_up:
            self._threads.submit(body.close)
        else:
            self._given_up = True
            self._taker.flow_landed(self, body)

    def _fail(self, error: Exception) -> None:
        self._sink.abort()
        with self._lock:
            told, self._given_up = self._given_up, True
            self._waiting.clear()
        if not told:
            self._soon(self._taker.flow_failed, self, error)


