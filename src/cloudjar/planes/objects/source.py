"""A range of a blob on its way out: read, verified and decrypted frame by frame."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple, TypeVar

from cloudjar.planes.objects.frames import STRIDE, TAG, Buffers, Frames, open_inline, unwrap
from cloudjar.planes.objects.port import FRAME, Blob, Piece, Rotten
from cloudjar.planes.objects.windows import FRAMES, Window

if TYPE_CHECKING:
    from cloudjar.planes.objects.files import Files


class _Step(NamedTuple):
    """`size` bytes of a frame, after the first `skip`."""

    fd: int
    frames: Frames
    piece: Piece
    number: int
    skip: int
    size: int


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
        self._steps = self._plan()
        self._put_back: _Step | None = None
        self._window: tuple[str, int, Window] | None = None
        if self._pieces:
            try:
                self._fd = files.descriptor(self._pieces[0].file)
            except Rotten:
                self.close()
                raise

    def __iter__(self) -> Iterator[bytes]:
        for step in self._steps:
            frame = os.pread(step.fd, STRIDE, step.number * STRIDE)
            content = step.frames.decrypt(step.number, _whole(frame, step), step.piece.file)
            yield content[step.skip : step.skip + step.size] if len(content) > step.size else content
        if self._tail[1]:
            yield self._open_tail()

    def read_into(self, buffers: Buffers) -> memoryview | bytes:
        """The next bytes, in the buffers; empty at the end. For who sends them before he asks again."""
        step, self._put_back = self._put_back or next(self._steps, None), None
        if step is None:
            tail, self._tail = self._open_tail() if self._tail[1] else b"", (0, 0)
            return tail
        frame = self._mapped(step)
        if frame is None:
            frame = buffers.frame[: os.preadv(step.fd, (buffers.frame,), step.number * STRIDE)]
        return self._open_frame(step, frame, buffers)

    def park(self) -> None:
        """Nothing is read for a while: others may use what was kept ready for it."""
        held, self._window = self._window, None
        if held is not None:
            self._files.windows.give(*held)

    def _mapped(self, step: _Step) -> memoryview | None:
        """A frame where it lies in the system's memory; None: copy it."""
        file, number = step.piece.file, step.number
        held = self._window
        if held is None or held[0] != file or held[1] // FRAMES != number // FRAMES:
            self.park()
            self._window = held = (file, number, self._files.windows.take(file, step.fd, number))
        return held[2].frame(number % FRAMES, file)

    def read_cached(self, buffers: Buffers) -> memoryview | bytes | None:
        """The same, if it is in memory and needs no waiting for the disk; else None, and nothing has happened."""
        step = self._put_back or next(self._steps, None)
        if step is None:
            return self.read_into(buffers)
        self._put_back = step
        at = step.number * STRIDE
        try:
            length = os.preadv(step.fd, (buffers.frame,), at, os.RWF_NOWAIT)
        except OSError:  # it is not in memory, or the file system cannot tell
            return None
        if length < STRIDE and at + length != os.fstat(step.fd).st_size:
            return None
        self._put_back = None
        return self._open_frame(step, buffers.frame[:length], buffers)

    def _open_frame(self, step: _Step, frame: memoryview, buffers: Buffers) -> memoryview:
        content = step.frames.decrypt_into(step.number, _whole(frame, step), buffers.content, step.piece.file)
        return content[step.skip : step.skip + step.size]

    def _open_tail(self) -> bytes:
        start, size = self._tail
        return open_inline(self._key, self._inline)[start : start + size]

    def _plan(self) -> Iterator[_Step]:
        """Frame after frame of what is to be read; a file is open while its frames are given."""
        for piece in self._pieces:
            frames = Frames(unwrap(self._key, piece.file, piece.key) if piece.key else self._key)
            if self._fd < 0:
                self._fd = self._files.descriptor(piece.file)
            at, end = piece.start, piece.start + piece.size
            while at < end:
                number, skip = divmod(at, FRAME)
                size = min(FRAME - skip, end - at)
                yield _Step(self._fd, frames, piece, number, skip, size)
                at += size
            os.close(self._fd)
            self._fd = -1

    def close(self) -> None:
        """See `port.Source`."""
        self.park()
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1
        if self._open:
            self._open = False
            self._files.unpin(self._pieces)


F = TypeVar("F", bytes, memoryview)


def _whole(frame: F, step: _Step) -> F:
    """A frame as it was read. Rotten: it does not have the bytes that it should."""
    if len(frame) - TAG < step.skip + step.size:
        raise Rotten(f"the file {step.piece.file} is cut short")
    return frame


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
