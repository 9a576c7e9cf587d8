"""Statements with parameters by name, as the engine takes them: by number (pure)."""

from __future__ import annotations

import re

_PARTS = re.compile(
    r"""(?P<comment>--[^\n]*)
    |(?P<begun>/\*)
    |(?P<escaped>\b[eE]'(?:[^'\\]|''|\\.)*')
    |(?P<text>'(?:[^']|'')*')
    |(?P<dollars>(?<![\w$])\$(?:[A-Za-z_]\w*)?\$)
    |(?P<quoted>"(?:[^"]|"")*")
    |(?P<cast>::)
    |(?P<assigned>:=)
    |:(?P<name>[A-Za-z_]\w*)""",
    re.VERBOSE | re.DOTALL,
)
_COMMENT = re.compile(r"/\*|\*/")


def numbered(sql: str) -> tuple[str, list[str]]:
    """A statement with ``$1`` for each ``:name``, and the names in that order, each once. Literals, names in quotes,
    comments and casts are left as they are."""
    said, names, at = list[str](), list[str](), 0
    while (found := _PARTS.search(sql, at)) is not None:
        said.append(sql[at : found.start()])
        if found["begun"] or found["dollars"]:
            at = _end(sql, found.end()) if found["begun"] else _closing(sql, found["dollars"], found.end())
            said.append(sql[found.start() : at])
            continue
        name, at = found["name"], found.end()
        if name is None:
            said.append(found[0])
            continue
        if name not in names:
            names.append(name)
        said.append(f"${names.index(name) + 1}")
    said.append(sql[at:])
    return "".join(said), names


def _closing(sql: str, mark: str, at: int) -> int:
    """Where a text between dollars ends."""
    found = sql.find(mark, at)
    return len(sql) if found < 0 else found + len(mark)


def _end(sql: str, at: int) -> int:
    """Where a comment ends, with those inside it."""
    depth = 1
    while depth and (found := _COMMENT.search(sql, at)) is not None:
        depth += 1 if found[0] == "/*" else -1
        at = found.end()
    return len(sql) if depth else at
