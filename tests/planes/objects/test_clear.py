"""What is kept in memory in clear: the same bytes, the same errors, for who reads often, and not more than so much."""

from __future__ import annotations

import hashlib
import os
from contextlib import closing
from pathlib import Path

import pytest

from cloudjar.planes.objects.clear import CHUNK, FRAMES, LEAST, Clears, Stretch
from cloudjar.planes.objects.files import Files
from cloudjar.planes.objects.frames import STRIDE, Buffers
from cloudjar.planes.objects.port import FRAME, Blob, Piece, Rotten
from cloudjar.planes.objects.sink import FileLanded

CONTENT = hashlib.shake_256(b"clear").digest(CHUNK + LEAST) + b"the end"
OTHER = hashlib.shake_256(b"another").digest(2 * CHUNK)


@pytest.fixture
def files(tmp_path: Path) -> Files:
    return Files(tmp_path / "objects", durable=False)


def land(files: Files, content: bytes = CONTENT) -> tuple[FileLanded, Path]:
    sink = files.sink({})
    sink.feed(content)
    landed = sink.finish()
    files.settle(landed.blob.pieces[0].file)
    return landed, files.place(landed.blob.pieces[0].file)


class Read:
    """A range as it is read, and how many of its bytes lay in clear."""

    def __init__(self, files: Files, landed: FileLanded, start: int = 0, size: int = -1, *, cached: bool = False,
                 key: bytes = b"", blob: Blob | None = None) -> None:  # fmt: skip
        buffers, found = Buffers(), []
        self.clear = 0
        blob = blob or landed.blob
        with closing(files.open(blob, key or landed.key, start, blob.size - start if size < 0 else size)) as source:
            while frame := (source.read_cached(buffers) if cached else source.read_into(buffers)):
                if isinstance(frame, Stretch):
                    self.clear += len(frame)
                    frame = frame.view
                found.append(bytes(frame))
        self.content = b"".join(found)


def flip(path: Path, at: int) -> None:
    before = path.stat().st_mtime_ns
    while path.stat().st_mtime_ns == before:  # some systems' clock of files stands still for milliseconds
        os.utime(path)
    with path.open("r+b") as file:
        file.seek(at)
        [byte] = file.read(1)
        file.seek(-1, os.SEEK_CUR)
        file.write(bytes([byte ^ 1]))


@pytest.mark.parametrize("cached", [False, True])
def test_the_second_reading_keeps_what_the_third_takes(files: Files, cached: bool) -> None:
    landed, _ = land(files)
    assert [Read(files, landed, cached=cached).clear for _ in range(4)] == [0, 0, len(CONTENT), len(CONTENT)]
    assert {Read(files, landed, cached=cached).content for _ in range(2)} == {CONTENT}


@pytest.mark.parametrize("cached", [False, True])
def test_every_range_is_what_was_stored(files: Files, cached: bool) -> None:
    landed, _ = land(files)
    for _ in range(3):
        for start, size in (
            (0, len(CONTENT)), (CHUNK - 10, 20), (CHUNK, 1), (len(CONTENT) - 3, 3), (FRAME + 5, 2 * FRAME), (77, CHUNK)
        ):  # fmt: skip
            assert Read(files, landed, start, size, cached=cached).content == CONTENT[start : start + size]
    assert Read(files, landed, FRAME + 5, CHUNK).clear == CHUNK


