"""WebSocket frames, both sides (RFC 6455): bytes in, messages out. No extensions, no sub-protocols; pure."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterator

MAX_MESSAGE = 1 << 20
"""Bytes of one message; a longer one ends the connection."""

CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG = 0x0, 0x1, 0x2, 0x8, 0x9, 0xA
NORMAL, GOING_AWAY, PROTOCOL_ERROR, NOT_TEXT, REFUSED, TOO_LARGE = 1000, 1001, 1002, 1007, 1008, 1009

_MAGIC = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"


class Broken(Exception):
    """The other side does not keep to the protocol; `code` is what the connection closes with."""

    def __init__(self, code: int, why: str) -> None:
        super().__init__(why)
        self.code = code


def accept(key: str) -> str:
    """The answer to a client's ``Sec-WebSocket-Key``."""
    digest = hashlib.sha1(key.strip().encode("latin-1") + _MAGIC, usedforsecurity=False).digest()
    return base64.b64encode(digest).decode()


def is_upgrade(headers: dict[str, str]) -> bool:
    """Whether a request's headers (lower-case names) ask for a WebSocket of the version that we speak."""
    return (
        "websocket" in headers.get("upgrade", "").lower()
        and "upgrade" in headers.get("connection", "").lower()
        and headers.get("sec-websocket-version") == "13"
        and len(headers.get("sec-websocket-key", "")) == 24
    )


def frame(kind: int, payload: bytes, mask: bytes = b"") -> bytes:
    """One whole message or control frame; `mask` is four bytes when a client sends it."""
    size = len(payload)
    flag = 0x80 if mask else 0
    if size < 126:
        head = bytes((0x80 | kind, flag | size))
    elif size < 1 << 16:
        head = bytes((0x80 | kind, flag | 126)) + size.to_bytes(2, "big")
    else:
        head = bytes((0x80 | kind, flag | 127)) + size.to_bytes(8, "big")
    return head + mask + _masked(payload, mask) if mask else head + payload


def closing(code: int, why: str = "", mask: bytes = b"") -> bytes:
    """A close frame."""
    return frame(CLOSE, code.to_bytes(2, "big") + why.encode()[:123], mask)


def close_code(payload: bytes) -> int:
    """The code of a close frame's payload; 1005 stands for none."""
    return int.from_bytes(payload[:2], "big") if len(payload) >= 2 else 1005


class Reader:
    """Takes bytes as they come and gives messages: (kind, payload), fragments joined.

    `masked` says whether frames must be (a server's reader) or must not be (a client's).
    """

    def __init__(self, *, masked: bool, most: int = MAX_MESSAGE) -> None:
        self._masked = masked
        self._most = most
        self._data = bytearray()
        self._kind = 0
        self._parts: list[bytes] = []
        self._size = 0

    def feed(self, data: bytes) -> Iterator[tuple[int, bytes]]:
        """Messages that are whole now; raises `Broken`."""
        self._data += data
        while (found := self._frame()) is not None:
            final, kind, payload = found
            message = self._joined(final, kind, payload)
            if message is not None:
                yield message

    def _frame(self) -> tuple[bool, int, bytes] | None:
        data = self._data
        if len(data) < 2:
            return None
        final, kind, masked, size = data[0] & 0x80 != 0, data[0] & 0x0F, data[1] & 0x80 != 0, data[1] & 0x7F
        if data[0] & 0x70 or masked is not self._masked:
            raise Broken(PROTOCOL_ERROR, "reserved bits, or a mask where none belongs")
        if kind >= CLOSE and (size > 125 or not final):
            raise Broken(PROTOCOL_ERROR, "a control frame that is long or in pieces")
        at = 2
        if size > 125:
            width = 2 if size == 126 else 8
            if len(data) < at + width:
                return None
            size, at = int.from_bytes(data[at : at + width], "big"), at + width
        if size > self._most:
            raise Broken(TOO_LARGE, "a message is too large")
        end = at + (4 if masked else 0) + size
        if len(data) < end:
            return None
        mask = bytes(data[at : at + 4]) if masked else b""
        payload = bytes(data[at + len(mask) : end])
        del data[:end]
        return final, kind, _masked(payload, mask) if masked else payload

    def _joined(self, final: bool, kind: int, payload: bytes) -> tuple[int, bytes] | None:
        if kind >= CLOSE:
            if kind > PONG:
                raise Broken(PROTOCOL_ERROR, "an unknown control frame")
            return kind, payload
        if (kind == CONTINUATION) is not bool(self._kind) or kind > BINARY:
            raise Broken(PROTOCOL_ERROR, "a fragment out of place")
        self._kind = self._kind or kind
        self._parts.append(payload)
        self._size += len(payload)
        if self._size > self._most:
            raise Broken(TOO_LARGE, "a message is too large")
        if not final:
            return None
        whole = self._kind, b"".join(self._parts)
        self._kind, self._parts, self._size = 0, [], 0
        return whole


def _masked(payload: bytes, mask: bytes) -> bytes:
    """XOR with the repeated mask; as numbers, because byte by byte Python is slow."""
    size = len(payload)
    if not size:
        return b""
    key = (mask * (size // 4 + 1))[:size]
    return (int.from_bytes(payload, "big") ^ int.from_bytes(key, "big")).to_bytes(size, "big")
