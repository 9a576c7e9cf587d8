"""JSON that remembers where each value stood, so that a refusal can say it. Pure.

A place is what a streaming parser has read when it reports the value: just behind the opening sign of a text, an array
or an object, and just behind a number or a word.
"""

from __future__ import annotations

import json
import re
from typing import NamedTuple

_SPACE = re.compile(r"[ \t\r\n]*")
_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)(\.[0-9]+)?([eE][-+]?[0-9]+)?")
_WORD = re.compile(r"[^\s,:\[\]{}\"]+")
_WORDS = {"true": True, "false": False, "null": None}
_DECODER = json.JSONDecoder()
_DEPTH = 64
_SHOWN = 500


class Node(NamedTuple):
    """A value (of arrays and objects: Nodes) with the offset of its place and of its end."""

    value: str | int | float | bool | list[Node] | dict[str, Node] | None
    at: int
    end: int

    @property
    def is_number(self) -> bool:
        """Whether it is a number."""
        return isinstance(self.value, (int, float)) and not isinstance(self.value, bool)


class PlaceError(ValueError):
    """The text is no JSON, or not what it has to be; the message says why."""


def where(text: str, at: int) -> str:
    """How a place in a text is told, behind a message."""
    shown = text if len(text) <= _SHOWN else f"{text[:_SHOWN]}[truncated {len(text) - _SHOWN} chars]"
    line = text.count("\n", 0, at) + 1
    column = at - (text.rfind("\n", 0, at) + 1) + 1
    return f'\n at [Source: (String)"{shown}"; line: {line}, column: {column}]'


class _Reader:
    def __init__(self, text: str) -> None:
        self.text = text

    def fail(self, why: str, at: int) -> PlaceError:
        return PlaceError(why + where(self.text, at))

    def skip(self, at: int) -> int:
        found = _SPACE.match(self.text, at)
        return found.end() if found else at

    def value(self, at: int, depth: int = 0) -> Node:
        at = self.skip(at)
        if depth > _DEPTH:
            raise self.fail("Document nesting is too deep", at + 1)
        sign = self.text[at : at + 1]
        match sign:
            case "":
                raise self.fail("Unexpected end-of-input", at + 1)
            case "{":
                return self.object(at, depth)
            case "[":
                return self.array(at, depth)
            case '"':
                text, end = self.string(at)
                return Node(text, at + 1, end)
        return self.number(at) or self.word(at)

    def string(self, at: int) -> tuple[str, int]:
        try:
            text, end = _DECODER.raw_decode(self.text, at)
        except json.JSONDecodeError as error:
            raise self.fail("Invalid JSON", error.pos + 1) from None
        return str(text), end

    def number(self, at: int) -> Node | None:
        found = _NUMBER.match(self.text, at)
        if found is None:
            return None
        exact = found[1] is None and found[2] is None and len(found[0]) < 40
        return Node(int(found[0]) if exact else float(found[0]), found.end(), found.end())

    def word(self, at: int) -> Node:
        found = _WORD.match(self.text, at)
        if found is None:
            code = ord(self.text[at])
            raise self.fail(
                f"Unexpected character ('{self.text[at]}' (code {code})): expected a valid value (JSON String, Number, "
                "Array, Object or token 'null', 'true' or 'false')",
                at + 1,
            )
        if found[0] not in _WORDS:
            raise self.fail(
                f"Unrecognized token '{found[0]}': was expecting (JSON String, Number, Array, Object or token 'null', "
                "'true' or 'false')",
                found.end() + 1,
            )
        return Node(_WORDS[found[0]], found.end(), found.end())

    def array(self, at: int, depth: int) -> Node:
        items: list[Node] = []
        place = self.skip(at + 1)
        while self.text[place : place + 1] != "]":
            item = self.value(place, depth + 1)
            items.append(item)
            place = self.more(item.end, "]")
        return Node(items, at + 1, place + 1)

    def object(self, at: int, depth: int) -> Node:
        fields: dict[str, Node] = {}
        place = self.skip(at + 1)
        while self.text[place : place + 1] != "}":
            if self.text[place : place + 1] != '"':
                raise self.fail("Invalid JSON", place + 1)
            name, place = self.string(place)
            place = self.skip(place)
            if self.text[place : place + 1] != ":":
                raise self.fail("Invalid JSON", place + 1)
            fields[name] = self.value(place + 1, depth + 1)
            place = self.more(fields[name].end, "}")
        return Node(fields, at + 1, place + 1)

    def more(self, at: int, end: str) -> int:
        """Where the next element is, or the closing sign."""
        at = self.skip(at)
        sign = self.text[at : at + 1]
        if sign == end:
            return at
        after = self.skip(at + 1)
        if sign != "," or self.text[after : after + 1] == end:
            raise self.fail("Invalid JSON", at + 1)
        return after


def parse(text: str) -> Node:
    """The one value of a text; raises `PlaceError`."""
    reader = _Reader(text)
    found = reader.value(0)
    end = reader.skip(found.end)
    if end != len(text):
        raise reader.fail("Invalid JSON", end + 1)
    return found
