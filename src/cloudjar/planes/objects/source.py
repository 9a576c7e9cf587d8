"""A range of a blob on its way out: read, verified and decrypted frame by frame."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import TYPE_CHECKING

from cloudjar.planes.objects.frames import STRIDE, TAG, Frames, open_inline, unwrap
from cloudjar.planes.objects.port import FRAME, Blob, Piece, Rotten

if TYPE_CHECKING:
    from cloudjar.planes.objects.files import Files


class FileSource:
    """See `port.Source`. Once through; the files stay until `close`."""

    blocks = True

    def __init__(self, files: Files, blob: Blob, key: bytes, start: int, size: int) -> None:
        if start < 0 or size < 0 or start + size > blob.size:
            raise ValueError(f"bytes {start}+{size} of a blob of {blob.size}")
        self.size = size
        self._files = files
        self._key = key
        self._fd = -1
        self._pieces = tuple(pieces_of(blob, start, size))
        self._tail = tail_of(blob, start, size)
        self._inline = blob.inline
        files.pin(self._pieces)
        self._open = True
        if self._pieces:
            try:
                self._fd = files.descriptor(self._pieces[0].file)
            except Rotten:
                self.close()
                raise

    def __iter__(self) -> Iterator[bytes]:
        for piece in self._pieces:
            yield from self._read(piece)
        start, size = self._tail
        if size:
            yield open_inline(self._key, self._inline)[start : start + size]

    def _read(self, piece: Piece) -> Iterator[bytes]:
        key = unwrap(self._key, piece.file, piece.key) if piece.key else self._key
        frames = Frames(key)
        fd = self._fd if self._fd >= 0 else self._files.descriptor(piece.file)
        self._fd = fd
        at, end = piece.start, piece.start + piece.size
        while at < end:
            number, skip = divmod(at, FRAME)
            frame = os.pread(fd, STRIDE, number * STRIDE)
            if len(frame) <= TAG:
                raise Rotten(f"the file {piece.file} is cut short")
            content = frames.decrypt(number, frame, piece.file)
            if skip or end - at < len(content):
                content = content[skip : skip + end - at]
            if not content:
                raise Rotten(f"the file {piece.file} is shorter than it was")
            at += len(content)
            yield content
        os.close(fd)
        self._fd = -1

    def close(self) -> None:
        """See `port.Source`."""
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1
        if self._open:
            self._open = False
            self._files.unpin(self._pieces)


def pieces_of(blob: Blob, start: int, size: int) -> Iterator[Piece]:
    """The parts of a blob's pieces that make up a range."""
    end = start + size
    at = 0
    for piece in blob.pieces:
        low, high = max(start, at), min(end, at + piece.size)
        if low < high:
            yield Piece(piece.file, high - low, piece.start + low - at, piece.key)
        at += piece.size
        if at >= end:
            return


def tail_of(blob: Blob, start: int, size: int) -> tuple[int, int]:
    """Start and size within the inline tail of what a range takes of it."""
    before = sum(piece.size for piece in blob.pieces) if blob.pieces else 0
    low, high = max(start, before), start + size
    return (low - before, high - low) if high > low else (0, 0)
