"""A large body read a chunk ahead of who sends it, by another thread: while the socket takes one chunk, the next is
verified and decrypted. Worth it where there is a processor for both; who finds no thread free reads for himself.
"""

from __future__ import annotations

import mmap
import threading
from collections import deque
from typing import TYPE_CHECKING, NamedTuple, Protocol

from cloudjar.planes.objects.clear import CHUNK, Stretch
from cloudjar.planes.objects.frames import Buffers

if TYPE_CHECKING:
    from collections.abc import Callable

    from cloudjar.planes.objects.source import FileSource, Step

LEAST = 2 * CHUNK
"""Bytes of a body below which there is nothing to be ahead of."""
MOST = 1
"""Bodies that are read so at a time, which take three chunks of memory each."""
_ROOMS = 3
"""One is being sent, and one is ready when the next is being read."""

_own = threading.local()

Rooms = tuple[memoryview, ...]


class Threads(Protocol):
    """Where one chunk is read (`beside.Beside`)."""

    def run(self, work: Callable[[], None]) -> bool: ...

    def free(self) -> None: ...


class Fars:
    """The memory for them; from any thread. The rooms of one are kept when nobody needs them."""

    def __init__(self, threads: Threads, most: int = MOST) -> None:
        self.threads = threads
        self._places = threading.Semaphore(most)
        self._lock = threading.Lock()
        self._kept: Rooms | None = None

    def take(self) -> Rooms | None:
        """Rooms of a chunk each, if there are any left."""
        if not self._places.acquire(blocking=False):
            return None
        with self._lock:
            rooms, self._kept = self._kept, None
        return rooms or tuple(memoryview(mmap.mmap(-1, CHUNK)) for _ in range(_ROOMS))

    def give(self, rooms: Rooms) -> None:
        """Nobody uses them any more."""
        with self._lock:
            self._kept = rooms
        self._places.release()


class _Read(NamedTuple):
    """What was read: of which bytes, and what; or why it was not."""

    step: Step | None
    frame: memoryview | bytes | Stretch
    failure: Exception | None = None


class Far:
    """One body. `read` and `back` by one thread at a time; `close` when nothing of it is to be read so any more."""

    def __init__(self, fars: Fars, source: FileSource, rooms: Rooms) -> None:
        self._fars = fars
        self._source = source
        self._rooms = rooms
        self._turn = 0
        self._changed = threading.Condition()
        self._ready: deque[_Read] = deque()
        self._last: _Read | None = None
        self._running = False
        self._halted = False
        self._closed = False

    def read(self) -> memoryview | bytes | Stretch:
        """The next bytes, up to a chunk; empty at the end. They are gone when the next are asked for."""
        with self._changed:
            self._last = None
            self._changed.wait_for(lambda: self._ready or not self._running)
            found = self._ready.popleft() if self._ready else None
        if found is None:
            found = self._one()
        if found.failure is not None:
            raise found.failure
        self._last = found
        if found.frame:
            self._go_on()
        return found.frame

    def _go_on(self) -> None:
        with self._changed:
            if self._running or not self._worth():
                return
            self._running = True
        if not self._fars.threads.run(self._run):
            self._running = False

    def _worth(self) -> bool:
        """Whether there is more of this file, and room for it; one room is of what is being sent."""
        failed = self._ready and self._ready[-1].failure is not None
        return len(self._ready) < len(self._rooms) - 1 and not self._halted and not failed and self._source.continues

    def _run(self) -> None:
        try:
            while True:
                found = self._one()
                with self._changed:
                    self._ready.append(found)
                    self._running = self._worth()
                    self._changed.notify_all()
                    if not self._running:
                        return
        finally:
            self._fars.threads.free()

    def _one(self) -> _Read:
        self._turn = (self._turn + 1) % len(self._rooms)
        try:
            frame, step = self._source.read_chunk(self._rooms[self._turn], _buffers())
        except Exception as failure:  # noqa: BLE001 raised for who asks
            return _Read(None, b"", failure)
        return _Read(step, frame)

    @property
    def idle(self) -> bool:
        """Whether nothing is being read."""
        return not self._running

    def back(self, left: int) -> bool:
        """What is ahead is read again later; and so are the last `left` bytes of what was given, if they lie in memory
        that is used again (True)."""
        self._halt()
        while self._ready:
            step = self._ready.pop().step
            if step is not None:
                self._source.again(step, step.size)
        last, self._last = self._last, None
        if last is None or last.step is None or not isinstance(last.frame, memoryview):
            return False
        if left:
            self._source.again(last.step, left)
        return True

    def close(self) -> None:
        """Wait for what is being read, and give the memory back."""
        self._halt()
        if not self._closed:
            self._closed = True
            self._ready.clear()
            self._fars.give(self._rooms)

    def _halt(self) -> None:
        with self._changed:
            self._halted = True
            self._changed.wait_for(lambda: not self._running)


def _buffers() -> Buffers:
    found: Buffers | None = getattr(_own, "buffers", None)
    if found is None:
        found = _own.buffers = Buffers()
    return found
