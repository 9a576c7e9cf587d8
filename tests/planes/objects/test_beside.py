"""A digest on a thread of its own: the same digest, whoever makes it."""

from __future__ import annotations

import hashlib
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from cloudjar.planes.objects.beside import LEAST, Beside
from cloudjar.planes.objects.files import Files

DATA = hashlib.shake_256(b"beside").digest(LEAST)


@pytest.mark.parametrize("threads", [0, 1, 3])
def test_many_bodies_at_once_have_their_own_digests(tmp_path: Path, threads: int) -> None:
    files = Files(tmp_path / "objects", durable=False)
    files.beside = Beside(threads)

    def put(number: int) -> tuple[bytes, bytes]:
        sink = files.sink({})
        pieces = [bytes([number]) * 10, DATA * (number + 1), b"x" * number, DATA[number:] * 3]
        for piece in pieces:
            sink.feed(piece)
        landed = sink.finish()
        assert b"".join(landed.chunks()) == b"".join(pieces)
        return landed.md5, hashlib.md5(b"".join(pieces)).digest()

    with ThreadPoolExecutor(8) as writers:
        for told, expected in writers.map(put, range(24)):
            assert told == expected


def test_who_finds_nobody_free_does_it_himself() -> None:
    beside, hold, seen = Beside(1), threading.Event(), []

    def work(_: bytes) -> None:
        seen.append(threading.get_ident())
        if threading.get_ident() != mine:
            hold.wait(60)

    mine = threading.get_ident()
    first = beside.run(work, DATA)
    beside.run(work, DATA)()
    assert seen.count(mine) == 1
    hold.set()
    first()
    assert len(seen) == 2


def test_a_little_is_not_handed_over_and_a_failure_is_told() -> None:
    beside, seen = Beside(1), []
    beside.run(lambda _: seen.append(threading.get_ident()), DATA[:-1])()
    assert seen == [threading.get_ident()]
    for _ in range(3):
        done = beside.run(lambda _: [][0], DATA)
        with pytest.raises(IndexError):
            done()
