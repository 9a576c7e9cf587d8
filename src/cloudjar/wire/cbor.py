"""CBOR (RFC 8949) as Smithy's rpc-v2-cbor uses it: no tag but 1 (epoch seconds), no rare simple values."""

from __future__ import annotations

import struct
import sys
from array import array
from collections.abc import Sequence
from datetime import datetime
from typing import Any

import msgspec

from cloudjar.wire import values
from cloudjar.wire.values import Malformed

_DEPTH = 200
_INDEFINITE = 31
_SIZES = {24: 1, 25: 2, 26: 4, 27: 8}
_FLOATS = {25: struct.Struct(">e"), 26: struct.Struct(">f"), 27: struct.Struct(">d")}
_SIMPLE = {20: False, 21: True, 22: None, 23: None}
_DOUBLE = struct.Struct(">d").pack


class _Break(Exception):
    """The stop code of an indefinite item."""


def decode(data: bytes) -> Any:
    """One data item; timestamps (tag 1) become aware datetimes. Malformed: truncated, trailing or foreign bytes."""
    reader = _Reader(data)
    try:
        value = reader.item(0)
    except (IndexError, struct.error, UnicodeDecodeError, TypeError, _Break):
        raise Malformed("The request body is not valid CBOR") from None
    if reader.at != len(data):
        raise Malformed("The request body has bytes after its CBOR value")
    return value


class _Reader:
    def __init__(self, data: bytes) -> None:
        self.data = data
        self.at = 0

    def _take(self, size: int) -> bytes:
        end = self.at + size
        if end > len(self.data):
            raise IndexError
        chunk = self.data[self.at : end]
        self.at = end
        return chunk

    def _argument(self, info: int) -> int:
        if info < 24:
            return info
        size = _SIZES.get(info)
        if size is None:
            raise Malformed("The request body is not valid CBOR")
        return int.from_bytes(self._take(size), "big")

    def item(self, depth: int) -> Any:
        if depth > _DEPTH:
            raise Malformed("The request body is nested too deeply")
        first = self.data[self.at]
        self.at += 1
        if 0x60 <= first < 0x78:  # a short text, which most items are
            return self._take(first - 0x60).decode()
        major, info = first >> 5, first & 31
        match major:
            case 0:
                return self._argument(info)
            case 1:
                return -1 - self._argument(info)
            case 2:
                return self._bytes(major, info)
            case 3:
                return self._bytes(major, info).decode()
            case 4:
                return self._array(info, depth)
            case 5:
                return self._map(info, depth)
            case 6:
                return self._tagged(info, depth)
        if info in _SIMPLE:
            return _SIMPLE[info]
        if info in _FLOATS:
            form = _FLOATS[info]
            return form.unpack(self._take(form.size))[0]
        if info == _INDEFINITE:
            raise _Break
        raise Malformed("The request body has an unsupported CBOR value")

    def _bytes(self, major: int, info: int) -> bytes:
        if info != _INDEFINITE:
            return self._take(self._argument(info))
        chunks = []
        while (first := self.data[self.at]) != 0xFF:
            self.at += 1
            if first >> 5 != major or first & 31 == _INDEFINITE:
                raise Malformed("The request body is not valid CBOR")
            chunks.append(self._take(self._argument(first & 31)))
        self.at += 1
        return b"".join(chunks)

    def _array(self, info: int, depth: int) -> list[Any]:
        found: list[Any] = []
        if info != _INDEFINITE:
            for _ in range(self._argument(info)):
                found.append(self.item(depth + 1))
            return found
        while self.data[self.at] != 0xFF:
            found.append(self.item(depth + 1))
        self.at += 1
        return found

    def _map(self, info: int, depth: int) -> dict[Any, Any]:
        found: dict[Any, Any] = {}
        left = self._argument(info) if info != _INDEFINITE else -1
        while left:
            if left < 0 and self.data[self.at] == 0xFF:
                self.at += 1
                break
            key = self.item(depth + 1)
            if key.__class__ is not str:
                raise Malformed("The request body has a CBOR map whose keys are not text")
            found[key] = self.item(depth + 1)
            left -= 1
        return found

    def _tagged(self, info: int, depth: int) -> Any:
        tag = self._argument(info)
        value = self.item(depth + 1)
        if tag != 1:
            return value  # Smithy: an unknown tag is transparent
        if value.__class__ not in (int, float):
            raise Malformed("The request body has a CBOR timestamp that is no number")
        return values.epoch(value)


def encode(value: Any) -> bytes:
    """One data item from dicts, lists, text, bytes, numbers, booleans, None and datetimes."""
    out = bytearray()
    _write(out, value)
    return bytes(out)


def doubles(values: Sequence[float]) -> bytes:
    """A list of numbers as one data item: eight bytes each, without a look at any."""
    column = array("d", values)
    if sys.byteorder == "little":
        column.byteswap()
    raw, count = column.tobytes(), len(column)
    items = bytearray(b"\xfb") * (9 * count)
    for byte in range(8):
        items[byte + 1 :: 9] = raw[byte::8]
    out = bytearray()
    _head(out, 4, count)
    return bytes(out + items)


def _head(out: bytearray, major: int, argument: int) -> None:
    major <<= 5
    if argument < 24:
        out.append(major | argument)
    elif argument < 0x100:
        out += bytes((major | 24, argument))
    elif argument < 0x10000:
        out.append(major | 25)
        out += argument.to_bytes(2, "big")
    elif argument < 0x100000000:
        out.append(major | 26)
        out += argument.to_bytes(4, "big")
    else:
        out.append(major | 27)
        out += argument.to_bytes(8, "big")


def _write(out: bytearray, value: Any) -> None:
    kind = value.__class__
    if kind is str:
        data = value.encode()
        _head(out, 3, len(data))
        out += data
    elif kind is dict:
        _head(out, 5, len(value))
        for key, inner in value.items():
            _write(out, str(key))
            _write(out, inner)
    elif kind is list:
        _head(out, 4, len(value))
        for inner in value:
            _write(out, inner)
    elif kind is bool:
        out.append(0xF5 if value else 0xF4)
    elif kind is int:
        _head(out, 0, value) if value >= 0 else _head(out, 1, -1 - value)
    elif kind is float:
        out.append(0xFB)
        out += _DOUBLE(value)
    else:
        _write_rare(out, value)


def _write_rare(out: bytearray, value: Any) -> None:
    if value is None:
        out.append(0xF6)
    elif isinstance(value, bytes | bytearray | memoryview):
        _head(out, 2, len(value))
        out += value
    elif isinstance(value, datetime):
        out.append(0xC1)
        _write(out, float(values.unix(value)))  # Smithy's clients accept both; AWS sends a double
    elif isinstance(value, msgspec.Raw):
        out += bytes(value)  # an item encoded before
    elif isinstance(value, str):
        _write(out, str.__str__(value))
    elif isinstance(value, int | float):
        _write(out, float(value) if isinstance(value, float) else int(value))
    elif isinstance(value, list | tuple | set | frozenset):
        _write(out, list(value))
    elif isinstance(value, dict):
        _write(out, dict(value))
    else:
        raise TypeError(f"{type(value).__name__} has no CBOR form")
