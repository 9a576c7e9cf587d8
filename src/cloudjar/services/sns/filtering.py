"""Filter policies: which messages a subscription gets.

A policy is a tree of keys whose leaves are lists of alternatives; every key must match, of a list any one. In the scope
MessageAttributes a key is an attribute; in MessageBody it is a place in the body's JSON, where any element of an array
may match, and keys that lie in the same object of an array must match in the same one.

https://docs.aws.amazon.com/sns/latest/dg/subscription-filter-policy-constraints.html
https://docs.aws.amazon.com/sns/latest/dg/string-value-matching.html
"""

from __future__ import annotations

import ipaddress
import json
import math
from collections.abc import Mapping
from typing import Any

from cloudjar.base.errors import AwsError
from cloudjar.services.sns.errors import invalid
from cloudjar.services.sns.records import ATTRIBUTES, BODY

_KEYS, _COMPLEXITY, _LARGEST = 5, 150, 262_144
_ABSENT = object()
_COMPARE = {
    "<": lambda a, b: a < b,
    "<=": lambda a, b: a <= b,
    ">": lambda a, b: a > b,
    ">=": lambda a, b: a >= b,
    "=": lambda a, b: a == b,
}
_WORDS = ("prefix", "suffix", "equals-ignore-case", "wildcard", "cidr")
_LIMIT = 1e9


def checked(text: str, scope: str) -> Any:
    """A policy that may be. Raises InvalidParameter and FilterPolicyLimitExceeded."""
    if len(text.encode()) > _LARGEST:
        raise _wrong("Filter policy is too large")
    try:
        policy = json.loads(text)
    except ValueError:
        raise _wrong("failed to parse JSON.") from None
    if not isinstance(policy, dict):
        raise _wrong("Filter policy must be an object")
    keys, combinations = _measure(policy, scope, 1)
    if keys > _KEYS:
        raise _wrong(f"Filter policy can not have more than {_KEYS} keys")
    if combinations > _COMPLEXITY:
        raise _wrong("Filter policy is too complex")
    return policy


def _wrong(why: str) -> AwsError:
    return invalid(f"FilterPolicy: {why}")


def _measure(policy: Mapping[str, Any], scope: str, depth: int) -> tuple[int, int]:
    """(keys with values, combinations of values), each weighed by how deep it lies."""
    keys, combinations = 0, 1
    for name, value in policy.items():
        if name == "$or" and _is_or(value):
            branches = [_measure(branch, scope, depth) for branch in value]
            keys += sum(branch[0] for branch in branches)
            combinations *= sum(branch[1] for branch in branches)
        elif isinstance(value, dict):
            if scope == ATTRIBUTES:
                raise _wrong("Filter policy scope MessageAttributes does not support nested filter policy")
            inner = _measure(value, scope, depth + 1)
            keys, combinations = keys + inner[0], combinations * inner[1]
        elif isinstance(value, list):
            if not value:
                raise _wrong("Empty arrays are not allowed")
            for one in value:
                _check(one)
            keys, combinations = keys + 1, combinations * len(value) * depth
        else:
            raise _wrong(f'"{name}" must be an object or an array')
    return keys, combinations


def _is_or(value: Any) -> bool:
    return isinstance(value, list) and len(value) >= 2 and all(isinstance(one, dict) for one in value)


def _check(one: Any) -> None:
    """One alternative: a plain value, or an operator."""
    if not isinstance(one, dict):
        if isinstance(one, list) or (isinstance(one, (int, float)) and not isinstance(one, bool) and abs(one) > _LIMIT):
            raise _wrong("Match value must be String, number, true, false, or null")
        return
    if len(one) != 1:
        raise _wrong("Only one key allowed in match expression")
    [(name, value)] = one.items()
    if name in _WORDS:
        if not isinstance(value, str) or (not value and name in ("prefix", "suffix")):
            raise _wrong(f"{name} match pattern must be a string")
        if name == "cidr":
            _network(value)
    elif name == "exists":
        if not isinstance(value, bool):
            raise _wrong("exists match pattern must be either true or false.")
    elif name == "numeric":
        _check_numeric(value)
    elif name == "anything-but":
        _check_but(value)
    else:
        raise _wrong(f"Unrecognized match type {name}")


def _check_but(value: Any) -> None:
    if isinstance(value, dict):
        if len(value) != 1 or next(iter(value)) not in ("prefix", "suffix", "wildcard", "equals-ignore-case"):
            raise _wrong("Unsupported anything-but pattern")
        _check(value)
        return
    for one in value if isinstance(value, list) else [value]:
        if isinstance(one, (dict, list)) or one is None:
            raise _wrong("Inside anything but list, values must be strings or numbers")
    if value == []:
        raise _wrong("Empty arrays are not allowed")


