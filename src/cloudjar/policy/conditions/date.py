"""Date operators: ISO 8601 in its W3C profile, or seconds since 1970.

AWS reads dates leniently (a bare year, a lower-case ``t``, one-digit hours, offsets without minutes),
so do we. https://www.w3.org/TR/NOTE-datetime
"""

from __future__ import annotations

import operator
import re
from calendar import monthrange, timegm
from collections.abc import Callable, Sequence
from fractions import Fraction

from cloudjar.policy.conditions.text import Compare
from cloudjar.policy.match import Context

_DATE = re.compile(
    r"(?P<year>[+-]?\d{1,9})(?:-(?P<month>\d{1,2})(?:-(?P<day>\d{1,2}))?)?"
    r"(?:[Tt](?:(?P<hour>\d{1,2})(?::(?P<minute>\d{1,2})(?::(?P<second>\d{1,2})(?:[.,](?P<part>\d{1,9}))?)?)?)?"
    r"(?P<zone>[Zz]|[+-]\d{2}(?::?\d{2})?)?)?",
    re.ASCII,
)
_EPOCH = re.compile(r"-?\d{1,19}", re.ASCII)
_LONG = 2**63

Relation = Callable[[Fraction, Fraction], bool]


def read(text: str) -> Fraction | None:
    """Seconds since 1970 (exact), or None when `text` is no date.

    Up to four digits alone are a year; more are an epoch time.
    """
    text = text.strip()
    if _EPOCH.fullmatch(text) and len(text.lstrip("-")) > 4:
        seconds = int(text)
        return Fraction(seconds) if -_LONG <= seconds < _LONG else None
    found = _DATE.fullmatch(text)
    return _instant(found) if found else None


def _instant(found: re.Match[str]) -> Fraction | None:
    def part(name: str, default: int) -> int:
        return int(found[name] or default)

    year, month, day = part("year", 1), part("month", 1), part("day", 1)
    hour, minute, second = part("hour", 0), part("minute", 0), part("second", 0)
    if not (1 <= month <= 12 and hour < 24 and minute < 60 and second < 60):
        return None
    # Years outside the calendar module's range are legal text; only their order matters.
    shift = 0 if 1 <= year <= 9999 else (year - 2000) // 400
    near = year - shift * 400
    if not 1 <= day <= monthrange(near, month)[1]:
        return None
    whole = timegm((near, month, day, hour, minute, second)) + shift * 146097 * 86400
    return Fraction(whole - _offset(found["zone"])) + Fraction(f"0.{found['part'] or 0}")


def _offset(zone: str | None) -> int:
    if zone is None or zone in "Zz":
        return 0
    digits = zone[1:].replace(":", "").ljust(4, "0")
    seconds = int(digits[:2]) * 3600 + int(digits[2:]) * 60
    return -seconds if zone[0] == "-" else seconds


def relation(relate: Relation) -> Callable[[Sequence[str], bool], Compare]:
    """A compiler for one relation between the request's instant and the policy's."""

    def compile_(values: Sequence[str], variables: bool) -> Compare:
        wanted = [d for d in map(read, values) if d is not None]

        def compare(value: str, context: Context) -> bool:
            instant = read(value)
            return instant is not None and any(relate(instant, w) for w in wanted)

        return compare

    return compile_


equals = relation(operator.eq)
less = relation(operator.lt)
less_equals = relation(operator.le)
greater = relation(operator.gt)
greater_equals = relation(operator.ge)
