"""Statements as Performance Insights names them: whole, and with their values taken out (pure)."""

from __future__ import annotations

import hashlib
import re

from cloudjar.planes.database.activity import Session

_PARTS = re.compile(
    r"""(?P<comment>/\*.*?\*/|--[^\n]*)
    |(?P<text>[eEbBxXnN]?'(?:[^'\\]|''|\\.)*'|\$(?P<tag>[A-Za-z_]\w*|)\$.*?\$(?P=tag)\$)
    |(?P<name>"(?:[^"]|"")*"|`[^`]*`|[A-Za-z_][\w$]*)
    |(?P<parameter>\$\d+)
    |(?P<number>\d+(?:\.\d*)?(?:[eE][+-]?\d+)?|\.\d+)
    |(?P<space>\s+)""",
    re.VERBOSE | re.DOTALL,
)
_LONGEST = 500
"""Characters of a statement that are kept."""


def tokenized(statement: str) -> str:
    """A statement with a question mark for every value, no comments, and single spaces."""
    plain = _PARTS.sub(_token, statement)
    return re.sub(r" +", " ", plain).strip()


def _token(found: re.Match[str]) -> str:
    kind = found.lastgroup
    if kind in ("comment", "space"):
        return " "
    return found[0] if kind in ("name", "parameter") else "?"


def digest(text: str) -> str:
    """How a statement is called."""
    return hashlib.sha1(text.encode()).hexdigest().upper()  # a name, and no secret


def dimensions(one: Session) -> dict[str, str]:
    """What Performance Insights knows of a session at work; nothing is said of what the engine does not tell."""
    whole, general = one.sql[:_LONGEST].strip(), tokenized(one.sql)[:_LONGEST]
    found = {
        "db.user.name": one.user,
        "db.host.name": one.host,
        "db.application.name": one.application,
        "db.name": one.database,
        "db.session_type.name": one.kind,
        "db.wait_event.name": one.wait or "CPU",
        "db.wait_event.type": one.wait_type or "CPU",
        "db.wait_event_type.name": one.wait_type or "CPU",
    }
    if whole:
        found |= {
            "db.sql.id": digest(whole),
            "db.sql.statement": whole,
            "db.sql.tokenized_id": digest(general),
            "db.sql_tokenized.id": digest(general),
            "db.sql_tokenized.statement": general,
        }
    return {name: value for name, value in found.items() if value}
