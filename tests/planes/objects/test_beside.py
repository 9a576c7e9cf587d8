"""A digest on a thread of its own: the same digest, whoever makes it, and never further behind than there is room."""

from __future__ import annotations

import hashlib
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from cloudjar.planes.objects.beside import LEAST, Beside, Lane
from cloudjar.planes.objects.files import Files
from cloudjar.planes.objects.port import FRAME

DATA = hashlib.shake_256(b"beside").digest(LEAST)


def until(true: threading.Event) -> None:
    assert true.wait(60)


class Held:
    """A digest that waits until it may go on."""

    def __init__(self) -> None:
        self.began = threading.Event()
        self.go = threading.Event()
        self.seen: list[tuple[bytes, int]] = []

    def update(self, data: memoryview) -> None:
        self.began.set()
        until(self.go)
        self.seen.append((bytes(data[:1]), threading.get_ident()))


def put(lane: Lane, mark: bytes, size: int = LEAST) -> None:
    room = lane.room()
    room[:1] = mark
    lane.put(room, size)


def spare(beside: Beside) -> int:
    """Rooms that may still be had beyond one for each body."""
    lane = beside.lane(lambda _: None)
    rooms = [lane.room()]
    while beside.spare.acquire(blocking=False):
        rooms.append(b"")  # type: ignore[arg-type] # only counted
    for _ in rooms[1:]:
        beside.spare.release()
    lane.drop(rooms[0])
    return len(rooms) - 1


@pytest.mark.parametrize("rooms", [0, 2, 64])
@pytest.mark.parametrize("threads", [0, 1, 3])
def test_many_bodies_at_once_have_their_own_digests(tmp_path: Path, threads: int, rooms: int) -> None:
    files = Files(tmp_path / "objects", durable=False)
    files.beside = Beside(threads, rooms)

    def store(number: int) -> tuple[bytes, bytes]:
        sink = files.sink({})
        pieces = [bytes([number]) * 10, DATA * (number + 1), b"x" * number, DATA[number:] * 3]
        for piece in pieces:
            sink.feed(piece)
        if number % 5 == 4:
            sink.abort()
            return b"", b""
        landed = sink.finish()
        assert b"".join(landed.chunks()) == b"".join(pieces)
        return landed.md5, hashlib.md5(b"".join(pieces)).digest()

    with ThreadPoolExecutor(8) as writers:
        for told, expected in writers.map(store, range(24)):
            assert told == expected
    assert spare(files.beside) == rooms


def test_who_finds_nobody_free_does_it_himself() -> None:
    beside, held, mine = Beside(1), Held(), []
    first, second = beside.lane(held.update), beside.lane(lambda _: mine.append(threading.get_ident()))
    put(first, b"a")
    until(held.began)
    put(second, b"b")
    second.finish()
    assert mine == [threading.get_ident()]
    held.go.set()
    first.finish()
    assert [mark for mark, _ in held.seen] == [b"a"]
    assert held.seen[0][1] != mine[0]


def test_a_body_is_ahead_of_its_digest_by_what_there_is_room_for() -> None:
    beside, held = Beside(1, spare=2), Held()
    lane = beside.lane(held.update)
    for mark in (b"a", b"b", b"c"):
        put(lane, mark)
    assert spare(beside) == 0
    another = beside.lane(lambda _: None)
    assert len(another.room()) == FRAME, "each body has one room whatever others have"
    with ThreadPoolExecutor(1) as writer:
        fourth = writer.submit(put, lane, b"d")
        while not lane._wanted:
            assert not fourth.done()
        held.go.set()
        fourth.result(60)
    lane.finish()
    assert [mark for mark, _ in held.seen] == [b"a", b"b", b"c", b"d"]
    assert spare(beside) == 2


def test_what_is_dropped_gives_its_rooms_back() -> None:
    beside, held = Beside(1, spare=3), Held()
    lane = beside.lane(held.update)
    for mark in (b"a", b"b", b"c"):
        put(lane, mark)
    until(held.began)
    lane.drop(lane.room())
    held.go.set()
    lane.finish()
    assert [mark for mark, _ in held.seen] == [b"a"]
    assert spare(beside) == 3


def test_a_little_is_not_handed_over_and_a_failure_is_told() -> None:
    beside, seen = Beside(1), []
    lane = beside.lane(lambda _: seen.append(threading.get_ident()))
    put(lane, b"a", LEAST - 1)
    assert seen == [threading.get_ident()]

    def fail(_: memoryview) -> None:
        raise IndexError("none")

    for size in (LEAST - 1, LEAST):
        lane = beside.lane(fail)
        for _ in range(3):
            put(lane, b"a", size)
        with pytest.raises(IndexError):
            lane.finish()
