"""The Task List's web server: the page on port 80, and /api/ handed on to the backend."""

import os
import urllib.error
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

BACKEND = os.environ.get("BACKEND", "http://backend:8000")
PAGE = Path(__file__).with_name("index.html")
LIMIT = 64 * 1024


class Web(BaseHTTPRequestHandler):
    """One request."""

    protocol_version = "HTTP/1.1"
    timeout = 30

    def do_GET(self) -> None:
        """The page, or the API."""
        if self.path.startswith("/api/"):
            return self.hand_on()
        if self.path in ("/", "/index.html"):
            return self.answer(200, "text/html; charset=utf-8", PAGE.read_bytes())
        return self.answer(404, "text/plain", b"not found\n")

    def hand_on(self) -> None:
        """Ask the backend."""
        length = self.headers.get("Content-Length", "0")
        if not length.isdigit() or int(length) > LIMIT:
            self.close_connection = True
            return self.answer(413, "text/plain", b"too large\n")
        body = self.rfile.read(int(length)) or None
        kind = {"Content-Type": self.headers.get("Content-Type", "application/json")}
        request = urllib.request.Request(BACKEND + self.path, body, kind, method=self.command)
        try:
            with urllib.request.urlopen(request, timeout=20) as said:
                return self.answer(said.status, "application/json", said.read())
        except urllib.error.HTTPError as refused:
            return self.answer(refused.code, "application/json", refused.read())
        except OSError as failed:
            return self.answer(502, "text/plain", f"the backend does not answer: {failed}\n".encode())

    do_POST = do_PATCH = do_DELETE = hand_on  # noqa: N815 the names that http.server calls

    def answer(self, status: int, kind: str, body: bytes) -> None:
        """Send it."""
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


if __name__ == "__main__":
    ThreadingHTTPServer(("", 80), Web).serve_forever()
