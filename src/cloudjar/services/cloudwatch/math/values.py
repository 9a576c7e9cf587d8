"""What metric math calculates with: numbers, time series, and lists of series."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import NamedTuple


class Fault(Exception):
    """An expression that cannot be evaluated; the message says why."""


class Series(NamedTuple):
    """Values by instant (Unix seconds). `label` and `facts` tell where they come from."""

    values: dict[float, float]
    period: int
    label: str = ""
    facts: Mapping[str, str] = {}

    def of(self, values: dict[float, float]) -> Series:
        """Other values of the same kind; what is no number is left out."""
        return self._replace(values={at: value for at, value in values.items() if math.isfinite(value)})


Value = float | str | Series | list[Series]


def number(value: Value, name: str) -> float:
    """An argument that must be a number."""
    if isinstance(value, float):
        return value
    raise Fault(f"{name} needs a scalar there")


def series(value: Value, name: str) -> Series:
    """An argument that must be one series."""
    if isinstance(value, Series):
        return value
    raise Fault(f"{name} needs a time series there")


def several(value: Value, name: str) -> list[Series]:
    """An argument that must be a list of series; one alone is a list of it."""
    if isinstance(value, Series):
        return [value]
    if isinstance(value, list):
        return value
    raise Fault(f"{name} needs an array of time series there")


def each(value: Value, name: str, change: Callable[[float], float]) -> Value:
    """A function of numbers for a number, a series, or every series of a list."""
    match value:
        case float():
            return _guarded(change, value)
        case Series():
            return value.of({at: _guarded(change, one) for at, one in value.values.items()})
        case list():
            return [one.of({at: _guarded(change, v) for at, v in one.values.items()}) for one in value]
    raise Fault(f"{name} is not for text")


def _guarded(change: Callable[..., float], *args: float) -> float:
    try:
        return float(change(*args))
    except (ArithmeticError, ValueError, TypeError):
        return math.nan


def both(left: Value, right: Value, name: str, join: Callable[[float, float], float]) -> Value:
    """A function of two numbers for numbers, series and lists; of two series where both have a value."""
    if isinstance(left, str) or isinstance(right, str):
        raise Fault(f"{name} is not for text")
    if isinstance(left, list) and isinstance(right, list):
        raise Fault(f"{name} is not for two arrays")
    if isinstance(left, list):
        return [found for one in left if isinstance(found := both(one, right, name, join), Series)]
    if isinstance(right, list):
        return [found for one in right if isinstance(found := both(left, one, name, join), Series)]
    if isinstance(left, Series) and isinstance(right, Series):
        shared = left.values.keys() & right.values.keys()
        made = {at: _guarded(join, left.values[at], right.values[at]) for at in sorted(shared)}
        return left.of(made)._replace(period=max(left.period, right.period))
    if isinstance(left, Series):
        assert isinstance(right, float)
        return left.of({at: _guarded(join, one, right) for at, one in left.values.items()})
    if isinstance(right, Series):
        return right.of({at: _guarded(join, left, one) for at, one in right.values.items()})
    return _guarded(join, left, right)
