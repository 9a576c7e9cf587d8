"""HTTP/1.1 heads and chunked bodies: bytes to values and back, strictly, without sockets.

A parser of our own rather than a callback one, for one reason: it must stop at the end of a request. A request
that follows in the same packet may only be looked at (authenticated, given a body) once the answer to the one
before it is known. It is as fast: a few passes in C over the whole head, and a memo of the lines that clients repeat.

Strict where leniency has been used to smuggle requests (RFC 9112): no bare CR or LF, no folded lines, no space
before the colon, one Content-Length or one Transfer-Encoding, never both.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from http import HTTPStatus

END = b"\r\n\r\n"
CHUNKED = -1
"""The value of `Head.length` when the body says itself where it ends."""

MAX_HEAD = 64 << 10
MAX_TARGET = 32 << 10
MAX_HEADERS = 200
_MAX_CHUNK_LINE = 4096
_MAX_TRAILERS = 16 << 10

_TEXT = bytes(i for i in range(256) if i == 9 or (i >= 32 and i != 127))
_TOKEN = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")
_METHOD = re.compile(r"[A-Z][A-Z-]{0,23}")
_TARGET = re.compile(r"[^\x00-\x20\x7f#]+")
_HOST = re.compile(r"(?:[A-Za-z0-9._~%\-]+|\[[0-9A-Fa-f:.%]+\])?(?::[0-9]{0,5})?")
_CHUNK_SIZE = re.compile(rb"([0-9A-Fa-f]{1,15})[ \t]*(?:;[\t\x20-\x7e\x80-\xff]*)?")

_SINGLE = frozenset({"host", "content-length", "transfer-encoding", "authorization", "expect"})
_REPEATED = frozenset(
    {
        "host", "user-agent", "accept", "accept-encoding", "content-type", "content-length", "connection",
        "x-amz-target", "x-amz-date", "amz-sdk-request",
    }
)  # fmt: skip
"""Headers whose whole line comes again with every request (or with all of a second) and holds no secret: their parse is
remembered."""

_MEMO = 2048
_names: dict[str, str] = {}
_lines: dict[str, tuple[str, str]] = {}
_requests: dict[str, tuple[str, str, str, int, str | None]] = {}
"""Request lines that clients repeat: those without a query, of an API that says elsewhere what it wants."""


class Malformed(Exception):
    """Bytes that are not a request we accept; answered with `status` and the connection closed."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.message = message


class Head:
    """A request's head. `length` is the body's size in bytes, or `CHUNKED`; header names are in lower case."""

    __slots__ = ("expects_continue", "headers", "keep_alive", "length", "method", "minor", "path", "query")

    def __init__(self, method: str, path: str, query: str, minor: int, headers: dict[str, str]) -> None:
        self.method = method
        self.path = path
        self.query = query
        self.minor = minor
        self.headers = headers
        self.length = _framing(headers, minor)
        self.keep_alive = minor == 1
        self.expects_continue = False
        if "connection" in headers:
            tokens = {token.strip() for token in headers["connection"].lower().split(",")}
            self.keep_alive = "close" not in tokens and (minor == 1 or "keep-alive" in tokens)
        if "expect" in headers:
            if headers["expect"].lower() != "100-continue":
                raise Malformed(417, "Expectation Failed")
            self.expects_continue = minor == 1


def parse_head(raw: bytes) -> Head:
    """Parse a head (request line and headers, without the blank line that ends it).

    Text is Latin-1, that is, bytes one to one; repeated headers are joined by a comma.
    Raises `Malformed` with the status to answer.
    """
    lines = raw.decode("latin-1").split("\r\n")
    if raw.translate(None, _TEXT) != b"\r\n" * (len(lines) - 1):
        raise Malformed(400, "Control characters in the request head")
    if len(lines) > MAX_HEADERS + 1:
        raise Malformed(431, "Too many request headers")
    method, path, query, minor, authority = _request_line(lines[0])
    headers: dict[str, str] = {}
    known = _lines.get
    for line in lines[1:]:
        name, value = known(line) or _field(line)
        if name in headers:
            if name in _SINGLE:
                raise Malformed(400, f"Repeated header: {name}")
            value = f"{headers[name]},{value}"
        headers[name] = value
    if authority is not None:
        headers.setdefault("host", authority)
        if headers["host"].lower() != authority.lower():
            raise Malformed(400, "Host and request target disagree")
    elif minor == 1 and "host" not in headers:
        raise Malformed(400, "Missing Host header")
    return Head(method, path, query, minor, headers)


