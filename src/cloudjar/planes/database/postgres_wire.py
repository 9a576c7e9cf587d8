"""What goes over a connection to a PostgreSQL: messages of its protocol, version 3, as bytes (pure).

A library was not taken: what the product needs of the protocol is this page, over a socket that was opened in a
machine's network, which the engine's own library cannot be given.
https://www.postgresql.org/docs/current/protocol-message-formats.html
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import struct
from collections.abc import Mapping, Sequence

import msgspec

from cloudjar.base.errors import PlaneError

TLS = struct.pack("!ii", 8, 80877103)
"""Asks whether the engine speaks TLS; it answers with one letter."""
FAIL_COPY = b"nothing can be sent here"


class Value(msgspec.Struct, frozen=True):
    """A parameter: what it is as text, None for NULL; `type` is the engine's number of its type, 0: as it takes it."""

    text: str | None
    type: int = 0


class Column(msgspec.Struct, frozen=True, kw_only=True):
    """A column of an answer. `type`, `table` and `number` are the engine's own numbers; `modifier` is of the type."""

    name: str
    table: int
    number: int
    type: int
    modifier: int


class Said(Exception):
    """The engine says no: fields of its message by their letters."""

    def __init__(self, fields: Mapping[str, str]) -> None:
        super().__init__(f"{fields.get('S', 'ERROR')}: {fields.get('M', '')}")
        self.message = fields.get("M", "")
        self.code = fields.get("C", "")
        self.position = fields.get("P", "")


def message(kind: bytes, body: bytes = b"") -> bytes:
    """One message."""
    return kind + struct.pack("!i", len(body) + 4) + body


def startup(settings: Mapping[str, str]) -> bytes:
    """Who comes in, and what he wants set."""
    body = struct.pack("!i", 196608) + b"".join(_text(one) for pair in settings.items() for one in pair) + b"\0"
    return struct.pack("!i", len(body) + 4) + body


def cancel(process: int, secret: int) -> bytes:
    """What ends the statement of another connection."""
    return struct.pack("!iiii", 16, 80877102, process, secret)


def statement(sql: str, values: Sequence[Value]) -> bytes:
    """A statement, its parameters, and that this is all: the engine answers and is ready again."""
    types = struct.pack(f"!h{len(values)}I", len(values), *(one.type for one in values))
    given = b"".join(_given(one) for one in values)
    return (
        message(b"P", b"\0" + _text(sql) + types)
        + message(b"B", b"\0\0" + struct.pack("!hh", 0, len(values)) + given + struct.pack("!h", 0))
        + message(b"D", b"P\0")
        + message(b"E", b"\0" + struct.pack("!i", 0))
        + message(b"S")
    )


def _given(value: Value) -> bytes:
    if value.text is None:
        return struct.pack("!i", -1)
    said = value.text.encode()
    return struct.pack("!i", len(said)) + said


def _text(said: str) -> bytes:
    return said.encode() + b"\0"


def columns(body: bytes) -> tuple[Column, ...]:
    """Of a RowDescription."""
    (count,), at, found = struct.unpack_from("!h", body), 2, list[Column]()
    for _ in range(count):
        end = body.index(b"\0", at)
        name, at = body[at:end].decode("utf-8", "replace"), end + 1
        table, number, kind, _, modifier, _ = struct.unpack_from("!IhIhih", body, at)
        found.append(Column(name=name, table=table, number=number, type=kind, modifier=modifier))
        at += 18
    return tuple(found)


def row(body: bytes) -> tuple[str | None, ...]:
    """Of a DataRow."""
    (count,), at, found = struct.unpack_from("!h", body), 2, list[str | None]()
    for _ in range(count):
        (length,) = struct.unpack_from("!i", body, at)
        at += 4
        found.append(None if length < 0 else body[at : at + length].decode("utf-8", "replace"))
        at += max(length, 0)
    return tuple(found)


def refusal(body: bytes) -> Said:
    """Of an ErrorResponse."""
    parts = (one for one in body.split(b"\0") if one)
    return Said({chr(one[0]): one[1:].decode("utf-8", "replace") for one in parts})


class Scram:
    """SCRAM-SHA-256 of one connection (RFC 5802), from the client's side. `nonce` is drawn for it; PostgreSQL knows the
    user already."""

    MECHANISM = b"SCRAM-SHA-256"

    def __init__(self, password: str, nonce: str, user: str = "") -> None:
        self._password, self._nonce = password, nonce
        self._first = f"n={user},r={nonce}"
        self._server = b""

    def begun(self) -> bytes:
        """The first thing that is said."""
        said = f"n,,{self._first}".encode()
        return self.MECHANISM + b"\0" + struct.pack("!i", len(said)) + said

    def answered(self, challenge: bytes) -> bytes:
        """The proof. Raises `PlaneError` for who is no server of this protocol."""
        asked = dict(part.split("=", 1) for part in challenge.decode().split(","))
        if not asked["r"].startswith(self._nonce):
            raise PlaneError("the engine answers somebody else")
        salted = hashlib.pbkdf2_hmac("sha256", self._password.encode(), base64.b64decode(asked["s"]), int(asked["i"]))
        client = hmac.digest(salted, b"Client Key", "sha256")
        final = f"c=biws,r={asked['r']}"
        whole = ",".join((self._first, challenge.decode(), final)).encode()
        mark = hmac.digest(hashlib.sha256(client).digest(), whole, "sha256")
        self._server = hmac.digest(hmac.digest(salted, b"Server Key", "sha256"), whole, "sha256")
        proof = base64.b64encode(bytes(a ^ b for a, b in zip(client, mark, strict=True))).decode()
        return f"{final},p={proof}".encode()

    def proved(self, final: bytes) -> None:
        """The server's proof. Raises `PlaneError` for who does not know the password himself."""
        if not hmac.compare_digest(final.partition(b"v=")[2], base64.b64encode(self._server)):
            raise PlaneError("the engine does not know the password")
