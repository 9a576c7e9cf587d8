"""A digest beside the encryption: an MD5 takes longer than all else that is done with a body, and cannot be divided.

There are as many threads for it as there are processors beside the one that is at work; when all are busy, or there
is one processor only, who asks does it himself.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

LEAST = 64 << 10
"""Bytes below which to hand them over takes longer than it saves."""


class Beside:
    """The threads; `run` may be called from any thread."""

    def __init__(self, threads: int = -1) -> None:
        self._most = len(os.sched_getaffinity(0)) - 1 if threads < 0 else threads
        self._free = threading.Semaphore(self._most)
        self._pool: ThreadPoolExecutor | None = None
        self._lock = threading.Lock()

    def run(self, work: Callable[[bytes], object], data: bytes) -> Callable[[], object]:
        """Have something done with the data; it is done when what is given here has returned."""
        if len(data) < LEAST or not self._free.acquire(blocking=False):
            work(data)
            return _nothing
        try:
            return self._threads().submit(self._do, work, data).result
        except RuntimeError:  # the process ends
            self._free.release()
            work(data)
            return _nothing

    def _threads(self) -> ThreadPoolExecutor:
        with self._lock:
            if self._pool is None:
                self._pool = ThreadPoolExecutor(self._most, "digests")
            return self._pool

    def _do(self, work: Callable[[bytes], object], data: bytes) -> None:
        try:
            work(data)
        finally:
            self._free.release()


def _nothing() -> None:
    """It is done already."""
