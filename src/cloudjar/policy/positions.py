"""Where each statement of a policy stands in its text, for the policy simulator."""

from __future__ import annotations

import json
import re
from functools import lru_cache
from typing import NamedTuple

_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|[{}\[\]:,]', re.DOTALL)


class Position(NamedTuple):
    """Line and column, both from 1."""

    line: int
    column: int


class Span(NamedTuple):
    """From the opening brace of a statement to just past the closing one."""

    start: Position
    end: Position


@lru_cache(maxsize=256)
def statements(text: str) -> tuple[Span, ...]:
    """The spans of the statements of a valid policy document, in order."""
    spans: list[Span] = []
    depth, key, start, opened, inside = 0, "", 0, 0, False
    previous = ""
    for found in _TOKEN.finditer(text):
        token = found.group()
        if token in ("{", "["):
            inside = inside or (depth == 1 and key == "Statement")
            depth += 1
            if token == "{" and inside and not start:
                start, opened = found.end(), depth
        elif token in ("}", "]"):
            if start and depth == opened:
                spans.append(Span(_position(text, start - 1), _position(text, found.end())))
                start = 0
            depth -= 1
            inside = inside and depth > 1
        elif token == ":" and depth == 1:
            key = json.loads(previous)  # a key may be spelled with escapes
        previous = token
    return tuple(spans)


def _position(text: str, offset: int) -> Position:
    line_start = text.rfind("\n", 0, offset) + 1
    return Position(text.count("\n", 0, offset) + 1, offset - line_start + 1)
