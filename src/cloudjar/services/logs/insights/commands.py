"""The commands of a query, each read in its own way."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from cloudjar.services.logs.insights.functions import AGGREGATES, FUNCTIONS
from cloudjar.services.logs.insights.reading import Command, Node, Reader, malformed, split, unquoted
from cloudjar.services.logs.insights.reading import regex as compiled

Column = tuple[str, Node]
"""(name in the result, expression)."""


def read(text: str) -> list[Command]:
    """A query; raises MalformedQueryException."""
    found = [_command(piece) for piece in split(text)]
    if not found:
        raise malformed("the query is empty")
    return found


def _command(text: str) -> Command:
    words = text.split(None, 1)
    reader = _READERS.get(words[0].lower())
    if reader is None:
        raise malformed(f"the command '{words[0]}' is not known, or not built in Cloudjar yet")
    rest = Reader(text if words[0].lower() == "parse" else words[1] if len(words) > 1 else "")
    made = Command(words[0].lower(), reader(rest, text))
    if not rest.done:
        raise malformed(f"unexpected '{rest.tokens[rest.at].text}'")
    return made


def _columns(reader: Reader, text: str) -> tuple[Column, ...]:
    found: tuple[Column, ...] = reader.list(lambda: _column(reader))
    for _, node in found:
        check(node, aggregates=False)
    return found


def _column(reader: Reader) -> Column:
    begin = reader.at
    node = reader.expression()
    shown = "".join(token.text for token in reader.tokens[begin : reader.at])
    if reader.take("as"):
        return reader.name(), node
    return (str(node.value) if node.kind == "field" else shown), node


def _filter(reader: Reader, text: str) -> tuple[Node]:
    node = reader.expression()
    check(node, aggregates=False)
    return (node,)


def _stats(reader: Reader, text: str) -> tuple[tuple[Column, ...], tuple[Column, ...]]:
    shown: tuple[Column, ...] = reader.list(lambda: _column(reader))
    for _, node in shown:
        if node.kind != "call" or node.value not in AGGREGATES:
            raise malformed("stats needs an aggregate function")
        for part in node.parts:
            check(part, aggregates=False)
    by: tuple[Column, ...] = ()
    if reader.take("by"):
        by = reader.list(lambda: _column(reader))
        for _, node in by:
            check(node, aggregates=False)
    return shown, by


def _sort(reader: Reader, text: str) -> tuple[tuple[Node, bool], ...]:
    def one() -> tuple[Node, bool]:
        node = reader.expression()
        check(node, aggregates=False)
        descending = reader.take("desc")
        return node, descending or (not reader.take("asc") and False)

    found: tuple[tuple[Node, bool], ...] = reader.list(one)
    return found


def _limit(reader: Reader, text: str) -> tuple[int]:
    token = reader.next()
    if token.kind != "number" or not token.text.isdecimal() or not 1 <= int(token.text) <= 10_000:
        raise malformed("limit needs a number from 1 to 10000")
    return (int(token.text),)


def _names(reader: Reader, text: str) -> tuple[str, ...]:
    found: tuple[str, ...] = reader.list(reader.name)
    return found


def _parse(reader: Reader, text: str) -> tuple[Node, object, tuple[str, ...]]:
    reader.need("parse")
    field = Node("field", "@message") if reader.tokens[1:2] and reader.tokens[1].kind in ("text", "regex") else Node(
        "field", reader.name())  # fmt: skip
    token = reader.next()
    if token.kind == "regex":
        pattern = compiled(token.text)
        names = tuple(sorted(pattern.groupindex, key=lambda name: pattern.groupindex[name]))
        if not names:
            raise malformed("parse needs named groups")
        return field, pattern, names
    if token.kind != "text":
        raise malformed("parse needs a pattern")
    glob = unquoted(token.text)
    reader.need("as")
    names = _names(reader, text)
    if glob.count("*") != len(names):
        raise malformed("parse needs a name for each asterisk")
    body = "(.*?)".join(map(re.escape, glob.split("*"))) + ("$" if glob.endswith("*") else "")
    return field, compiled(f"/{body}/"), names


def check(node: Node, *, aggregates: bool) -> None:
    """Raise for functions that are not known."""
    for one in _all(node):
        if one.kind == "call" and one.value not in FUNCTIONS and not (aggregates and one.value in AGGREGATES):
            raise malformed(f"the function '{one.value}' is not known here, or not built in Cloudjar yet")


def _all(node: Node) -> Iterator[Node]:
    yield node
    for part in node.parts:
        for one in part if isinstance(part, tuple) and not isinstance(part, Node) else (part,):
            if isinstance(one, Node):
                yield from _all(one)


_READERS: dict[str, Callable[[Reader, str], tuple[object, ...]]] = {
    "fields": _columns,
    "display": _columns,
    "filter": _filter,
    "pattern": _filter,
    "stats": _stats,
    "sort": _sort,
    "limit": _limit,
    "dedup": _names,
    "parse": _parse,
}
