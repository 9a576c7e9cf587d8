"""EC2-style filters: values are alternatives, filters add up, ``*`` and ``?`` are wildcards.

https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/Using_Filtering.html
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Any, TypeVar

from cloudjar.base.errors import AwsError
from cloudjar.policy import match

T = TypeVar("T")
Getter = Callable[[Any], Any]
"""Reads a filter's value from an item: a string, bool, number, None, or a list of them (any may match)."""


def apply(
    filters: Iterable[Mapping[str, Any]] | None, getters: Mapping[str, Getter], items: Sequence[T]
) -> Sequence[T]:
    """The items that every filter admits. An unknown filter name is refused, never ignored.

    Items with a ``tags`` mapping answer ``tag:KEY``, ``tag-key`` and ``tag-value`` by themselves.
    """
    for entry in filters or ():
        name = entry.get("Name") or ""
        values = entry.get("Values") or []
        getter = _getter(name, getters)
        if getter is None:
            raise AwsError("InvalidParameterValue", f"The filter '{name}' is invalid")
        if not values:
            continue
        matches = _matcher(tuple(str(value) for value in values))
        items = [item for item in items if _admits(matches, getter(item))]
    return items


def _getter(name: str, getters: Mapping[str, Getter]) -> Getter | None:
    if name.startswith("tag:"):
        key = name[4:]
        return lambda item: item.tags.get(key)
    if name == "tag-key":
        return lambda item: list(item.tags)
    if name == "tag-value":
        return lambda item: list(item.tags.values())
    return getters.get(name)


def _admits(matches: Callable[[str], bool], value: Any) -> bool:
    if value is None:
        return False
    if isinstance(value, (list, tuple, set, frozenset)):
        return any(_admits(matches, one) for one in value)
    return matches(_text(value))


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)


@lru_cache(1024)
def _matcher(values: tuple[str, ...]) -> Callable[[str], bool]:
    if not any(c in value for value in values for c in "*?\\"):
        return frozenset(values).__contains__
    # Compiled by the policy language's rules: a hostile pattern must not keep the server busy for ever.
    tests = [match.compile_glob(_atoms(value)) for value in values]
    return lambda text: any(test(text) for test in tests)


def _atoms(value: str) -> match.Pattern:
    atoms: list[match.Atom] = []
    literal, escaped = "", False
    for c in value:
        if escaped or c not in "*?\\":
            literal, escaped = literal + c, False
        elif c == "\\":
            escaped = True
        else:
            atoms += [literal] * bool(literal)
            atoms.append(match.STAR if c == "*" else match.ONE)
            literal = ""
    return tuple(atoms + [literal] * bool(literal)) or ("",)
