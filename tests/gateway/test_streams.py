"""WebSockets on the gateway's sockets: plain and under TLS, with clients that keep to the protocol and others."""

from __future__ import annotations

import contextlib
import os
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from cloudjar.gateway.streams import Stream
from cloudjar.gateway.tls import Authority
from cloudjar.kit.streams import Outlet
from cloudjar.wire import websocket
from cloudjar.wire.message import Request, Response, Upgrade
from tests.gateway.live import Live, live

MASK = b"\x01\x02\x03\x04"
KEY = "dGhlIHNhbXBsZSBub25jZQ=="
HEAD = (
    "GET /talk HTTP/1.1\r\nHost: h\r\nUpgrade: websocket\r\nConnection: keep-alive, Upgrade\r\n"
    f"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {KEY}\r\n\r\n"
).encode()


class Echo:
    """Says everything back; ``later`` is said by another thread, ``bug`` breaks it, ``enough`` ends it."""

    gone = threading.Event()

    def began(self, outlet: Outlet) -> None:
        self.outlet = outlet
        outlet.send("welcome")

    def received(self, data: bytes | str) -> None:
        if data == "later":
            self.outlet.apart(lambda: threading.current_thread().name, self._told)
        elif data == "bug":
            raise RuntimeError("a bug of the test's")
        elif data == "enough":
            self.outlet.close(1000, "bye")
        else:
            self.outlet.send(data)

    def _told(self, name: Any) -> None:
        self.outlet.send("elsewhere" if name != threading.current_thread().name else "here")

    def room(self) -> None:
        """It holds nothing back."""

    def over(self) -> None:
        self.gone.set()


def handle(request: Request) -> Response:
    if not websocket.is_upgrade(request.headers):
        return Response(200, [], b"plain")
    take: Callable[[Any], object] = lambda connection: Stream(connection.server, connection, Echo())  # noqa: E731 as doors do
    return Upgrade([("Sec-WebSocket-Accept", websocket.accept(KEY))], take)


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    folder: Path = tmp_path_factory.mktemp("tls")
    return Authority(folder, hosts=[])


@pytest.fixture(scope="module")
def server(authority: Authority) -> Iterator[Live]:
    with live(handle, tls=authority.context) as running:
        yield running


class Client:
    """One that speaks frames."""

    def __init__(self, wire: socket.socket, head: bytes = HEAD) -> None:
        self.wire = wire
        self.reader = websocket.Reader(masked=False, most=8 << 20)
        self.heard: list[tuple[int, bytes]] = []
        wire.sendall(head)
        self.head = b""
        while b"\r\n\r\n" not in self.head:
            self.head += wire.recv(1)

    def say(self, kind: int, payload: bytes) -> None:
        self.wire.sendall(websocket.frame(kind, payload, MASK))

    def hear(self) -> tuple[int, bytes]:
        while not self.heard:
            data = self.wire.recv(65536)
            assert data, "the connection has ended"
            self.heard += self.reader.feed(data)
        return self.heard.pop(0)


def talk(wire: socket.socket) -> None:
    client = Client(wire)
    assert client.head.startswith(b"HTTP/1.1 101 Switching Protocols\r\n")
    assert b"Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n" in client.head
    assert client.hear() == (websocket.TEXT, b"welcome")
    big = os.urandom(900_000)
    for kind, payload in ((websocket.TEXT, "grüß".encode()), (websocket.BINARY, b""), (websocket.BINARY, big)):
        client.say(kind, payload)
        assert client.hear() == (kind, payload)
    client.say(websocket.PING, b"?")
    assert client.hear() == (websocket.PONG, b"?")
    client.say(websocket.TEXT, b"later")
    assert client.hear() == (websocket.TEXT, b"elsewhere")
    client.say(websocket.TEXT, b"enough")
    kind, payload = client.hear()
    assert (kind, websocket.close_code(payload), payload[2:]) == (websocket.CLOSE, 1000, b"bye")
    assert wire.recv(100) == b""


def test_plain(server: Live) -> None:
    with server.connect() as wire:
        talk(wire)


def test_under_tls(server: Live, authority: Authority) -> None:
    context = ssl.create_default_context(cafile=str(authority.bundle))
    with context.wrap_socket(server.connect(), server_hostname="localhost") as wire:
        talk(wire)


def test_after_another_request_on_the_connection(server: Live) -> None:
    with server.connect() as wire:
        client = Client(wire, b"GET / HTTP/1.1\r\nHost: h\r\n\r\n")
        assert wire.recv(5) == b"plain"
        assert b"200" in client.head
        talk(wire)


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (websocket.frame(websocket.TEXT, b"unmasked"), 1002),
        (websocket.frame(websocket.TEXT, b"\xff\xfe", MASK), 1007),
        (b"\x82\xff" + (1 << 50).to_bytes(8, "big"), 1009),
        (b"GET / HTTP/1.1\r\n\r\n", 1002),
        (websocket.frame(websocket.CLOSE, (4001).to_bytes(2, "big"), MASK), 4001),
    ],
)
def test_who_breaks_the_protocol_is_told_and_left(server: Live, data: bytes, code: int) -> None:
    with server.connect() as wire:
        client = Client(wire)
        client.hear()
        wire.sendall(data)
        kind, payload = client.hear()
        assert (kind, websocket.close_code(payload)) == (websocket.CLOSE, code)


def test_a_client_that_goes_is_missed(server: Live) -> None:
    Echo.gone.clear()
    with server.connect() as wire:
        Client(wire).hear()
    assert Echo.gone.wait(60)


def test_a_bug_costs_its_client_the_connection_only(server: Live, caplog: pytest.LogCaptureFixture) -> None:
    Echo.gone.clear()
    with server.connect() as wire:
        client = Client(wire)
        client.hear()
        client.say(websocket.TEXT, b"bug")
        with contextlib.suppress(ConnectionResetError):
            assert wire.recv(100) == b""
    assert Echo.gone.wait(60)
    assert "a bug of the test's" in caplog.text
    with server.connect() as wire:
        talk(wire)


def test_a_server_that_goes_says_so() -> None:
    with live(handle) as running:
        wire = running.connect()
        client = Client(wire)
        client.hear()
    kind, payload = client.hear()
    assert (kind, websocket.close_code(payload)) == (websocket.CLOSE, 1001)
    wire.close()
