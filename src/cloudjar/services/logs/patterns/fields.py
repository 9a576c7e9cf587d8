"""Patterns for events of fields between blanks: ``[ip, user, request = "GET*", status = 4* && status != 404, ...]``.

What stands between quotation marks or square brackets is one field.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from cloudjar.services.logs.patterns.scanner import OPERATORS, Scanner, Value, number, ordered, refused

_FIELD = re.compile(r'"([^"]*)"|\[([^\]]*)\]|(\S+)')
_NAME = re.compile(r"[\w.\-@:]+")
_MOST = 250
Test = Callable[[str], bool]
_REST = "..."


class FieldPattern:
    """A compiled pattern of fields. Without ``...`` an event has exactly as many fields."""

    def __init__(self, scanner: Scanner) -> None:
        scanner.need("[")
        self._fields: list[tuple[str, Test | None]] = []
        while True:
            self._fields.append(_field(scanner))
            if not scanner.take(","):
                break
        scanner.need("]")
        scanner.blank()
        if not scanner.done:
            raise refused(f"unexpected text at position {scanner.at}")
        if sum(name == _REST for name, _ in self._fields) > 1:
            raise refused("an ellipsis may stand once")
        self.regexes = scanner.regexes

    def match(self, message: str) -> dict[str, str] | None:
        """All fields, by name; those of the ellipsis by number."""
        values = split(message)
        fields = self._spread(len(values))
        if len(values) != len(fields):
            return None
        for (_, test), value in zip(fields, values, strict=True):
            if test is not None and not test(value):
                return None
        return {f"${name or i}": v for i, ((name, _), v) in enumerate(zip(fields, values, strict=True), 1)}

    def value(self, message: str, selector: str) -> str | None:
        """A field of a message that matches."""
        return (self.match(message) or {}).get(selector)

    def _spread(self, count: int) -> list[tuple[str, Test | None]]:
        at = next((i for i, (name, _) in enumerate(self._fields) if name == _REST), None)
        if at is None:
            return self._fields
        more = max(count - len(self._fields) + 1, 0)
        rest: list[tuple[str, Test | None]] = [("", None)] * more
        return [*self._fields[:at], *rest, *self._fields[at + 1 :]]


def split(message: str) -> list[str]:
    """The fields of an event."""
    found = _FIELD.finditer(message)
    return [next(group for group in one.groups() if group is not None) for one in found]


def _field(scanner: Scanner) -> tuple[str, Test | None]:
    if scanner.take(_REST):
        return _REST, None
    scanner.blank()
    begin = scanner.at
    name = "" if scanner.peek("(") else scanner.find(_NAME)
    if name and (scanner.peek(",") or scanner.peek("]")):
        return name, None
    scanner.at = begin
    names: list[str] = []
    test = _either(scanner, names, 0)
    if len(set(names)) > 1:
        raise refused("conditions on one field must name it alike")
    return names[0], test


def _either(scanner: Scanner, names: list[str], depth: int) -> Test:
    tests = [_both(scanner, names, depth)]
    while scanner.take("||"):
        tests.append(_both(scanner, names, depth))
    return tests[0] if len(tests) == 1 else lambda value: any(test(value) for test in tests)


def _both(scanner: Scanner, names: list[str], depth: int) -> Test:
    tests = [_one(scanner, names, depth)]
    while scanner.take("&&"):
        tests.append(_one(scanner, names, depth))
    return tests[0] if len(tests) == 1 else lambda value: all(test(value) for test in tests)


def _one(scanner: Scanner, names: list[str], depth: int) -> Test:
    if depth > _MOST:
        raise refused("too many parentheses")
    if scanner.take("("):
        test = _either(scanner, names, depth + 1)
        scanner.need(")")
        return test
    scanner.blank()
    name = scanner.find(_NAME)
    if not name:
        raise refused(f"a field's name is missing at position {scanner.at}")
    names.append(name)
    for operator in OPERATORS:
        if scanner.take(operator):
            value = scanner.value()
            return lambda given: _compare(operator, given, value)
    raise refused(f"an operator is missing at position {scanner.at}")


def _compare(operator: str, given: str, value: Value) -> bool:
    if operator not in ("=", "!="):
        return ordered(operator, given, value)
    wanted = value.number
    same = value.holds(given) or (wanted is not None and number(given) == wanted)
    return same is (operator == "=")
