"""What is read again and again stays in memory as it was verified, so that it need not be decrypted each time.

Clear content lies in chunks of `CHUNK` bytes. A chunk is written once, as its frames are decrypted, and dropped whole.

What is read once is not kept. A chunk is kept from its second reading on, and takes the place of another only if it
was read more lately than that one was used: whoever reads more than there is room for drives out nobody.

A file that changed since its chunk was verified is read and verified anew; so is whatever comes with another key.
"""

from __future__ import annotations

import contextlib
import ctypes
import mmap
import os
import threading
from collections import OrderedDict

from cloudjar.planes.objects.port import FRAME

FRAMES = 8
CHUNK = FRAMES * FRAME
"""Bytes of content that are kept or dropped together."""
LEAST = CHUNK // 2
"""Bytes of a chunk below which it is not worth its room."""
STRETCH = CHUNK
"""Bytes of a chunk that are given at once."""
MOST = 56
"""Chunks at a time: 112 MiB. Bodies that come and go have their share of that memory: a chunk for each `SHARE` of them,
down to `ALWAYS`."""
SHARE = 2
ALWAYS = 12
_REMEMBERED = 4096
"""Chunks of which it is known when they were last read: 8 GiB of content."""

Name = tuple[str, int]
"""A file, and a chunk's number within it."""


class Chunk:
    """Content from the beginning of a chunk on, as far as it was read; whoever has it may go on reading it."""

    __slots__ = ("_clears", "_room", "address", "key", "mark", "name", "size", "used")

    def __init__(self, clears: Clears, name: Name, key: bytes, mark: tuple[int, ...]) -> None:
        self._clears = clears
        self.name = name
        self.key = key
        self.mark = mark
        self.size = 0
        self.used = 0
        memory = mmap.mmap(-1, CHUNK, mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
        with contextlib.suppress(OSError):  # a kernel without large pages
            memory.madvise(mmap.MADV_HUGEPAGE)
        self._room = memoryview(memory)
        self.address = ctypes.addressof(ctypes.c_char.from_buffer(memory))

    def room(self) -> memoryview:
        """Where the next frame's content belongs; who has put it there adds to `size`."""
        return self._room[self.size : self.size + FRAME]

    def view(self, at: int, size: int) -> memoryview:
        """Bytes of the content."""
        return self._room[at : at + size].toreadonly()

    def __del__(self) -> None:
        self._clears.gone()


class Stretch:
    """Bytes of a chunk: memory that is never written over."""

    __slots__ = ("_at", "_chunk", "_size")

    def __init__(self, chunk: Chunk, at: int, size: int) -> None:
        self._chunk = chunk
        self._at = at
        self._size = size

    def __len__(self) -> int:
        return self._size

    @property
    def address(self) -> int:
        """Where they lie."""
        return self._chunk.address + self._at

    @property
    def view(self) -> memoryview:
        """The bytes."""
        return self._chunk.view(self._at, self._size)

    def after(self, size: int) -> Stretch:
        """What comes after so many of them."""
        return Stretch(self._chunk, self._at + size, self._size - size)


class Clears:
    """The chunks that are kept; from any thread."""

    def __init__(self, most: int = MOST) -> None:
        self._greatest = self._most = most
        self._lock = threading.RLock()  # the last of a chunk may go while it is held
        self._chunks: OrderedDict[Name, Chunk] = OrderedDict()
        self._read: OrderedDict[Name, int] = OrderedDict()
        self._clock = 0
        self._living = 0

    def bodies(self, count: int) -> None:
        """So many are being read or written."""
        most = max(self._greatest - count // SHARE, min(self._greatest, ALWAYS))
        if most == self._most:
            return
        with self._lock:
            self._most = most
            while self._living > most and self._chunks:
                self._chunks.popitem(last=False)

    def find(self, name: Name, key: bytes, fd: int) -> Chunk | None:
        """A chunk of the file that is open as `fd`, if it is kept and the file is as it was."""
        with self._lock:
            found = self._chunks.get(name)
            if found is None:
                return None
            if found.key != key:
                return None
            if found.mark != _mark(fd):
                del self._chunks[name]
                return None
            self._clock += 1
            found.used = self._read[name] = self._clock
            self._read.move_to_end(name)
            self._chunks.move_to_end(name)
            return found

    def begin(self, name: Name, key: bytes, fd: int) -> Chunk | None:
        """Somebody reads a chunk from its beginning: where to put what he reads; None: it is not to be kept."""
        with self._lock:
            self._clock += 1
            before = self._read.get(name, 0)
            self._read[name] = self._clock
            self._read.move_to_end(name)
            if len(self._read) > _REMEMBERED:
                self._read.popitem(last=False)
            if not before or not self._room(before):
                return None
            mark = _mark(fd)
            self._living += 1  # a chunk that cannot be made counts as one that went
            try:
                return Chunk(self, name, key, mark)
            except OSError:
                return None

    def _room(self, read: int) -> bool:
        """Whether there is room for what was last read then; what was not used since goes for it."""
        if self._living >= self._most and self._chunks:
            name, oldest = next(iter(self._chunks.items()))
            if oldest.used < read:
                del self._chunks[name], oldest
        return self._living < self._most

    def keep(self, chunk: Chunk) -> None:
        """What was put into a chunk is all there will be."""
        if chunk.size < LEAST:
            return
        with self._lock:
            self._clock += 1
            chunk.used = self._clock
            self._chunks[chunk.name] = chunk
            self._chunks.move_to_end(chunk.name)

    def forget(self, file: str) -> None:
        """A file goes, and what was read of it."""
        with self._lock:
            for name in [name for name in self._chunks if name[0] == file]:
                del self._chunks[name]

    def gone(self) -> None:
        """Nobody has a chunk any more."""
        with self._lock:
            self._living -= 1


def _mark(fd: int) -> tuple[int, ...]:
    """What changes when somebody writes into a file."""
    now = os.fstat(fd)
    return now.st_ino, now.st_size, now.st_mtime_ns, now.st_ctime_ns
