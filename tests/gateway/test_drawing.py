"""Large bodies that a thread takes off the socket itself: whole, whatever the client's pace, or not at all."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from cloudjar.gateway import drawing, taking
from cloudjar.gateway.drawing import Drawn
from cloudjar.planes.objects.port import FRAME
from tests.gateway.live import Live, live, read_answer
from tests.gateway.test_flows import Store, put, until

CONTENT = hashlib.shake_256(b"drawn").digest(5 * FRAME + 4321)


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "objects")


@pytest.fixture
def server(store: Store) -> Iterator[Live]:
    with live(store.answer, on_headers=store.policy) as running:
        yield running


def flows(running: Live) -> list[Drawn]:
    """The bodies that are being drawn."""
    found = (getattr(connection, "_inflow", None) for connection in list(running.server.connections))
    return [flow for flow in found if isinstance(flow, Drawn)]


def waits(running: Live) -> bool:
    """Whether the server waits for a client to send more."""
    return any(flow._waits for flow in flows(running))


@pytest.mark.parametrize("more", [-1, 0, 1, FRAME - 1, FRAME, FRAME + 1, 3 * FRAME])
def test_bodies_of_any_size_one_after_the_other(server: Live, store: Store, more: int) -> None:
    content = CONTENT[: taking._WORTH + more]
    with server.connect() as client:
        for _ in range(3):
            client.sendall(put(content))
            answer = read_answer(client)
            assert (answer.body, answer.headers["x-hash"]) == (b"kept", hashlib.sha256(content).hexdigest())
        client.sendall(b"GET / HTTP/1.1\r\nHost: h\r\n\r\n" + put(content) + b"GET / HTTP/1.1\r\nHost: h\r\n\r\n")
        assert [read_answer(client).body for _ in range(3)] == [b"empty", b"kept", b"empty"]
    assert {landed.md5 for landed in store.seen} == {hashlib.md5(content).digest()}


def test_who_sends_slowly_is_waited_for(server: Live) -> None:
    raw = put(CONTENT)
    with server.connect() as client:
        for start in range(0, len(raw), len(raw) // 4):
            client.sendall(raw[start : start + len(raw) // 4])
            if start + len(raw) // 4 < len(raw):
                until(lambda: waits(server))
        assert read_answer(client).headers["x-hash"] == hashlib.sha256(CONTENT).hexdigest()


def test_who_is_told_to_go_on_sends_all_of_it_to_the_thread(server: Live) -> None:
    head, _, body = put(CONTENT, "Expect: 100-continue").partition(b"\r\n\r\n")
    with server.connect() as client:
        client.sendall(head + b"\r\n\r\n")
        assert read_answer(client).status == 100
        until(lambda: flows(server))
        [flow] = flows(server)
        client.sendall(body)
        assert read_answer(client).headers["x-hash"] == hashlib.sha256(CONTENT).hexdigest()
        assert flow._fd < 0


def test_more_bodies_than_threads_take_turns(
    server: Live, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(drawing, "_SHARE", FRAME // 2)

    def send(number: int) -> bool:
        content = CONTENT[number:]
        with server.connect() as client:
            client.sendall(put(content))
            return read_answer(client).headers["x-hash"] == hashlib.sha256(content).hexdigest()

    with ThreadPoolExecutor(40) as clients:
        assert all(clients.map(send, range(40)))
    assert len(store.seen) == 40


@pytest.mark.parametrize("idle", [False, True])
def test_who_hangs_up_leaves_neither_a_file_nor_a_descriptor(server: Live, store: Store, idle: bool) -> None:
    before = len(os.listdir("/proc/self/fd"))
    for _ in range(5):
        with server.connect() as client:
            client.sendall(put(CONTENT)[: -FRAME])
            until(lambda: waits(server) if idle else store.on_disk)
    until(lambda: not store.on_disk and not server.server.connections)
    until(lambda: len(os.listdir("/proc/self/fd")) <= before)
    assert store.seen == []


def test_a_disk_that_fails_in_the_middle_is_our_failure(
    server: Live, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(fd: int, data: Any) -> int:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("cloudjar.planes.objects.sink.os.write", full)
    with server.connect() as client:
        client.sendall(put(CONTENT))
        assert read_answer(client).status == 500
    monkeypatch.undo()
    until(lambda: not store.on_disk)


def test_the_server_stops_while_somebody_sends(store: Store) -> None:
    with live(store.answer, on_headers=store.policy) as running:
        client = running.connect()
        client.sendall(put(CONTENT)[:-1])
        until(lambda: waits(running))
    client.close()
    until(lambda: not store.on_disk)
