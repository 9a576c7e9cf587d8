"""The simplest text that a model's regular expression accepts: for requests that are made from the model alone."""

from __future__ import annotations

import re
from functools import cache
from typing import Any

from cloudjar.spec import patterns

_REPEATS = ("MAX_REPEAT", "MIN_REPEAT", "POSSESSIVE_REPEAT")
_CLASSES = {"CATEGORY_DIGIT": "0", "CATEGORY_WORD": "a", "CATEGORY_SPACE": " ", "CATEGORY_NOT_SPACE": "a"}
_PREFERRED = "a0A-_/.:"


@cache
def simplest(pattern: str, least: int = 0) -> str | None:
    """A text of at least `least` characters, if it can be had; None when none was found."""
    test = patterns.matcher(pattern)
    if test is None:
        return None
    for generous in (least, 0):
        try:
            text = _sequence(re._parser.parse(pattern), generous)  # type: ignore[attr-defined]  # the standard library's own parser, without a public name
        except (re.error, ValueError):
            return None
        if test(text):
            return text
    return None


def _sequence(items: Any, least: int) -> str:
    return "".join(_one(str(kind), value, least) for kind, value in items)


def _one(kind: str, value: Any, least: int) -> str:
    match kind:
        case "LITERAL":
            return chr(int(value))
        case "NOT_LITERAL":
            return "a" if value != ord("a") else "b"
        case "ANY":
            return "a"
        case "IN":
            return _member(value)
        case "BRANCH":
            return _sequence(value[1][0], least)
        case "SUBPATTERN":
            return _sequence(value[3], least)
        case "AT" | "ASSERT" | "ASSERT_NOT":
            return ""
    if kind in _REPEATS:
        low, high, inner = value
        count = low if inner and str(inner[0][0]) not in ("IN", "ANY") else max(low, min(int(high), least))
        return _sequence(inner, least) * int(count)
    raise ValueError(f"no text for {kind}")


def _member(choices: Any) -> str:
    """A character of a class, a plain one if there is one."""
    if str(choices[0][0]) == "NEGATE":
        excluded = {chr(int(v)) for kind, v in choices[1:] if str(kind) == "LITERAL"}
        return next((sign for sign in _PREFERRED if sign not in excluded), "~")
    found = ""
    for kind, value in choices:
        match str(kind):
            case "LITERAL":
                found = found or chr(int(value))
            case "RANGE":
                low, high = map(int, value)
                return "a" if low <= ord("a") <= high else chr(low)
            case "CATEGORY":
                return _CLASSES[str(value)]
    return found
