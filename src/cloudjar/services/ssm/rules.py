"""How requests name parameters, and what filters admit. Pure."""

from __future__ import annotations

from typing import Any, NamedTuple

from cloudjar.base import arn as arns
from cloudjar.services.ssm import errors

_PATH_FILTERS = ("Type", "KeyId", "Label")
_OPTIONS = ("Equals", "BeginsWith")


class Asked(NamedTuple):
    """A parameter as a request names it: its full name, and a version or label when one is selected.

    `region` is that of an ARN, empty otherwise.
    """

    name: str
    selector: str
    region: str = ""


def asked(text: str) -> Asked:
    """Read ``NAME``, ``NAME:SELECTOR`` or an ARN with or without a selector."""
    parsed = arns.parse(text)
    if parsed is None or parsed.service != "ssm":
        name, _, selector = text.partition(":")
        return Asked(name, selector)
    name, _, selector = parsed.resource.removeprefix("parameter").partition(":")
    return Asked(name, selector, parsed.region)


def check_path(path: str) -> None:
    """Raise unless a path begins with a slash."""
    if not path.startswith("/"):
        raise errors.bad_path()


def check_filters(given: list[dict[str, Any]]) -> None:
    """Raise for filters that GetParametersByPath does not take."""
    for one in given:
        if one["Key"] not in _PATH_FILTERS:
            raise errors.bad_filter_key(one["Key"], _PATH_FILTERS)
        if one.get("Option", "Equals") not in _OPTIONS:
            raise errors.bad_filter_option(one["Option"], _OPTIONS)
        if not one.get("Values"):
            raise errors.missing_filter_values(one["Key"])


def admit_public(given: list[dict[str, Any]]) -> bool:
    """Whether every filter admits public parameters, all of which are Strings without key and labels."""
    facts = {"Type": "String", "KeyId": "", "Label": ""}
    return all(_admits(one, facts[one["Key"]]) for one in given)


def _admits(one: dict[str, Any], fact: str) -> bool:
    if not fact:
        return False
    if one.get("Option") == "BeginsWith":
        return any(fact.startswith(value) for value in one["Values"])
    return fact in one["Values"]
