"""The HTTP server through real sockets: what it serves, what it refuses, how it waits."""

from __future__ import annotations

import asyncio
import gzip
import hashlib
import os
import socket
import threading
import zlib
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from cloudjar.base.errors import AwsError
from cloudjar.gateway.body import BodyPolicy, Spooled
from cloudjar.gateway.server import Server, Timeouts
from cloudjar.wire.message import FileRange, Request, Response
from tests.gateway.live import Live, answers, echo, live, read_all, read_answer

GET = b"GET /p?q=1 HTTP/1.1\r\nHost: h\r\n\r\n"


def post(body: bytes, *headers: str, close: bool = False) -> bytes:
    lines = "".join(f"{line}\r\n" for line in (*headers, *(["Connection: close"] if close else [])))
    return f"POST / HTTP/1.1\r\nHost: h\r\n{lines}Content-Length: {len(body)}\r\n\r\n".encode() + body


@pytest.fixture(scope="module")
def server() -> Iterator[Live]:
    with live(max_body=40 << 20) as running:
        yield running


def test_a_request_and_its_answer(server: Live) -> None:
    answer = server.request(GET)
    assert (answer.status, answer.body) == (200, b"GET /p q=1 ")
    assert answer.headers["server"] == "Cloudjar"
    assert answer.headers["date"].endswith(" GMT")


def test_pipelined_requests_are_answered_in_order(server: Live) -> None:
    got = server.exchange(b"".join(post(b"%d" % at) for at in range(500)))
    assert [answer.body for answer in got] == [b"POST /  %d" % at for at in range(500)]


def test_however_the_bytes_are_cut(server: Live) -> None:
    raw = (
        post(b"one")
        + b"POST /c HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n3;x=y\r\ntwo\r\n0\r\nT: t\r\n\r\n"
        + GET
    )
    whole = server.exchange(raw)
    assert [answer.body for answer in whole] == [b"POST /  one", b"POST /c  two", b"GET /p q=1 "]
    assert [a.body for a in server.exchange(*[raw[at : at + 1] for at in range(len(raw))])] == [a.body for a in whole]


def test_headers_arrive_lower_case_joined_and_trimmed() -> None:
    seen: list[Request] = []

    def remember(request: Request) -> Response:
        seen.append(request)
        return Response(204)

    with live(remember) as running:
        answer = running.request(b"GET / HTTP/1.1\r\nHost: h\r\nX-A:  1 \r\nx-a:2\r\nX-B:\xe9\r\nX-C:\r\n\r\n")
    assert answer.status == 204
    assert "content-length" not in answer.headers
    assert seen[0].headers == {"host": "h", "x-a": "1,2", "x-b": "\xe9", "x-c": ""}
    assert (seen[0].peer, seen[0].secure, seen[0].trusted, seen[0].vpc) == ("127.0.0.1", False, True, "vpc-1")


