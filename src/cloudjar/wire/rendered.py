"""Answers that are rendered once and sent many times.

A handler that keeps the AWS form of a record may wrap it in `View`. The first answer that contains it
renders it and remembers the text on the view itself, per protocol; later answers insert that text as it
is. A view must not be changed once made: make a new one when the record changes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import msgspec


class View(dict[str, Any]):
    """A structure of an answer that remembers how it looks on the wire. Never change one."""

    __slots__ = ("rendered",)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.rendered: dict[object, Any] = {}


class Column(list[Any]):
    """A list of instants or of finite numbers, without a None, that remembers how it looks on the wire. Never change
    one."""

    __slots__ = ("rendered",)

    def __init__(self, values: Iterable[Any] = ()) -> None:
        super().__init__(values)
        self.rendered: dict[object, Any] = {}


class Rendered:
    """The finished wire form of one structure, without its surrounding tag; good for one protocol only.

    Made by `Codec.element`; allowed wherever the answer expects that structure.
    """

    __slots__ = ("data", "key")

    def __init__(self, data: Any, key: object) -> None:
        self.data = data
        self.key = key


def xml_text(value: Any, key: object, write: Callable[[Any, Callable[[str], None]], None]) -> str:
    """A structure's inner XML: remembered, given, or written now."""
    if value.__class__ is View:
        text = value.rendered.get(key)
        if text is None:
            text = value.rendered[key] = _written(value, write)
        return str(text)
    if value.__class__ is Rendered:
        if value.key != key:
            raise TypeError(f"rendered as {value.key}, used as {key}")
        return str(value.data)
    if not isinstance(value, Mapping):
        raise TypeError(f"{key}: expected a structure, got {type(value).__name__}")
    return _written(value, write)


def _written(value: Any, write: Callable[[Any, Callable[[str], None]], None]) -> str:
    parts: list[str] = []
    write(value, parts.append)
    return "".join(parts)


def column(value: Column, key: object, write: Callable[[Column], bytes]) -> Any:
    """A column for JSON or CBOR: verbatim bytes, written at most once."""
    data = value.rendered.get(key)
    if data is None:
        data = value.rendered[key] = msgspec.Raw(write(value))
    return data


def packed(value: Any, key: object, shape: Callable[[Any], Any], encode: Callable[[Any], bytes]) -> Any:
    """A structure for JSON or CBOR: verbatim bytes when remembered or given, else a plain dict."""
    if value.__class__ is View:
        data = value.rendered.get(key)
        if data is None:
            data = value.rendered[key] = msgspec.Raw(encode(shape(value)))
        return data
    if value.__class__ is Rendered:
        if value.key != key:
            raise TypeError(f"rendered as {value.key}, used as {key}")
        return value.data
    if not isinstance(value, Mapping):
        raise TypeError(f"{key}: expected a structure, got {type(value).__name__}")
    return shape(value)
