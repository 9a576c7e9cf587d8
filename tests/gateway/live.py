"""A server on a thread of its own, and a client that speaks bytes."""

from __future__ import annotations

import asyncio
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from cloudjar.gateway.server import Handler, Listener, Server, run
from cloudjar.wire.message import Request, Response


class Live:
    """A running server; `port` serves HTTP, and HTTPS too when it was given `tls`."""

    def __init__(self, handler: Handler, tls: Any = None, **options: Any) -> None:
        self.server = Server(handler, **options)
        self._tls = tls
        self._ready = threading.Event()
        self._stop: asyncio.Event | None = None
        self.listener: Listener | None = None
        self.faults: list[str] = []
        self._thread = threading.Thread(target=lambda: run(self._main()), daemon=True)

    async def _main(self) -> None:
        loop = asyncio.get_running_loop()
        loop.set_exception_handler(lambda _, context: self.faults.append(repr(context)))
        self._stop = asyncio.Event()
        self.listener = await self.server.listen("127.0.0.1", 0, trusted=True, tls=self._tls, vpc="vpc-1")
        self._ready.set()
        await self._stop.wait()
        await self.server.close(grace=2)

    def __enter__(self) -> Live:
        self._thread.start()
        assert self._ready.wait(20)
        return self

    def __exit__(self, *_: object) -> None:
        assert self._stop is not None
        self.server.call_from_thread(self._stop.set)
        self._thread.join(20)
        assert not self._thread.is_alive()
        assert self.faults == []

    @property
    def port(self) -> int:
        assert self.listener is not None
        return self.listener.port

    def connect(self) -> socket.socket:
        return socket.create_connection(("127.0.0.1", self.port), timeout=20)

    def exchange(self, *pieces: bytes) -> list[Answer]:
        """Send the pieces, say that this was all, and read every answer until the server closes."""
        with self.connect() as client:
            client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            try:
                for piece in pieces:
                    client.sendall(piece)
                client.shutdown(socket.SHUT_WR)
            except OSError:
                pass  # the server may close first
            return answers(read_all(client))

    def request(self, raw: bytes) -> Answer:
        (answer,) = self.exchange(raw)
        return answer


@dataclass
class Answer:
    """One response."""

    status: int
    headers: dict[str, str]
    body: bytes


def read_all(client: socket.socket) -> bytes:
    data = b""
    while True:
        try:
            piece = client.recv(1 << 16)
        except (ConnectionResetError, ssl.SSLError):
            return data
        if not piece:
            return data
        data += piece


def read_answer(client: socket.socket, *, head: bool = False) -> Answer:
    """Read one answer that states its length."""
    data = b""
    while b"\r\n\r\n" not in data:
        piece = client.recv(1)
        assert piece, f"closed after {data!r}"
        data += piece
    answer = _parse(data)
    length = 0 if head else int(answer.headers.get("content-length", "0"))
    while len(answer.body) < length:
        piece = client.recv(length - len(answer.body))
        assert piece, "closed inside a body"
        answer.body += piece
    return answer


def _parse(data: bytes) -> Answer:
    head, _, body = data.partition(b"\r\n\r\n")
    first, *lines = head.decode("latin-1").split("\r\n")
    assert first.startswith("HTTP/1.1 ")
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    return Answer(int(first[9:12]), headers, body)


def answers(data: bytes) -> list[Answer]:
    """All answers in a stream of bytes (to requests other than HEAD)."""
    found = []
    while data:
        answer = _parse(data)
        if answer.status == 100:
            data = answer.body
            answer.body = b""
        elif "content-length" in answer.headers:
            length = int(answer.headers["content-length"])
            assert len(answer.body) >= length, "cut short"
            answer.body, data = answer.body[:length], answer.body[length:]
        elif answer.headers.get("transfer-encoding") == "chunked":
            answer.body, data = _dechunk(answer.body)
        else:
            data = b""
        found.append(answer)
    return found


def _dechunk(data: bytes) -> tuple[bytes, bytes]:
    out = b""
    while True:
        line, _, data = data.partition(b"\r\n")
        size = int(line, 16)
        assert len(data) >= size + 2, "cut short"
        out, data = out + data[:size], data[size + 2 :]
        if not size:
            return out, data


def echo(request: Request) -> Response:
    """Answers with what arrived."""
    body = request.body if isinstance(request.body, bytes) else b"".join(request.body.chunks())
    text = f"{request.method} {request.path} {request.query} ".encode("latin-1")
    return Response(200, [("Content-Type", "text/plain"), ("X-Kind", type(request.body).__name__)], text + body)


@contextmanager
def live(handler: Handler = echo, **options: Any) -> Iterator[Live]:
    """A server for as long as the context lasts; none of its callbacks may have raised."""
    with Live(handler, **options) as server:
        yield server
