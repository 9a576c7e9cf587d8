"""``application/vnd.amazon.eventstream``: framing, and events <-> dicts.

A message is: total length, header length, CRC of those eight bytes, headers, payload, CRC of everything before.
https://smithy.io/2.0/aws/amazon-eventstream.html
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import AsyncIterable, AsyncIterator, Callable, Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any, NamedTuple

from cloudjar.base.errors import AwsError
from cloudjar.spec.models import Shape
from cloudjar.wire import values
from cloudjar.wire.values import Malformed

CONTENT_TYPE = "application/vnd.amazon.eventstream"
_PRELUDE = struct.Struct(">III")
_MAX_MESSAGE = 24 << 20
_NUMBERS = {2: struct.Struct(">b"), 3: struct.Struct(">h"), 4: struct.Struct(">i"), 5: struct.Struct(">q")}


class Message(NamedTuple):
    """One frame."""

    headers: dict[str, Any]
    payload: bytes


def pack(headers: Mapping[str, Any], payload: bytes) -> bytes:
    """One frame. Header values: text, bytes, bool, int (32 or 64 bits), datetime."""
    block = b"".join(_header(n, v) for n, v in headers.items())
    total = 16 + len(block) + len(payload)
    prelude = struct.pack(">II", total, len(block))
    body = prelude + struct.pack(">I", zlib.crc32(prelude)) + block + payload
    return body + struct.pack(">I", zlib.crc32(body))


def _header(name: str, value: Any) -> bytes:
    head = bytes((len(name.encode()),)) + name.encode()
    if value is True or value is False:
        return head + (b"\0" if value else b"\1")
    if isinstance(value, int):
        small = -(1 << 31) <= value < 1 << 31
        return head + (b"\4" + struct.pack(">i", value) if small else b"\5" + struct.pack(">q", value))
    if isinstance(value, datetime):
        return head + b"\x08" + struct.pack(">q", round(values.unix(value) * 1000))
    data = value.encode() if isinstance(value, str) else bytes(value)
    return head + (b"\7" if isinstance(value, str) else b"\6") + struct.pack(">H", len(data)) + data


def unpack(chunks: Iterable[bytes]) -> Iterator[Message]:
    """The frames of a stream. Malformed: a bad length or checksum, or an end in the middle."""
    held = bytearray()
    for chunk in chunks:
        held += chunk
        while len(held) >= 12:
            total, size, crc = _PRELUDE.unpack_from(held)
            if zlib.crc32(held[:8]) != crc or total > _MAX_MESSAGE or size > total - 16 or total < 16:
                raise Malformed("The event stream has a bad prelude")
            if len(held) < total:
                break
            frame = bytes(held[:total])
            del held[:total]
            if zlib.crc32(frame[:-4]) != int.from_bytes(frame[-4:], "big"):
                raise Malformed("The event stream has a bad checksum")
            yield Message(_headers(frame[12 : 12 + size]), frame[12 + size : -4])
    if held:
        raise Malformed("The event stream ends within a message")


def _headers(data: bytes) -> dict[str, Any]:
    found: dict[str, Any] = {}
    at = 0
    try:
        while at < len(data):
            size = data[at]
            name = data[at + 1 : at + 1 + size].decode()
            kind = data[at + 1 + size]
            found[name], at = _header_value(kind, data, at + 2 + size)
    except (IndexError, struct.error, UnicodeDecodeError):
        raise Malformed("The event stream has a bad header") from None
    if at != len(data):
        raise Malformed("The event stream has a bad header")
    return found


def _header_value(kind: int, data: bytes, at: int) -> tuple[Any, int]:
    if kind in (0, 1):
        return kind == 0, at
    if kind in _NUMBERS:
        form = _NUMBERS[kind]
        return form.unpack_from(data, at)[0], at + form.size
    if kind in (6, 7):
        (size,) = struct.unpack_from(">H", data, at)
        raw = data[at + 2 : at + 2 + size]
        return (raw if kind == 6 else raw.decode()), at + 2 + size
    if kind == 8:
        (millis,) = struct.unpack_from(">q", data, at)
        return values.epoch(millis / 1000), at + 8
    if kind == 9:
        h = data[at : at + 16].hex()
        return f"{h[:8]}-{h[8:12]}-{h[12:16]}-{h[16:20]}-{h[20:]}", at + 16
    raise Malformed("The event stream has a header of unknown type")


class Format(NamedTuple):
    """How a protocol spells an event's structure."""

    content_type: str
    write: Callable[[Shape], Callable[[Any], bytes]]
    read: Callable[[Shape], Callable[[bytes], Any]]


class Frames:
    """The body of an answer: frames, made as they are pulled. `blocks` says that making one may wait for a disk."""

    __slots__ = ("_frames", "blocks")

    def __init__(self, frames: Iterator[bytes], *, blocks: bool) -> None:
        self._frames = frames
        self.blocks = blocks

    def __iter__(self) -> Iterator[bytes]:
        return self._frames


