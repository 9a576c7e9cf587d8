"""What rest-json and rest-xml share: members that travel in the path, the query, headers and the status."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any
from urllib.parse import unquote

from cloudjar.base.errors import AwsError
from cloudjar.spec.models import Shape
from cloudjar.wire import json, values
from cloudjar.wire.form import decoded
from cloudjar.wire.message import Request
from cloudjar.wire.values import READERS, Malformed

LARGEST = 72 << 20
"""Bytes of a body that must be read whole: above the 70 MB that Lambda's code upload may take."""

Bind = Callable[[Request, dict[str, str], dict[str, list[str]], dict[str, Any]], None]
"""Reads one member from (request, path labels, query) into the dict."""


def query_lists(query: str) -> dict[str, list[str]]:
    """A raw query string as name -> values, in order; a bare name has the empty value. Malformed: not UTF-8."""
    found: dict[str, list[str]] = {}
    for part in query.split("&"):
        if part:
            name, _, value = part.partition("=")
            found.setdefault(decoded(name), []).append(decoded(value))
    return found


def whole(request: Request) -> bytes:
    """The body in one piece, however it was received. AwsError 413: larger than any API reads at once."""
    body = request.body
    if isinstance(body, bytes):
        return body
    if body.size > LARGEST:
        raise AwsError("RequestEntityTooLarge", f"The request body is larger than {LARGEST} bytes.", 413)
    return b"".join(body.chunks())


# -- requests ----------------------------------------------------------------------------------------------------


def outside(shape: Shape, uri: str = "/") -> Callable[[Request, dict[str, str]], dict[str, Any]]:
    """Reads the members that live outside the body, from a request and its path labels; `uri` is the operation's
    template. What costs is what was sent: an operation may know dozens of headers of which a request has two."""
    labels: list[Bind] = []
    queries: list[Bind] = []
    headers: dict[str, Bind] = {}
    prefixed: list[Bind] = []
    query = {n: m for n, m in shape.members.items() if m.location == "querystring"}
    named = {m.location_name or n for n, m in query.items() if m.type != "map"}
    named.update(part.partition("=")[0] for part in uri.partition("?")[2].split("&"))
    for name, member in shape.members.items():
        wire = member.location_name or name
        match member.location:
            case "uri":
                labels.append(_label(name, wire, member))
            case "querystring":
                queries.append(_query(name, wire, member, named))
            case "header":
                headers[wire.lower()] = _header(name, wire.lower(), member)
            case "headers":
                prefixed.append(_prefixed(name, member.location_name.lower()))

    def read(request: Request, uri_params: dict[str, str]) -> dict[str, Any]:
        out: dict[str, Any] = {}
        sent = query_lists(request.query) if request.query else {}
        for bind in labels:
            bind(request, uri_params, sent, out)
        if sent:
            for bind in queries:
                bind(request, uri_params, sent, out)
        for header in [name for name in request.headers if name in headers]:
            headers[header](request, uri_params, sent, out)
        for bind in prefixed:
            bind(request, uri_params, sent, out)
        return out

    return read


