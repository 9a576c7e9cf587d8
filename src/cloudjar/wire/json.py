"""JSON (and CBOR) structures: decoded values <-> dicts in the model's spelling, generated per shape.

The two formats share everything but scalars: JSON spells blobs, timestamps and special floats as text or
numbers, CBOR has types for them.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

import msgspec

from cloudjar.spec.models import Shape
from cloudjar.wire import values
from cloudjar.wire.rendered import Column, column, packed
from cloudjar.wire.source import Block, Source
from cloudjar.wire.values import Malformed

encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder().decode
_TOKENS = {str: "STRING_VALUE", bool: "TRUE_VALUE", int: "NUMBER_VALUE", float: "NUMBER_VALUE"}
_I64 = 1 << 63
OUTSIDE = ("header", "headers", "statusCode")
"""Where members of an answer live when not in its body; other locations mean something in requests only."""


def decode(data: bytes) -> Any:
    """A JSON text; of a repeated name the last counts, as in AWS's parsers. Malformed: not JSON."""
    try:
        return _decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError, ValueError, RecursionError) as e:
        raise Malformed(f"Unable to parse the request body as JSON: {type(e).__name__}") from None


def _mismatch(value: Any, wanted: str) -> Malformed:
    if value.__class__ is dict:
        return Malformed("Start of structure or map found where not expected.")
    if value.__class__ is list:
        return Malformed("Start of list found where not expected")
    if wanted in ("structure", "list", "map"):
        return Malformed("Unexpected value type in payload")
    return Malformed(f"{_TOKENS.get(value.__class__, 'BINARY_VALUE')} cannot be converted to {wanted}")


def _integer(value: Any) -> int:
    if value.__class__ is float and value == value and abs(value) < _I64:
        value = int(value)
    if value.__class__ is not int:
        raise _mismatch(value, "Integer")
    if not -_I64 <= value < _I64:
        raise Malformed("NUMBER_VALUE out of the range of a 64-bit integer")
    return int(value)


def _real(value: Any) -> float:
    if value.__class__ is float or value.__class__ is int:
        try:
            return float(value)
        except OverflowError:
            raise Malformed("NUMBER_VALUE out of range") from None
    if value in ("NaN", "Infinity", "-Infinity"):
        return float(value)
    raise _mismatch(value, "Double")


def _boolean(value: Any) -> bool:
    if value.__class__ is not bool:
        raise _mismatch(value, "Boolean")
    return bool(value)


def _string(value: Any) -> str:
    if value.__class__ is not str:
        raise _mismatch(value, "String")
    return str(value)


def _timestamp(value: Any) -> datetime:
    if value.__class__ in (int, float, str, datetime):
        return values.timestamp(value)
    raise _mismatch(value, "Timestamp")


def _json_blob(value: Any) -> bytes:
    if value.__class__ is not str:
        raise _mismatch(value, "Blob")
    return values.blob(value)


def _cbor_blob(value: Any) -> bytes:
    if value.__class__ is not bytes:
        raise _mismatch(value, "Blob")
    return bytes(value)


def _real_out(value: Any) -> Any:
    value = float(value)
    if value != value or value in (float("inf"), float("-inf")):
        return values.number(value)
    return value


def _blob_bytes(value: Any) -> bytes:
    return value.encode() if isinstance(value, str) else bytes(value)


def _cbor_time(value: Any) -> datetime:
    return values.timestamp(value)


_READ: dict[str, Callable[[Any], Any]] = {
    "string": _string, "character": _string, "integer": _integer, "long": _integer, "float": _real,
    "double": _real, "boolean": _boolean, "timestamp": _timestamp,
}  # fmt: skip
_CLASSES = {"string": "str", "integer": "int", "long": "int", "double": "float", "float": "float", "boolean": "bool"}


class Reader:
    """Decoded JSON or CBOR -> dict, for one operation; unknown members are ignored."""

    def __init__(self, service: str, cbor: bool = False) -> None:
        self._blob = _cbor_blob if cbor else _json_blob
        self._cbor = cbor
        self._source = Source(f"{service} json in", {"X": _mismatch})

    def build(self, *shapes: Shape) -> list[Callable[[Any], Any]]:
        """One function per shape; members that live outside the body are left to others."""
        names = [self._reader(s) for s in shapes]
        built = self._source.build()
        return [built[n] for n in names]

    def _reader(self, shape: Shape) -> str:
        def body(block: Block) -> None:
            block.line(f"return {self._value(block, shape, 'v')}")

        return self._source.function(("value", shape.name), "v", body)

    def _structure(self, shape: Shape) -> str:
        return self._source.function(shape.name, "v", lambda b: self._members(b, shape))

    def _members(self, block: Block, shape: Shape) -> None:
        block.inside("if v.__class__ is not dict:").line("raise X(v, 'structure')")
        block.line("o = {}")
        for name, member in shape.members.items():
            if member.location or member.event_header:
                continue
            wire = name if self._cbor else member.location_name or name
            block.line(f"x = v.get({wire!r})")
            inner = block.inside("if x is not None:")
            inner.line(f"o[{name!r}] = {self._value(inner, member, 'x')}")
        block.line("return o")

    def _value(self, block: Block, shape: Shape, var: str) -> str:
        if shape.document:
            return var
        if shape.type == "structure":
            return f"{self._structure(shape)}({var})"
        if shape.type == "list":
            return self._list(block, shape, var)
        if shape.type == "map":
            return self._map(block, shape, var)
        return self._scalar(shape, var)

    def _scalar(self, shape: Shape, var: str) -> str:
        reader = self._blob if shape.type == "blob" else _READ[shape.type]
        call = f"{self._source.constant(reader)}({var})"
        if shape.type not in _CLASSES:
            return call
        if shape.type in ("integer", "long"):  # a plain int may still be out of range
            return call
        return f"({var} if {var}.__class__ is {_CLASSES[shape.type]} else {call})"

    def _list(self, block: Block, shape: Shape, var: str) -> str:
        block.inside(f"if {var}.__class__ is not list:").line(f"raise X({var}, 'list')")
        got, one = block.variable("o"), block.variable("i")
        block.line(f"{got} = []")
        loop = block.inside(f"for {one} in {var}:")
        null = loop.inside(f"if {one} is None:")
        null.line(f"{got}.append(None)")
        null.line("continue")
        loop.line(f"{got}.append({self._value(loop, shape.member, one)})")
        return got

    def _map(self, block: Block, shape: Shape, var: str) -> str:
        block.inside(f"if {var}.__class__ is not dict:").line(f"raise X({var}, 'map')")
        got, key, one = block.variable("o"), block.variable("k"), block.variable("i")
        block.line(f"{got} = {{}}")
        loop = block.inside(f"for {key}, {one} in {var}.items():")
        null = loop.inside(f"if {one} is None:")
        if shape.sparse:
            null.line(f"{got}[{key}] = None")
        null.line("continue")
        loop.line(f"{got}[{key}] = {self._value(loop, shape.value, one)}")
        return got


