"""What is read where it lies in the system's memory: the same bytes, the same errors, and not more memory."""

from __future__ import annotations

import hashlib
import os
from contextlib import closing
from pathlib import Path

import pytest

from cloudjar.planes.objects.files import Files
from cloudjar.planes.objects.frames import STRIDE, Buffers
from cloudjar.planes.objects.port import FRAME, Rotten
from cloudjar.planes.objects.sink import FileLanded
from cloudjar.planes.objects.windows import FRAMES, Windows

CONTENT = hashlib.shake_256(b"windows").digest(FRAME) * (FRAMES + 2) + b"the end"


@pytest.fixture
def files(tmp_path: Path) -> Files:
    return Files(tmp_path / "objects", durable=False)


def land(files: Files, content: bytes = CONTENT) -> tuple[FileLanded, Path]:
    sink = files.sink({})
    sink.feed(content)
    landed = sink.finish()
    files.settle(landed.blob.pieces[0].file)
    return landed, files.place(landed.blob.pieces[0].file)


def read(files: Files, landed: FileLanded, start: int, size: int, *, cached: bool = False) -> bytes:
    buffers, found = Buffers(), []
    with closing(files.open(landed.blob, landed.key, start, size)) as source:
        while frame := (source.read_cached(buffers) if cached else source.read_into(buffers)):
            found.append(bytes(frame))
    return b"".join(found)


@pytest.mark.parametrize("cached", [False, True])
def test_every_range_over_windows_is_what_was_stored(files: Files, cached: bool) -> None:
    landed, _ = land(files)
    edge = FRAMES * FRAME
    for start, size in ((0, len(CONTENT)), (edge - 10, 20), (edge, 1), (len(CONTENT) - 3, 3), (FRAME + 5, 2 * FRAME)):
        assert read(files, landed, start, size, cached=cached) == CONTENT[start : start + size]


@pytest.mark.parametrize("cached", [False, True])
def test_a_flipped_byte_is_noticed_though_the_window_was_there_before(files: Files, cached: bool) -> None:
    landed, path = land(files)
    assert read(files, landed, 0, len(CONTENT)) == CONTENT
    with path.open("r+b") as file:
        file.seek(2 * STRIDE + 77)
        [byte] = file.read(1)
        file.seek(-1, os.SEEK_CUR)
        file.write(bytes([byte ^ 1]))
    assert read(files, landed, 0, 2 * FRAME, cached=cached) == CONTENT[: 2 * FRAME]
    with pytest.raises(Rotten):
        read(files, landed, 2 * FRAME, 1, cached=cached)


@pytest.mark.parametrize("left", [0, 1, STRIDE - 1, STRIDE + 5000, (FRAMES + 1) * STRIDE])
def test_a_file_that_is_cut_while_it_is_mapped_ends_no_process(files: Files, left: int) -> None:
    landed, path = land(files)
    assert read(files, landed, 0, len(CONTENT)) == CONTENT
    os.truncate(path, left)
    with pytest.raises(Rotten):
        read(files, landed, 0, len(CONTENT))


def test_who_is_in_the_middle_of_a_file_that_is_cut_gets_an_error(files: Files) -> None:
    landed, path = land(files)
    buffers = Buffers()
    with closing(files.open(landed.blob, landed.key, 0, len(CONTENT))) as source:
        assert source.read_into(buffers) == CONTENT[:FRAME]
        os.truncate(path, STRIDE)
        with pytest.raises(Rotten):
            source.read_into(buffers)


def test_windows_are_few_and_go_with_their_file(files: Files) -> None:
    files.windows = Windows(kept=3)
    both = [land(files), land(files)]
    for landed, _ in both:
        assert read(files, landed, 0, len(CONTENT)) == CONTENT
    assert len(mapped(both[0][1])) + len(mapped(both[1][1])) == 3
    for landed, path in both:
        files.remove(landed.blob.pieces[0].file)
        assert not mapped(path)


def test_a_parked_reader_goes_on_where_it_was(files: Files) -> None:
    landed, _ = land(files)
    buffers, found = Buffers(), []
    with closing(files.open(landed.blob, landed.key, 0, len(CONTENT))) as source:
        while frame := source.read_into(buffers):
            found.append(bytes(frame))
            source.park()
    assert b"".join(found) == CONTENT


def mapped(path: Path) -> list[str]:
    return [line for line in Path("/proc/self/maps").read_text().splitlines() if path.name in line]
