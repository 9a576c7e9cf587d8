"""Patterns of terms: all must be in an event, but those behind ``-`` must not; of those behind ``?`` one must."""

from __future__ import annotations

import re

from cloudjar.services.logs.patterns.scanner import Scanner, Test, refused

_WORD = re.compile(r"[^\s\"%]+")
_PLAIN = re.compile(r"\w+")


class TermPattern:
    """A compiled pattern of terms; without any it matches everything. `?` terms beside others do not count."""

    def __init__(self, scanner: Scanner) -> None:
        self._all: list[Test] = []
        self._none: list[Test] = []
        self._any: list[Test] = []
        scanner.blank()
        while not scanner.done:
            kept = self._none if scanner.take("-") else self._any if scanner.take("?") else self._all
            kept.append(_term(scanner))
            scanner.blank()
        if self._all or self._none:
            self._any = []
        self.regexes = scanner.regexes

    def match(self, message: str) -> dict[str, str] | None:
        """Nothing is taken out of an event by terms."""
        found = all(test(message) for test in self._all) and not any(test(message) for test in self._none)
        if self._any:
            found = found and any(test(message) for test in self._any)
        return {} if found else None

    def value(self, message: str, selector: str) -> str | None:  # noqa: ARG002 - of every pattern
        """Terms have no selectors."""
        return None


def _term(scanner: Scanner) -> Test:
    first = scanner.text[scanner.at : scanner.at + 1]
    if first == "%":
        return scanner.regex()
    word = scanner.quoted() if first == '"' else scanner.find(_WORD)
    if not word or (first != '"' and _PLAIN.fullmatch(word) is None):
        raise refused(f"Invalid character(s) in term '{word}'") if word else refused("a term is missing")
    return lambda message: word in message
