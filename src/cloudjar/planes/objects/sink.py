"""One body on its way in: hashed and encrypted as it passes, in constant memory."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

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
    """See `port.Sink`. No file is made for what fits in a row."""

    def __init__(self, files: Files, hashes: Mapping[str, Hash], inline: int = INLINE) -> None:
        self._files = files
        self._most_inline = inline
        self._hashes = hashes
        self._md5 = hashlib.md5(usedforsecurity=False)
        self._key = ids.entropy(KEY)
        self._frames = Frames(self._key)
        self._held = bytearray()
        self._written = 0
        self._number = 0
        self._on_disk = 0
        self._crc = 0
        self._file = ""
        self._fd = -1

    def feed(self, data: bytes) -> None:
        """See `port.Sink`."""
        digested = self._files.beside.run(self._md5.update, data)
        try:
            for running in self._hashes.values():
                running.update(data)
            self._encrypt(memoryview(data))
        finally:
            digested()

    def _encrypt(self, view: memoryview) -> None:
        while len(self._held) + len(view) >= FRAME:
            if self._held:
                room = FRAME - len(self._held)
                self._held += view[:room]
                self._write(self._held)
                self._held = bytearray()
                view = view[room:]
            else:
                self._write(view[:FRAME])
                view = view[FRAME:]
        self._held += view

    def _write(self, content: bytearray | memoryview) -> None:
        if self._fd < 0:
            self._file, self._fd = self._files.create()
        sealed = self._frames.encrypt(self._number, content)
        self._number += 1
        self._written += len(content)
        self._crc = checksum.of(sealed, self._crc)
        self._on_disk += len(sealed)
        frame = memoryview(sealed)
        while frame:
            frame = frame[os.write(self._fd, frame) :]
        if self._number % _EAGER == 0 and self._files.durable:
            writeback.begin(self._fd, (self._number - _EAGER) * STRIDE, _EAGER * STRIDE)

    def finish(self) -> FileLanded:
        """See `port.Sink`."""
        blob = self._inline() if self._fd < 0 and len(self._held) <= self._most_inline else self._whole_file()
        digests = {name: running.digest() for name, running in self._hashes.items()}
        stored = Stored(self._on_disk, checksum.told(self._crc))
        return FileLanded(self._files, blob, self._key, self._md5.digest(), digests, stored)

    def _inline(self) -> Blob:
        return Blob(len(self._held), seal_inline(self._key, self._held)) if self._held else Blob()

    def _whole_file(self) -> Blob:
        if self._held:
            self._write(self._held)
            self._held = bytearray()
        self._files.sync(self._fd)
        os.close(self._fd)
        self._fd = -1
        piece, self._file = Piece(self._file, self._written), ""
        return Blob(self._written, b"", (piece,))

    def abort(self) -> None:
        """See `port.Sink`."""
        self._held = bytearray()
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1
        if self._file:
            self._files.refuse(self._file)
            self._file = ""
