"""A digest beside the encryption: an MD5 takes longer than all else that is done with a body, and cannot be divided.

What comes of a body lies in rooms of a frame each. Who writes it hands a room on when it is sealed and goes on with
the next; the digest follows as quickly as it can, and the disk need not wait for it. Bodies may run ahead of their
digests by `SPARE` rooms altogether; who finds none left waits for one of his own.

There are as many threads as there are processors beside the one that is at work; when all are busy with other bodies,
or there is one processor only, who asks makes his digest himself.
"""

from __future__ import annotations

import os
import threading
from collections import deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from cloudjar.planes.objects.port import FRAME

LEAST = 64 << 10
"""Bytes below which to hand them over takes longer than it saves."""
SPARE = 64
"""Rooms that bodies have beyond one each: 16 MiB."""
_KEPT = 16
"""Rooms that wait for who needs one next; others are given back to the system."""

Update = Callable[[memoryview], object]


class Beside:
    """The threads and the rooms; from any thread."""

    def __init__(self, threads: int = -1, spare: int = SPARE) -> None:
        most = len(os.sched_getaffinity(0)) - 1 if threads < 0 else threads
        self.spare = threading.Semaphore(spare)
        self._most = most
        self._free = threading.Semaphore(most)
        self._pool: ThreadPoolExecutor | None = None
        self._lock = threading.Lock()
        self._rooms: deque[memoryview] = deque()

    def lane(self, update: Update) -> Lane:
        """For one body, whose digest `update` feeds."""
        return Lane(self, update)

    def run(self, work: Callable[[], None]) -> bool:
        """Have something done on a thread; False: none is free. `free` is to be called at its end."""
        if not self._free.acquire(blocking=False):
            return False
        try:
            self._threads().submit(work)
        except RuntimeError:  # the process ends
            self._free.release()
            return False
        return True

    def free(self) -> None:
        """What `run` was given is done."""
        self._free.release()

    def _threads(self) -> ThreadPoolExecutor:
        with self._lock:
            if self._pool is None:
                self._pool = ThreadPoolExecutor(self._most, "digests")
            return self._pool

    def take(self) -> memoryview:
        """A room: FRAME bytes of memory, with whatever lay there before."""
        try:
            return self._rooms.pop()
        except IndexError:
            return memoryview(bytearray(FRAME))

    def give(self, room: memoryview) -> None:
        """A room that nobody uses."""
        if len(self._rooms) < _KEPT:
            self._rooms.append(room)


class Lane:
    """One body's rooms. `room`, `put` and `finish` (or `drop`) are called by one thread at a time."""

    def __init__(self, beside: Beside, update: Update) -> None:
        self._beside = beside
        self._update = update
        self._changed = threading.Condition()
        self._queue: deque[tuple[memoryview, int]] = deque()
        self._has = 0
        self._wanted = False
        self._idle: memoryview | None = None
        self._running = False
        self._failure: Exception | None = None

    def room(self) -> memoryview:
        """Where a frame's bytes belong; waits for the digest when this body is far enough ahead of it."""
        with self._changed:
            if not self._has or self._beside.spare.acquire(blocking=False):
                self._has += 1
                return self._beside.take()
            self._wanted = True
            self._changed.wait_for(lambda: self._idle is not None)
            self._wanted = False
            room, self._idle = self._idle, None
            assert room is not None
            return room

    def put(self, room: memoryview, size: int) -> None:
        """The first `size` bytes of a room are next; nobody else may use it any more."""
        with self._changed:
            self._queue.append((room, size))
            if self._running:
                return
            self._running = True
        if size < LEAST or not self._beside.run(self._run_apart):
            self._run()

    def finish(self) -> None:
        """The digest has everything. Raises what it failed with."""
        with self._changed:
            self._changed.wait_for(lambda: not self._running)
            if self._failure is not None:
                raise self._failure

    def drop(self, room: memoryview | None) -> None:
        """The digest is not needed; `room` is what is in hand. Harmless after `finish`."""
        with self._changed:
            left = [waiting for waiting, _ in self._queue]
            self._queue.clear()
        for other in left:
            self._done(other)
        if room is not None:
            self._done(room)

    def _run_apart(self) -> None:
        try:
            self._run()
        finally:
            self._beside.free()

    def _run(self) -> None:
        while (next_ := self._next()) is not None:
            room, size = next_
            try:
                if self._failure is None:
                    self._update(room[:size])
            except Exception as failure:  # noqa: BLE001 told to who finishes
                self._failure = failure
            self._done(room)

    def _next(self) -> tuple[memoryview, int] | None:
        with self._changed:
            if self._queue:
                return self._queue.popleft()
            self._running = False
            self._changed.notify_all()
            return None

    def _done(self, room: memoryview) -> None:
        with self._changed:
            if self._wanted and self._idle is None:
                self._idle = room
                self._changed.notify_all()
                return
            self._has -= 1
            spare = self._has > 0
        self._beside.give(room)
        if spare:
            self._beside.spare.release()
