"""Requests as browsers and curl send them: no signature, any Host."""

from __future__ import annotations

import http.client
from collections.abc import Mapping
from typing import NamedTuple

from tests.jar import TestJar


class Answer(NamedTuple):
    """What came back; header names in lower case."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def text(self) -> str:
        return self.body.decode()

    def tag(self, name: str) -> str:
        """The text of an XML element; empty when there is none."""
        return self.text.partition(f"<{name}>")[2].partition(f"</{name}>")[0]


def ask(
    jar: TestJar, method: str, path: str, headers: Mapping[str, str] | None = None, body: bytes = b"", *, host: str = ""
) -> Answer:
    """One request on a connection of its own."""
    line = http.client.HTTPConnection("127.0.0.1", jar.port, timeout=60)
    try:
        line.putrequest(method, path, skip_host=True, skip_accept_encoding=True)
        line.putheader("Host", host or f"localhost:{jar.port}")
        if body or method in ("PUT", "POST"):
            line.putheader("Content-Length", str(len(body)))
        for name, value in (headers or {}).items():
            line.putheader(name, value)
        line.endheaders(body)
        got = line.getresponse()
        return Answer(got.status, {name.lower(): value for name, value in got.getheaders()}, got.read())
    finally:
        line.close()


def form(fields: Mapping[str, str], content: bytes, filename: str = "cat.txt") -> tuple[dict[str, str], bytes]:
    """Headers and body of a form with a file."""
    mark = "----jam-and-bread"
    parts = [
        f'--{mark}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'.encode()
        for name, value in fields.items()
    ]
    parts.append(
        f'--{mark}\r\nContent-Disposition: form-data; name="file"; filename="{filename}"\r\n'
        "Content-Type: text/plain\r\n\r\n".encode()
    )
    parts += [content, f"\r\n--{mark}--\r\n".encode()]
    return {"Content-Type": f"multipart/form-data; boundary={mark}"}, b"".join(parts)
