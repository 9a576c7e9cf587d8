"""Bytes that go in come out; what was tampered with comes out as an error; nothing of them is in clear."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cloudjar.planes.objects.files import Files
from cloudjar.planes.objects.frames import STRIDE
from cloudjar.planes.objects.port import FRAME, INLINE, Blob, Rotten
from cloudjar.planes.objects.sink import FileLanded

CONTENT = hashlib.shake_256(b"content").digest(3 * FRAME + 1000)


@pytest.fixture
def files(tmp_path: Path) -> Files:
    return Files(tmp_path / "objects")


def land(files: Files, content: bytes, step: int = 100_000) -> FileLanded:
    sink = files.sink({"sha256": hashlib.sha256()})
    for at in range(0, len(content), step):
        sink.feed(content[at : at + step])
    return sink.finish()


def read(files: Files, landed: FileLanded, start: int = 0, size: int | None = None) -> bytes:
    with closing(files.open(landed.blob, landed.key, start, landed.size - start if size is None else size)) as source:
        return b"".join(source)


def on_disk(files: Files) -> list[Path]:
    return sorted(path for path in files.folder.rglob("*") if path.is_file())


@pytest.mark.parametrize("size", [0, 1, INLINE, INLINE + 1, FRAME - 1, FRAME, FRAME + 1, 3 * FRAME, 3 * FRAME + 1000])
def test_what_goes_in_comes_out(files: Files, size: int) -> None:
    landed = land(files, CONTENT[:size])
    assert landed.size == landed.blob.size == size
    assert landed.md5 == hashlib.md5(CONTENT[:size]).digest()
    assert landed.digests == {"sha256": hashlib.sha256(CONTENT[:size]).digest()}
    assert read(files, landed) == b"".join(landed.chunks()) == CONTENT[:size]
    assert bool(on_disk(files)) is (size > INLINE)


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 2 * FRAME + 10), st.integers(1, FRAME + 5), st.data())
def test_any_range_of_any_size_fed_in_any_steps(
    tmp_path_factory: pytest.TempPathFactory, size: int, step: int, data: st.DataObject
) -> None:
    files = Files(tmp_path_factory.mktemp("jar") / "objects", durable=False)
    landed = land(files, CONTENT[:size], max(step, size // 50 + 1))
    start = data.draw(st.integers(0, size))
    length = data.draw(st.integers(0, size - start))
    assert read(files, landed, start, length) == CONTENT[start : start + length]


def test_nothing_is_in_clear_on_disk(files: Files) -> None:
    secret = b"the combination of the safe is 4711 "
    landed = land(files, secret * 20_000)
    assert secret not in b"".join(path.read_bytes() for path in on_disk(files))
    assert secret not in land(files, secret).blob.inline
    assert landed.key not in b"".join(path.read_bytes() for path in on_disk(files))


def flip(path: Path, at: int) -> None:
    with path.open("r+b") as file:
        file.seek(at)
        byte = file.read(1)[0]
        file.seek(at)
        file.write(bytes([byte ^ 1]))


def cut(path: Path, at: int) -> None:
    os.truncate(path, at)


def exchange(path: Path, at: int) -> None:
    whole = path.read_bytes()
    path.write_bytes(whole[STRIDE : 2 * STRIDE] + whole[:STRIDE] + whole[2 * STRIDE :])


@pytest.mark.parametrize(
    ("harm", "at", "good"),
    [
        (flip, 5, 0),
        (flip, STRIDE + 5, 1),
        (flip, 2 * STRIDE - 1, 1),
        (flip, 3 * STRIDE + 999, 3),
        (cut, 2 * STRIDE, 2),
        (cut, 2 * STRIDE + 100, 2),
        (cut, 0, 0),
        (exchange, 0, 0),
    ],
)
def test_harm_gives_an_error_before_a_wrong_byte(
    files: Files, harm: Callable[[Path, int], None], at: int, good: int
) -> None:
    landed = land(files, CONTENT)
    harm(on_disk(files)[0], at)
    given: list[bytes] = []
    with closing(files.open(landed.blob, landed.key, 0, landed.size)) as source, pytest.raises(Rotten) as error:
        given.extend(source)
    assert b"".join(given) == CONTENT[: good * FRAME]
    assert (error.value.code, error.value.status) == ("InternalError", 500)


def test_a_frame_that_is_whole_is_readable_beside_one_that_is_not(files: Files) -> None:
    landed = land(files, CONTENT)
    flip(on_disk(files)[0], 5)
    assert read(files, landed, FRAME, FRAME) == CONTENT[FRAME : 2 * FRAME]


def test_a_lost_file_is_an_error_at_once(files: Files) -> None:
    landed = land(files, CONTENT)
    on_disk(files)[0].unlink()
    with pytest.raises(Rotten, match="is not there"):
        files.open(landed.blob, landed.key, 0, 1)


def test_another_key_reads_nothing(files: Files) -> None:
    for content in (CONTENT, b"small"):
        landed, other = land(files, content), land(files, content)
        with closing(files.open(landed.blob, other.key, 0, 1)) as source, pytest.raises(Rotten):
            next(iter(source))


def test_an_inline_byte_that_flipped_is_an_error(files: Files) -> None:
    landed = land(files, b"small")
    harmed = bytearray(landed.blob.inline)
    harmed[-10] ^= 1
    with closing(files.open(Blob(5, bytes(harmed)), landed.key, 0, 5)) as source, pytest.raises(Rotten):
        list(source)


def test_what_is_aborted_or_not_recorded_leaves_nothing(files: Files) -> None:
    sink = files.sink({})
    sink.feed(CONTENT)
    sink.abort()
    sink.abort()
    landed = land(files, CONTENT)
    landed.close()
    assert on_disk(files) == []


def test_a_file_stays_while_somebody_reads_it(files: Files) -> None:
    landed = land(files, CONTENT)
    [file] = [piece.file for piece in landed.blob.pieces]
    files.settle(file)
    source = files.open(landed.blob, landed.key, 0, landed.size)
    assert not files.remove(file)
    assert b"".join(source) == CONTENT
    source.close()
    assert on_disk(files) == []


def test_a_range_that_is_not_within_the_blob_is_a_mistake(files: Files) -> None:
    landed = land(files, CONTENT)
    for start, size in ((-1, 2), (0, len(CONTENT) + 1), (len(CONTENT), 1)):
        with pytest.raises(ValueError, match="bytes"):
            files.open(landed.blob, landed.key, start, size)
