"""Large bodies on threads: straight to where they are kept, and from there to the client."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from cloudjar.base.errors import AwsError
from cloudjar.gateway import splicing
from cloudjar.gateway.body import BodyPolicy
from cloudjar.gateway.server import Timeouts
from cloudjar.planes.objects.clear import CHUNK
from cloudjar.planes.objects.files import Files
from cloudjar.planes.objects.port import FRAME
from cloudjar.planes.objects.sink import FileLanded
from cloudjar.wire.message import Request, Response
from tests.gateway.live import Live, echo, live, read_answer

CONTENT = hashlib.shake_256(b"flow").digest(5 * FRAME + 12345)


class Shout:
    """A decoder that may be told to refuse."""

    def __init__(self, refuse_at: str = "") -> None:
        self.refuse_at = refuse_at

    def feed(self, data: bytes) -> bytes:
        if self.refuse_at == "feed":
            raise AwsError("Nope", "not this", 400)
        return bytes(byte ^ 0xFF for byte in data[:100]) + data[100:]

    def finish(self) -> None:
        if self.refuse_at == "finish":
            raise AwsError("Nope", "not so", 400)


class Store:
    """Where bodies of a test go."""

    def __init__(self, folder: Path) -> None:
        self.files = Files(folder)
        self.decoder: Any = None
        self.seen: list[FileLanded] = []

    def policy(self, _: Request) -> BodyPolicy:
        return BodyPolicy(
            max_size=64 << 20, decoder=self.decoder, sink=lambda: self.files.sink({"sha256": hashlib.sha256()})
        )

    def answer(self, request: Request) -> Response:
        if isinstance(request.body, FileLanded):
            self.seen.append(request.body)
        elif isinstance(request.body, bytes) and not request.body:
            return Response(200, [], b"empty")
        return Response(200, [("X-Hash", request.raw_body_hash), ("X-Decoded", str(request.decoded))], b"kept")

    @property
    def on_disk(self) -> list[Path]:
        return [path for path in self.files.folder.rglob("*") if path.is_file()]


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "objects")


@pytest.fixture
def server(store: Store) -> Iterator[Live]:
    with live(store.answer, on_headers=store.policy) as running:
        yield running


def put(content: bytes, *headers: str) -> bytes:
    lines = "".join(f"{line}\r\n" for line in headers)
    return f"PUT / HTTP/1.1\r\nHost: h\r\n{lines}Content-Length: {len(content)}\r\n\r\n".encode() + content


def until(true: Any) -> None:
    """Wait for a condition of another thread."""
    pause = threading.Event()
    for _ in range(6000):
        if true():
            return
        pause.wait(0.01)
    raise AssertionError("it never became true")


def test_a_body_goes_to_the_sink_and_the_handler_gets_what_came_of_it(server: Live, store: Store) -> None:
    with server.connect() as client:
        for _ in range(3):
            client.sendall(put(CONTENT))
            answer = read_answer(client)
            assert (answer.body, answer.headers["x-hash"]) == (b"kept", hashlib.sha256(CONTENT).hexdigest())
    assert {landed.md5 for landed in store.seen} == {hashlib.md5(CONTENT).digest()}


def test_what_the_handler_does_not_record_is_removed_after_the_answer(server: Live, store: Store) -> None:
    with server.connect() as client:
        client.sendall(put(CONTENT))
        read_answer(client)
    until(lambda: not store.on_disk)


def test_what_the_handler_records_stays(server: Live, store: Store) -> None:
    def record(request: Request) -> Response:
        assert isinstance(request.body, FileLanded)
        request.body.recorded = True
        return store.answer(request)

    server.server.handler = record
    with server.connect() as client:
        client.sendall(put(CONTENT) + b"GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n")
        read_answer(client)
    [landed] = store.seen
    assert b"".join(landed.chunks()) == CONTENT
    assert len(store.on_disk) == 1


def test_requests_after_it_are_answered_after_it(server: Live) -> None:
    with server.connect() as client:
        client.sendall(put(CONTENT) + b"GET / HTTP/1.1\r\nHost: h\r\n\r\n" + put(CONTENT))
        assert [read_answer(client).body for _ in range(3)] == [b"kept", b"empty", b"kept"]


def test_a_chunked_body_with_a_decoder(server: Live, store: Store) -> None:
    store.decoder = Shout()
    raw = b"PUT / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n"
    raw += b"".join(b"%x\r\n%b\r\n" % (len(p), p) for p in (CONTENT[:500], CONTENT[500:])) + b"0\r\n\r\n"
    with server.connect() as client:
        client.sendall(raw)
        answer = read_answer(client)
        assert answer.headers["x-decoded"] == "True"
        assert store.seen[0].size == len(CONTENT)


@pytest.mark.parametrize("when", ["feed", "finish"])
def test_what_a_decoder_refuses_leaves_nothing(server: Live, store: Store, when: str) -> None:
    store.decoder = Shout(when)
    with server.connect() as client:
        client.sendall(put(CONTENT))
        answer = read_answer(client)
    assert (answer.status, b"<Code>Nope</Code>" in answer.body) == (400, True)
    assert store.seen == []
    until(lambda: not store.on_disk)


def test_a_client_that_goes_away_leaves_nothing(server: Live, store: Store) -> None:
    with server.connect() as client:
        client.sendall(put(CONTENT)[: 3 * FRAME])
        until(lambda: store.on_disk)
    until(lambda: not store.on_disk)
    assert store.seen == []


def test_a_disk_that_fails_is_our_failure(server: Live, store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    def full() -> tuple[str, int]:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(store.files, "create", full)
    with server.connect() as client:
        client.sendall(put(CONTENT))
        assert read_answer(client).status == 500


def test_it_is_refused_before_it_is_read(store: Store) -> None:
    def refuse(_: Request) -> BodyPolicy:
        raise AwsError("AccessDenied", "Access Denied", 403)

    with live(store.answer, on_headers=refuse) as running, running.connect() as client:
        client.sendall(b"PUT / HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 9000000\r\n\r\n")
        assert read_answer(client).status == 403
    with live(store.answer, on_headers=store.policy) as running, running.connect() as client:
        client.sendall(b"PUT / HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 9000000\r\n\r\n")
        assert read_answer(client).status == 100
        client.sendall(b"PUT")


def test_a_sender_that_stops_is_told(store: Store) -> None:
    hasty = Timeouts(body=0.2, sweep=0.05)
    with live(store.answer, on_headers=store.policy, timeouts=hasty) as running, running.connect() as client:
        client.sendall(put(CONTENT)[:-1])
        answer = read_answer(client)
        assert (answer.status, b"RequestTimeout" in answer.body) == (400, True)
    until(lambda: not store.on_disk)


class Slow:
    """A body whose pieces block until they are allowed."""

    blocks = True

    def __init__(self, pieces: int, fail_at: int = -1) -> None:
        self.pieces = pieces
        self.fail_at = fail_at
        self.given = 0
        self.closed = threading.Event()
        self.allowed = threading.Semaphore(pieces + 1)

    def __iter__(self) -> Iterator[bytes]:
        for at in range(self.pieces):
            self.allowed.acquire()
            if at == self.fail_at:
                raise AwsError("InternalError", "We encountered an internal error. Please try again.", 500)
            self.given += 1
            yield bytes([at % 256]) * FRAME

    def close(self) -> None:
        self.closed.set()


def serving(body: Slow, length: int) -> Any:
    headers = [("Content-Length", str(length))] if length else []
    return lambda request: Response(200, headers, body) if request.method != "POST" else echo(request)


GET = b"GET / HTTP/1.1\r\nHost: h\r\n\r\n"


@pytest.mark.parametrize("stated", [True, False])
def test_a_stream_that_blocks_arrives_whole(stated: bool) -> None:
    body = Slow(40)
    with live(serving(body, 40 * FRAME if stated else 0)) as running:
        [answer] = running.exchange(GET)
        assert answer.body == b"".join(bytes([at]) * FRAME for at in range(40))
        assert body.closed.wait(60)


def test_the_loop_serves_others_meanwhile() -> None:
    body = Slow(3)
    body.allowed = threading.Semaphore(0)
    with live(serving(body, 3 * FRAME)) as running, running.connect() as client:
        client.sendall(GET)
        assert running.request(b"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\n\r\nx").status == 200
        body.allowed.release(3)
        assert len(read_answer(client).body) == 3 * FRAME


def test_no_more_is_read_than_the_client_takes() -> None:
    body = Slow(400)
    with live(serving(body, 400 * FRAME)) as running, running.connect() as client:
        client.sendall(GET)
        received = most = 0
        while received < 400 * FRAME:
            received += len(client.recv(1 << 16))
            most = max(most, body.given * FRAME - received)
        assert most < 100 * FRAME


def test_a_reader_that_goes_away_stops_the_reading() -> None:
    body = Slow(400)
    with live(serving(body, 400 * FRAME)) as running:
        with running.connect() as client:
            client.sendall(GET)
            client.recv(1)
        assert body.closed.wait(60)
        assert body.given < 100


def test_a_failure_before_the_first_piece_is_the_answer() -> None:
    body = Slow(3, fail_at=0)
    with live(serving(body, 3 * FRAME)) as running, running.connect() as client:
        client.sendall(GET)
        answer = read_answer(client)
        assert (answer.status, b"<Code>InternalError</Code>" in answer.body) == (500, True)
        client.sendall(b"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\n\r\nx")
        assert read_answer(client).status == 200
    assert body.closed.wait(60)


def test_a_failure_further_on_breaks_the_connection() -> None:
    body = Slow(9, fail_at=5)
    with live(serving(body, 9 * FRAME)) as running, running.connect() as client:
        client.sendall(GET)
        with pytest.raises(AssertionError, match="closed inside a body"):
            read_answer(client)
    assert body.closed.wait(60)


def test_a_stream_that_is_shorter_than_stated_breaks_the_connection() -> None:
    with live(serving(Slow(3), 4 * FRAME)) as running, running.connect() as client:
        client.sendall(GET)
        with pytest.raises(AssertionError, match="closed inside a body"):
            read_answer(client)


def test_a_stream_that_is_longer_than_stated_ends_where_it_should() -> None:
    body = Slow(3)
    with live(serving(body, 2 * FRAME)) as running, running.connect() as client:
        client.sendall(GET)
        assert len(read_answer(client).body) == 2 * FRAME
        assert client.recv(1) == b""
    assert body.closed.wait(60)


def test_a_head_request_reads_nothing() -> None:
    body = Slow(3)
    with live(serving(body, 3 * FRAME)) as running, running.connect() as client:
        client.sendall(b"HEAD / HTTP/1.1\r\nHost: h\r\n\r\n")
        assert read_answer(client, head=True).headers["content-length"] == str(3 * FRAME)
        assert (body.given, body.closed.wait(60)) == (0, True)


class Kept:
    """An object of `store`, sent as it lies there."""

    def __init__(self, store: Store, content: bytes = CONTENT) -> None:
        sink = store.files.sink({})
        sink.feed(content)
        self.landed = sink.finish()
        self.store = store

    def answer(self, request: Request) -> Response:
        start, _, size = request.path[1:].partition("+")
        body = self.store.files.open(
            self.landed.blob, self.landed.key, int(start or 0), int(size) if size else self.landed.size
        )
        return Response(200, [("Content-Length", str(body.size))], body)

    def harm(self, at: int) -> None:
        [path] = self.store.on_disk
        with path.open("r+b") as file:
            file.seek(at)
            byte = file.read(1)[0]
            file.seek(at)
            file.write(bytes([byte ^ 1]))


@pytest.fixture
def kept(store: Store) -> Kept:
    return Kept(store)


def test_an_object_arrives_as_it_was_again_and_again_on_one_connection(kept: Kept) -> None:
    with live(kept.answer) as running, running.connect() as client:
        for _ in range(20):
            client.sendall(GET)
            assert read_answer(client).body == CONTENT


def test_objects_to_many_clients_at_once(kept: Kept) -> None:
    with live(kept.answer) as running:
        clients = [running.connect() for _ in range(40)]
        for client in clients:
            client.sendall(GET)
        assert {hashlib.md5(read_answer(client).body).digest() for client in clients} == {hashlib.md5(CONTENT).digest()}
        for client in clients:
            client.close()


def waits(running: Live) -> bool:
    """Whether the server waits for a client to take more."""
    return any(getattr(getattr(c, "_outflow", None), "_waits", False) for c in list(running.server.connections))


def test_a_slow_client_gets_an_object_whole(kept: Kept) -> None:
    with live(kept.answer) as running, running.connect() as client:
        client.sendall(GET * 20)
        until(lambda: waits(running))
        for _ in range(20):
            assert read_answer(client).body == CONTENT


def test_rot_in_the_first_frame_is_the_answer(kept: Kept) -> None:
    kept.harm(17)
    with live(kept.answer) as running, running.connect() as client:
        client.sendall(GET)
        assert read_answer(client).status == 500


def test_rot_further_on_breaks_the_connection_before_a_wrong_byte(kept: Kept) -> None:
    kept.harm(3 * FRAME + 100)
    with live(kept.answer) as running, running.connect() as client:
        client.sendall(GET)
        got = b""
        while piece := client.recv(1 << 20):
            got += piece
    body = got.partition(b"\r\n\r\n")[2]
    assert body == CONTENT[: len(body)]
    assert len(body) <= 3 * FRAME


def test_a_client_that_hangs_up_lets_go_of_the_file(kept: Kept) -> None:
    with live(kept.answer) as running:
        with running.connect() as client:
            client.sendall(GET * 20)
            until(lambda: waits(running))
        until(lambda: not kept.store.files._pinned)


def test_a_client_that_takes_nothing_is_cut_off(kept: Kept) -> None:
    hasty = Timeouts(write=0.2, sweep=0.05)
    with live(kept.answer, timeouts=hasty) as running, running.connect() as client:
        client.sendall(GET * 20)
        until(lambda: not running.server.connections)
        until(lambda: not kept.store.files._pinned)


LARGE = hashlib.shake_256(b"large").digest(3 * CHUNK + 100)


@pytest.fixture(params=["lent", "copied"])
def often(store: Store, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Kept:
    """A large object that was read before, so that it lies in clear; lent to the socket, or copied."""
    if request.param == "copied":
        monkeypatch.setattr(splicing, "_lend", lambda: None)
    kept = Kept(store, LARGE)
    with live(kept.answer) as running:
        for _ in range(2):
            assert running.exchange(GET)[0].body == LARGE
    return kept


def test_what_lies_in_clear_arrives_as_it_was(often: Kept) -> None:
    with live(often.answer) as running, running.connect() as client:
        for _ in range(10):
            client.sendall(GET)
            assert read_answer(client).body == LARGE
        client.sendall(GET * 10)
        until(lambda: waits(running))
        for _ in range(10):
            assert read_answer(client).body == LARGE


def test_ranges_of_what_lies_in_clear(often: Kept) -> None:
    with live(often.answer) as running, running.connect() as client:
        for start, size in ((0, 1), (CHUNK - 5, 10), (CHUNK - 1, CHUNK + 2), (FRAME + 3, 70_000), (7, len(LARGE) - 7)):
            for _ in range(2):
                client.sendall(f"GET /{start}+{size} HTTP/1.1\r\nHost: h\r\n\r\n".encode())
                assert read_answer(client).body == LARGE[start : start + size]


def test_what_is_on_its_way_stays_as_it_was_though_its_memory_goes(often: Kept, tmp_path: Path) -> None:
    """The client has not taken it when others' bytes come to where it was."""
    others = Kept(Store(tmp_path / "others"), bytes(4 * CHUNK))
    with live(often.answer) as running, running.connect() as client:
        client.sendall(GET * 10)
        until(lambda: waits(running))
        often.store.files.clears.forget(often.landed.blob.pieces[0].file)
        others.store.files.clears = often.store.files.clears
        with live(others.answer) as beside:
            for _ in range(4):
                assert beside.exchange(GET)[0].body == bytes(4 * CHUNK)
        for _ in range(10):
            assert read_answer(client).body == LARGE


def test_who_hangs_up_while_he_is_lent_memory_leaves_nothing_of_it_to_the_next(often: Kept) -> None:
    with live(often.answer) as running:
        for _ in range(5):
            with running.connect() as client:
                client.sendall(GET * 10)
                until(lambda: waits(running))
            assert running.exchange(GET)[0].body == LARGE
        until(lambda: not often.store.files._pinned)


def test_many_take_what_lies_in_clear_at_once(often: Kept) -> None:
    with live(often.answer) as running:
        clients = [running.connect() for _ in range(20)]
        for client in clients:
            client.sendall(GET)
        for client in clients:
            assert read_answer(client).body == LARGE
            client.close()