class Writer:
    """Dict -> what `encode` (or CBOR's) takes, for one operation; None means absent, unknown members are dropped."""

    def __init__(
        self,
        service: str,
        cbor: bool = False,
        encoder: Callable[[Any], bytes] = encode,
        numbers: Callable[[list[float]], bytes] = encode,
    ) -> None:
        self._cbor = cbor
        self._encode = encoder
        self._numbers = numbers
        """Writes a list of finite numbers, all at once."""
        self._dialect = (service, "cbor" if cbor else "json")
        self._source = Source(f"{service} json out", {"P": packed, "N": encoder, "L": column, "C": Column})

    def key(self, shape: Shape) -> tuple[str, str, str]:
        """Under which a structure's rendering is remembered."""
        return (*self._dialect, shape.name)

    def build(self, *shapes: Shape) -> list[Callable[[Any], Any]]:
        """One function per shape."""
        names = [self._writer(s) for s in shapes]
        built = self._source.build()
        return [built[n] for n in names]

    def _writer(self, shape: Shape) -> str:
        def body(block: Block) -> None:
            block.line(f"return {self._value(shape, 'v')}")

        return self._source.function(("value", shape.name), "v", body)

    def structure(self, shape: Shape) -> str:
        """The name of the function for a structure's members that live in the body."""
        return self._source.function(shape.name, "v", lambda b: self._members(b, shape))

    def _members(self, block: Block, shape: Shape) -> None:
        block.line("o = {}")
        for name, member in shape.members.items():
            if member.location in OUTSIDE or member.event_header:
                continue
            block.line(f"x = v.get({name!r})")
            inner = block.inside("if x is not None:")
            wire = name if self._cbor else member.location_name or name
            inner.line(f"o[{wire!r}] = {self._value(member, 'x')}")
        block.line("return o")

    def _value(self, shape: Shape, var: str, depth: int = 0) -> str:
        if shape.document:
            return var
        if shape.type == "structure":
            name = self.structure(shape)
            return f"({name}({var}) if {var}.__class__ is dict else P({var}, {self.key(shape)!r}, {name}, N))"
        inner = f"i{depth}"
        if shape.type == "list":
            value = self._value(shape.member, inner, depth + 1)
            if value == inner:
                return f"list({var})"
            plain = f"[None if {inner} is None else {value} for {inner} in {var}]"
            write = self._column(shape.member)
            if write is None:
                return plain
            key = (self._dialect, shape.member.type, shape.member.timestamp_format)
            return f"(L({var}, {key!r}, {self._source.constant(write)}) if {var}.__class__ is C else {plain})"
        if shape.type == "map":
            value = self._value(shape.value, inner, depth + 1)
            if value == inner:
                return f"dict({var})"
            return f"{{k{depth}: None if {inner} is None else {value} for k{depth}, {inner} in {var}.items()}}"
        return self._scalar(shape, var)

    def _column(self, shape: Shape) -> Callable[[Column], bytes] | None:
        """How a whole list of instants or numbers is written at once; None for other scalars."""
        if shape.type in ("float", "double"):
            return lambda numbers: self._numbers([*numbers])
        if shape.type != "timestamp":
            return None
        if self._cbor:
            return lambda instants: self._encode([_cbor_time(one) for one in instants])
        convert = _time_writer(shape)
        return lambda instants: self._encode([convert(one) for one in instants])

    def _scalar(self, shape: Shape, var: str) -> str:
        convert: Callable[[Any], Any]
        if shape.type == "timestamp":
            convert = _cbor_time if self._cbor else _time_writer(shape)
        elif shape.type == "blob":
            convert = _blob_bytes if self._cbor else values.base64
        elif shape.type in ("float", "double"):
            convert = float if self._cbor else _real_out
        else:
            return var
        return f"{self._source.constant(convert)}({var})"


def _time_writer(shape: Shape) -> Callable[[Any], Any]:
    form = shape.timestamp_format.lower()
    return {"iso8601": values.iso, "rfc822": values.http_date}.get(form, values.unix)
