"""A message as it is kept, and what is computed of it: the digests that clients check.

https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-message-metadata.html
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Mapping
from hashlib import md5
from typing import Any

import msgspec

_LENGTH = struct.Struct(">I")

Attribute = tuple[str, str, str | bytes]
"""(name, data type, value); a binary value is bytes."""


class Message(msgspec.Struct, array_like=True):
    """All of a message but its place in a queue. `group` and `dedup` are "" for none."""

    id: str
    body: str
    md5: str
    sender: str
    group: str = ""
    dedup: str = ""
    attributes: tuple[tuple[str, str, Any], ...] = ()
    """`Attribute`s: MessagePack tells text from bytes by itself."""
    trace: str = ""
    """AWSTraceHeader."""


encode = msgspec.msgpack.Encoder().encode
decode = msgspec.msgpack.Decoder(Message).decode


def attributes_digest(attributes: Iterable[Attribute]) -> str:
    """MD5OfMessageAttributes: over names, types and values with their lengths, by name."""
    hashed = md5(usedforsecurity=False)
    for name, kind, value in sorted(attributes):
        for text in (name, kind):
            data = text.encode()
            hashed.update(_LENGTH.pack(len(data)) + data)
        raw = value.encode() if isinstance(value, str) else value
        hashed.update((b"\1" if isinstance(value, str) else b"\2") + _LENGTH.pack(len(raw)) + raw)
    return hashed.hexdigest()


def size(body: str, attributes: Iterable[Attribute]) -> int:
    """Bytes that count against the limits: the body and all of the attributes."""
    total = len(body) if body.isascii() else len(body.encode())
    for name, kind, value in attributes:
        total += len(name.encode()) + len(kind.encode()) + len(value.encode() if isinstance(value, str) else value)
    return total


def given(attributes: Mapping[str, Mapping[str, Any]]) -> tuple[Attribute, ...]:
    """A request's attributes as they are kept."""
    found: list[Attribute] = []
    for name, value in attributes.items():
        kind = value["DataType"]
        raw = value.get("BinaryValue") if kind.startswith("Binary") else value.get("StringValue")
        found.append((name, kind, raw if raw is not None else ""))
    return tuple(found)


def shown(attributes: Iterable[Attribute]) -> dict[str, dict[str, Any]]:
    """Attributes as AWS shows them."""
    return {
        name: {"StringValue" if isinstance(value, str) else "BinaryValue": value, "DataType": kind}
        for name, kind, value in attributes
    }
