"""The files: arriving ones in a folder of their own, recorded ones at ``xx/yy/id``.

A file's arrival is on disk (its bytes and its name) before anybody records it; moving it to its place later needs
no sync, since a start finds it in either.
"""

from __future__ import annotations

import contextlib
import logging
import os
import threading
from base64 import b32encode
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path

from cloudjar.base import ids
from cloudjar.planes.objects.beside import Beside
from cloudjar.planes.objects.clear import Clears
from cloudjar.planes.objects.far import Fars
from cloudjar.planes.objects.port import INLINE, Blob, Hash, Piece, Rotten
from cloudjar.planes.objects.sink import FileSink
from cloudjar.planes.objects.source import FileSource
from cloudjar.planes.objects.window import Windows

log = logging.getLogger("cloudjar.objects")

ARRIVING = "arriving"
QUARANTINE = "quarantine"


def new_file() -> str:
    """A file's name: 16 characters, of 80 random bits."""
    return b32encode(ids.entropy(10)).decode().lower()


class Files:
    """The folder of objects; all methods from any thread. `durable=False` skips the disk's sync (tests)."""

    def __init__(self, folder: Path, *, durable: bool = True) -> None:
        self.folder = folder
        self.durable = durable
        self.arriving = folder / ARRIVING
        self._lock = threading.Lock()
        self._pinned: Counter[str] = Counter()
        self._leaving: set[str] = set()
        self._readers = 0
        self._underway: set[str] = set()
        self._made = False
        self.clears = Clears()
        self.windows = Windows()
        self.beside = Beside()
        self.fars = Fars(self.beside)

    def sink(self, hashes: Mapping[str, Hash], inline: int = INLINE) -> FileSink:
        """See `port.ObjectsPort`; up to `inline` bytes make no file."""
        return FileSink(self, hashes, inline)

    def open(self, blob: Blob, key: bytes, start: int, size: int) -> FileSource:
        """See `port.ObjectsPort`."""
        return FileSource(self, blob, key, start, size)

    # -- a file's life
    def create(self) -> tuple[str, int]:
        """A new file among the arrivals: its name and a descriptor to write."""
        if not self._made:
            self.arriving.mkdir(parents=True, exist_ok=True, mode=0o700)
            self._made = True
        file = new_file()
        self._underway.add(file)
        self._share()
        return file, os.open(self.arriving / file, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)

    def sync(self, fd: int) -> None:
        """A whole file's bytes and its name among the arrivals to disk."""
        if not self.durable:
            return
        os.fsync(fd)
        folder = os.open(self.arriving, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)

    def settle(self, file: str) -> None:
        """Somebody recorded an arrival: put it in its place."""
        place = self.place(file)
        try:
            (self.arriving / file).rename(place)
        except FileNotFoundError:
            place.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            try:
                (self.arriving / file).rename(place)
            except FileNotFoundError:
                if not place.exists():
                    log.exception("the file %s is lost", file)
        self._arrived(file)

    def refuse(self, file: str) -> None:
        """Nobody records an arrival: remove it."""
        with contextlib.suppress(FileNotFoundError):
            (self.arriving / file).unlink()
        self._arrived(file)

    def _arrived(self, file: str) -> None:
        self._underway.discard(file)
        self._share()

    def _share(self) -> None:
        """Whoever is under way has his share of the memory."""
        self.clears.bodies(self._readers + len(self._underway))

    def remove(self, file: str) -> bool:
        """Nobody counts a file any more: it goes now (True), or as soon as nobody reads it."""
        with self._lock:
            if file in self._pinned:
                self._leaving.add(file)
                return False
        self._unlink(file)
        return True

    def _unlink(self, file: str) -> None:
        self.clears.forget(file)
        for path in (self.place(file), self.arriving / file):
            with contextlib.suppress(FileNotFoundError):
                path.unlink()

    # -- reading
    def pin(self, pieces: tuple[Piece, ...]) -> None:
        """Somebody reads these files: they stay until `unpin`."""
        if not pieces:
            return
        with self._lock:
            self._pinned.update(piece.file for piece in pieces)
            self._readers += 1
            self._share()

    def unpin(self, pieces: tuple[Piece, ...]) -> None:
        """The reader is done."""
        if not pieces:
            return
        leave = []
        with self._lock:
            self._readers -= 1
            self._share()
            for piece in pieces:
                self._pinned[piece.file] -= 1
                if self._pinned[piece.file] <= 0:
                    del self._pinned[piece.file]
                    if piece.file in self._leaving:
                        self._leaving.discard(piece.file)
                        leave.append(piece.file)
        for file in leave:
            self._unlink(file)

    def leaves(self, pieces: tuple[Piece, ...]) -> bool:
        """Whether one of these files goes when nobody reads it any more."""
        return bool(self._leaving) and any(piece.file in self._leaving for piece in pieces)

    def descriptor(self, file: str) -> int:
        """A descriptor to read a file; Rotten when there is none."""
        place = f"{self.folder}/{file[:2]}/{file[2:4]}/{file}"  # as `place`, which takes longer than to open it
        try:
            return os.open(place, os.O_RDONLY | os.O_CLOEXEC)
        except FileNotFoundError:
            pass
        for path in (self.arriving / file, place):  # it may have moved between two looks
            with contextlib.suppress(FileNotFoundError):
                return os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        raise Rotten(f"the file {file} is not there")

    def place(self, file: str) -> Path:
        """Where a recorded file lies."""
        return self.folder / file[:2] / file[2:4] / file

    # -- the folder as a whole
    def arrivals(self) -> list[str]:
        """Names of files that have arrived or are arriving."""
        try:
            return os.listdir(self.arriving)
        except FileNotFoundError:
            return []

    def left(self) -> list[str]:
        """Those that arrived in an earlier life."""
        return [file for file in self.arrivals() if file not in self._underway]

    def settled(self) -> Iterator[str]:
        """Names of all files in their places."""
        for outer in self.shelves():
            yield from self.on_shelf(outer)

    def shelves(self) -> list[str]:
        """The outer folders: each has some of the files in their places."""
        return [path.name for path in _folders(self.folder)]

    def on_shelf(self, shelf: str) -> Iterator[str]:
        """Names of the files in their places in one of them."""
        for inner in _folders(self.folder / shelf):
            yield from sorted(os.listdir(inner))

    def quarantine(self, file: str) -> None:
        """Take a rotten file out of use: it is kept for whoever wants to look at it, and reads fail."""
        aside = self.folder / QUARANTINE
        aside.mkdir(parents=True, exist_ok=True, mode=0o700)
        self.clears.forget(file)
        with contextlib.suppress(FileNotFoundError):
            self.place(file).rename(aside / file)


def _folders(parent: Path) -> list[Path]:
    with contextlib.suppress(FileNotFoundError):
        return sorted(path for path in parent.iterdir() if path.is_dir() and len(path.name) == 2)
    return []
