"""Large objects to clients without TLS: read, verified and written to the socket by one thread, frame by frame, in
buffers that stay in the processor's cache. The event loop only waits for the client, when he is slow.

The answer's head waits for the first frame: what fails before it is answered as a failure, not cut short.
"""

from __future__ import annotations

import asyncio
import logging
import os
import select
import threading
from collections.abc import Callable
from typing import Protocol

from cloudjar.gateway.outflow import Sender, Threads, close_stream
from cloudjar.planes.objects.frames import Buffers

log = logging.getLogger("cloudjar.gateway")

_PATIENCE = 2
"""Milliseconds that a thread waits for a client to take more, before it serves another."""

_own = threading.local()


class Frames(Protocol):
    """A body that is read frame by frame (`planes.objects.source.FileSource`)."""

    size: int

    def read_into(self, buffers: Buffers) -> memoryview | bytes: ...


class DirectOutflow:
    """One such body being sent on the descriptor `fd`, which it owns. `resume` and `stop` are called on the loop."""

    def __init__(
        self, sender: Sender, fd: int, body: Frames, head: bytes, threads: Threads, loop: asyncio.AbstractEventLoop
    ) -> None:
        self._sender = sender
        self._fd = fd
        self._body = body
        self._head = head
        self._left = body.size
        self._threads = threads
        self._loop = loop
        self._lock = threading.Lock()
        self._rest: bytes | memoryview = b""
        self._started = False
        self._stopped = False
        self._working = True
        self._waits = False
        threads.submit(self._run)

    def resume(self) -> None:
        """The transport has nothing of ours: there is nothing to do."""

    def stop(self) -> None:
        """The client is gone, or everything is sent."""
        with self._lock:
            if self._stopped:
                return
            self._stopped = True
            idle = not self._working
            self._working = True
        if self._waits:
            self._waits = False
            self._loop.remove_writer(self._fd)
        if idle:
            self._threads.submit(self._close)

    def _wait(self) -> None:
        """The client is slow: be told when he has taken something."""
        with self._lock:
            if self._stopped:
                self._threads.submit(self._close)
                return
            self._working = False
        self._waits = True
        self._sender.moved()
        self._loop.add_writer(self._fd, self._go_on)

    def _go_on(self) -> None:
        self._waits = False
        self._loop.remove_writer(self._fd)
        with self._lock:
            if self._stopped or self._working:
                return
            self._working = True
        self._sender.busy()
        self._threads.submit(self._run)

    def _over(self, error: Exception | None) -> None:
        """Told on the loop: the stream ended, or failed."""
        self._threads.submit(self._close)
        with self._lock:
            told, self._stopped = self._stopped, True
        if told:
            return
        if error is not None and not isinstance(error, OSError):
            log.error("a streamed answer failed", exc_info=error)
        if error is not None and not self._started:
            self._sender.unstarted(error)
        else:
            self._sender.streamed(whole=error is None)

    # On a thread, one at a time for each stream.

    def _run(self) -> None:
        report: Callable[[], object] = self._wait
        try:
            while not self._stopped:
                if not self._send():
                    break
                if not self._next():
                    report = self._ended
                    break
            else:
                report = self._ended
        except Exception as failure:  # noqa: BLE001 told to the connection, and logged there
            error = failure
            report = lambda: self._over(error)  # noqa: E731 the exception's name ends with its block
        self._loop.call_soon_threadsafe(report)

    def _ended(self) -> None:
        self._over(ValueError(f"a stream lacks {self._left} bytes of what its headers state") if self._left else None)

    def _next(self) -> bool:
        """The next frame becomes what is to be sent; False at the end."""
        buffers = getattr(_own, "buffers", None)
        if buffers is None:
            buffers = _own.buffers = Buffers()
        frame = self._body.read_into(buffers)
        self._left -= len(frame)
        if self._left < 0:
            raise ValueError("a stream is longer than the length its headers state")
        self._rest = frame
        if not self._started:
            self._rest = self._head + frame
            self._started = True
            return True
        return bool(frame)

    def _send(self) -> bool:
        """Give the client what there is; False when he does not take it. What he leaves is kept apart from the buffers,
        which the thread's next work needs."""
        rest = memoryview(self._rest)
        patient = True
        while rest:
            try:
                rest = rest[os.write(self._fd, rest) :]
            except BlockingIOError:
                if patient and self._poll():
                    continue
                self._rest = bytes(rest)
                return False
        self._rest = b""
        return True

    def _poll(self) -> bool:
        waiting = select.poll()
        waiting.register(self._fd, select.POLLOUT)
        return bool(waiting.poll(_PATIENCE))

    def _close(self) -> None:
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1
        close_stream(self._body)
