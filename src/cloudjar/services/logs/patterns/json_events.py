"""Patterns for events in JSON: ``{ ($.user.id = 1 || $.code = "4*") && $.error NOT EXISTS }``."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import msgspec

from cloudjar.services.logs.patterns.scanner import OPERATORS, Scanner, Value, number, ordered, refused

_DEEPEST = 50
_NAME = re.compile(r"[A-Za-z0-9_\-@:]+|\*")
_INDEX = re.compile(r"\d+|\*")
_MISSING = object()
Test = Callable[[Any], bool]
Step = str | int
_ANY = "*"


class JsonPattern:
    """A compiled JSON pattern; what is no JSON object does not match."""

    def __init__(self, scanner: Scanner) -> None:
        self._selectors: dict[str, tuple[Step, ...]] = {}
        scanner.need("{")
        self._test = self._either(scanner, 0)
        scanner.need("}")
        scanner.blank()
        if not scanner.done:
            raise refused(f"unexpected text at position {scanner.at}")
        self.regexes = scanner.regexes

    def match(self, message: str) -> dict[str, str] | None:
        """The values at the pattern's selectors."""
        event = _read(message)
        if not isinstance(event, dict) or not self._test(event):
            return None
        found = ((name, _text(_first(event, steps))) for name, steps in self._selectors.items())
        return {name: text for name, text in found if text is not None}

    def value(self, message: str, selector: str) -> str | None:
        """What a message holds at any selector."""
        event = _read(message)
        if not isinstance(event, dict) or not selector.startswith("$"):
            return None
        return _text(_first(event, selector_of(Scanner(selector))[1]))

    def _either(self, scanner: Scanner, depth: int) -> Test:
        tests = [self._both(scanner, depth)]
        while scanner.take("||"):
            tests.append(self._both(scanner, depth))
        return tests[0] if len(tests) == 1 else lambda event: any(test(event) for test in tests)

    def _both(self, scanner: Scanner, depth: int) -> Test:
        tests = [self._one(scanner, depth)]
        while scanner.take("&&"):
            tests.append(self._one(scanner, depth))
        return tests[0] if len(tests) == 1 else lambda event: all(test(event) for test in tests)

    def _one(self, scanner: Scanner, depth: int) -> Test:
        if depth > _DEEPEST:
            raise refused("too many parentheses")
        if scanner.take("("):
            test = self._either(scanner, depth + 1)
            scanner.need(")")
            return test
        scanner.blank()
        name, steps = selector_of(scanner)
        self._selectors[name] = steps
        return _comparison(scanner, steps)


def selector_of(scanner: Scanner) -> tuple[str, tuple[Step, ...]]:
    """Read ``$.a['b'][0]``: its text and its steps; ``*`` is any element or member."""
    begin = scanner.at
    if not scanner.text.startswith("$", begin):
        raise refused(f"a property selector is missing at position {begin}")
    scanner.at += 1
    steps: list[Step] = []
    while not scanner.done and scanner.text[scanner.at] in ".[":
        dot = scanner.text[scanner.at] == "."
        scanner.at += 1
        if dot and scanner.text.startswith("[", scanner.at):
            continue
        steps.append(_member(scanner) if dot else _bracket(scanner))
    if not steps:
        raise refused("a property selector needs a property")
    return scanner.text[begin : scanner.at], tuple(steps)


def _member(scanner: Scanner) -> Step:
    found = scanner.find(_NAME)
    if not found:
        raise refused(f"a property is missing at position {scanner.at}")
    return found


def _bracket(scanner: Scanner) -> Step:
    scanner.blank()
    step: Step
    if scanner.text[scanner.at : scanner.at + 1] in ("'", '"'):
        step = scanner.quoted()
    else:
        found = scanner.find(_INDEX)
        if not found or len(found) > 9:
            raise refused(f"an index is missing at position {scanner.at}")
        step = _ANY if found == _ANY else int(found)
    scanner.need("]")
    return step


def _comparison(scanner: Scanner, steps: tuple[Step, ...]) -> Test:
    for words, test in _POSTFIX.items():
        at = scanner.at
        if all(scanner.take(word) for word in words):
            return partial(test, steps)
        scanner.at = at
    for operator in OPERATORS:
        if scanner.take(operator):
            return partial(_compare, steps, operator, scanner.value())
    raise refused(f"an operator is missing at position {scanner.at}")


_POSTFIX: dict[tuple[str, ...], Callable[[tuple[Step, ...], Any], bool]] = {
    ("IS", "NULL"): lambda steps, event: any(found is None for found in _all(event, steps)),
    ("IS", "TRUE"): lambda steps, event: any(found is True for found in _all(event, steps)),
    ("IS", "FALSE"): lambda steps, event: any(found is False for found in _all(event, steps)),
    ("NOT", "EXISTS"): lambda steps, event: next(_all(event, steps), _MISSING) is _MISSING,
    ("EXISTS",): lambda steps, event: next(_all(event, steps), _MISSING) is not _MISSING,
}


def _compare(steps: tuple[Step, ...], operator: str, value: Value, event: Any) -> bool:
    """A property that is not there is neither equal nor unequal."""
    if operator in ("=", "!="):
        return any(_equals(found, value) is (operator == "=") for found in _all(event, steps))
    numbers = (found for found in _all(event, steps) if _is_number(found))
    return any(ordered(operator, str(found), value) for found in numbers)


def _is_number(found: Any) -> bool:
    return isinstance(found, int | float) and not isinstance(found, bool)


def _equals(found: Any, value: Value) -> bool:
    if isinstance(found, str):
        return value.holds(found)
    if _is_number(found):
        wanted = value.number
        if wanted is not None:
            return number(str(found)) == wanted
        return not value.quoted and value.holds(str(found))
    if isinstance(found, dict | list):
        return value.text == "*"
    return found is not None and not value.quoted and value.holds("true" if found else "false")


def _all(event: Any, steps: tuple[Step, ...]) -> Iterator[Any]:
    """Everything that the steps lead to."""
    if not steps:
        yield event
        return
    step, rest = steps[0], steps[1:]
    if isinstance(event, dict):
        if isinstance(step, str) and step in event:
            yield from _all(event[step], rest)
        elif step == _ANY:
            for below in event.values():
                yield from _all(below, rest)
    elif isinstance(event, list):
        if isinstance(step, int) and step < len(event):
            yield from _all(event[step], rest)
        elif step == _ANY:
            for below in event:
                yield from _all(below, rest)


def _first(event: Any, steps: tuple[Step, ...]) -> Any:
    return next(_all(event, steps), _MISSING)


def _text(found: Any) -> str | None:
    if found is _MISSING:
        return None
    return found if isinstance(found, str) else msgspec.json.encode(found).decode()


def _read(message: str) -> Any:
    if "{" not in message:
        return None
    try:
        return msgspec.json.decode(message)
    except (msgspec.MsgspecError, RecursionError):
        return None