def _check_numeric(value: Any) -> None:
    if not isinstance(value, list) or len(value) not in (2, 4):
        raise _wrong("Value of numeric must be an array of a comparison and a number, or of two")
    for place in range(0, len(value), 2):
        sign, number = value[place], value[place + 1]
        if not isinstance(sign, str) or sign not in _COMPARE:
            raise _wrong(f"Unrecognized numeric range operator: {sign}")
        if isinstance(number, bool) or not isinstance(number, (int, float)) or abs(number) > _LIMIT:
            raise _wrong("Value of numeric must be a number between -1e9 and 1e9")


def _network(text: str) -> Any:
    try:
        return ipaddress.ip_network(text, strict=False)
    except ValueError:
        raise _wrong(f"Malformed CIDR: {text}") from None


# -- matching


def attributes_of(attributes: Mapping[str, tuple[str, Any]]) -> dict[str, Any]:
    """Message attributes as values to match: numbers, texts, lists of a String.Array; binary ones match nothing."""
    found: dict[str, Any] = {}
    for name, (kind, value) in attributes.items():
        if kind.startswith("Binary"):
            continue
        found[name] = value
        try:
            if kind.startswith("Number"):
                found[name] = float(value)
            elif kind == "String.Array":
                found[name] = json.loads(value)
        except ValueError:
            continue
    return found


def passes(policy: Any, scope: str, body: str, attributes: Mapping[str, tuple[str, Any]]) -> bool:
    """Whether a message is for a subscription."""
    if scope == BODY:
        try:
            data = json.loads(body)
        except ValueError:
            return False
        return isinstance(data, dict) and _matches(policy, data)
    return _matches(policy, attributes_of(attributes))


def _matches(policy: Mapping[str, Any], data: Any) -> bool:
    if not isinstance(data, dict):
        return False
    for name, wanted in policy.items():
        if name == "$or" and _is_or(wanted):
            if not any(_matches(branch, data) for branch in wanted):
                return False
            continue
        have = data.get(name, _ABSENT)
        if isinstance(wanted, dict):
            inner = have if isinstance(have, list) else [{} if have is _ABSENT else have]
            if not any(_matches(wanted, one) for one in inner):
                return False
        elif not _any(wanted, have):
            return False
    return True


def _any(wanted: list[Any], have: Any) -> bool:
    values = have if isinstance(have, list) else [have]
    return any(_one(test, values, have) for test in wanted)


def _one(test: Any, values: list[Any], have: Any) -> bool:
    if isinstance(test, dict) and "exists" in test:
        return bool(test["exists"]) == (have is not _ABSENT)
    if have is _ABSENT:
        return False
    if isinstance(test, dict) and "anything-but" in test:
        return bool(values) and all(_but(test["anything-but"], value) for value in values)
    return any(_fits(test, value) for value in values)


def _but(unwanted: Any, value: Any) -> bool:
    if isinstance(unwanted, dict):
        return not _fits(unwanted, value)
    return not any(_equal(one, value) for one in (unwanted if isinstance(unwanted, list) else [unwanted]))


def _equal(one: Any, other: Any) -> bool:
    if isinstance(one, bool) or isinstance(other, bool) or one is None or other is None:
        return one is other
    if isinstance(one, (int, float)) and isinstance(other, (int, float)):
        return math.isclose(one, other, rel_tol=0, abs_tol=1e-6)
    return type(one) is type(other) and bool(one == other)


def _fits(test: Any, value: Any) -> bool:
    """Whether one value is one of the alternatives."""
    if not isinstance(test, dict):
        return _equal(test, value)
    [(name, wanted)] = test.items()
    if name == "numeric":
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            return False
        return all(_COMPARE[wanted[n]](value, wanted[n + 1]) for n in range(0, len(wanted), 2))
    if not isinstance(value, str):
        return False
    if name == "cidr":
        return _in_network(wanted, value)
    if name == "wildcard":
        return _wild(wanted, value)
    if name == "equals-ignore-case":
        return bool(wanted.lower() == value.lower())
    return value.startswith(wanted) if name == "prefix" else value.endswith(wanted)


def _in_network(network: str, value: str) -> bool:
    try:
        return ipaddress.ip_address(value) in _network(network)
    except ValueError:
        return False


def _wild(pattern: str, value: str) -> bool:
    """``*`` is any text; the pieces between are found one after the other, which takes no longer for odd patterns."""
    first, *rest = pattern.split("*")
    if not rest:
        return value == pattern
    if not value.startswith(first):
        return False
    at, last = len(first), rest.pop()
    for piece in rest:
        found = value.find(piece, at)
        if found < 0:
            return False
        at = found + len(piece)
    return value.endswith(last) and len(value) - len(last) >= at