class EventWriter:
    """``{"Event": {...}}`` -> frames, for one event-stream shape."""

    def __init__(self, stream: Shape, form: Format) -> None:
        self._events = {n: _event_writer(n, s, form) for n, s in stream.members.items()}

    def body(
        self, events: Iterable[Any] | AsyncIterable[Any] | None, initial: bytes | None, content_type: str
    ) -> Iterator[bytes] | AsyncIterator[bytes]:
        """The body of an answer, as its events come: at once, or, of an asynchronous iterable, when there are any."""
        if isinstance(events, AsyncIterable):
            return self._live(events, initial, content_type)
        return self.frames(events or (), initial, content_type)

    async def _live(
        self, events: AsyncIterable[Any], initial: bytes | None, content_type: str
    ) -> AsyncIterator[bytes]:
        if initial is not None:
            yield _initial(initial, content_type)
        source = aiter(events)
        try:
            async for event in source:
                yield event if isinstance(event, bytes) else self.frame(event)
        except AwsError as e:
            yield self._failure(e)
        finally:
            close = getattr(source, "aclose", None)
            if close is not None:
                await close()

    def frames(self, events: Iterable[Any], initial: bytes | None, content_type: str) -> Iterator[bytes]:
        """The body of an answer; an `AwsError` raised by `events` ends the stream as an exception frame.

        Bytes among the events go through as they are. `initial` is the payload of an initial-response frame.
        """
        if initial is not None:
            yield _initial(initial, content_type)
        try:
            for event in events:
                yield event if isinstance(event, bytes) else self.frame(event)
        except AwsError as e:
            yield self._failure(e)

    def frame(self, event: Mapping[str, Any]) -> bytes:
        """One event, e.g. ``{"Records": {"Payload": b"..."}}``."""
        (name, value), *rest = ((n, v) for n, v in event.items() if v is not None)
        if rest:
            raise TypeError(f"an event has one member, got {list(event)}")
        return self._events[name](value)

    def _failure(self, error: AwsError) -> bytes:
        writer = self._events.get(error.code) or self._events.get(error.code[:1].lower() + error.code[1:])
        if writer is not None:
            return writer({"message": error.message, "Message": error.message, **error.members})
        head = {":message-type": "error", ":error-code": error.code, ":error-message": error.message}
        return pack(head, b"")


def _initial(payload: bytes, content_type: str) -> bytes:
    head = {":message-type": "event", ":event-type": "initial-response", ":content-type": content_type}
    return pack(head, payload)


def _event_writer(name: str, shape: Shape, form: Format) -> Callable[[Any], bytes]:
    kind = "exception" if shape.exception else "event"
    headers = [n for n, m in shape.members.items() if m.event_header]
    payload = next((n for n, m in shape.members.items() if m.event_payload), "")
    body = shape.members[payload] if payload else shape
    content_type = {"blob": "application/octet-stream", "string": "text/plain"}.get(body.type, form.content_type)
    write = _bytes if body.type in ("blob", "string") else form.write(body)
    bodiless = not payload and len(headers) == len(shape.members)

    def frame(value: Mapping[str, Any]) -> bytes:
        head: dict[str, Any] = {":message-type": kind, f":{kind}-type": name}
        if not bodiless:
            head[":content-type"] = content_type
        head.update({n: value[n] for n in headers if value.get(n) is not None})
        inner = value.get(payload) if payload else value
        return pack(head, b"" if bodiless or inner is None else write(inner))

    return frame


def _bytes(value: Any) -> bytes:
    return value.encode() if isinstance(value, str) else bytes(value)


def _text(data: bytes) -> str:
    return data.decode("utf-8", "replace")


class EventReader:
    """Frames -> ``{"Event": {...}}``, for one event-stream shape of a request."""

    def __init__(self, stream: Shape, form: Format) -> None:
        self._events = {n: _event_reader(s, form) for n, s in stream.members.items()}

    def events(
        self, chunks: Iterable[bytes], initial: Callable[[bytes], None] | None = None
    ) -> Iterator[dict[str, Any]]:
        """The events of a body. Frames that wrap a signed frame are opened; their signatures are not checked here."""
        for message in unpack(chunks):
            if ":chunk-signature" in message.headers:
                if not message.payload:
                    return  # the signed end of the stream
                message = next(unpack([message.payload]))
            name = message.headers.get(":event-type", "")
            if name == "initial-request":
                if initial is not None:
                    initial(message.payload)
                continue
            reader = self._events.get(name)
            if reader is not None:
                yield {name: reader(message)}


def _event_reader(shape: Shape, form: Format) -> Callable[[Message], dict[str, Any]]:
    headers = [n for n, m in shape.members.items() if m.event_header]
    payload = next((n for n, m in shape.members.items() if m.event_payload), "")
    body = shape.members[payload] if payload else shape
    plain: dict[str, Callable[[bytes], Any]] = {"blob": bytes, "string": _text}
    read = plain.get(body.type) or form.read(body)

    def value(message: Message) -> dict[str, Any]:
        out = {n: message.headers[n] for n in headers if n in message.headers}
        if payload:
            out[payload] = read(message.payload)
        elif message.payload:
            out |= read(message.payload)
        return out

    return value
