"""JSON with places: every key and value of a policy knows where it stands in the text.

The policy engine reads documents for what they mean and refuses what it cannot read; a validator must point at
mistakes in documents that mean nothing.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, NamedTuple

_SPACE = re.compile(r"[ \t\r\n]*")
_STRING = re.compile(r'"(?:[^"\\\x00-\x1f]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*"')
_NUMBER = re.compile(r"-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?")
_WORDS = {"true": True, "false": False, "null": None}
_DEEPEST = 64

PathElement = tuple[str, str | int]
"""("value", "Action"), ("index", 0) or ("key", "aws:SourceIp")."""


class JsonError(ValueError):
    """Text that is no JSON; `at` is the place of what does not belong there."""

    def __init__(self, at: int) -> None:
        super().__init__(f"no JSON at {at}")
        self.at = at


class Position(NamedTuple):
    """Line from 1; column and offset from 0."""

    line: int
    column: int
    offset: int


def position(text: str, offset: int) -> Position:
    """Where a place in the text is."""
    start = text.rfind("\n", 0, offset) + 1
    return Position(text.count("\n", 0, offset) + 1, offset - start, offset)


@dataclass
class Node:
    """A value: `kind` is object, array, string, number, boolean or null; `value` is that of a scalar."""

    kind: str
    path: tuple[PathElement, ...]
    start: int
    end: int
    value: Any = None
    members: list[Member] = field(default_factory=list)
    items: list[Node] = field(default_factory=list)

    def get(self, name: str) -> Node | None:
        """The member's value (the last, should there be two)."""
        return next((m.value for m in reversed(self.members) if m.name == name), None)

    def key(self, name: str) -> Node | None:
        """The member's key."""
        return next((m.key for m in reversed(self.members) if m.name == name), None)

    def each(self) -> list[Node]:
        """Its items if it is an array, else itself."""
        return self.items if self.kind == "array" else [self]

    def strings(self) -> Iterator[Node]:
        """Those of `each` that are text."""
        return (node for node in self.each() if node.kind == "string")


@dataclass
class Member:
    """A key and its value."""

    name: str
    key: Node
    value: Node


def read(text: str) -> Node:
    """The value of a JSON text; raises `JsonError`."""
    reader = _Reader(text)
    node = reader.value(())
    end = reader.skip(node.end)
    if end != len(text):
        raise JsonError(end)
    return node


class _Reader:
    def __init__(self, text: str) -> None:
        self._text = text
        self._at = self.skip(0)

    def skip(self, at: int) -> int:
        found = _SPACE.match(self._text, at)
        return found.end() if found else at

    def _peek(self) -> str:
        self._at = self.skip(self._at)
        return self._text[self._at : self._at + 1]

    def _expect(self, sign: str) -> None:
        if self._peek() != sign:
            raise JsonError(self._at)
        self._at += 1

    def value(self, path: tuple[PathElement, ...]) -> Node:
        if len(path) > _DEEPEST:
            raise JsonError(self._at)
        sign = self._peek()
        if sign == "{":
            return self._object(path)
        if sign == "[":
            return self._array(path)
        if sign == '"':
            return self._string(path)
        return self._scalar(path)

    def _string(self, path: tuple[PathElement, ...]) -> Node:
        found = _STRING.match(self._text, self._at)
        if found is None:
            raise JsonError(self._at)
        start, self._at = self._at, found.end()
        return Node("string", path, start, found.end(), json.loads(found.group()))

    def _scalar(self, path: tuple[PathElement, ...]) -> Node:
        start = self._at
        for word, value in _WORDS.items():
            if self._text.startswith(word, start):
                self._at += len(word)
                return Node("null" if value is None else "boolean", path, start, self._at, value)
        found = _NUMBER.match(self._text, start)
        if found is None:
            raise JsonError(start)
        self._at = found.end()
        return Node("number", path, start, found.end(), found.group())

    def _object(self, path: tuple[PathElement, ...]) -> Node:
        node = Node("object", path, self._at, self._at)
        self._at += 1
        while self._peek() != "}" or node.members:
            if node.members:
                if self._peek() == "}":
                    break
                self._expect(",")
            if self._peek() != '"':
                raise JsonError(self._at)
            key = self._string(path)
            name = str(key.value)
            key.path = (*path, ("key", name))
            self._expect(":")
            node.members.append(Member(name, key, self.value((*path, ("value", name)))))
        self._at += 1
        node.end = self._at
        return node

    def _array(self, path: tuple[PathElement, ...]) -> Node:
        node = Node("array", path, self._at, self._at)
        self._at += 1
        while self._peek() != "]" or node.items:
            if node.items:
                if self._peek() == "]":
                    break
                self._expect(",")
            node.items.append(self.value((*path, ("index", len(node.items)))))
        self._at += 1
        node.end = self._at
        return node
