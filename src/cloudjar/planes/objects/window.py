"""Frames as they lie in the page cache: looked at where they are, which saves the copy that reading them would make.

A window is brought in before it is looked at: what the disk cannot give is an error then, not a signal in the middle.
Nobody writes into a file that is recorded. Who cuts one short from outside in that moment ends the server.
"""

from __future__ import annotations

import mmap
import os
from collections import deque

from cloudjar.planes.objects.frames import STRIDE

_BRING_IN = 22
"""``MADV_POPULATE_READ``, which Python does not name: read what is missing, and tell if that fails."""


MOST = 4
"""Windows at a time, of 2 MiB each: what they show counts as the server's memory. Who finds none left reads."""


class Windows:
    """How many more there may be; from any thread."""

    def __init__(self, most: int = MOST) -> None:
        self.left = deque(range(most))

    def open(self, file: str, fd: int, first: int, end: int) -> Window | None:
        """A window, unless there are too many, or the frames cannot be had so."""
        try:
            number = self.left.pop()
        except IndexError:
            return None
        try:
            return Window(self, number, file, fd, first, end)
        except (OSError, ValueError):
            self.left.append(number)
            return None


class Window:
    """Frames ``[first, end)`` of the `file` that is open as `fd`, as far as the file goes. OSError, ValueError: they
    cannot be had so; they may be read. It ends with the last reference to it."""

    __slots__ = ("_among", "_base", "_number", "_view", "end", "file", "first")

    def __init__(self, among: Windows, number: int, file: str, fd: int, first: int, end: int) -> None:
        start, stop = first * STRIDE, min(end * STRIDE, os.fstat(fd).st_size)
        self._base = start - start % mmap.ALLOCATIONGRANULARITY
        if stop <= start:
            raise ValueError("the file ends before")
        pages = mmap.mmap(fd, stop - self._base, mmap.MAP_SHARED, mmap.PROT_READ, offset=self._base)
        pages.madvise(_BRING_IN)
        self._view = memoryview(pages)
        self._among = among
        self._number = number
        self.file = file
        self.first = first
        self.end = end

    def __del__(self) -> None:
        if hasattr(self, "_number"):  # else it never came to be
            del self._view
            self._among.left.append(self._number)

    def shows(self, file: str, number: int) -> bool:
        """Whether it is about this frame."""
        return self.first <= number < self.end and self.file == file

    def frame(self, number: int) -> memoryview:
        """A frame as it is on disk; shorter, or empty, where the file ends."""
        at = number * STRIDE - self._base
        return self._view[at : at + STRIDE]
