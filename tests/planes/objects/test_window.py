"""Frames that are looked at where they lie: the same bytes and the same errors as when they are read."""

from __future__ import annotations

import hashlib
import os
import socket
import threading
from contextlib import closing
from pathlib import Path

import pytest

from cloudjar.planes.objects import window as windows
from cloudjar.planes.objects.clear import CHUNK, FRAMES, Clears
from cloudjar.planes.objects.files import Files
from cloudjar.planes.objects.frames import STRIDE, Buffers
from cloudjar.planes.objects.port import FRAME, Blob, Rotten
from cloudjar.planes.objects.sink import FileLanded
from cloudjar.planes.objects.window import MOST, Windows
from cloudjar.store.blobs import _rewrapped

CONTENT = hashlib.shake_256(b"window").digest(2 * CHUNK + 3 * FRAME + 77)


@pytest.fixture
def files(tmp_path: Path) -> Files:
    """Without what is kept in clear."""
    made = Files(tmp_path / "objects", durable=False)
    made.clears = Clears(most=0)
    return made


def land(files: Files, content: bytes = CONTENT) -> tuple[FileLanded, Path]:
    sink = files.sink({})
    sink.feed(content)
    landed = sink.finish()
    files.settle(landed.blob.pieces[0].file)
    return landed, files.place(landed.blob.pieces[0].file)


def read(files: Files, blob: Blob, key: bytes, start: int = 0, size: int = -1) -> bytes:
    buffers, found = Buffers(), []
    with closing(files.open(blob, key, start, blob.size - start if size < 0 else size)) as source:
        while frame := source.read_into(buffers):
            assert isinstance(frame, bytes | memoryview)
            found.append(bytes(frame))
    return b"".join(found)


def pour(files: Files, landed: FileLanded, got: list[bytes], start: int = 0, room: int = 0) -> None:
    """What comes out of a socket that has little room, if so much is said."""
    ours, theirs = socket.socketpair()
    if room:
        ours.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, room)
    reader = threading.Thread(target=lambda: got.extend(iter(lambda: theirs.recv(50_000), b"")))
    reader.start()
    ours.setblocking(False)
    buffers = Buffers()
    try:
        with closing(files.open(landed.blob, landed.key, start, landed.size - start)) as source:
            while True:
                _, left = source.pour(ours.fileno(), buffers)
                if not left:
                    frame = source.read_into(buffers)
                    assert isinstance(frame, bytes | memoryview)
                    left = memoryview(frame)
                if not left:
                    break
                ours.setblocking(True)
                ours.sendall(left)
                ours.setblocking(False)
    finally:
        ours.close()
        reader.join(60)
        theirs.close()


@pytest.mark.parametrize(("first", "end"), [(0, 1), (0, FRAMES), (3, FRAMES), (FRAMES, 2 * FRAMES), (17, 24)])
def test_frames_are_what_lies_on_disk(files: Files, first: int, end: int) -> None:
    _, path = land(files)
    sealed = path.read_bytes()
    with path.open("rb") as file:
        window = files.windows.open("f", file.fileno(), first, end)
        assert window is not None
        for number in range(first, end):
            assert window.frame(number) == sealed[number * STRIDE : (number + 1) * STRIDE]
        assert files.windows.open("f", file.fileno(), len(sealed) // STRIDE + 1, len(sealed) // STRIDE + 2) is None
        others = [files.windows.open("f", file.fileno(), 0, 1) for _ in range(MOST)]
        assert [other is None for other in others] == [False] * (MOST - 1) + [True]
    del window, others
    assert len(files.windows.left) == MOST


@pytest.mark.parametrize("start", [0, 5])
def test_who_finds_no_window_left_reads(files: Files, start: int) -> None:
    files.windows = Windows(0)
    landed, _ = land(files)
    assert read(files, landed.blob, landed.key, start) == CONTENT[start:]


@pytest.mark.parametrize("brought_in", [True, False])
def test_every_range_is_what_was_stored(files: Files, brought_in: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also where a window cannot be had: then it is read."""
    if not brought_in:
        monkeypatch.setattr(windows, "_BRING_IN", 9999)
    landed, _ = land(files)
    for start, size in ((0, len(CONTENT)), (5, CHUNK), (FRAME - 1, 3 * FRAME), (CHUNK + 9, CHUNK), (2 * CHUNK, 99)):
        assert read(files, landed.blob, landed.key, start, size) == CONTENT[start : start + size]


def test_a_file_that_follows_under_the_same_descriptor_is_another(files: Files) -> None:
    one, _ = land(files, CONTENT[: 4 * FRAME])
    other, _ = land(files, CONTENT[4 * FRAME : 9 * FRAME])
    key = os.urandom(32)
    pieces = tuple(_rewrapped(landed.blob.pieces[0], landed.key, key) for landed in (one, other, one))
    blob = Blob(sum(piece.size for piece in pieces), b"", pieces)
    expected = CONTENT[: 9 * FRAME] + CONTENT[: 4 * FRAME]
    assert read(files, blob, key) == expected
    assert read(files, blob, key, FRAME + 5, 8 * FRAME) == expected[FRAME + 5 : 9 * FRAME + 5]


@pytest.mark.parametrize("room", [0, 4096])
@pytest.mark.parametrize("start", [0, 1, FRAME, CHUNK + 12345])
def test_what_is_poured_is_what_was_stored(files: Files, start: int, room: int) -> None:
    landed, _ = land(files)
    got: list[bytes] = []
    pour(files, landed, got, start, room)
    assert b"".join(got) == CONTENT[start:]


@pytest.mark.parametrize("frame", [0, 1, 4, FRAMES, 2 * FRAMES + 2])
def test_a_flipped_byte_ends_it_before_a_wrong_one_leaves(files: Files, frame: int) -> None:
    landed, path = land(files)
    with path.open("r+b") as file:
        file.seek(frame * STRIDE + 1234)
        [byte] = file.read(1)
        file.seek(-1, os.SEEK_CUR)
        file.write(bytes([byte ^ 1]))
    got: list[bytes] = []
    with pytest.raises(Rotten):
        pour(files, landed, got)
    assert b"".join(got) == CONTENT[: frame * FRAME]


@pytest.mark.parametrize("left", [0, STRIDE, 3 * STRIDE + 100, (FRAMES + 2) * STRIDE])
def test_a_file_that_was_cut_is_an_error(files: Files, left: int) -> None:
    landed, path = land(files)
    os.truncate(path, left)
    with pytest.raises(Rotten):
        read(files, landed.blob, landed.key)
