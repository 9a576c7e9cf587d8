"""Reading ahead of who sends: the same bytes and errors, whatever a thread is ahead of, and bounded memory."""

from __future__ import annotations

import hashlib
import random
import threading
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from cloudjar.planes.objects.beside import Beside
from cloudjar.planes.objects.clear import ALWAYS, CHUNK, MOST, SHARE, Clears, Stretch
from cloudjar.planes.objects.far import LEAST, Far, Fars
from cloudjar.planes.objects.files import Files
from cloudjar.planes.objects.frames import STRIDE, Buffers
from cloudjar.planes.objects.port import FRAME, Blob, Piece, Rotten
from cloudjar.planes.objects.source import FileSource
from tests.planes.objects.test_clear import flip, land

CONTENT = hashlib.shake_256(b"far").digest(7 * CHUNK + 3 * FRAME + 77) + b"the end"


@pytest.fixture
def files(tmp_path: Path) -> Files:
    files = Files(tmp_path / "objects", durable=False)
    files.beside = Beside(threads=2)  # even where there is one processor
    files.fars = Fars(files.beside)
    return files


def begun(source: FileSource) -> tuple[bytes, Far]:
    """As a connection does it: the first frame by itself, then far ahead."""
    frame = source.read_into(Buffers())
    far = source.far()
    assert far is not None
    return plain(frame), far


def plain(frame: memoryview | bytes | Stretch) -> bytes:
    return bytes(frame.view if isinstance(frame, Stretch) else frame)


def whole(far: Far, sent: bytes) -> bytes:
    found = [sent]
    _collect(far, found)
    return b"".join(found)


def _collect(far: Far, found: list[bytes]) -> None:
    with closing(far):
        while frame := far.read():
            found.append(plain(frame))


@pytest.mark.parametrize("start", [0, 77, FRAME, CHUNK - 5, CHUNK + FRAME + 1])
def test_every_reading_is_what_was_stored(files: Files, start: int) -> None:
    landed, _ = land(files, CONTENT)
    for _ in range(4):  # from the second on it is kept in clear
        with closing(files.open(landed.blob, landed.key, start, len(CONTENT) - start - 1)) as source:
            sent, far = begun(source)
            assert whole(far, sent) == CONTENT[start:-1]
    with closing(files.open(landed.blob, landed.key, 2 * CHUNK, CHUNK)) as source:
        assert isinstance(source.read_into(Buffers()), Stretch), "what is read ahead is kept for others too"


def test_pieces_of_files_one_after_the_other(files: Files) -> None:
    landed, _ = land(files, CONTENT)
    file = landed.blob.pieces[0].file
    spans = ((5, 3 * CHUNK), (FRAME, LEAST + 3 * FRAME), (0, 10), (CHUNK + 1, 2 * CHUNK))
    blob = Blob(sum(size for _, size in spans), b"", tuple(Piece(file, size, start) for start, size in spans))
    with closing(files.open(blob, landed.key, 0, blob.size)) as source:
        sent, far = begun(source)
        assert whole(far, sent) == b"".join(CONTENT[start : start + size] for start, size in spans)


@pytest.mark.parametrize("seed", range(8))
def test_what_a_slow_client_did_not_take_comes_again(files: Files, seed: int) -> None:
    draw = random.Random(seed)
    landed, _ = land(files, CONTENT)
    files.clears = Clears(most=draw.choice([0, 2, 48]))
    for _ in range(3):
        with closing(files.open(landed.blob, landed.key, 0, len(CONTENT))) as source:
            found = bytearray(_slowly(source, draw))
        assert found == CONTENT


def _slowly(source: FileSource, draw: random.Random) -> bytes:
    found = bytearray(plain(source.read_into(Buffers())))
    far = source.far()
    while True:
        if far is None:
            far = source.far()
        frame = far.read() if far is not None else source.read_into(Buffers())
        if not frame:
            break
        content = plain(frame)
        if far is None or draw.random() < 0.6:
            found += content
            continue
        taken = draw.randrange(len(content) + 1)
        found += content[:taken]
        if not far.back(len(content) - taken):
            found += content[taken:]
        far.close()
        far = None
        source.park()
    if far is not None:
        far.close()
    return bytes(found)


@pytest.mark.parametrize("frame", [1, 9, 20, 58])
def test_a_flipped_byte_is_an_error_after_what_comes_before(files: Files, frame: int) -> None:
    landed, path = land(files, CONTENT)
    flip(path, frame * STRIDE + 5)
    with closing(files.open(landed.blob, landed.key, 0, len(CONTENT))) as source:
        sent, far = begun(source)
        found = [sent]
        with pytest.raises(Rotten):
            _collect(far, found)
    before = b"".join(found)
    assert before == CONTENT[: len(before)]
    assert len(before) <= frame * FRAME


def test_who_finds_no_thread_free_reads_for_himself(files: Files) -> None:
    files.fars = Fars(Beside(threads=0))
    landed, _ = land(files, CONTENT)
    with closing(files.open(landed.blob, landed.key, 0, len(CONTENT))) as source:
        sent, far = begun(source)
        assert whole(far, sent) == CONTENT


def test_there_is_memory_for_so_many_and_it_comes_back(files: Files) -> None:
    files.fars = Fars(files.beside, most=2)
    landed, _ = land(files, CONTENT)

    def opened() -> tuple[FileSource, Far | None]:
        source = files.open(landed.blob, landed.key, 0, len(CONTENT))
        source.read_into(Buffers())
        return source, source.far()

    for _ in range(2):
        three = [opened() for _ in range(3)]
        assert [far is None for _, far in three] == [False, False, True]
        for source, far in three:
            if far is not None:
                far.read()
                far.close()
                far.close()
            source.close()


def test_a_little_is_read_as_it_is_sent(files: Files) -> None:
    landed, _ = land(files, CONTENT[:LEAST])
    with closing(files.open(landed.blob, landed.key, 0, LEAST)) as source:
        source.read_into(Buffers())
        assert source.far() is None


def test_to_close_waits_for_what_is_being_read(files: Files) -> None:
    held, begins = threading.Event(), threading.Event()

    class Slow(Beside):
        def run(self, work: Callable[[], None]) -> bool:
            def later() -> None:
                begins.set()
                held.wait(60)
                work()

            return super().run(later)

    files.fars = Fars(Slow(threads=1))
    landed, _ = land(files, CONTENT)
    with closing(files.open(landed.blob, landed.key, 0, len(CONTENT))) as source:
        _, far = begun(source)
        far.read()
        assert begins.wait(60)
        before = far.idle
        closing_ = threading.Thread(target=far.close)
        closing_.start()
        held.set()
        closing_.join(60)
        assert [before, far.idle, closing_.is_alive()] == [False, True, False]


def test_who_is_under_way_has_a_share_of_what_is_kept() -> None:
    clears = Clears()
    clears.bodies(SHARE)
    assert clears._most == MOST - 1
    clears.bodies(100 * SHARE)
    assert clears._most == ALWAYS
    clears.bodies(0)
    assert clears._most == MOST
