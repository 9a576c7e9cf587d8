"""Query text as a list of commands, and expressions as trees."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, NamedTuple

from cloudjar.base.errors import AwsError

_TOKEN = re.compile(
    r"""\s*(?:
      (?P<regex>/(?:\\.|[^/\\\n])+/[a-z]*)
    | (?P<number>\d+(?:\.\d+)?(?:[eE][+-]?\d+)?(?![\w@]))
    | (?P<period>\d+(?:ms|s|m|h|d|w)(?!\w))
    | (?P<text>"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*')
    | (?P<ticked>`[^`]+`)
    | (?P<name>[@A-Za-z_][\w.@\-]*(?<![-.])|\$[\w.]+)
    | (?P<sign>!=|<=|>=|=~|[=<>()\[\],+\-*/%^])
    )""",
    re.X,
)
_DEEPEST, _LONGEST = 25, 150
"""Parentheses in each other, and operators in one command: both are followed by functions that call themselves."""


def malformed(why: str) -> AwsError:
    """A query that is none."""
    return AwsError("MalformedQueryException", f"Malformed query: {why}")


class Token(NamedTuple):
    """A word of a query."""

    kind: str
    text: str


class Node(NamedTuple):
    """An expression: ``text`` and ``number`` hold a value, ``field`` a name, others their parts."""

    kind: str
    value: Any = None
    parts: tuple[Any, ...] = ()


class Command(NamedTuple):
    """One command of a query; `parts` is what its own reader made of it."""

    name: str
    parts: tuple[Any, ...]


def split(text: str) -> list[str]:
    """The commands of a query: cut at pipes that stand in no quotes; comments are left out."""
    pieces, piece, quote, i = [], "", "", 0
    while i < len(text):
        c = text[i]
        if quote:
            if c == "\\":
                piece += text[i : i + 2]
                i += 2
                continue
            quote = "" if c == quote else quote
        elif c in "\"'`" or (c == "/" and _regex_may_begin(piece)):
            quote = c
        elif c == "#":
            i = text.find("\n", i)
            if i < 0:
                break
            continue
        elif c == "|":
            pieces.append(piece)
            piece = ""
            i += 1
            continue
        piece += c
        i += 1
    if quote:
        raise malformed(f"{quote} is not closed")
    return [one.strip() for one in (*pieces, piece) if one.strip()]


def _regex_may_begin(piece: str) -> bool:
    return re.search(r"(?:\blike|=~|\bparse\s+\S+)\s*$", piece) is not None


class Reader:
    """Words of one command."""

    def __init__(self, text: str) -> None:
        self.tokens: list[Token] = []
        at, text = 0, text.strip()
        while at < len(text):
            found = self._token(text, at)
            if found is None or found.end() == at:
                raise malformed(f"unexpected text at '{text[at : at + 20]}'")
            kind = str(found.lastgroup)
            self.tokens.append(Token(kind, found.group(kind)))
            at = found.end()
            while at < len(text) and text[at].isspace():
                at += 1
        self.at = 0
        self._operators = 0

    def _token(self, text: str, at: int) -> re.Match[str] | None:
        found = _TOKEN.match(text, at)
        if found is not None and found.lastgroup == "regex" and not self._after_like():
            return re.compile(r"\s*(?P<sign>/)").match(text, at)
        return found

    def _after_like(self) -> bool:
        if not self.tokens:
            return False
        last = self.tokens[-1].text.lower()
        return last in ("like", "=~") or self.tokens[0].text.lower() == "parse"

    @property
    def done(self) -> bool:
        return self.at >= len(self.tokens)

    def peek(self, *words: str) -> bool:
        """Whether one of these words is next."""
        return not self.done and self.tokens[self.at].text.lower() in words and self.tokens[self.at].kind != "text"

    def take(self, *words: str) -> bool:
        """Pass it over."""
        if self.peek(*words):
            self.at += 1
            return True
        return False

    def need(self, word: str) -> None:
        """Pass it over; raises when something else is next."""
        if not self.take(word):
            raise malformed(f"expected '{word}'" + ("" if self.done else f" before '{self.tokens[self.at].text}'"))

    def next(self) -> Token:
        """The next word, whatever it is."""
        if self.done:
            raise malformed("the command is not complete")
        self.at += 1
        return self.tokens[self.at - 1]

    def name(self) -> str:
        """A field's name."""
        token = self.next()
        if token.kind not in ("name", "ticked"):
            raise malformed(f"'{token.text}' is no field")
        return token.text.strip("`")

    def list(self, one: Callable[[], Any]) -> tuple[Any, ...]:
        """Things between commas."""
        found = [one()]
        while self.take(","):
            found.append(one())
        return tuple(found)

    # -- expressions, loosest first
    def expression(self, depth: int = 0) -> Node:
        """A whole expression."""
        if depth > _DEEPEST:
            raise malformed("too many parentheses")
        return self._binary(("or",), lambda: self._binary(("and",), lambda: self._not(depth)))

    def _binary(self, words: tuple[str, ...], below: Callable[[], Node]) -> Node:
        node = below()
        while self.peek(*words):
            self._operators += 1
            if self._operators > _LONGEST:
                raise malformed("a command has too many operators")
            word = self.next().text.lower()
            node = Node("operator", word, (node, below()))
        return node

    def _not(self, depth: int) -> Node:
        if self.take("not"):
            return Node("not", None, (self._not(depth + 1),)) if depth < _DEEPEST else self.expression(depth + 1)
        return self._comparison(depth)

    def _comparison(self, depth: int) -> Node:
        left = self._sum(depth)
        negated = self.peek("not") and self.take("not")
        if self.take("like", "=~"):
            node = Node("like", None, (left, self._pattern()))
        elif self.take("in"):
            self.need("[")
            items = self.list(lambda: self._sum(depth))
            self.need("]")
            node = Node("in", None, (left, items))
        elif not negated and self.peek("=", "!=", "<", "<=", ">", ">="):
            return Node("operator", self.next().text, (left, self._sum(depth)))
        elif negated:
            raise malformed("'not' stands before 'like' and 'in'")
        else:
            return left
        return Node("not", None, (node,)) if negated else node

    def _pattern(self) -> Node:
        token = self.next()
        if token.kind == "regex":
            return Node("regex", regex(token.text))
        if token.kind == "text":
            return Node("text", unquoted(token.text))
        raise malformed(f"'{token.text}' is no pattern")

    def _sum(self, depth: int) -> Node:
        return self._binary(("+", "-"), lambda: self._binary(("*", "/", "%"), lambda: self._power(depth)))

    def _power(self, depth: int) -> Node:
        return self._binary(("^",), lambda: self._one(depth))

    def _one(self, depth: int) -> Node:
        if self.take("("):
            node = self.expression(depth + 1)
            self.need(")")
            return node
        if self.take("-"):
            if depth > _DEEPEST:
                raise malformed("too many signs")
            return Node("operator", "-", (Node("number", 0.0), self._one(depth + 1)))
        token = self.next()
        match token.kind:
            case "number":
                return Node("number", float(token.text))
            case "period":
                return Node("period", token.text)
            case "text":
                return Node("text", unquoted(token.text))
            case "ticked":
                return Node("field", token.text.strip("`"))
            case "name" if self.peek("("):
                return self._call(token.text, depth)
            case "name":
                return Node("field", token.text)
        raise malformed(f"unexpected '{token.text}'")

    def _call(self, name: str, depth: int) -> Node:
        self.need("(")
        if self.take(")"):
            return Node("call", name.lower(), ())
        if name.lower() == "count" and self.take("*"):
            self.need(")")
            return Node("call", "count", ())
        parts = self.list(lambda: self.expression(depth + 1))
        self.need(")")
        return Node("call", name.lower(), parts)


def regex(text: str) -> Any:
    """A compiled regular expression between slashes, with its flags behind them."""
    import regex as engine  # some 30 ms, for the few queries that have one

    body, _, flags = text[1:].rpartition("/")
    try:
        return engine.compile(body, engine.IGNORECASE if "i" in flags else 0)
    except engine.error as error:
        raise malformed(f"the regular expression is not one: {error}") from error


def unquoted(text: str) -> str:
    """The inside of quotes."""
    return re.sub(r"\\(.)", r"\1", text[1:-1])
