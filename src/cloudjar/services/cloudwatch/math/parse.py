"""The language of metric math, as trees.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/using-metric-math.html
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import NamedTuple


class SyntaxFault(Exception):
    """The expression cannot be read; the message says why."""


class Number(NamedTuple):
    """A constant."""

    value: float


class Text(NamedTuple):
    """A quoted string."""

    value: str


class Name(NamedTuple):
    """The id of another query, or a word like ``REPEAT``."""

    value: str


class Call(NamedTuple):
    """A function, a named operator among them (``+``, ``<=``, ``AND``), of operands."""

    name: str
    args: tuple[Node, ...]


class Array(NamedTuple):
    """``[m1, m2]``."""

    items: tuple[Node, ...]


Node = Number | Text | Name | Call | Array

_TOKEN = re.compile(
    r"\s*(?:(?P<number>\d+\.?\d*(?:[eE][-+]?\d+)?|\.\d+)|(?P<name>[A-Za-z_][A-Za-z0-9_]*)|(?P<text>'[^']*'|\"[^\"]*\")"
    r"|(?P<sign>==|!=|<=|>=|&&|\|\||[-+*/^()\[\],<>]))"
)
_LEVELS = (("OR", "||"), ("AND", "&&"), ("==", "!=", "<", ">", "<=", ">="), ("+", "-"), ("*", "/"), ("^",))
_DEEPEST = 64


@lru_cache(maxsize=1024)
def parse(text: str) -> Node:
    """The tree of an expression; raises `SyntaxFault`."""
    reader = _Reader(_tokens(text))
    found = reader.level(0)
    if reader.here:
        raise SyntaxFault(f"Unexpected '{reader.here}'")
    return found


def names(node: Node) -> set[str]:
    """Every id that an expression refers to."""
    match node:
        case Name(value):
            return {value} if value[0].islower() else set()
        case Call(_, args):
            return {name for arg in args for name in names(arg)}
        case Array(items):
            return {name for item in items for name in names(item)}
    return set()


def _tokens(text: str) -> list[str]:
    found, place = [], 0
    text = text.rstrip()
    while place < len(text):
        match = _TOKEN.match(text, place)
        if match is None:
            raise SyntaxFault(f"Unexpected character '{text[place:].lstrip()[:1]}'")
        found.append(match[0].strip())
        place = match.end()
    if not found:
        raise SyntaxFault("The expression is empty")
    return found


class _Reader:
    def __init__(self, tokens: list[str]) -> None:
        self._tokens = tokens
        self._place = 0
        self._depth = 0

    @property
    def here(self) -> str:
        return self._tokens[self._place] if self._place < len(self._tokens) else ""

    def _next(self) -> str:
        token = self.here
        self._place += 1
        return token

    def _expect(self, token: str) -> None:
        if self._next() != token:
            raise SyntaxFault(f"Expected '{token}'")

    def level(self, number: int) -> Node:
        if number == len(_LEVELS):
            return self._unary()
        left = self.level(number + 1)
        while self.here in _LEVELS[number]:
            sign = {"||": "OR", "&&": "AND"}.get(self.here, self.here)
            self._next()
            right = self.level(number if sign == "^" else number + 1)
            left = Call(sign, (left, right))
        return left

    def _unary(self) -> Node:
        self._depth += 1
        if self._depth > _DEEPEST:
            raise SyntaxFault("The expression is nested too deeply")
        try:
            if self.here == "-":
                self._next()
                return Call("NEGATE", (self.level(5),))
            return self._atom()
        finally:
            self._depth -= 1

    def _atom(self) -> Node:
        token = self._next()
        if token == "(":
            inner = self.level(0)
            self._expect(")")
            return inner
        if token == "[":
            return Array(self._list("]"))
        if token[:1] in ("'", '"'):
            return Text(token[1:-1])
        if token[:1].isdigit() or token[:1] == ".":
            return Number(float(token))
        if token and (token[0].isalpha() or token[0] == "_"):
            if self.here == "(":
                self._next()
                return Call(token, self._list(")"))
            return Name(token)
        raise SyntaxFault(f"Unexpected '{token}'" if token else "The expression ends too early")

    def _list(self, end: str) -> tuple[Node, ...]:
        found: list[Node] = []
        if self.here == end:
            self._next()
            return ()
        while True:
            found.append(self.level(0))
            token = self._next()
            if token == end:
                return tuple(found)
            if token != ",":
                raise SyntaxFault(f"Expected '{end}'")
