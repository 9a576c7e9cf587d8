"""Session Manager's messages: the binary frames that a client and an agent exchange over a WebSocket (pure).

The layout is that of the open source session-manager-plugin and amazon-ssm-agent (Apache-2.0), as facts: a header of
120 bytes in network order, then the payload.
"""

from __future__ import annotations

import hashlib
import struct
from enum import IntEnum
from typing import NamedTuple

INPUT, OUTPUT, ACKNOWLEDGE, CLOSED = "input_stream_data", "output_stream_data", "acknowledge", "channel_closed"
PAUSE, START = "pause_publication", "start_publication"
SYN, FIN = 1, 2

_HEAD = struct.Struct(">I32sIQqQ16s32sII")
_BEFORE_LENGTH = 116
"""What the field "header length" says: where the payload's length stands."""


class Payload(IntEnum):
    """What a stream message carries."""

    NONE = 0
    OUTPUT = 1
    ERROR = 2
    SIZE = 3
    PARAMETER = 4
    HANDSHAKE_REQUEST = 5
    HANDSHAKE_RESPONSE = 6
    HANDSHAKE_COMPLETE = 7
    ENC_CHALLENGE_REQUEST = 8
    ENC_CHALLENGE_RESPONSE = 9
    FLAG = 10
    STDERR = 11
    EXIT_CODE = 12


class Flag(IntEnum):
    """A payload of type FLAG: four bytes."""

    DISCONNECT_TO_PORT = 1
    TERMINATE_SESSION = 2
    CONNECT_TO_PORT_ERROR = 3


class Malformed(ValueError):
    """Bytes that are no message."""


class Message(NamedTuple):
    """One message. `id` is a UUID in its canonical form, `created` milliseconds since the epoch."""

    type: str
    payload: bytes
    kind: int = Payload.NONE
    sequence: int = 0
    flags: int = 0
    id: str = ""
    created: int = 0
    version: int = 1


def encode(message: Message) -> bytes:
    """The bytes of a message."""
    head = _HEAD.pack(
        _BEFORE_LENGTH,
        message.type.encode().ljust(32),
        message.version,
        message.created,
        message.sequence,
        message.flags,
        _uuid_bytes(message.id),
        hashlib.sha256(message.payload).digest(),
        message.kind,
        len(message.payload),
    )
    return head + message.payload


def decode(data: bytes, *, digest: bool = True) -> Message:
    """The message of these bytes; raises `Malformed`, also when the `digest` does not fit: the plugin is strict, while
    the service takes messages of clients that write something else there, or pad the type in front."""
    if len(data) < _HEAD.size:
        raise Malformed("shorter than its header")
    length, kind, version, created, sequence, flags, uuid, hashed, payload_kind, size = _HEAD.unpack_from(data)
    payload = data[length + 4 :]
    if length != _BEFORE_LENGTH or len(payload) != size:
        raise Malformed("a length that is not so")
    if digest and payload and hashlib.sha256(payload).digest() != hashed:
        raise Malformed("a digest that does not fit")
    name = kind.decode("ascii", "replace").strip(" \0")
    return Message(name, payload, payload_kind, sequence, flags, _uuid_text(uuid), created, version)


def _uuid_bytes(text: str) -> bytes:
    """Its second half comes first: so it is written by both sides."""
    raw = bytes.fromhex(text.replace("-", "")) if text else bytes(16)
    return raw[8:] + raw[:8]


def _uuid_text(raw: bytes) -> str:
    h = (raw[8:] + raw[:8]).hex()
    return f"{h[:8]}-{h[8:12]}-{h[12:16]}-{h[16:20]}-{h[20:]}"
