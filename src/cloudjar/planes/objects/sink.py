"""One body on its way in: hashed and encrypted as it passes, in constant memory."""

from __future__ import annotations

import hashlib
import os
import threading
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from cloudjar.base import ids
from cloudjar.planes.objects import checksum, writeback
from cloudjar.planes.objects.frames import STRIDE, Frames, seal_inline
from cloudjar.planes.objects.port import FRAME, INLINE, Blob, Hash, Piece, Stored

if TYPE_CHECKING:
    from cloudjar.planes.objects.files import Files

KEY = 32
_NOT_STORED = Stored()
_EAGER = 16
"""Frames after which the disk is asked to begin with them."""

_own = threading.local()


class FileLanded:
    """See `port.Landed`."""

    __slots__ = ("_files", "blob", "digests", "key", "md5", "recorded", "size", "stored")

    def __init__(
        self, files: Files, blob: Blob, key: bytes, md5: bytes, digests: Mapping[str, bytes], stored: Stored
    ) -> None:
        self._files = files
        self.blob = blob
        self.key = key
        self.size = blob.size
        self.md5 = md5
        self.digests = digests
        self.stored = stored
        self.recorded = False

    def chunks(self, size: int = FRAME) -> Iterable[bytes]:  # noqa: ARG002 a body's form; pieces are frames
        """The bytes, read back and verified."""
        return self._files.open(self.blob, self.key, 0, self.size)

    def close(self) -> None:
        """Remove what nobody recorded."""
        if not self.recorded:
            self.recorded = True
            for piece in self.blob.pieces:
                self._files.refuse(piece.file)


def land_small(files: Files, content: bytes, hashes: Mapping[str, Hash]) -> FileLanded:
    """What a sink would make of content that fits in a row, without the sink: most objects come this way."""
    key = ids.entropy(KEY)
    blob = Blob(len(content), seal_inline(key, content)) if content else Blob()
    digests = {}
    for name, running in hashes.items():
        running.update(content)
        digests[name] = running.digest()
    return FileLanded(files, blob, key, hashlib.md5(content, usedforsecurity=False).digest(), digests, _NOT_STORED)


class FileSink:
    """See `port.Sink`. No file is made for what fits in a row.

    Whoever has the bytes elsewhere than in memory asks for `room`, puts them there, and tells how many with `filled`.
    """

    def __init__(self, files: Files, hashes: Mapping[str, Hash], inline: int = INLINE) -> None:
        self._files = files
        self._most_inline = inline
        self._hashes = hashes
        self._md5 = _md5()
        self._lane = files.beside.lane(self._md5.update)
        self._key = ids.entropy(KEY)
        self._frames = Frames(self._key)
        self._room: memoryview | None = None
        self._held = 0
        self._written = 0
        self._number = 0
        self._on_disk = 0
        self._crc = 0
        self._file = ""
        self._fd = -1

    def feed(self, data: bytes) -> None:
        """See `port.Sink`."""
        view = memoryview(data)
        while view:
            room = self.room()
            size = min(len(room), len(view))
            room[:size] = view[:size]
            self.filled(size)
            view = view[size:]

    def room(self) -> memoryview:
        """Where the next bytes belong; never empty."""
        if self._room is None:
            self._room = self._lane.room()
        return self._room[self._held :]

    def filled(self, size: int) -> None:
        """So many bytes came into the beginning of `room`. OSError: the disk is full or fails."""
        self._held += size
        if self._held == FRAME:
            self._write()

    def _write(self) -> None:
        """What is held becomes a frame of the file."""
        if self._room is None or not self._held:
            return
        if self._fd < 0:
            self._file, self._fd = self._files.create()
        content = self._room[: self._held]
        sealed = self._frames.encrypt_into(self._number, content, _sealed())
        self._number += 1
        self._written += self._held
        self._hand_on()
        self._crc = checksum.of(sealed, self._crc)
        self._on_disk += len(sealed)
        while sealed:
            sealed = sealed[os.write(self._fd, sealed) :]
        if self._number % _EAGER == 0 and self._files.durable:
            writeback.begin(self._fd, (self._number - _EAGER) * STRIDE, _EAGER * STRIDE)

    def _hand_on(self) -> None:
        """What is held goes to the digests: the one that takes longest does so beside all else."""
        if self._room is not None:
            content = self._room[: self._held]
            for running in self._hashes.values():
                running.update(content)
            room, size, self._room, self._held = self._room, self._held, None, 0
            self._lane.put(room, size)

    def finish(self) -> FileLanded:
        """See `port.Sink`."""
        blob = self._inline() if self._fd < 0 and self._held <= self._most_inline else self._whole_file()
        self._lane.finish()
        digests = {name: running.digest() for name, running in self._hashes.items()}
        stored = Stored(self._on_disk, checksum.told(self._crc))
        return FileLanded(self._files, blob, self._key, self._md5.finalize(), digests, stored)

    def _inline(self) -> Blob:
        if self._room is None or not self._held:
            return Blob()
        blob = Blob(self._held, seal_inline(self._key, self._room[: self._held]))
        self._hand_on()
        return blob

    def _whole_file(self) -> Blob:
        self._write()
        self._files.sync(self._fd)
        os.close(self._fd)
        self._fd = -1
        piece, self._file = Piece(self._file, self._written), ""
        return Blob(self._written, b"", (piece,))

    def abort(self) -> None:
        """See `port.Sink`."""
        self._lane.drop(self._room)
        self._room, self._held = None, 0
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1
        if self._file:
            self._files.refuse(self._file)
            self._file = ""


def _md5() -> Any:
    """The library that encrypts makes it a twentieth quicker than Python's own."""
    from cryptography.hazmat.primitives.hashes import MD5, Hash  # slow to load: a server without objects does without

    return Hash(MD5())


def _sealed() -> memoryview:
    """This thread's room for a sealed frame."""
    found: memoryview | None = getattr(_own, "sealed", None)
    if found is None:
        found = _own.sealed = memoryview(bytearray(STRIDE))
    return found
