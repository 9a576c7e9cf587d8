"""Filter expressions over lines: And, Or, Not, dimensions, tags and cost categories; for reports, budgets, categories.

https://docs.aws.amazon.com/aws-cost-management/latest/APIReference/API_Expression.html
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

from cloudjar.billing import dimensions
from cloudjar.billing.measured import Line

Keep = Callable[[Line], bool]
Values = Callable[[Line], str]
_TESTS: Mapping[str, Callable[[str, str], bool]] = {
    "EQUALS": lambda value, wanted: value == wanted,
    "STARTS_WITH": lambda value, wanted: value.startswith(wanted),
    "ENDS_WITH": lambda value, wanted: value.endswith(wanted),
    "CONTAINS": lambda value, wanted: wanted in value,
}
_CASES = ("CASE_SENSITIVE", "CASE_INSENSITIVE")
_LEAVES = ("Dimensions", "Tags", "CostCategories", "ProductAttributes")
OPERATORS = ("And", "Or", "Not", *_LEAVES)


class Refused(ValueError):
    """The expression is none; the message says why."""


def everything(_: Line) -> bool:
    """No filter."""
    return True


class Expressions:
    """Makes functions of expressions. `categories` gives a cost category's value of a line by its name; names that it
    does not have are refused. `named` are dimensions that the asker knows beside the ledger's own. `active` are the tag
    keys that reports know (None: all); others are as if nothing had them."""

    def __init__(
        self,
        categories: Mapping[str, Values] | None = None,
        named: Mapping[str, Values] | None = None,
        active: Collection[str] | None = None,
    ) -> None:
        self._active = active
        self._categories = categories or {}
        self._named = {**dimensions.NAMED, **(named or {})}

    def keep(self, expression: Mapping[str, Any] | None) -> Keep:
        """The function that says whether a line is meant; raises `Refused`."""
        if not expression:
            return everything
        given = [name for name in OPERATORS if expression.get(name) is not None]
        if len(given) != 1:
            raise Refused("Expression must have exactly one root operator")
        name, about = given[0], expression[given[0]]
        if name in ("And", "Or"):
            return self._joined(name, about)
        if name == "Not":
            inner = self.keep(about)
            return lambda line: not inner(line)
        return self._leaf(name, about)

    def _joined(self, name: str, parts: Sequence[Mapping[str, Any]]) -> Keep:
        if len(parts) < 2:
            raise Refused(f"{name} must have at least two expressions")
        kept = [self.keep(part) for part in parts]
        if name == "And":
            return lambda line: all(one(line) for one in kept)
        return lambda line: any(one(line) for one in kept)

    def _leaf(self, name: str, about: Mapping[str, Any]) -> Keep:
        value = self.values(name, about.get("Key", ""))
        options = list(about.get("MatchOptions") or ())
        wanted = list(about.get("Values") or ())
        if "ABSENT" in options:
            if name == "Dimensions" or wanted:
                raise Refused("ABSENT is only supported for tags and cost categories, and takes no values")
            return lambda line: not value(line)
        tests = [_TESTS[option] for option in options if option in _TESTS] or [_TESTS["EQUALS"]]
        unknown = [option for option in options if option not in _TESTS and option not in _CASES]
        if unknown:
            raise Refused(f"Match option {unknown[0]} is not supported for {name}")
        if not wanted:
            raise Refused(f"Values must be specified for {name} {about.get('Key', '')}")
        if "CASE_INSENSITIVE" in options:
            folded = [one.lower() for one in wanted]
            return lambda line: any(test(value(line).lower(), one) for test in tests for one in folded)
        if tests == [_TESTS["EQUALS"]]:
            known = frozenset(wanted)
            return lambda line: value(line) in known
        return lambda line: any(test(value(line), one) for test in tests for one in wanted)

    def values(self, kind: str, key: str) -> Values:
        """The function behind a leaf's key; raises `Refused`."""
        if kind == "Dimensions":
            found = self._named.get(key)
            if found is None:
                raise Refused(f"Dimension {key} is not supported")
            missing = dimensions.MISSING.get(key)
            return found if missing is None else lambda line: found(line) or missing
        if kind == "Tags":
            known = self._active is None or key in self._active
            return (lambda line: tag(line, key)) if known else (lambda _: "")
        if kind == "CostCategories":
            if key not in self._categories:
                raise Refused(f"Cost category {key} does not exist")
            return self._categories[key]
        raise Refused("Product attributes are not supported")


def tag(line: Line, key: str) -> str:
    """The value of a line's tag, "" when it has none."""
    for name, value in line.tags:
        if name == key:
            return value
    return ""
