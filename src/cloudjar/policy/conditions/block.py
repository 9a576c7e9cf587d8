"""One line of a Condition block: operator, key, values; and what a missing or multivalued key means.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-single-vs-multi-valued-context-keys.html
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

from cloudjar.policy.conditions import address, arn, date, flag, number, text
from cloudjar.policy.conditions.text import Compare
from cloudjar.policy.match import Context, parse, variables_of


class Operator(NamedTuple):
    """A base operator: how it compares, whether it asks for the opposite, whether it takes variables."""

    compare: Callable[[Sequence[str], bool], Compare]
    negated: bool = False
    variables: bool = False
    legal: Callable[[str], object] | None = None


OPERATORS: dict[str, Operator] = {
    "stringequals": Operator(text.equals, variables=True),
    "stringnotequals": Operator(text.equals, negated=True, variables=True),
    "stringequalsignorecase": Operator(text.equals_ignoring_case, variables=True),
    "stringnotequalsignorecase": Operator(text.equals_ignoring_case, negated=True, variables=True),
    "stringlike": Operator(text.like, variables=True),
    "stringnotlike": Operator(text.like, negated=True, variables=True),
    "numericequals": Operator(number.equals, legal=number.read),
    "numericnotequals": Operator(number.equals, negated=True, legal=number.read),
    "numericlessthan": Operator(number.less, legal=number.read),
    "numericlessthanequals": Operator(number.less_equals, legal=number.read),
    "numericgreaterthan": Operator(number.greater, legal=number.read),
    "numericgreaterthanequals": Operator(number.greater_equals, legal=number.read),
    "dateequals": Operator(date.equals, legal=date.read),
    "datenotequals": Operator(date.equals, negated=True, legal=date.read),
    "datelessthan": Operator(date.less, legal=date.read),
    "datelessthanequals": Operator(date.less_equals, legal=date.read),
    "dategreaterthan": Operator(date.greater, legal=date.read),
    "dategreaterthanequals": Operator(date.greater_equals, legal=date.read),
    "bool": Operator(flag.boolean, variables=True),
    "binaryequals": Operator(flag.binary),
    "ipaddress": Operator(address.within, legal=address.network),
    "notipaddress": Operator(address.within, negated=True, legal=address.network),
    "arnequals": Operator(arn.like, variables=True),
    "arnlike": Operator(arn.like, variables=True),
    "arnnotequals": Operator(arn.like, negated=True, variables=True),
    "arnnotlike": Operator(arn.like, negated=True, variables=True),
}


class Spelling(NamedTuple):
    """An operator as written, taken apart: ``ForAnyValue:StringLikeIfExists``."""

    base: str
    over: str
    if_exists: bool


def spell(name: str) -> Spelling | None:
    """The parts of an operator's name (any case), or None when there is no such operator."""
    over, colon, rest = name.lower().rpartition(":")
    if colon and over not in ("forallvalues", "foranyvalue"):
        return None
    if rest == "null":
        return Spelling("null", over, False)
    base = rest.removesuffix("ifexists")
    return Spelling(base, over, base != rest) if base in OPERATORS else None


def legal(name: str, value: str) -> bool:
    """Whether the operator can read `value` at all; AWS refuses policies with dates that are none."""
    how = spell(name)
    if how is None:
        return False
    if how.base == "null":
        return value.lower() in ("true", "false")
    reader = OPERATORS[how.base].legal
    return reader is None or reader(value) is not None


class Condition:
    """One operator applied to one key; call it with the request's context."""

    __slots__ = ("_compare", "_missing", "_negated", "key", "keys", "operator", "over", "values")

    def __init__(self, operator: str, key: str, values: Sequence[str], *, variables: bool) -> None:
        how = spell(operator)
        if how is None:
            raise ValueError(f"no condition operator {operator!r}")
        self.operator, self.key, self.values, self.over = operator, key.lower(), tuple(values), how.over
        self._compare: Compare | None = None
        self._negated = False
        self.keys = frozenset((self.key,))
        self._missing = how.over != "foranyvalue" and (how.over == "forallvalues" or how.if_exists)
        if how.base == "null":
            return
        base = OPERATORS[how.base]
        variables = variables and base.variables
        self._compare = base.compare(self.values, variables)
        self._negated = base.negated
        if how.over == "" and base.negated:
            self._missing = True
        if variables:
            patterns = (parse(v, wildcards=False, variables=True) for v in self.values)
            self.keys |= frozenset(v.key for p in patterns for v in variables_of(p))

    def __call__(self, context: Context) -> bool:
        found = context.get(self.key)
        compare = self._compare
        if compare is None:
            return self._null(found)
        if not self.over and isinstance(found, str):
            return compare(found, context) is not self._negated
        if found is None:
            return self._missing
        values = (found,) if isinstance(found, str) else found
        return self._many(values, context) if values else self._missing

    def _null(self, found: str | Sequence[str] | None) -> bool:
        missing = found is None or not (isinstance(found, str) or any(found))
        return any((wanted.lower() == "true") is missing for wanted in self.values)

    def _many(self, values: Sequence[str], context: Context) -> bool:
        compare, negated = self._compare, self._negated
        assert compare is not None  # Null was answered before
        if self.over == "forallvalues":
            # A key whose values are all empty text counts as an empty set, as AWS documents.
            return all(compare(v, context) is not negated for v in values) or not any(values)
        if self.over == "foranyvalue":
            return any(compare(v, context) is not negated for v in values)
        return any(compare(v, context) for v in values) is not negated

    def __str__(self) -> str:
        shown = ", ".join(self.values)
        return f"{self.operator} {self.key} [{shown}]"
