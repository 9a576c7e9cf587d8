"""Policy variables: ``${aws:username}``, ``${aws:userid, 'anonymous'}``."""

from __future__ import annotations

import re
from collections.abc import Iterator

from cloudjar.services.accessanalyzer.validation.report import Report
from cloudjar.services.accessanalyzer.validation.source import Node

_NAME = re.compile(r"[\w:/.+=@-]*", re.ASCII)
_LITERAL = ("*", "?", "$")
_ELEMENTS = ("Sid", "Effect", "Action", "NotAction")


def check_variables(report: Report, statement: Node, *, old: bool) -> None:
    """The variables of a statement; `old` is the language of 2008, which has none."""
    for element in ("Resource", "NotResource"):
        listed = statement.get(element)
        for node in listed.strings() if listed is not None else ():
            _check(report, node, old=old)
    for node in _condition_values(statement):
        _check(report, node, old=old)
    for element in _ELEMENTS:
        listed = statement.get(element)
        for node in listed.strings() if listed is not None else ():
            if "${" in node.value:
                variable = node.value[node.value.index("${") :].partition("}")[0] + "}"
                report.add("VARIABLE_UNSUPPORTED_IN_ELEMENT", node, variable=variable)


def _condition_values(statement: Node) -> Iterator[Node]:
    condition = statement.get("Condition")
    for operator in condition.members if condition is not None else ():
        for key in operator.value.members:
            yield from key.value.strings()


def _check(report: Report, node: Node, *, old: bool) -> None:
    text = str(node.value)
    if "${" not in text:
        return
    if old:
        report.add("VARIABLE_UNSUPPORTED_IN_VERSION", node)
        return
    at = text.find("${")
    while at >= 0:
        end = text.find("}", at)
        if end < 0:
            report.add("MISSING_BRACE_IN_VARIABLE", node)
            return
        _inside(report, node, text[at + 2 : end])
        at = text.find("${", end)


def _inside(report: Report, node: Node, text: str) -> None:
    if text in _LITERAL:
        return
    name, comma, default = text.partition(",")
    if not name.strip():
        report.add("EMPTY_VARIABLE", node)
    elif " " in name.strip():
        report.add("UNSUPPORTED_SPACE_IN_VARIABLE", node)
    elif not _NAME.fullmatch(name.strip()):
        symbol = next(char for char in name if not _NAME.fullmatch(char))
        report.add("UNSUPPORTED_SYMBOL_IN_VARIABLE", node, symbol=symbol)
    if comma:
        value = default.strip()
        if len(value) < 2 or value[0] != "'" or value[-1] != "'":
            report.add("MISSING_QUOTE_IN_VARIABLE", node)
