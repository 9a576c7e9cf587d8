"""Large bodies that come as they are, without TLS, chunks or signatures between: one thread takes them off the socket
and puts them where they are kept, in memory that is used again. The event loop has no hand in it but to wait for a
client who is slow.
"""

from __future__ import annotations

import asyncio
import os
import select
import threading
from typing import Protocol

from cloudjar.gateway.inflow import Landed, Sink
from cloudjar.gateway.outflow import Threads

_PATIENCE = 2
"""Milliseconds that a thread waits for a client to send more, before it serves another."""
_SHARE = 32 << 20
"""Bytes of one body after which a thread looks whether another one waits."""


class RoomySink(Sink, Protocol):
    """A sink that says where the bytes belong (`planes.objects.sink.FileSink`)."""

    def room(self) -> memoryview: ...

    def filled(self, size: int) -> None: ...


class Taker(Protocol):
    """The connection, as such a flow sees it; called on the event loop."""

    def flow_waits(self, flow: Drawn, waits: bool) -> None:
        """It is the client who is waited for, or no longer."""
        ...

    def flow_landed(self, flow: Drawn, body: Landed) -> None: ...

    def flow_failed(self, flow: Drawn, error: Exception) -> None: ...

    def flow_broken(self, flow: Drawn) -> None:
        """The client is gone."""
        ...


class Drawn:
    """One body of `length` bytes on the descriptor `fd`, which it owns. `begin` and `close` are called on the loop."""

    decodes = False

    def __init__(
        self, taker: Taker, sink: RoomySink, length: int, fd: int, threads: Threads, loop: asyncio.AbstractEventLoop
    ) -> None:
        self._taker = taker
        self._sink = sink
        self._left = length
        self._fd = fd
        self._threads = threads
        self._loop = loop
        self._lock = threading.Lock()
        self._lead = b""
        self._waits = False
        self._working = True
        self._given_up = False

    def begin(self, data: bytes) -> bytes:
        """Take what came with the head, then the rest; gives what follows the body."""
        self._lead = data[: self._left]
        self._threads.submit(self._work)
        return data[self._left :]

    def close(self) -> None:
        """Give up: nothing remains, and nobody is called any more."""
        with self._lock:
            if self._given_up:
                return
            self._given_up = True
            idle = not self._working
            self._working = True
        if self._waits:
            self._waits = False
            self._loop.remove_reader(self._fd)
        if idle:
            self._threads.submit(self._abort)

    def _wait(self) -> None:
        """The client is slow: be told when he has sent something."""
        with self._lock:
            if self._given_up:
                self._threads.submit(self._abort)
                return
            self._working = False
        self._waits = True
        self._taker.flow_waits(self, True)
        self._loop.add_reader(self._fd, self._go_on)

    def _go_on(self) -> None:
        self._waits = False
        self._loop.remove_reader(self._fd)
        with self._lock:
            if self._given_up or self._working:
                return
            self._working = True
        self._taker.flow_waits(self, False)
        self._threads.submit(self._work)

    def _landed(self, body: Landed) -> None:
        if self._given_up:
            self._threads.submit(body.close)
        else:
            self._given_up = True
            self._taker.flow_landed(self, body)

    def _lost(self) -> None:
        if not self._given_up:
            self._taker.flow_broken(self)

    def _failed(self, error: Exception) -> None:
        told, self._given_up = self._given_up, True
        if not told:
            self._taker.flow_failed(self, error)

    # On a thread, one at a time for each body.

    def _work(self) -> None:
        try:
            if self._lead:
                self._sink.feed(self._lead)
                self._left -= len(self._lead)
                self._lead = b""
            self._draw()
        except Exception as error:  # noqa: BLE001 told to the connection, which logs what is our fault
            self._abort()
            self._soon(self._failed, error)

    def _draw(self) -> None:
        share = _SHARE
        while self._left and not self._given_up:
            if share <= 0:
                self._threads.submit(self._work)
                return
            try:
                came = os.readv(self._fd, (self._sink.room()[: self._left],))
            except BlockingIOError:
                if self._poll():
                    continue
                self._soon(self._wait)
                return
            except OSError:
                came = 0
            if not came:
                self._abort()
                self._soon(self._lost)
                return
            self._left -= came
            share -= came
            self._sink.filled(came)
        if self._given_up:
            self._abort()
            return
        os.close(self._fd)
        self._fd = -1
        self._soon(self._landed, self._sink.finish())

    def _poll(self) -> bool:
        waiting = select.poll()
        waiting.register(self._fd, select.POLLIN)
        return bool(waiting.poll(_PATIENCE))

    def _abort(self) -> None:
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1
        self._sink.abort()

    def _soon(self, function: object, *args: object) -> None:
        self._loop.call_soon_threadsafe(function, *args)  # type: ignore[arg-type] # one of the functions above