def _named(name: str, read: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """The reader, its complaint naming the member."""

    def call(text: Any) -> Any:
        try:
            return read(text)
        except Malformed as e:
            raise Malformed(e.message, e.text, f"{e.kind}|{name}") from None

    return call


def _label(name: str, wire: str, shape: Shape) -> Bind:
    read = _named(name, READERS[shape.type])

    def bind(_r: Request, labels: dict[str, str], _q: dict[str, list[str]], out: dict[str, Any]) -> None:
        if wire in labels:
            out[name] = read(labels[wire])

    return bind


def _query(name: str, wire: str, shape: Shape, named: set[str]) -> Bind:
    if shape.type == "map":
        many = shape.value.type == "list"

        def bind_map(_r: Request, _l: dict[str, str], query: dict[str, list[str]], out: dict[str, Any]) -> None:
            rest = {k: (v if many else v[0]) for k, v in query.items() if k not in named and not k.startswith("X-Amz-")}
            if rest:
                out[name] = rest

        return bind_map
    if shape.type == "list":
        read = _named(wire, READERS[shape.member.type])

        def bind_list(_r: Request, _l: dict[str, str], query: dict[str, list[str]], out: dict[str, Any]) -> None:
            if wire in query:
                out[name] = [read(v) for v in query[wire]]

        return bind_list
    read = _named(wire, READERS[shape.type])
    scalar_text = shape.type in ("string", "character")

    def bind(_r: Request, _l: dict[str, str], query: dict[str, list[str]], out: dict[str, Any]) -> None:
        found = query.get(wire)
        if found and (found[0] or scalar_text):
            out[name] = read(found[0])

    return bind


def _header(name: str, wire: str, shape: Shape) -> Bind:
    read = _named(wire, header_reader(shape))

    def bind(request: Request, _l: dict[str, str], _q: dict[str, list[str]], out: dict[str, Any]) -> None:
        text = request.headers.get(wire)
        if text is not None:
            value = read(text)
            if value is not None:
                out[name] = value

    return bind


def _prefixed(name: str, prefix: str) -> Bind:
    size = len(prefix)

    def bind(request: Request, _l: dict[str, str], _q: dict[str, list[str]], out: dict[str, Any]) -> None:
        found = {k[size:]: v for k, v in request.headers.items() if k.startswith(prefix)}
        if found:
            out[name] = found

    return bind


def header_reader(shape: Shape) -> Callable[[str], Any]:
    """The reader of a header's text; None: as if it were not there."""
    if shape.jsonvalue:
        return lambda text: json.decode(values.blob(text))
    if shape.type == "list":
        read = header_reader(shape.member)
        split = split_dates if _http_dates(shape.member) else split_list
        return lambda text: [read(t) for t in split(text)] or None
    plain = READERS[shape.type]
    if len(shape.enum) == 1:  # there is no other word: the SDK for C++ says "enabled" where the model says ENABLED
        only = str(shape.enum[0])
        return lambda text: only if text.upper() == only else plain(text)
    if shape.type in ("string", "character"):
        return plain
    return lambda text: plain(text.strip()) if text.strip() else None


def _http_dates(shape: Shape) -> bool:
    return shape.type == "timestamp" and shape.timestamp_format.lower() in ("", "rfc822")


def split_dates(text: str) -> list[str]:
    """HTTP dates hold a comma each."""
    parts = [p.strip() for p in text.split(",") if p.strip()]
    return [f"{a}, {b}" for a, b in zip(parts[::2], parts[1::2], strict=False)]


def split_list(text: str) -> list[str]:
    """A header's elements: comma-separated, quoted when they hold commas or quotes themselves."""
    if '"' not in text:
        return [p for p in (t.strip() for t in text.split(",")) if p]
    found: list[str] = []
    at = 0
    while at < len(text):
        if text[at] in ", \t":
            at += 1
        elif text[at] == '"':
            piece, at = _quoted(text, at + 1)
            found.append(piece)
        else:
            end = text.find(",", at)
            end = len(text) if end < 0 else end
            found.append(text[at:end].strip())
            at = end
    return found


def _quoted(text: str, at: int) -> tuple[str, int]:
    piece: list[str] = []
    while at < len(text) and text[at] != '"':
        if text[at] == "\\" and at + 1 < len(text):
            at += 1
        piece.append(text[at])
        at += 1
    return "".join(piece), at + 1


# -- responses ---------------------------------------------------------------------------------------------------

Put = Callable[[Mapping[str, Any], list[tuple[str, str]]], None]
"""Writes one member of an answer into its headers."""


def header_writers(shape: Shape) -> Put:
    """Writes the members of an answer that travel in headers: those that it has."""
    plain: dict[str, Put] = {}
    for name, member in shape.members.items():
        if member.location == "header":
            plain[name] = _put_header(name, member.location_name or name, header_writer(member))
        elif member.location == "headers":
            plain[name] = _put_prefixed(name, member.location_name)

    def put(result: Mapping[str, Any], headers: list[tuple[str, str]]) -> None:
        for name in result:
            write = plain.get(name)
            if write is not None:
                write(result, headers)

    return put


def status_member(shape: Shape) -> str:
    """The member that is the HTTP status, or empty."""
    return next((n for n, m in shape.members.items() if m.location == "statusCode"), "")


def _put_header(name: str, wire: str, write: Callable[[Any], str]) -> Put:
    def put(result: Mapping[str, Any], headers: list[tuple[str, str]]) -> None:
        value = result.get(name)
        if value is not None:
            headers.append((wire, _one_line(write(value))))

    return put


def _put_prefixed(name: str, prefix: str) -> Put:
    def put(result: Mapping[str, Any], headers: list[tuple[str, str]]) -> None:
        for key, value in (result.get(name) or {}).items():
            headers.append((prefix + _one_line(str(key)), _one_line(str(value))))

    return put


def _one_line(text: str) -> str:
    """No value may start a header of its own."""
    return text if text.isprintable() else text.replace("\r", " ").replace("\n", " ").replace("\0", " ")


def header_writer(shape: Shape) -> Callable[[Any], str]:
    """How a value is spelled in a header."""
    if shape.jsonvalue:
        return lambda v: values.base64(json.encode(v))
    if shape.type == "list":
        write = header_writer(shape.member)
        if shape.member.type in ("string", "character"):
            return lambda v: ",".join(_quote(i) for i in v if i is not None)
        return lambda v: ", ".join(write(i) for i in v if i is not None)
    return values.text_writer(shape.type, shape.timestamp_format, values.http_date)


def _quote(text: str) -> str:
    if '"' in text or "," in text:
        return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
    return text


def body_members(shape: Shape, answer: bool = False) -> list[str]:
    """The members that share the body."""
    return [n for n, m in shape.members.items() if not (m.location in json.OUTSIDE if answer else m.location)]


def as_stream(value: Any) -> bytes | Iterable[bytes]:
    """A blob or string payload as it leaves: bytes, or an iterable of bytes untouched."""
    if isinstance(value, bytes):
        return value
    if isinstance(value, str):
        return value.encode()
    if isinstance(value, bytearray | memoryview):
        return bytes(value)
    found: Iterable[bytes] = value
    return found


def path_text(raw: str) -> str:
    """A path segment, percent-decoded; ``+`` stands for itself. Malformed: not UTF-8."""
    try:
        return unquote(raw, errors="strict") if "%" in raw else raw
    except UnicodeDecodeError:
        raise Malformed("The request path is not UTF-8") from None
