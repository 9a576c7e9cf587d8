"""What says the same twice: actions, resources, statements."""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Callable
from typing import Any

from cloudjar.services.accessanalyzer.reach import globs
from cloudjar.services.accessanalyzer.validation.report import Report
from cloudjar.services.accessanalyzer.validation.resources import covers
from cloudjar.services.accessanalyzer.validation.source import Node

_WILD = re.compile(r"[*?]|\$\{")
_LONGEST = 300
"""Lists longer than this are not compared pair by pair."""


def check_overlap(report: Report, statement: Node) -> None:
    """Values of one list that another value of it takes in."""
    for element in ("Action", "NotAction"):
        listed = statement.get(element)
        if listed is not None:
            found = _redundant(listed, _same_action)
            if found:
                report.add("REDUNDANT_ACTION", *found, count=len(found), action=found[0].value)
    for element in ("Resource", "NotResource"):
        listed = statement.get(element)
        if listed is not None:
            found = _redundant(listed, covers)
            if found:
                report.add("REDUNDANT_RESOURCE", *found, count=len(found))


def _same_action(one: str, other: str) -> bool:
    return globs.covers(globs.action(one), globs.action(other))


def _redundant(listed: Node, takes_in: Callable[[str, str], bool]) -> list[Node]:
    """Each value that another takes in; of equal ones, all but the first."""
    nodes = list(listed.strings())
    if len(nodes) > _LONGEST:
        return []
    wide = [n for n in nodes if "*" in n.value or "?" in n.value]
    found, seen = [], set()
    for node in nodes:
        text = str(node.value)
        if text.lower() in seen:
            found.append(node)
            continue
        seen.add(text.lower())
        others = (str(n.value) for n in wide if n is not node and n.value.lower() != text.lower())
        if any(_may(other, text) and takes_in(other, text) for other in others):
            found.append(node)
    return found


def _may(wide: str, text: str) -> bool:
    """A quick look: what comes before the first wildcard must be there."""
    return text.lower().startswith(_WILD.split(wide.lower(), maxsplit=1)[0])


def check_statements(report: Report, statements: list[Node]) -> None:
    """Statements that are the same but for their ids."""
    by_meaning: dict[str, list[Node]] = defaultdict(list)
    for statement in statements:
        meaning = {m.name: _meaning(m.value) for m in statement.members if m.name != "Sid"}
        by_meaning[json.dumps(meaning, sort_keys=True)].append(statement)
    for found in by_meaning.values():
        if len(found) > 1:
            report.add("REDUNDANT_STATEMENT", *found)


def _meaning(node: Node) -> Any:
    if node.kind == "object":
        return {member.name: _meaning(member.value) for member in node.members}
    if node.kind == "array":
        return sorted((_meaning(item) for item in node.items), key=str)
    return [node.value] if node.kind == "string" else node.value