def check_partial(raw: bytes) -> None:
    """Refuse early what can no longer become a head that we accept, so that garbage is not waited for."""
    if len(raw) > MAX_HEAD:
        line = raw.find(b"\r\n")
        raise Malformed(414, "URI Too Long") if line < 0 else Malformed(431, "Request Header Fields Too Large")
    line = raw.find(b"\r\n")
    if line < 0:
        if raw.translate(None, _TEXT) not in (b"", b"\r") or len(raw) > MAX_TARGET + 64:
            raise Malformed(414 if len(raw) > MAX_TARGET else 400, "Malformed request line")
    elif line > MAX_TARGET + 64:
        raise Malformed(414, "URI Too Long")
    elif not raw.startswith(b" HTTP/1.", max(0, line - 9)):
        raise Malformed(400, "Malformed request line")


def _request_line(line: str) -> tuple[str, str, str, int, str | None]:
    known = _requests.get(line)
    if known is not None:
        return known
    parts = line.split(" ")
    if len(parts) != 3 or not _METHOD.fullmatch(parts[0]):
        raise Malformed(400, "Malformed request line")
    method, target, version = parts
    if version not in ("HTTP/1.1", "HTTP/1.0"):
        raise Malformed(505 if version.startswith("HTTP/") else 400, "Unsupported HTTP version")
    if len(target) > MAX_TARGET:
        raise Malformed(414, "URI Too Long")
    if not _TARGET.fullmatch(target):
        raise Malformed(400, "Malformed request target")
    authority = None
    if target[0] != "/":
        target, authority = _absolute(method, target)
    path, _, query = target.partition("?")
    found = method, path, query, 1 if version == "HTTP/1.1" else 0, authority
    if method == "POST" and not query and len(line) <= 128:
        if len(_requests) >= _MEMO:
            _requests.clear()
        _requests[line] = found
    return found


def _absolute(method: str, target: str) -> tuple[str, str | None]:
    """The two other forms a target may have: ``http://host/path`` (as to a proxy) and ``*``."""
    if target == "*" and method == "OPTIONS":
        return target, None
    scheme, separator, rest = target.partition("://")
    if not separator or scheme.lower() not in ("http", "https"):
        raise Malformed(400, "Malformed request target")
    cut = min((i for i in (rest.find("/"), rest.find("?")) if i >= 0), default=len(rest))
    authority, path = rest[:cut], rest[cut:]
    if not authority or not _HOST.fullmatch(authority):
        raise Malformed(400, "Malformed request target")
    return (path if path.startswith("/") else "/" + path), authority


def _field(line: str) -> tuple[str, str]:
    raw, colon, value = line.partition(":")
    name = _names.get(raw)
    if name is None:
        if not colon or not _TOKEN.fullmatch(raw):
            raise Malformed(400, "Malformed request header")
        name = raw.lower()
        if len(_names) >= _MEMO:
            _names.clear()
        _names[raw] = name
    elif not colon:
        raise Malformed(400, "Malformed request header")
    value = value.strip(" \t")
    if name == "host" and not _HOST.fullmatch(value):
        raise Malformed(400, "Malformed Host header")
    if name in _REPEATED and len(line) <= 512:
        if len(_lines) >= _MEMO:
            _lines.clear()
        _lines[line] = (name, value)
    return name, value


def _framing(headers: dict[str, str], minor: int) -> int:
    length = headers.get("content-length")
    coding = headers.get("transfer-encoding")
    if coding is not None:
        if length is not None:
            raise Malformed(400, "Both Content-Length and Transfer-Encoding")
        if minor == 0:
            raise Malformed(400, "Transfer-Encoding in HTTP/1.0")
        if coding.lower() != "chunked":
            raise Malformed(501, "Unsupported Transfer-Encoding")
        return CHUNKED
    if length is None:
        return 0
    if len(length) > 18 or not length.isascii() or not length.isdecimal():
        raise Malformed(400, "Malformed Content-Length")
    return int(length)


