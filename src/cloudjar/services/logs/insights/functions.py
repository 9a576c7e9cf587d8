"""What functions of the query language do. Values are text, floats, booleans or None."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from ipaddress import ip_address, ip_network
from statistics import pstdev
from typing import Any

Value = Any


_LONGEST = 1 << 20
_YEAR_9999 = 253_370_764_800_000


class Instant(float):
    """A time in milliseconds since 1970, shown as a date."""


_UNITS = {"ms": 1, "s": 1000, "m": 60_000, "h": 3_600_000, "d": 86_400_000, "w": 604_800_000}


def number(value: Value) -> float | None:
    """A value as a number, if it is one."""
    if isinstance(value, bool) or value is None:
        return None
    if isinstance(value, int | float):
        return float(value) if math.isfinite(value) else None
    try:
        found = float(value)
    except ValueError:
        return None
    return found if math.isfinite(found) else None


def text(value: Value) -> str:
    """A value as it is shown."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "1" if value else "0"
    if isinstance(value, Instant) and 0 <= value < _YEAR_9999:
        return f"{datetime.fromtimestamp(value / 1000, UTC):%Y-%m-%d %H:%M:%S.%f}"[:-3]
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() and abs(value) < 1e15 else f"{value:.10g}"
    return str(value)


def period(value: str) -> int:
    """``5m`` in milliseconds."""
    digits = value.rstrip("msdhw")
    return int(digits) * _UNITS[value[len(digits) :]]


def _numeric(work: Callable[..., float]) -> Callable[..., Value]:
    def apply(*values: Value) -> Value:
        numbers = [number(value) for value in values]
        if any(one is None for one in numbers):
            return None
        try:
            return float(work(*numbers))
        except (ValueError, OverflowError, ZeroDivisionError):
            return None

    return apply


def _textual(work: Callable[..., Value]) -> Callable[..., Value]:
    def apply(first: Value = None, *rest: Value) -> Value:
        return None if first is None else work(text(first), *rest)

    return apply


def _floor(value: Value, step: Value) -> Value:
    at, size = number(value), number(step)
    return None if at is None or not size or size < 0 else Instant(at - at % size)


def _substr(value: str, start: Value, length: Value = None) -> str:
    begin = max(int(number(start) or 0), 0)
    return value[begin:] if length is None else value[begin : begin + max(int(number(length) or 0), 0)]


def _bounded(parts: Sequence[str]) -> str | None:
    return "".join(parts) if sum(map(len, parts)) <= _LONGEST else None


def _replace(value: str, old: str, new: str) -> str | None:
    if not old:
        return value
    return value.replace(old, new) if len(value) + value.count(old) * len(new) <= _LONGEST else None


def _in_subnet(value: str, block: Value) -> bool:
    try:
        return ip_address(value) in ip_network(text(block), strict=False)
    except ValueError:
        return False


def _is_ip(value: str) -> bool:
    try:
        ip_address(value)
    except ValueError:
        return False
    return True


def _ceil(value: Value, step: Value) -> Value:
    low, size = _floor(value, step), number(step)
    return None if low is None or size is None else low if low == number(value) else Instant(low + size)


FUNCTIONS: dict[str, Callable[..., Value]] = {
    "abs": _numeric(abs),
    "ceil": _numeric(math.ceil),
    "floor": _numeric(math.floor),
    "greatest": _numeric(lambda *values: max(values)),
    "least": _numeric(lambda *values: min(values)),
    "log": _numeric(math.log),
    "sqrt": _numeric(math.sqrt),
    "bin": _floor,
    "datefloor": _floor,
    "dateceil": _ceil,
    "frommillis": lambda value=None: None if number(value) is None else Instant(number(value) or 0),
    "tomillis": number,
    "coalesce": lambda *values: next((one for one in values if one is not None), None),
    "concat": lambda *values: _bounded(list(map(text, values))),
    "isblank": lambda value=None: not text(value).strip(),
    "isempty": lambda value=None: not text(value),
    "ispresent": lambda value=None: value is not None,
    "isvalidip": _textual(_is_ip),
    "isipinsubnet": _textual(_in_subnet),
    "isipv4insubnet": _textual(_in_subnet),
    "isipv6insubnet": _textual(_in_subnet),
    "ltrim": _textual(lambda value, chars=None: value.lstrip(None if chars is None else text(chars))),
    "replace": _textual(lambda value, old="", new="": _replace(value, text(old), text(new))),
    "rtrim": _textual(lambda value, chars=None: value.rstrip(None if chars is None else text(chars))),
    "strcontains": _textual(lambda value, part="": text(part) in value),
    "strlen": _textual(lambda value: float(len(value))),
    "substr": _textual(_substr),
    "tolower": _textual(lambda value: value.lower()),
    "toupper": _textual(lambda value: value.upper()),
    "trim": _textual(lambda value, chars=None: value.strip(None if chars is None else text(chars))),
}


def _percentile(values: Sequence[float], share: float) -> float:
    ordered = sorted(values)
    return ordered[min(max(math.ceil(share / 100 * len(ordered)) - 1, 0), len(ordered) - 1)]


def _numbers(values: Sequence[Value]) -> list[float]:
    return [found for found in map(number, values) if found is not None]


def _of_numbers(work: Callable[[list[float]], float]) -> Callable[..., Value]:
    def apply(values: Sequence[Value], *_: Value) -> Value:
        found = _numbers(values)
        return float(work(found)) if found else None

    return apply


def _pct(values: Sequence[Value], share: Value = 50.0) -> Value:
    found, at = _numbers(values), number(share)
    return _percentile(found, at) if found and at is not None else None


AGGREGATES: dict[str, Callable[..., Value]] = {
    "avg": _of_numbers(lambda values: sum(values) / len(values)),
    "count": lambda values, *_: float(sum(value is not None for value in values)),
    "count_distinct": lambda values, *_: float(len({text(value) for value in values if value is not None})),
    "earliest": lambda values, *_: next((value for value in values if value is not None), None),
    "latest": lambda values, *_: next((value for value in reversed(values) if value is not None), None),
    "max": _of_numbers(max),
    "median": lambda values, *_: _pct(values, 50.0),
    "min": _of_numbers(min),
    "pct": _pct,
    "percentile": _pct,
    "sortsfirst": lambda values, *_: min((text(v) for v in values if v is not None), default=None),
    "sortslast": lambda values, *_: max((text(v) for v in values if v is not None), default=None),
    "stddev": _of_numbers(pstdev),
    "sum": _of_numbers(sum),
}
