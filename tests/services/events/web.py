"""Somebody's API over HTTPS: remembers what it is asked, answers as it is told, and gives tokens."""

from __future__ import annotations

import json
import ssl
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, NamedTuple

from tests.services.sts.issuer import Certificates


class Asked(NamedTuple):
    """One request; header names are in lower case."""

    method: str
    path: str
    headers: dict[str, str]
    body: str


class Api:
    """The server. `statuses` are what the next requests are answered, then 200."""

    def __init__(self, folder: Path) -> None:
        self.certificates = Certificates(folder)
        self.statuses: list[int] = []
        self.got: list[Asked] = []
        self.tokens = 0
        self.came = threading.Condition()
        api = self

        class Handler(BaseHTTPRequestHandler):
            def handle_any(self) -> None:
                body = self.rfile.read(int(self.headers.get("content-length") or 0)).decode()
                headers = {name.lower(): value for name, value in self.headers.items()}
                status, answer = api.answer(Asked(self.command, self.path, headers, body))
                self.send_response(status)
                self.send_header("Content-Length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)

            do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = handle_any  # noqa: N815 http.server's own names

            def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 the base class names it so
                """Quietly."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.certificates.chain)
        self._server.socket = context.wrap_socket(self._server.socket, server_side=True, do_handshake_on_connect=False)
        self.url = f"https://localhost:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()

    def answer(self, asked: Asked) -> tuple[int, bytes]:
        """What a request is answered."""
        with self.came:
            self.got.append(asked)
            self.came.notify_all()
            status = self.statuses.pop(0) if self.statuses else 200
            if asked.path.startswith("/token") and status == 200:
                self.tokens += 1
                return 200, json.dumps({"access_token": f"token{self.tokens}", "expires_in": 3600}).encode()
            return status, b"{}"

    def wait(self, count: int) -> list[Asked]:
        """The requests so far, when there are so many."""
        with self.came:
            assert self.came.wait_for(lambda: len(self.got) >= count, 60), f"{len(self.got)} of {count} came"
            return list(self.got)

    def close(self) -> None:
        """Stop."""
        self._server.shutdown()
        self._server.server_close()