def test_objects_of_many_pieces_that_share_files(files: Files) -> None:
    landed, _ = land(files)
    file = landed.blob.pieces[0].file
    spans = ((FRAME // 2, CHUNK), (0, len(CONTENT)), (5, 10), (CHUNK, LEAST))
    blob = Blob(sum(size for _, size in spans), b"", tuple(Piece(file, size, start) for start, size in spans))
    expected = b"".join(CONTENT[start : start + size] for start, size in spans)
    assert [Read(files, landed, blob=blob).content == expected for _ in range(4)] == [True] * 4
    assert Read(files, landed, blob=blob).clear


@pytest.mark.parametrize("times", [0, 1, 2, 5])
@pytest.mark.parametrize("cached", [False, True])
def test_a_flipped_byte_is_an_error_however_often_it_was_read_before(files: Files, times: int, cached: bool) -> None:
    landed, path = land(files)
    for _ in range(times):
        assert Read(files, landed).content == CONTENT
    flip(path, 2 * STRIDE + 77)
    assert Read(files, landed, 0, 2 * FRAME, cached=cached).content == CONTENT[: 2 * FRAME]
    for _ in range(3):
        with pytest.raises(Rotten):
            Read(files, landed, cached=cached)
        with pytest.raises(Rotten):
            Read(files, landed, 2 * FRAME, 1, cached=cached)


@pytest.mark.parametrize("left", [0, 1, STRIDE - 1, STRIDE + 5000, (FRAMES + 1) * STRIDE])
def test_a_file_that_is_cut_is_an_error(files: Files, left: int) -> None:
    landed, path = land(files)
    for _ in range(3):
        assert Read(files, landed).content == CONTENT
    os.truncate(path, left)
    with pytest.raises(Rotten):
        Read(files, landed)


def test_another_key_reads_nothing_of_it(files: Files) -> None:
    landed, _ = land(files)
    for _ in range(3):
        Read(files, landed)
    with pytest.raises(Rotten):
        Read(files, landed, key=bytes(32))
    assert Read(files, landed).clear == len(CONTENT)


def test_what_is_in_hand_stays_as_it_was(files: Files) -> None:
    files.clears = Clears(most=1)
    landed, _ = land(files)
    other, _ = land(files, OTHER)
    for _ in range(2):
        Read(files, landed, 0, CHUNK)
    with closing(files.open(landed.blob, landed.key, 0, CHUNK)) as source:
        frame = source.read_into(Buffers())
        assert isinstance(frame, Stretch)
        for _ in range(4):
            Read(files, other, 0, CHUNK)
        assert frame.view == CONTENT[: len(frame)]
        assert frame.after(5).view == CONTENT[5 : len(frame)]
        assert not Read(files, other, 0, CHUNK).clear, "more is kept than there is room for"
    del frame, source
    assert [Read(files, other, 0, CHUNK).clear for _ in range(2)] == [0, CHUNK]


def test_who_reads_more_than_there_is_room_for_drives_out_nothing(files: Files) -> None:
    files.clears = Clears(most=2)
    large = hashlib.shake_256(b"large").digest(CHUNK) * 5
    landed, _ = land(files, large)
    assert [Read(files, landed).clear for _ in range(5)] == [0, 0, 2 * CHUNK, 2 * CHUNK, 2 * CHUNK]
    small, _ = land(files, OTHER[:CHUNK])
    assert [Read(files, small).clear for _ in range(4)] == [0, 0, CHUNK, CHUNK]  # but what is read more often does


def test_a_little_is_not_worth_its_room(files: Files) -> None:
    landed, _ = land(files, CONTENT[: LEAST - 1])
    assert [Read(files, landed).clear for _ in range(4)] == [0] * 4


def test_a_reader_that_stops_again_and_again_goes_on_where_it_was(files: Files) -> None:
    landed, _ = land(files)
    for _ in range(4):
        buffers, found = Buffers(), []
        with closing(files.open(landed.blob, landed.key, 0, len(CONTENT))) as source:
            while frame := source.read_into(buffers):
                found.append(bytes(frame.view if isinstance(frame, Stretch) else frame))
                source.park()
        assert b"".join(found) == CONTENT
    assert Read(files, landed).clear == len(CONTENT)


def test_it_goes_with_its_file(files: Files) -> None:
    landed, _ = land(files)
    for _ in range(3):
        Read(files, landed)
    files.remove(landed.blob.pieces[0].file)
    with pytest.raises(Rotten):
        Read(files, landed)
