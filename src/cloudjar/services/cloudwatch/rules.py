"""The language of composite alarms' rules. Pure.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutCompositeAlarm.html
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from functools import lru_cache
from typing import NamedTuple

STATES = ("ALARM", "OK", "INSUFFICIENT_DATA")
_TOKEN = re.compile(r"\s*(\"(?:[^\"\\]|\\.)*\"|'[^']*'|[(),]|[^\s(),\"']+)")
_DEEPEST = 64

StateOf = Callable[[str], "str | None"]
Rule = Callable[[StateOf], bool]


class Wrong(Exception):
    """A rule that cannot be read."""


class Read(NamedTuple):
    """A rule: whether it holds, given the states of alarms, and the alarms (names or ARNs) in it."""

    holds: Rule
    alarms: tuple[str, ...]


@lru_cache(maxsize=512)
def parse(text: str) -> Read:
    """A rule; raises `Wrong`."""
    reader = _Reader(_tokens(text))
    rule = reader.either()
    if reader.here:
        raise Wrong(f"unexpected '{reader.here}'")
    return Read(rule, tuple(dict.fromkeys(reader.alarms)))


def _tokens(text: str) -> list[str]:
    found, place = [], 0
    text = text.rstrip()
    while place < len(text):
        match = _TOKEN.match(text, place)
        if match is None:
            raise Wrong(f"unexpected character '{text[place:].lstrip()[:1]}'")
        found.append(match[1])
        place = match.end()
    return found


class _Reader:
    def __init__(self, tokens: list[str]) -> None:
        self._tokens = tokens
        self._place = 0
        self._depth = 0
        self.alarms: list[str] = []

    @property
    def here(self) -> str:
        return self._tokens[self._place] if self._place < len(self._tokens) else ""

    def _next(self) -> str:
        token = self.here
        self._place += 1
        return token

    def _expect(self, token: str) -> None:
        found = self._next()
        if found != token:
            raise Wrong(f"expected '{token}' instead of '{found}'")

    def either(self) -> Rule:
        parts = [self._all()]
        while self.here.upper() == "OR":
            self._next()
            parts.append(self._all())
        return parts[0] if len(parts) == 1 else lambda states: any(part(states) for part in parts)

    def _all(self) -> Rule:
        parts = [self._not()]
        while self.here.upper() == "AND":
            self._next()
            parts.append(self._not())
        return parts[0] if len(parts) == 1 else lambda states: all(part(states) for part in parts)

    def _not(self) -> Rule:
        self._depth += 1
        if self._depth > _DEEPEST:
            raise Wrong("it is nested too deeply")
        try:
            if self.here.upper() == "NOT":
                self._next()
                inner = self._not()
                return lambda states: not inner(states)
            return self._atom()
        finally:
            self._depth -= 1

    def _atom(self) -> Rule:
        token = self._next()
        if token == "(":
            inner = self.either()
            self._expect(")")
            return inner
        word = token.upper()
        if word in ("TRUE", "FALSE"):
            return lambda _: word == "TRUE"
        if word in STATES:
            self._expect("(")
            name = self._name()
            self._expect(")")
            return lambda states: states(name) == word
        if word == "AT_LEAST":
            return self._at_least()
        raise Wrong(f"unexpected '{token}'" if token else "it ends too early")

    def _name(self) -> str:
        token = self._next()
        if token in ("", "(", ")", ","):
            raise Wrong("an alarm's name is missing")
        name = token[1:-1] if token[0] in "\"'" else token
        if token[0] == '"':
            name = name.replace('\\"', '"')
        self.alarms.append(name)
        return name

    def _at_least(self) -> Rule:
        """``AT_LEAST(2, ALARM, (a, b, c))``, or ``50%`` of them; the state may be negated."""
        self._expect("(")
        amount = self._next()
        self._expect(",")
        negated = self.here.upper() == "NOT"
        if negated:
            self._next()
        state = self._next().upper()
        if state not in STATES or not re.fullmatch(r"\d+%?", amount):
            raise Wrong("AT_LEAST takes a number, a state and alarms")
        self._expect(",")
        self._expect("(")
        names = [self._name()]
        while self.here == ",":
            self._next()
            names.append(self._name())
        self._expect(")")
        self._expect(")")
        number = int(amount.rstrip("%"))
        needed = math.ceil(len(names) * number / 100) if amount.endswith("%") else number
        if not 1 <= needed <= len(names):
            raise Wrong("AT_LEAST asks for more alarms than it names, or for none")
        return lambda states: sum((states(name) == state) != negated for name in names) >= needed
