"""Large objects to clients without TLS: read, verified and written to the socket by one thread, frame by frame, in
buffers that stay in the processor's cache. The event loop only waits for the client, when he is slow; and what is in
memory of the first frames it sends itself, since waking a thread takes longer than that. What lies in clear it sends
altogether, in turns with whatever else it has to do.

The answer's head waits for the first frame: what fails before it is answered as a failure, not cut short.
"""

from __future__ import annotations

import asyncio
import logging
import os
import select
import threading
from collections.abc import Callable
from functools import partial
from typing import Protocol

from cloudjar.gateway import splicing
from cloudjar.gateway.outflow import Sender, Threads, close_stream
from cloudjar.planes.objects.clear import Stretch
from cloudjar.planes.objects.far import Far
from cloudjar.planes.objects.frames import Buffers

log = logging.getLogger("cloudjar.gateway")

_PATIENCE = 2
"""Milliseconds that a thread waits for a client to take more, before it serves another."""

_AT_ONCE = 2
"""Frames, or stretches of them, that the loop sends: some hundred microseconds of work."""
_TURNS = 4
"""Streams that the loop serves in turns; those beyond are served by threads, lest everybody else wait."""
_WORTH = 64 << 10
"""Bytes below which memory is copied to the socket more quickly than it is lent."""
_SMALL = 1 << 20
"""Bytes of a file that is quickly removed, should this have been its last reader."""

_HURRIED = 16 << 20
"""Bytes that a client takes without a pause before anything is read ahead of him again."""

_own = threading.local()


Frame = memoryview | bytes | Stretch
"""In buffers that are used again, or memory that is not."""


class Frames(Protocol):
    """A body that is read frame by frame (`planes.objects.source.FileSource`)."""

    size: int
    removes: bool

    def read_into(self, buffers: Buffers) -> Frame: ...

    def read_cached(self, buffers: Buffers) -> Frame | None: ...

    def pour(self, fd: int, buffers: Buffers) -> tuple[int, memoryview]: ...

    def far(self) -> Far | None: ...

    def park(self) -> None: ...


Read = Callable[[Buffers], Frame | None]


class DirectOutflow:
    """One such body being sent on the descriptor `fd`, which it owns. `begin`, `resume` and `stop` are called on the
    loop."""

    _in_turn = 0

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
        self._lead = b""
        self._rest: Frame = b""
        self._in_clear = False
        self._far: Far | None = None
        self._far_from = body.size
        self._started = False
        self._stopped = False
        self._working = True
        self._waits = False

    def begin(self) -> None:
        """Send what can be sent without waiting for anything; a thread does the rest."""
        self._sent(self._body.read_cached, _AT_ONCE, patient=False)()

    def _turn(self) -> None:
        DirectOutflow._in_turn -= 1
        self.begin()

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
        self._hand_over()

    def _over(self, error: Exception | None) -> None:
        """Told on the loop: the stream ended, or failed."""
        at_once = self._far is None or self._far.idle
        if at_once and (self._body.size <= _SMALL or not self._body.removes):
            self._close()
        else:
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

    # On a thread, one at a time for each stream; in the beginning on the loop.

    def _run(self) -> None:
        self._loop.call_soon_threadsafe(self._sent(self._read, -1, patient=True))

    def _read(self, buffers: Buffers) -> Frame:
        if self._far is None and self._left <= self._far_from:
            self._far = self._body.far()
            self._far_from = self._left - _HURRIED
        return self._far.read() if self._far is not None else self._body.read_into(buffers)

    def _near(self) -> None:
        """The client is slow: nothing is kept for him that can be read again."""
        far, self._far = self._far, None
        if far is None:
            return
        left = len(self._rest)
        if far.back(left):
            self._left += left
            self._rest = b""
        far.close()
        self._far_from = self._left - _HURRIED

    def _sent(self, read: Read, most: int, *, patient: bool) -> Callable[[], object]:
        """Send up to `most` frames (-1: all); what is to be done on the loop then."""
        try:
            while not self._stopped:
                if not self._send(patient=patient):
                    self._body.park()
                    return self._wait
                if patient and self._far is None and self._pour():
                    continue
                if not most:
                    return self._hand_over
                most -= 1
                frame = read(self._buffers())
                if frame is None:
                    return self._hand_over
                if not self._take(frame):
                    return self._ended
        except Exception as failure:  # noqa: BLE001 told to the connection, and logged there
            return partial(self._over, failure)
        return self._ended

    def _pour(self) -> bool:
        """What comes next goes to the client as it is, for as long as he keeps up; True: he left something."""
        poured, self._rest = self._body.pour(self._fd, self._buffers())
        self._left -= poured
        return bool(self._rest)

    def _hand_over(self) -> None:
        """On the loop: it goes on when it has served others, or a thread does."""
        if self._in_clear and DirectOutflow._in_turn < _TURNS:
            DirectOutflow._in_turn += 1
            self._loop.call_soon(self._turn)
        else:
            self._threads.submit(self._run)

    def _ended(self) -> None:
        self._over(ValueError(f"a stream lacks {self._left} bytes of what its headers state") if self._left else None)

    def _buffers(self) -> Buffers:
        found: Buffers | None = getattr(_own, "buffers", None)
        if found is None:
            found = _own.buffers = Buffers()
        return found

    def _take(self, frame: Frame) -> bool:
        """A frame becomes what is to be sent; False when it is the end."""
        self._left -= len(frame)
        if self._left < 0:
            raise ValueError("a stream is longer than the length its headers state")
        self._rest = frame.view if isinstance(frame, Stretch) and len(frame) < _WORTH else frame
        self._in_clear = isinstance(frame, Stretch)
        if not self._started:
            self._lead = self._head
            self._started = True
            return True
        return bool(frame)

    def _send(self, *, patient: bool) -> bool:
        """Give the client what there is; False when he does not take it. What he leaves is kept apart from the buffers,
        which the thread's next work needs."""
        while self._lead or self._rest:
            try:
                self._write(self._lead, self._rest)
            except BlockingIOError:
                if patient and self._poll():
                    continue
                self._near()
                if not isinstance(self._rest, Stretch):
                    self._rest = bytes(self._rest)
                return False
        return True

    def _write(self, lead: bytes, rest: Frame) -> None:
        """Give him some of it."""
        if isinstance(rest, Stretch):
            if lead:
                self._lead = lead[os.write(self._fd, lead) :]
            else:
                self._rest = rest.after(splicing.send(self._fd, rest))
            return
        sent = os.writev(self._fd, (lead, rest)) if lead else os.write(self._fd, rest)
        self._lead = lead[sent:]
        self._rest = memoryview(rest)[max(sent - len(lead), 0) :]

    def _poll(self) -> bool:
        waiting = select.poll()
        waiting.register(self._fd, select.POLLOUT)
        return bool(waiting.poll(_PATIENCE))

    def _close(self) -> None:
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1
        if self._far is not None:
            self._far.close()
            self._far = None
        close_stream(self._body)
