"""Numeric operators; values are decimal integers or fractions."""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Sequence
from decimal import Decimal

from cloudjar.policy.conditions.text import Compare
from cloudjar.policy.match import Context

_NUMBER = re.compile(r"[+-]?(\d{1,40}(\.\d{0,40})?|\.\d{1,40})([eE][+-]?\d{1,3})?", re.ASCII)

Relation = Callable[[Decimal, Decimal], bool]


def read(text: str) -> Decimal | None:
    """The number that `text` spells, or None; bounded in length so that hostile text stays cheap."""
    text = text.strip()
    return Decimal(text) if _NUMBER.fullmatch(text) else None


def relation(relate: Relation) -> Callable[[Sequence[str], bool], Compare]:
    """A compiler for one relation between the request's number and the policy's."""

    def compile_(values: Sequence[str], variables: bool) -> Compare:
        wanted = [n for n in map(read, values) if n is not None]

        def compare(value: str, context: Context) -> bool:
            number = read(value)
            return number is not None and any(relate(number, w) for w in wanted)

        return compare

    return compile_


equals = relation(operator.eq)
less = relation(operator.lt)
less_equals = relation(operator.le)
greater = relation(operator.gt)
greater_equals = relation(operator.ge)
