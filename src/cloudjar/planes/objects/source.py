"""A range of a blob on its way out: read, verified and decrypted frame by frame."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from itertools import chain
from typing import TYPE_CHECKING, NamedTuple, TypeVar

from cloudjar.planes.objects.clear import CHUNK, FRAMES, LEAST, STRETCH, Chunk, Stretch
from cloudjar.planes.objects.far import LEAST as LEAST_FAR
from cloudjar.planes.objects.far import Far
from cloudjar.planes.objects.frames import STRIDE, TAG, Buffers, Frames, open_inline, unwrap
from cloudjar.planes.objects.port import FRAME, Blob, Piece, Rotten
from cloudjar.planes.objects.window import Window

if TYPE_CHECKING:
    from cloudjar.planes.objects.files import Files

_NOTHING = memoryview(b"")
WIDE = 2 * FRAMES
"""Frames that are mapped at once for who reads far ahead: each mapping costs, and so does what it shows at first."""
_WORTH = 3
"""Frames below which to copy them takes less than to map them."""


class Step(NamedTuple):
    """`size` bytes of a piece's file, all within one chunk: from frame `number` on, after its first `skip`."""

    fd: int
    key: bytes
    frames: Frames
    piece: Piece
    number: int
    skip: int
    size: int

    def split(self, size: int) -> tuple[Step, Step | None]:
        """The first `size` bytes of it, and those behind them."""
        if size >= self.size:
            return self, None
        fd, key, frames, piece, number, skip, _ = self
        return Step(fd, key, frames, piece, number, skip, size), self.after(size)

    def after(self, size: int) -> Step:
        """What is behind the first `size` bytes of it, which are fewer than all."""
        fd, key, frames, piece, number, skip, whole = self
        further, behind = divmod(skip + size, FRAME)
        return Step(fd, key, frames, piece, number + further, behind, whole - size)


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
        self._here = 0
        self._steps: Iterator[Step] = self._plan()
        self._put_back: Step | None = None
        self._looked: tuple[str, int] | None = None
        self._chunk: Chunk | None = None
        self._filling: Chunk | None = None
        self._window: Window | None = None
        if self._pieces:
            try:
                self._fd = files.descriptor(self._pieces[0].file)
            except Rotten:
                self.close()
                raise

    def __iter__(self) -> Iterator[bytes]:
        for run in self._steps:
            rest: Step | None = run
            while rest is not None:
                step, rest = rest.split(FRAME - rest.skip)
                frame = os.pread(step.fd, STRIDE, step.number * STRIDE)
                content = step.frames.decrypt(step.number, _whole(frame, step), step.piece.file)
                yield content[step.skip : step.skip + step.size] if len(content) > step.size else content
        if self._tail[1]:
            yield self._open_tail()

    def read_into(self, buffers: Buffers) -> memoryview | bytes | Stretch:
        """The next bytes, in the buffers; empty at the end. For who sends them before he asks again."""
        step, self._put_back = self._put_back or next(self._steps, None), None
        if step is None:
            self._keep()
            self._window = None
            tail, self._tail = self._open_tail() if self._tail[1] else b"", (0, 0)
            return tail
        clear = self._clear(step)
        if clear is not None:
            return clear
        step, self._put_back = step.split(FRAME - step.skip)
        return self._open_frame(step, self._sealed(step, buffers), buffers)

    def pour(self, fd: int, buffers: Buffers) -> tuple[int, memoryview]:
        """Write the frames that the window still shows to `fd`, as long as it takes each whole: how many bytes they
        were, and what is left of the last. Nothing, where each has to be looked at by itself. OSError: of the write."""
        window, rest, left = self._window, self._put_back, _NOTHING
        if window is None or rest is None or self._filling is not None or self._chunk is not None:
            return 0, left
        if rest.skip or not window.shows(rest.piece.file, rest.number):
            return 0, left
        whole = rest.size
        while rest is not None and not left:
            step, rest = rest.split(FRAME)
            frame = _whole(window.frame(step.number), step)
            left = step.frames.decrypt_into(step.number, frame, buffers.content, step.piece.file)[: step.size]
            with contextlib.suppress(BlockingIOError):
                left = left[os.write(fd, left) :]
        self._put_back = rest
        return whole - (0 if rest is None else rest.size), left

    def read_cached(self, buffers: Buffers) -> memoryview | bytes | Stretch | None:
        """The same as `read_into`, if it is in memory and needs no waiting for the disk; else None, and nothing has
        happened."""
        step = self._put_back or next(self._steps, None)
        if step is None:
            return self.read_into(buffers)
        self._put_back = None
        clear = self._clear(step)
        if clear is not None:
            return clear
        self._put_back = step
        step, rest = step.split(FRAME - step.skip)
        at = step.number * STRIDE
        try:
            length = os.preadv(step.fd, (buffers.frame,), at, os.RWF_NOWAIT)
        except OSError:  # it is not in memory, or the file system cannot tell
            return None
        if length < STRIDE and at + length != os.fstat(step.fd).st_size:
            return None
        self._put_back = rest
        return self._open_frame(step, buffers.frame[:length], buffers)

    def far(self) -> Far | None:
        """A reader that is ahead of who sends, if that is worth it and there is memory for it."""
        rooms = self._files.fars.take() if self._here >= LEAST_FAR else None
        return Far(self._files.fars, self, rooms) if rooms else None

    def read_chunk(self, room: memoryview, buffers: Buffers) -> tuple[memoryview | bytes | Stretch, Step | None]:
        """The next bytes up to a chunk's end, in `room` (of a chunk) or in memory that is not used again, and what they
        are; empty at the end."""
        step, self._put_back = self._put_back or next(self._steps, None), None
        if step is None:
            return bytes(self.read_into(buffers)), None  # type: ignore[arg-type] # the tail, which is no stretch
        clear = self._clear(step)
        if clear is not None:
            return clear, step.split(len(clear))[0]
        rest: Step | None = step
        filling, at = None, 0
        while rest is not None:
            one, rest = rest.split(FRAME - rest.skip)
            filling = self._filled(one)
            into = filling.room() if filling else room[at : at + FRAME]
            frame = _whole(self._sealed(one, buffers, WIDE), one)
            content = one.frames.decrypt_into(one.number, frame, into, one.piece.file)
            at += len(content)
            if filling:
                filling.size += len(content)
        if filling:
            return Stretch(filling, step.number % FRAMES * FRAME + step.skip, step.size), step
        return room[step.skip : step.skip + step.size], step

    @property
    def continues(self) -> bool:
        """Whether the next bytes are of the same file as the last."""
        return self._put_back is not None or self._here > 0

    def again(self, step: Step, left: int) -> None:
        """The last `left` bytes of what was read last are read once more; the file must not have changed."""
        self._keep()
        if self._put_back is not None:
            self._steps = chain((self._put_back,), self._steps)
        self._put_back = step.after(step.size - left) if left < step.size else step

    def _sealed(self, step: Step, buffers: Buffers, frames: int = FRAMES) -> memoryview:
        """A frame as it is on disk: where it lies in memory, shown with others up to so many, or copied into the
        buffers."""
        window = self._window
        if window is None or not window.shows(step.piece.file, step.number):
            window = self._window = self._look(step, frames)
        if window is not None:
            return window.frame(step.number)
        return buffers.frame[: os.preadv(step.fd, (buffers.frame,), step.number * STRIDE)]

    def _look(self, step: Step, frames: int) -> Window | None:
        """What is to be read up to the next multiple of so many frames, if that is worth it."""
        self._window = None  # before there is another: threads have one each
        end = min(step.number - step.number % frames + frames, -(-(step.piece.start + step.piece.size) // FRAME))
        if end - step.number >= _WORTH:
            return self._files.windows.open(step.piece.file, step.fd, step.number, end)
        return None

    def _clear(self, step: Step) -> Stretch | None:
        """What lies in memory in clear of this step, up to a stretch; None: it has to be read."""
        name = step.piece.file, step.number // FRAMES
        if self._looked != name:
            self._looked = name
            self._chunk = self._files.clears.find(name, step.key, step.fd)
        chunk = self._chunk
        if chunk is None:
            return None
        start = step.number % FRAMES * FRAME + step.skip
        if start >= chunk.size:
            return None
        step, self._put_back = step.split(min(chunk.size - start, STRETCH))
        return Stretch(chunk, start, step.size)

    def _open_frame(self, step: Step, frame: memoryview, buffers: Buffers) -> memoryview:
        filling = self._filled(step)
        room = filling.room() if filling else buffers.content
        content = step.frames.decrypt_into(step.number, _whole(frame, step), room, step.piece.file)
        if filling:
            filling.size += len(content)
        return content[step.skip : step.skip + step.size]

    def _filled(self, step: Step) -> Chunk | None:
        """The chunk to keep what is read in, if it is read often."""
        within = step.number % FRAMES
        if not within:
            self._keep()
            if step.piece.start + step.piece.size - step.number * FRAME >= LEAST:
                name = step.piece.file, step.number // FRAMES
                self._filling = self._files.clears.begin(name, step.key, step.fd)
        filling = self._filling
        if filling and (filling.name[0] != step.piece.file or filling.size != within * FRAME):
            filling = self._filling = None
        return filling

    def park(self) -> None:
        """Nothing is read for a while: what is kept for others need not be kept for this reader too."""
        self._chunk = self._looked = self._window = None

    def _keep(self) -> None:
        filling, self._filling = self._filling, None
        if filling:
            self._files.clears.keep(filling)

    def _open_tail(self) -> bytes:
        start, size = self._tail
        return open_inline(self._key, self._inline)[start : start + size]

    def _plan(self) -> Iterator[Step]:
        """Chunk after chunk of what is to be read; a file is open while they are given."""
        for piece in self._pieces:
            key = unwrap(self._key, piece.file, piece.key) if piece.key else self._key
            frames = Frames(key)
            if self._fd < 0:
                self._fd = self._files.descriptor(piece.file)
            at, end = piece.start, piece.start + piece.size
            while at < end:
                number, skip = divmod(at, FRAME)
                size = min(CHUNK - at % CHUNK, end - at)
                self._here = end - at - size
                yield Step(self._fd, key, frames, piece, number, skip, size)
                at += size
            os.close(self._fd)
            self._fd = -1

    @property
    def removes(self) -> bool:
        """Whether to close it may remove a file, which takes its time."""
        return self._files.leaves(self._pieces)

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


def _whole(frame: F, step: Step) -> F:
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
