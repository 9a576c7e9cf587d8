"""A filter pattern, compiled: which of the three languages it is in shows at its first character."""

from __future__ import annotations

from functools import lru_cache
from typing import Protocol

from cloudjar.services.logs.patterns import fields, json_events, terms
from cloudjar.services.logs.patterns.scanner import Scanner

Values = dict[str, str]
"""What a matching event holds where the pattern looks, by selector: ``$.latency``, ``$status``, ``$3``."""


class Pattern(Protocol):
    """A compiled pattern."""

    regexes: int
    """How many regular expressions it has."""

    def match(self, message: str) -> Values | None:
        """The values of a matching event; None when it does not match."""
        ...

    def value(self, message: str, selector: str) -> str | None:
        """What a message holds at a selector of this pattern's language."""
        ...


@lru_cache(256)
def compiled(text: str) -> Pattern:
    """Read a pattern; raises InvalidParameterException."""
    plain = text.strip()
    if plain.startswith("{"):
        return json_events.JsonPattern(Scanner(plain))
    if plain.startswith("["):
        return fields.FieldPattern(Scanner(plain))
    return terms.TermPattern(Scanner(plain))