@pytest.mark.parametrize(
    ("raw", "status"),
    [
        (b"GET / HTTP/1.1\r\n\r\n", 400),
        (b"GET  / HTTP/1.1\r\nHost: h\r\n\r\n", 400),
        (b"get / HTTP/1.1\r\nHost: h\r\n\r\n", 400),
        (b"GET / HTTP/1.1\nHost: h\n\n", 400),
        (b"GET / HTTP/2.0\r\nHost: h\r\n\r\n", 505),
        (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505),
        (b"GET / FTP/1.1\r\nHost: h\r\n\r\n", 400),
        (b"GET /a b HTTP/1.1\r\nHost: h\r\n\r\n", 400),
        (b"GET /#f HTTP/1.1\r\nHost: h\r\n\r\n", 400),
        (b"GET a HTTP/1.1\r\nHost: h\r\n\r\n", 400),
        (b"CONNECT h:1 HTTP/1.1\r\nHost: h\r\n\r\n", 400),
        (b"GET http://other/ HTTP/1.1\r\nHost: h\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nHost: h\r\nHost: h\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nHost: h/x\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nHost: h\r\n X: folded\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nHost: h\r\nX : y\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nHost: h\r\n: y\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nHost: h\r\nnocolon\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nHost: h\r\nX: a\0b\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nHost: h\r\nX: a\rb\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nHost: h\r\nX: a\nY: b\r\n\r\n", 400),
        (b"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\na", 400),
        (b"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 1, 1\r\n\r\na", 400),
        (b"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: +1\r\n\r\na", 400),
        (b"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: -1\r\n\r\n", 400),
        (b"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: \xb2\r\n\r\na", 400),
        (b"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 0x1\r\n\r\na", 400),
        (b"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400),
        (b"POST / HTTP/1.1\r\nHost: h\r\n" + b"Transfer-Encoding: chunked\r\n" * 2 + b"\r\n0\r\n\r\n", 400),
        (b"POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n", 501),
        (b"POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400),
        (b"POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\nx\r\n", 400),
        (b"POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n1\r\naa\r\n", 400),
        (b"POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n1\na\r\n", 400),
        (b"POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n-1\r\n", 400),
        (b"POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n" + b"1" * 5000, 400),
        (b"POST / HTTP/1.1\r\nHost: h\r\nExpect: the moon\r\nContent-Length: 1\r\n\r\na", 417),
        (b"GET /" + b"a" * 40000 + b" HTTP/1.1\r\nHost: h\r\n\r\n", 414),
        (b"GET / HTTP/1.1\r\nHost: h\r\n" + b"X: y\r\n" * 300 + b"\r\n", 431),
        (b"GET / HTTP/1.1\r\nHost: h\r\nX: " + b"y" * 70000 + b"\r\n\r\n", 431),
        (b"\x16\x03\x01\x00\x05hello", 400),
        (b"\r\n" * 100, 400),
    ],
)  # fmt: skip
def test_what_is_refused_costs_the_connection(server: Live, raw: bytes, status: int) -> None:
    got = server.exchange(raw, GET)
    assert [answer.status for answer in got] == [status]
    assert got[0].headers["connection"] == "close"


def test_other_forms_of_target(server: Live) -> None:
    assert server.request(b"GET http://h?q HTTP/1.1\r\nHost: h\r\n\r\n").body == b"GET / q "
    assert server.request(b"OPTIONS * HTTP/1.1\r\nHost: h\r\n\r\n").body == b"OPTIONS *  "
    assert server.request(b"\r\n" + GET).status == 200


def test_http_1_0_and_connection_headers(server: Live) -> None:
    assert server.request(b"GET / HTTP/1.0\r\n\r\n").headers["connection"] == "close"
    got = server.exchange(b"GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n" + b"GET / HTTP/1.0\r\n\r\n")
    assert [answer.headers["connection"] for answer in got] == ["keep-alive", "close"]
    assert len(server.exchange(post(b"", close=True) + GET)) == 1


def test_head_has_a_length_and_no_body(server: Live) -> None:
    with server.connect() as client:
        client.sendall(b"HEAD /x HTTP/1.1\r\nHost: h\r\n\r\n" + GET)
        assert int(read_answer(client, head=True).headers["content-length"]) == len(b"HEAD /x  ")
        assert read_answer(client).status == 200


def test_expect_100_continue(server: Live) -> None:
    with server.connect() as client:
        client.sendall(b"PUT / HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n")
        assert read_answer(client).status == 100
        client.sendall(b"ok")
        assert read_answer(client).body == b"PUT /  ok"


def test_large_bodies_are_spooled_and_hashed(tmp_path: Path) -> None:
    payload = os.urandom(3 << 20)
    seen: list[tuple[str, int]] = []

    def handler(request: Request) -> Response:
        assert isinstance(request.body, Spooled)
        assert b"".join(request.body.chunks(100_000)) == payload == b"".join(request.body.chunks())
        request.body.save(tmp_path / f"saved-{len(seen)}")
        seen.append((request.raw_body_hash, request.body.size))
        return Response(200)

    framed = b"".join(b"%x\r\n%b\r\n" % (len(part), part) for part in (payload[: 1 << 20], payload[1 << 20 :]))
    with live(handler, folder=tmp_path) as running:
        got = running.exchange(
            post(payload) + b"POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n" + framed + b"0\r\n\r\n"
        )
    assert [answer.status for answer in got] == [200, 200]
    assert seen == [(hashlib.sha256(payload).hexdigest(), len(payload))] * 2
    assert (tmp_path / "saved-0").read_bytes() == (tmp_path / "saved-1").read_bytes() == payload
    assert sorted(path.name for path in tmp_path.iterdir()) == ["saved-0", "saved-1"]


def test_bodies_have_a_limit(server: Live) -> None:
    got = server.exchange(b"PUT / HTTP/1.1\r\nHost: h\r\nContent-Length: 999999999999\r\n\r\n", GET)
    assert [answer.status for answer in got] == [413]
    got = server.exchange(
        b"PUT / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n",
        *([b"1000000\r\n" + b"x" * (1 << 24) + b"\r\n"] * 3),
    )
    assert [answer.status for answer in got[:1]] in ([413], [])  # a client that does not stop may miss the answer


def test_gzip_bodies_are_decoded_and_bombs_are_not() -> None:
    seen: list[Request] = []

    def handler(request: Request) -> Response:
        seen.append(request)
        return echo(request)

    bomb = zlib.compressobj(9, wbits=31)
    packed_bomb = bomb.compress(b"\0" * (64 << 20)) + bomb.flush()
    packed = gzip.compress(b"hello")
    with live(handler, on_headers=lambda _: BodyPolicy(max_size=8 << 20, gunzip=True)) as running:
        assert running.request(post(packed)).body == b"POST /  hello"
        assert running.request(post(packed + packed)).body == b"POST /  hellohello"
        assert seen[0].raw_body_hash == hashlib.sha256(packed).hexdigest()
        assert running.request(post(packed_bomb)).status == 413
        for broken in (packed[:-1], b"garbage", packed + b"x", packed[:10]):
            answer = running.request(post(broken))
            assert (answer.status, b"MalformedHttpRequestException" in answer.body) == (400, True)
    assert len(seen) == 2


def test_a_hook_may_refuse_before_the_body_is_read() -> None:
    def refuse(request: Request) -> Response | None:
        if request.path == "/raise":
            raise AwsError("AccessDenied", "Access <Denied>", 403)
        return Response(401, [], b"no")

    with live(lambda _: Response(500), on_headers=refuse) as running:
        got = running.exchange(post(b"a" * 1000) + post(b"b"))  # small bodies are dropped, the connection stays
        assert [(answer.status, answer.body) for answer in got] == [(401, b"no")] * 2
        got = running.exchange(b"PUT /raise HTTP/1.1\r\nHost: h\r\nContent-Length: 99999999\r\n\r\n")
        assert (got[0].status, got[0].headers["connection"]) == (403, "close")
        assert b"<Message>Access &lt;Denied&gt;</Message>" in got[0].body
        with running.connect() as client:
            client.sendall(b"PUT / HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n")
            assert read_answer(client).status == 401
            assert read_all(client) == b""


def test_handlers_that_wait_and_handlers_that_fail(caplog: pytest.LogCaptureFixture) -> None:
    async def slowly(request: Request) -> Response:
        await asyncio.sleep(0)
        if request.path == "/aws":
            raise AwsError("Throttling", "Rate exceeded", 400)
        if request.path == "/bug":
            raise ZeroDivisionError
        return Response(200, [], request.path.encode())

    def handler(request: Request) -> Response:
        if request.path == "/now/bug":
            raise ZeroDivisionError
        if request.path == "/now/aws":
            raise AwsError("Throttling", "Rate exceeded", 400)
        if request.path == "/now/header":
            return Response(200, [("X-A", "a\r\nX-B: injected")])
        return slowly(request)  # type: ignore[return-value] # a handler may return either

    paths = ["/1", "/aws", "/bug", "/now/bug", "/now/aws", "/now/header", "/2"]
    with live(handler) as running:
        got = running.exchange  # one connection, kept open until all are answered
        with running.connect() as client:
            client.sendall(b"".join(f"GET {path} HTTP/1.1\r\nHost: h\r\n\r\n".encode() for path in paths))
            statuses = [read_answer(client) for _ in paths]
        assert got is not None
    assert [answer.status for answer in statuses] == [200, 400, 500, 500, 400, 500, 200]
    assert (statuses[0].body, statuses[-1].body) == (b"/1", b"/2")
    assert all("x-b" not in answer.headers for answer in statuses)
    assert sum("failed" in record.message for record in caplog.records) == 2


def test_a_client_that_leaves_cancels_what_waits_for_it_alone() -> None:
    began, cancelled = threading.Event(), threading.Event()

    async def wait() -> Response:
        began.set()
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            cancelled.set()
            raise
        raise AssertionError

    with live(lambda _: wait()) as running:
        client = running.connect()
        client.sendall(GET)
        assert began.wait(10)
        client.close()
        assert cancelled.wait(10)


def test_streams_are_framed_and_pulled_only_as_they_are_read(tmp_path: Path) -> None:
    pulled: list[int] = []
    released = threading.Event()
    whole = b"x" * (1 << 16)
    (tmp_path / "file").write_bytes(os.urandom(1 << 20))

    def pieces() -> Iterator[bytes]:
        try:
            for at in range(1000):
                pulled.append(at)
                yield whole
        finally:
            released.set()

    async def slowly() -> AsyncIterator[bytes]:
        for at in range(3):
            await asyncio.sleep(0)
            yield b"%d" % at

    def handler(request: Request) -> Response:
        match request.path:
            case "/big":
                return Response(200, [], pieces())
            case "/async":
                return Response(200, [], slowly())
            case "/file":
                return Response(206, [], FileRange(os.open(tmp_path / "file", os.O_RDONLY), 1000, 500_000))
            case "/length":
                return Response(200, [("Content-Length", "2")], iter([b"a", b"b"]))
            case _:
                return Response(200, [("Content-Length", "3")], iter([b"a", b"b"]))

    def get(path: str, version: str = "1.1") -> bytes:
        return f"GET {path} HTTP/{version}\r\nHost: h\r\n\r\n".encode()

    with live(handler) as running:
        with running.connect() as client:
            client.sendall(get("/async") + get("/file") + get("/length") + get("/short"))
            got = read_all(client)
        *others, short = got.rpartition(b"HTTP/1.1 ")[0], got.rpartition(b"HTTP/1.1 ")[2]
        parsed = answers(others[0])
        assert [answer.body for answer in parsed if answer.status == 200] == [b"012", b"ab"]
        assert parsed[1].body == (tmp_path / "file").read_bytes()[1000:501_000]
        assert short.endswith(b"\r\n\r\nab")  # and then the connection broke: it is not whole
        assert running.exchange(get("/async", "1.0"))[0].body == b"012"
        with running.connect() as client:
            client.sendall(get("/big"))
            client.recv(1)
            assert len(pulled) < 1000
        assert released.wait(10)
        assert len(pulled) < 1000
    assert not _open_files(tmp_path)


def _open_files(folder: Path) -> list[str]:
    links = [os.path.realpath(f"/proc/self/fd/{fd}") for fd in os.listdir("/proc/self/fd")]
    return [link for link in links if link.startswith(str(folder))]


def test_a_client_that_does_not_read_does_not_fill_memory() -> None:
    body = b"x" * (1 << 20)
    handled: list[int] = []

    def handler(_: Request) -> Response:
        handled.append(1)
        return Response(200, [], body)

    with live(handler) as running, running.connect() as client:
        client.setblocking(False)
        sent = 0
        try:
            while sent < 200_000:
                sent += client.send(GET * 1000)
        except BlockingIOError:
            pass
        client.setblocking(True)
        got = read_answer(client)
        assert got.body == body
        assert len(handled) < 100  # of some thousands sent


@pytest.mark.parametrize(
    ("sent", "status"),
    [(b"", None), (b"GET / HT", 408), (b"GET / HTTP/1.1\r\nHost: h\r\n", 408), (post(b"abc")[:-1], 400)],
)
def test_slow_clients_are_not_waited_for(sent: bytes, status: int | None) -> None:
    impatient = Timeouts(head=0.05, body=0.05, write=0.05, idle=0.05, sweep=0.01)
    with live(timeouts=impatient) as running, running.connect() as client:
        client.sendall(sent)
        got = answers(read_all(client))
    assert [answer.status for answer in got] == ([] if status is None else [status])


def test_trickling_does_not_extend_the_head() -> None:
    with live(timeouts=Timeouts(head=0.05, sweep=0.01)) as running, running.connect() as client:
        client.settimeout(0.01)
        data = b""
        for byte in b"GET / HTTP/1.1\r\nX: " + b"y" * 10_000:
            try:
                client.sendall(bytes([byte]))
                data += client.recv(1000)
            except TimeoutError:
                continue
            except OSError:
                break
            if data:
                break
    assert data.startswith(b"HTTP/1.1 408 ")


def test_too_many_connections_are_turned_away() -> None:
    with live(max_connections=2) as running:
        first, second = running.connect(), running.connect()
        for client in (first, second):
            client.sendall(GET)
            assert read_answer(client).status == 200
        with running.connect() as third:
            assert read_all(third) == b""
        first.close()
        second.close()


def test_closing_finishes_what_is_under_way() -> None:
    began, go = threading.Event(), asyncio.Event()

    async def wait() -> Response:
        began.set()
        await go.wait()
        return Response(200, [], b"done")

    with live(lambda _: wait()) as running:
        idle, busy = running.connect(), running.connect()
        busy.sendall(GET)
        assert began.wait(10)
        assert running._stop is not None
        running.server.call_from_thread(running._stop.set)
        assert read_all(idle) == b""
        running.server.call_from_thread(go.set)
        answer = read_answer(busy)
        assert (answer.body, answer.headers["connection"]) == (b"done", "close")
        idle.close()
        busy.close()


def test_listening_on_a_descriptor_and_on_a_unix_socket(tmp_path: Path) -> None:
    with live() as running:
        inet = socket.create_server(("127.0.0.1", 0))
        unix = socket.socket(socket.AF_UNIX)
        unix.bind(str(tmp_path / "socket"))
        ready = threading.Event()
        opened: list[int] = []

        async def listen(server: Server) -> None:
            listener = await server.listen(trusted=False, fd=inet.detach(), vpc="vpc-2")
            await server.listen(trusted=True, sock=unix)
            opened.append(listener.port)
            ready.set()

        running.server.call_from_thread(lambda: asyncio.ensure_future(listen(running.server)))
        assert ready.wait(10)
        with socket.create_connection(("127.0.0.1", opened[0]), timeout=10) as client:
            client.sendall(GET)
            assert read_answer(client).status == 200
        with socket.socket(socket.AF_UNIX) as client:
            client.connect(str(tmp_path / "socket"))
            client.sendall(GET)
            assert read_answer(client).status == 200
