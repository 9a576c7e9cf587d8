"""A file that is only added to, for what comes too often for a transaction each: an append survives `kill -9` and takes
microseconds. What is in it goes into the database now and then; then the file begins anew."""

from __future__ import annotations

import os
import weakref
from pathlib import Path


class Journal:
    """Bytes in the order in which they were added. Not synced: a power cut may take the end of it. Who adds, reads and
    clears holds a lock of his own. Raises OSError."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._fd = -1
        self.size = path.stat().st_size if path.exists() else 0

    def append(self, data: bytes) -> None:
        """Add all of it or nothing."""
        if self._fd < 0:
            self._fd = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600)
            weakref.finalize(self, os.close, self._fd)
        written = os.write(self._fd, data)
        if written != len(data):
            os.ftruncate(self._fd, self.size)
            raise OSError(f"{self._path.name}: no room for what is added")
        self.size += written

    def read(self) -> bytes:
        """All of it."""
        return self._path.read_bytes() if self.size else b""

    def clear(self) -> None:
        """Begin anew."""
        if self.size:
            os.truncate(self._path, 0)
            self.size = 0
