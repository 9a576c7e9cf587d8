"""Stretches of files as they lie in the system's memory, for the cipher to read without a copy.

A page that cannot be read (the disk fails, the file was cut) would end the process if it were simply touched; so
whoever takes a frame has its pages brought in first (``MADV_POPULATE_READ``, Linux 5.14), which says so. Bringing
them in waits for the disk without holding up Python's other threads.

Mapping costs as much as copying would if it were done for every read, so windows outlive their readers: the memory
is the system's page cache, which it takes back when it needs it.
"""

from __future__ import annotations

import ctypes
import errno
import mmap
import os
import threading
from collections import OrderedDict
from functools import cache
from typing import Any

from cloudjar.planes.objects.frames import STRIDE
from cloudjar.planes.objects.port import Rotten

FRAMES = 8
"""Frames of a window: 2 MiB."""
KEPT = 36
"""Windows that stay mapped, beside those that the threads are reading."""

_POPULATE_READ = 22
_PAGE = mmap.PAGESIZE


@cache
def _madvise() -> Any:
    """The C library's, since Python's own would hold everybody up while the disk is read."""
    function = ctypes.CDLL(None, use_errno=True).madvise
    function.argtypes = (ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int)
    function.restype = ctypes.c_int
    return function


class Window:
    """Frames ``[first, first + FRAMES)`` of a file, as far as it has them."""

    __slots__ = ("_address", "_map", "_start", "size", "view")

    def __init__(self, fd: int, first: int) -> None:
        begin = first * STRIDE
        page = begin // _PAGE * _PAGE
        self._start = begin - page
        self.size = max(min(FRAMES * STRIDE, os.fstat(fd).st_size - begin), 0)
        if not self.size:
            raise Rotten("a file is cut short")
        # Private and writable, which it never is: only so Python tells where it lies.
        self._map = mmap.mmap(
            fd, self._start + self.size, mmap.MAP_PRIVATE, mmap.PROT_READ | mmap.PROT_WRITE, offset=page
        )
        self._address = ctypes.addressof(ctypes.c_char.from_buffer(self._map))
        self.view = memoryview(self._map).toreadonly()[self._start :]

    def frame(self, number: int, where: str) -> memoryview | None:
        """A frame of the window (counted within it), brought into memory; it may be shorter than whole. None: this
        kernel cannot do that. Rotten: the disk does not give it."""
        at = number * STRIDE
        end = min(at + STRIDE, self.size)
        low = (self._start + at) // _PAGE * _PAGE
        if _madvise()(self._address + low, self._start + end - low, _POPULATE_READ):
            failed = ctypes.get_errno()
            if failed == errno.EINVAL:
                return None
            raise Rotten(f"{where} cannot be read: {os.strerror(failed)}")
        return self.view[at:end]


class Windows:
    """The windows that are kept; from any thread."""

    def __init__(self, kept: int = KEPT) -> None:
        self._kept = kept
        self._lock = threading.Lock()
        self._idle: OrderedDict[tuple[str, int], Window] = OrderedDict()

    def take(self, file: str, fd: int, number: int) -> Window:
        """The window that has a frame, until `give`; the caller reads the file, so that it stays."""
        key = (file, number // FRAMES)
        with self._lock:
            found = self._idle.pop(key, None)
        return found or Window(fd, key[1] * FRAMES)

    def give(self, file: str, number: int, window: Window) -> None:
        """Its reader is done with it, for now."""
        with self._lock:
            self._idle[file, number // FRAMES] = window
            if len(self._idle) > self._kept:
                self._idle.popitem(last=False)

    def forget(self, file: str) -> None:
        """A file goes: what is mapped of it would keep its room on the disk."""
        with self._lock:
            for key in [key for key in self._idle if key[0] == file]:
                del self._idle[key]
