"""Web servers inside guests, and a client outside them."""

from __future__ import annotations

import http.client
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, NamedTuple

from cloudjar.base.clock import monotonic
from tests.host.network.conftest import Host


class Seen(NamedTuple):
    """A request as a target saw it; header names in lower case."""

    source: str
    line: str
    headers: dict[str, str]


class Answer(NamedTuple):
    status: int
    headers: dict[str, str]
    body: str


def until(what: Callable[[], object], seconds: float = 30) -> None:
    """Wait for a condition; the deadline only keeps a broken product from hanging the suite."""
    end, pause = monotonic() + seconds, threading.Event()
    while not what():
        assert monotonic() < end, "did not come true"
        pause.wait(0.03)


class Site:
    """A web server in a guest that repeats what it was asked; at the path `silent` it waits for `let_go`."""

    def __init__(
        self, host: Host, guest: str, port: int, *, silent: str = "-", status: int = 200, sets: str = ""
    ) -> None:
        self.requests: list[Seen] = []
        self.let_go = threading.Event()
        site = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                site.requests.append(
                    Seen(self.client_address[0], self.requestline, {k.lower(): v for k, v in self.headers.items()})
                )
                if self.path == silent:
                    site.let_go.wait(20)
                body = f"{self.command} {self.path}".encode()
                self.send_response(status)
                self.send_header("Content-Length", str(len(body)))
                if sets:
                    self.send_header("Set-Cookie", sets)
                self.end_headers()
                self.wfile.write(body)

            def do_DELETE(self) -> None:
                self.do_GET()

            def log_message(self, *_: Any) -> None:
                """Tests say what went wrong."""

        self._server = ThreadingHTTPServer(("", port), Handler, bind_and_activate=False)
        self._server.daemon_threads = True
        self._server.socket.close()
        self._server.socket = host.socket(guest)
        self._server.server_bind()
        self._server.server_activate()
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)
        self._thread.start()

    def begin(self, address: str, path: str) -> http.client.HTTPConnection:
        """Send a request and come back once this server has it."""
        connection = http.client.HTTPConnection(address, timeout=20)
        connection.request("GET", path)
        until(lambda: any(f" {path} " in seen.line for seen in self.requests))
        return connection

    def __enter__(self) -> Site:
        return self

    def __exit__(self, *_: object) -> None:
        self.let_go.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


def ask(
    host: Host, guest: str, address: str, path: str = "/", *, method: str = "GET", port: int = 80,
    headers: dict[str, str] | None = None,
) -> Answer:
    """One request from a guest, or from the host."""
    connection = http.client.HTTPConnection(address, port, timeout=15)
    connection.sock = host.connect(guest, address, port, wait=15)
    try:
        connection.request(method, path, headers={"Host": address, **(headers or {})})
        response = connection.getresponse()
        return Answer(response.status, {k.lower(): v for k, v in response.getheaders()}, response.read().decode())
    finally:
        connection.close()
