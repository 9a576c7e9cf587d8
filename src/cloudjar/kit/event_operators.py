"""The operators of event patterns: each a test of one scalar value. Pure.

https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-create-pattern-operators.html
"""

from __future__ import annotations

import ipaddress
import operator
from collections.abc import Callable
from typing import Any

from cloudjar.kit.event_json import Node

Test = Callable[[Any], bool]
RESERVED = frozenset(
    ("exactly", "exists", "equals-ignore-case", "prefix", "suffix", "anything-but", "numeric", "cidr", "wildcard")
)
_ONE_KEY = "Only one key allowed in match expression"
_TOO_MANY = "Too many elements in numeric expression"
_LIMIT = 5.0e9
_COMPARE: dict[str, Callable[[Any, Any], bool]] = {
    "=": operator.eq,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


class OperatorError(ValueError):
    """An operator's value is wrong at a place of the text; 0 when no place is told."""

    def __init__(self, why: str, at: int = 0) -> None:
        super().__init__(why)
        self.at = at


def ABSENT(value: Any) -> bool:  # noqa: N802  # a test that no value passes: `exists: false`, which its reader knows
    """No value will do."""
    return False


def compiled(node: Node) -> Test:
    """The test of an operator, an object with one key; raises `OperatorError`."""
    fields = node.value
    assert isinstance(fields, dict)
    if not fields:
        raise OperatorError("Match expression name not found", node.end + 1)
    name, value = next(iter(fields.items()))
    make = _OPERATORS.get(name)
    if make is None:
        raise OperatorError(f"Unrecognized match type {name}", value.at)
    test = make(value)
    if len(fields) > 1:
        why = _TOO_MANY if name in ("numeric", "anything-but") else _ONE_KEY
        raise OperatorError(why, list(fields.values())[1].at)
    return test


def _text(node: Node, why: str) -> str:
    if not isinstance(node.value, str):
        raise OperatorError(why, node.at)
    return node.value


def _of_text(test: Callable[[str], bool]) -> Test:
    return lambda value: isinstance(value, str) and test(value)


def _exactly(node: Node) -> Test:
    wanted = _text(node, "exact match pattern must be a string")
    return _of_text(lambda value: value == wanted)


def _ignoring_case(node: Node) -> Test:
    wanted = _text(node, "equals-ignore-case match pattern must be a string").lower()
    return _of_text(lambda value: value.lower() == wanted)


def _affix(kind: str) -> Callable[[Node], Test]:
    """prefix and suffix, which may look away from case."""
    begins = kind == "prefix"

    def make(node: Node) -> Test:
        if isinstance(node.value, dict):
            return _affix_ignoring_case(kind, node)
        wanted = _text(node, f"{kind} match pattern must be a string")
        return _of_text(lambda value: value.startswith(wanted) if begins else value.endswith(wanted))

    return make


def _affix_ignoring_case(kind: str, node: Node) -> Test:
    fields = node.value
    assert isinstance(fields, dict)
    if not fields:
        raise OperatorError(f"{kind.capitalize()} expression name not found", node.end + 1)
    name, inner = next(iter(fields.items()))
    if name != "equals-ignore-case":
        raise OperatorError(f"Unsupported {kind} pattern: {name}", inner.at)
    wanted = _text(inner, "equals-ignore-case match pattern must be a string").lower()
    if len(fields) > 1:
        raise OperatorError(_ONE_KEY, list(fields.values())[1].at)
    if kind == "prefix":
        return _of_text(lambda value: value[: len(wanted)].lower() == wanted or value.lower().startswith(wanted))
    return _of_text(lambda value: value.lower().endswith(wanted))


def _exists(node: Node) -> Test:
    if not isinstance(node.value, bool):
        raise OperatorError("exists match pattern must be either true or false.", node.at)
    return (lambda value: True) if node.value else ABSENT


# -- numbers


def _number(node: Node | None, sign: str) -> float:
    if node is None or not node.is_number:
        raise OperatorError(f"Value of {sign} must be numeric", node.at if node else 0)
    assert isinstance(node.value, (int, float))
    if abs(node.value) > _LIMIT:
        raise OperatorError("Value must be between -5.0E9 and 5.0E9, inclusive", node.at)
    return node.value


def _numeric(node: Node) -> Test:
    if not isinstance(node.value, list):
        raise OperatorError("Value of numeric must be an array.", node.at)
    terms: list[Node | None] = [*node.value, None, None, None, None]
    first, second, third, fourth = terms[0], terms[1], terms[2], terms[3]
    if first is None or not isinstance(first.value, str):
        raise OperatorError(f"Invalid member in numeric match: {first.value if first else ']'}", node.at)
    sign = first.value
    if sign not in _COMPARE:
        raise OperatorError(f"Unrecognized numeric range operator: {sign}", first.end)
    bounds = [(_COMPARE[sign], _number(second, "equals" if sign == "=" else sign))]
    if third is not None:
        if sign not in (">", ">="):
            raise OperatorError(_TOO_MANY, third.at)
        if not isinstance(third.value, str):
            raise OperatorError(f"Bad value in numeric range: {third.value}", third.at)
        if third.value not in ("<", "<="):
            raise OperatorError(f"Bad numeric range operator: {third.value}", third.end)
        bounds.append((_COMPARE[third.value], _number(fourth, third.value)))
        if len(node.value) > 4:
            raise OperatorError("Too many terms in numeric range expression", node.value[4].at)
        if bounds[0][1] >= bounds[1][1]:
            raise OperatorError("Bottom must be less than top", node.end + 1)
    return lambda value: (
        isinstance(value, (int, float))
        and not isinstance(value, bool)
        and abs(value) <= _LIMIT
        and all(compare(value, bound) for compare, bound in bounds)
    )


# -- addresses


def _cidr(node: Node) -> Test:
    text = _text(node, "prefix match pattern must be a string")
    address, slash, bits = text.partition("/")
    if not slash or "/" in bits:
        raise OperatorError("Malformed CIDR, one '/' required")
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        raise OperatorError(f"Nonstandard IP address: {address}") from None
    if not bits.lstrip("-").isascii() or not bits.lstrip("-").isdecimal():
        raise OperatorError("Malformed CIDR, mask bits must be an integer")
    if bits.startswith("-"):
        raise OperatorError("Malformed CIDR, mask bits must not be negative")
    if int(bits) > found.max_prefixlen:
        raise OperatorError(f"IPv{found.version} mask bits must be < {found.max_prefixlen}")
    network = ipaddress.ip_network(f"{found}/{int(bits)}", strict=False)
    return _of_text(lambda value: _lies_in(network, value))


def _lies_in(network: ipaddress.IPv4Network | ipaddress.IPv6Network, text: str) -> bool:
    try:
        return ipaddress.ip_address(text) in network
    except ValueError:
        return False


# -- wildcards


def _pieces(node: Node) -> list[str]:
    """The literal texts between the ``*`` of a wildcard; ``\\*`` and ``\\\\`` stand for the signs themselves."""
    text = _text(node, "wildcard match pattern must be a string")
    pieces, place = [""], 0
    while place < len(text):
        sign, following = text[place], text[place + 1 : place + 2]
        if sign == "\\":
            if following not in ("*", "\\") or not following:
                raise OperatorError(f"Invalid escape character at pos {place + 1}", node.end)
            pieces[-1] += following
            place += 1
        elif sign == "*":
            if following == "*":
                raise OperatorError(f"Consecutive wildcard characters at pos {place + 1}", node.end)
            pieces.append("")
        else:
            pieces[-1] += sign
        place += 1
    return pieces


def _wildcard(node: Node) -> Test:
    pieces = _pieces(node)
    return _of_text(lambda value: wild(pieces, value))


def wild(pieces: list[str], value: str) -> bool:
    """Whether a text is these pieces with anything between them; takes no longer for odd patterns."""
    first, *rest = pieces
    if not rest:
        return value == first
    if not value.startswith(first):
        return False
    at, last = len(first), rest[-1]
    for piece in rest[:-1]:
        found = value.find(piece, at)
        if found < 0:
            return False
        at = found + len(piece)
    return value.endswith(last) and len(value) - len(last) >= at


# -- anything but


def _anything_but(node: Node) -> Test:
    if isinstance(node.value, dict):
        return _but_operator(node)
    if isinstance(node.value, list):
        return _but_any(node)
    if not isinstance(node.value, str) and not node.is_number:
        raise OperatorError("Value of anything-but must be an array or single string/number value.", node.at)
    return _but_values([node.value])


def _but_any(node: Node) -> Test:
    assert isinstance(node.value, list)
    for one in node.value:
        if not isinstance(one.value, str) and not one.is_number:
            raise OperatorError("Inside anything but list, start|null|boolean is not supported.", one.at)
    if len({one.is_number for one in node.value}) != 1:
        why = "Inside anything but list, either all values are number or string, mixed type is not supported"
        raise OperatorError(why, node.end + 1)
    return _but_values([one.value for one in node.value])


def _but_values(values: list[Any]) -> Test:
    """Of texts only a text can be one, of numbers only a number: a boolean is neither."""
    unwanted = frozenset(values)
    return lambda value: isinstance(value, bool) or value not in unwanted


def _but_operator(node: Node) -> Test:
    fields = node.value
    assert isinstance(fields, dict)
    if not fields:
        raise OperatorError("Anything-But expression name not found", node.end + 1)
    name, inner = next(iter(fields.items()))
    if name not in ("prefix", "suffix", "equals-ignore-case", "wildcard"):
        raise OperatorError(f"Unsupported anything-but pattern: {name}", inner.at)
    if not isinstance(inner.value, (list, str)) and not inner.is_number:
        raise OperatorError("Value of anything-but must be an array or single string/number value.", inner.at)
    tests = [_but_one(name, one) for one in (inner.value if isinstance(inner.value, list) else [inner])]
    if len(fields) > 1:
        raise OperatorError(_TOO_MANY, list(fields.values())[1].at)
    return lambda value: not any(test(value) for test in tests)


def _but_one(name: str, node: Node) -> Test:
    why = {
        "equals-ignore-case": "Inside anything-but/equals-ignore-case list, number|start|null|boolean is not "
        "supported.",
        "wildcard": "wildcard match pattern must be a string",
    }.get(name, "prefix/suffix match pattern must be a string")
    text = _text(node, why)
    if not text and name in ("prefix", "suffix"):
        raise OperatorError("Null prefix/suffix not allowed", node.end)
    return _OPERATORS[name](node)


_OPERATORS: dict[str, Callable[[Node], Test]] = {
    "exactly": _exactly,
    "prefix": _affix("prefix"),
    "suffix": _affix("suffix"),
    "equals-ignore-case": _ignoring_case,
    "exists": _exists,
    "numeric": _numeric,
    "cidr": _cidr,
    "wildcard": _wildcard,
    "anything-but": _anything_but,
}
