"""ParameterFilters: keys, options, and which parameters they admit. Pure.

https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_ParameterStringFilter.html
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Protocol

from cloudjar.services.ssm import errors

_EQUALS, _BEGINS, _CONTAINS, _ONE, _ALL = "Equals", "BeginsWith", "Contains", "OneLevel", "Recursive"
_DESCRIBE_KEYS = ("DataType", "KeyId", "Name", "Path", "Tier", "Type")
_PATH_KEYS = ("Type", "KeyId", "Label")
_OPTIONS = {
    "Name": (_BEGINS, _CONTAINS, _EQUALS),
    "Path": (_ONE, _ALL),
    "Label": (_EQUALS,),
    "Tier": (_EQUALS,),
    "DataType": (_EQUALS,),
}
_DEFAULT_OPTIONS = (_BEGINS, _EQUALS)
_TYPES = ("String", "StringList", "SecureString")
_TIERS = ("Standard", "Advanced", "Intelligent-Tiering")

Filter = Mapping[str, Any]


class Described(Protocol):
    """What filters ask of a parameter."""

    @property
    def name(self) -> str: ...
    @property
    def type(self) -> str: ...
    @property
    def tier(self) -> str: ...
    @property
    def data_type(self) -> str: ...
    @property
    def key_id(self) -> str: ...
    @property
    def tags(self) -> dict[str, str]: ...


def check(given: Iterable[Filter], *, by_path: bool = False) -> None:
    """Raise for filters that DescribeParameters (or GetParametersByPath) does not take."""
    keys = _PATH_KEYS if by_path else _DESCRIBE_KEYS
    seen: set[str] = set()
    for one in given:
        key = one["Key"]
        if key in seen:
            raise errors.filter_twice(key)
        seen.add(key)
        tagged = key.startswith("tag:") and not by_path
        if key not in keys and not tagged:
            raise errors.bad_filter_key(key, keys)
        options = (_EQUALS,) if tagged else _OPTIONS.get(key, _DEFAULT_OPTIONS)
        if option(one) not in options:
            raise errors.bad_filter_option(option(one), options)
        if not one.get("Values") and not tagged:
            raise errors.missing_filter_values(key)
        _check_values(key, option(one), one.get("Values") or ())


def _check_values(key: str, how: str, values: Iterable[str]) -> None:
    allowed = {"Type": _TYPES, "Tier": _TIERS}.get(key)
    for value in values:
        if key == "Path" and not value.startswith("/"):
            raise errors.bad_path()
        if allowed is not None and not any(one == value or how == _BEGINS for one in allowed):
            raise errors.bad_filter_value(value)


def option(one: Filter) -> str:
    """The comparison of a filter; each key has a default."""
    return str(one.get("Option") or (_ONE if one["Key"] == "Path" else _EQUALS))


def admits(given: Iterable[Filter], item: Described, labels: Iterable[str] = ()) -> bool:
    """Whether every filter admits a parameter, whose version has these labels."""
    return all(_admits(one, item, tuple(labels)) for one in given)


def _admits(one: Filter, item: Described, labels: tuple[str, ...]) -> bool:
    key, how, values = one["Key"], option(one), one.get("Values") or ()
    if key.startswith("tag:"):
        value = item.tags.get(key[4:])
        return value is not None and (not values or value in values)
    if key == "Path":
        return any(below(item.name, value, recursive=how == _ALL) for value in values)
    facts = labels if key == "Label" else (_fact(key, item),)
    return any(_matches(how, fact, value) for fact in facts for value in values)


def _fact(key: str, item: Described) -> str:
    facts = {"Name": item.name, "Type": item.type, "Tier": item.tier, "DataType": item.data_type}
    return item.key_id if key == "KeyId" else facts[key]


def _matches(how: str, fact: str, value: str) -> bool:
    if how == _BEGINS:
        return fact.startswith(value)
    return value in fact if how == _CONTAINS else fact == value


def below(name: str, path: str, *, recursive: bool) -> bool:
    """Whether a parameter is below a path (one step, or any number); names without slash are below the root."""
    full = name if name.startswith("/") else "/" + name
    top = path.rstrip("/") + "/"
    return full.startswith(top) and len(full) > len(top) and (recursive or "/" not in full[len(top) :])


def old(given: Iterable[Mapping[str, Any]]) -> list[Filter]:
    """The deprecated Filters as today's: names by how they begin, the others whole."""
    return [
        {"Key": one["Key"], "Option": _BEGINS if one["Key"] == "Name" else _EQUALS, "Values": one["Values"]}
        for one in given
    ]
