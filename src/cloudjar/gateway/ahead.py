"""Streams whose next piece blocks (it is read from disk, decrypted, verified): pulled on threads, a little ahead of
what the client takes.

The answer's head waits for the first piece: what fails before it is answered as a failure, not cut short.
"""

from __future__ import annotations

import logging
import threading
from collections import deque
from collections.abc import Callable, Iterable

from cloudjar.gateway.outflow import Counted, Sender, Threads, Transport, close_stream

log = logging.getLogger("cloudjar.gateway")

_AHEAD = 2
"""Pieces that are ready before the client has taken those before."""


class AheadOutflow:
    """One such stream being sent. `resume` and `stop` are called on the event loop; `soon` runs a function there."""

    def __init__(
        self,
        sender: Sender,
        transport: Transport,
        body: Iterable[bytes],
        frames: Counted,
        begin: Callable[[], None],
        threads: Threads,
        soon: Callable[..., object],
    ) -> None:
        self._sender = sender
        self._transport = transport
        self._body = body
        self._pieces = iter(body)
        self._frames = frames
        self._begin: Callable[[], None] | None = begin
        self._threads = threads
        self._soon = soon
        self._lock = threading.Lock()
        self._ready: deque[bytes] = deque()
        self._error: Exception | None = None
        self._ended = False
        self._working = True
        self._stopped = False
        threads.submit(self._pull)

    def resume(self) -> None:
        """Send until the client's side is full, nothing is ready, or the stream ends."""
        while not self._stopped and self._sender.writable:
            with self._lock:
                piece = self._ready.popleft() if self._ready else None
                pull = not self._working
                self._working = True
            if pull:
                self._threads.submit(self._pull)
            if piece is None:
                if self._ended and not self._ready:
                    self._finish()
                return
            self._send(piece)

    def stop(self) -> None:
        """The client is gone."""
        with self._lock:
            if self._stopped:
                return
            self._stopped = True
            self._ready.clear()
            idle = not self._working
            self._working = True
        if idle:
            self._threads.submit(self._close)

    def _send(self, piece: bytes) -> None:
        try:
            framed = self._frames.frame(piece)
        except ValueError as error:
            self._error = error
            self._finish()
            return
        self._start()
        self._transport.write(framed)
        self._sender.moved()

    def _start(self) -> None:
        begin, self._begin = self._begin, None
        if begin is not None:
            begin()

    def _finish(self) -> None:
        """The stream is over, whole or not."""
        if self._error is None:
            self._start()
            try:
                self._transport.write(self._frames.end())
            except ValueError as error:
                self._error = error
        self.stop()
        if self._error is not None:
            log.error("a streamed answer failed", exc_info=self._error)
        if self._error is not None and self._begin is not None:
            self._sender.unstarted(self._error)
        else:
            self._sender.streamed(whole=self._error is None)

    # On a thread, one at a time for each stream.

    def _pull(self) -> None:
        while wanted := self._wanted():
            try:
                self._got(next(self._pieces, None), None)
            except Exception as error:  # noqa: BLE001 told to the connection, and logged there
                self._got(None, error)
            self._soon(self.resume)
        if wanted is None:
            self._close()

    def _wanted(self) -> bool | None:
        """Whether to pull a piece now; False: later, on another thread; None: never more."""
        with self._lock:
            if self._stopped or self._ended:
                return None
            self._working = len(self._ready) < _AHEAD
            return self._working

    def _got(self, piece: bytes | None, error: Exception | None) -> None:
        with self._lock:
            if piece is None:
                self._ended, self._error = True, error
            elif not self._stopped:
                self._ready.append(piece)

    def _close(self) -> None:
        close_stream(self._pieces)
        close_stream(self._body)