class Dechunker:
    """An incremental reader of ``Transfer-Encoding: chunked``; extensions and trailers are read and dropped."""

    __slots__ = ("_line", "_remaining", "_state", "_trailers", "done")

    def __init__(self) -> None:
        self.done = False
        self._state = "size"
        self._line = b""
        self._remaining = 0
        self._trailers = 0

    def feed(self, data: bytes) -> tuple[list[bytes], bytes]:
        """Take bytes; return the payload they hold and what follows the body (empty until `done`)."""
        payload: list[bytes] = []
        at = 0
        while at < len(data) and not self.done:
            if self._state == "data":
                piece = data[at : at + self._remaining]
                payload.append(piece)
                at += len(piece)
                self._remaining -= len(piece)
                if not self._remaining:
                    self._state = "end of data"
                continue
            at, line = self._take_line(data, at)
            if line is not None:
                self._take(line)
        return payload, data[at:]

    def _take_line(self, data: bytes, at: int) -> tuple[int, bytes | None]:
        end = data.find(b"\n", at)
        self._line += data[at : len(data) if end < 0 else end + 1]
        if len(self._line) > _MAX_CHUNK_LINE:
            raise Malformed(400, "Chunk header too long")
        if end < 0:
            return len(data), None
        line, self._line = self._line, b""
        if not line.endswith(b"\r\n") or b"\r" in line[:-2]:
            raise Malformed(400, "Malformed chunk")
        return end + 1, line[:-2]

    def _take(self, line: bytes) -> None:
        if self._state == "end of data":
            if line:
                raise Malformed(400, "Malformed chunk")
            self._state = "size"
        elif self._state == "size":
            match = _CHUNK_SIZE.fullmatch(line)
            if match is None:
                raise Malformed(400, "Malformed chunk size")
            self._remaining = int(match[1], 16)
            self._state = "data" if self._remaining else "trailers"
        elif not line:
            self.done = True
        else:
            self._trailers += len(line)
            if self._trailers > _MAX_TRAILERS:
                raise Malformed(431, "Request trailers too large")


def chunk(data: bytes) -> bytes:
    """One chunk of a chunked response; empty input gives nothing, for it would end the body."""
    return b"%x\r\n%b\r\n" % (len(data), data) if data else b""


LAST_CHUNK = b"0\r\n\r\n"
CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"

_status_lines: dict[int, str] = {}


def status_line(status: int) -> str:
    """``HTTP/1.1 200 OK\\r\\n``."""
    line = _status_lines.get(status)
    if line is None:
        try:
            phrase = HTTPStatus(status).phrase
        except ValueError:
            phrase = "Unknown"
        line = _status_lines[status] = f"HTTP/1.1 {status} {phrase}\r\n"
    return line


def switching(headers: Iterable[tuple[str, str]]) -> bytes:
    """The head of an answer that turns the connection into a WebSocket."""
    text = "".join(f"{name}: {value}\r\n" for name, value in headers)
    return f"{status_line(101)}Upgrade: websocket\r\nConnection: Upgrade\r\n{text}\r\n".encode("latin-1")


_OURS = frozenset({"content-length", "transfer-encoding", "connection", "keep-alive"})
_lower: dict[str, str] = {}


def split_headers(headers: Iterable[tuple[str, str]]) -> tuple[str, int, frozenset[str]]:
    """Response headers as text, less those that frame the message; the length they state (-1 if none) and
    what else was said: any of ``close``, ``date``, ``server``. Raises ValueError for a value with a line break."""
    lines = []
    length = -1
    said: set[str] = set()
    for name, value in headers:
        lower = _lower.get(name)
        if lower is None:
            if not _TOKEN.fullmatch(name):
                raise ValueError(f"not a header name: {name!r}")
            if len(_lower) >= _MEMO:
                _lower.clear()
            lower = _lower[name] = name.lower()
        if lower in _OURS:
            if lower == "content-length":
                length = int(value)
            elif lower == "connection" and value.lower() == "close":
                said.add("close")
            continue
        if lower in ("date", "server"):
            said.add(lower)
        lines.append(f"{name}: {value}\r\n")
    text = "".join(lines)
    if text.count("\n") != len(lines) or text.count("\r") != len(lines) or "\0" in text:
        raise ValueError("a response header holds a line break")
    return text, length, frozenset(said)


def encode_head(text: str) -> bytes:
    """A response's head as bytes: Latin-1, the mirror of how requests are read, else UTF-8."""
    try:
        return text.encode("latin-1")
    except UnicodeEncodeError:
        return text.encode("utf-8", "replace")
