"""Parameters: which values may be, what formulas come to, what an engine is told (pure).

https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/USER_ParamValuesRef.html
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping

from cloudjar.services.rds import errors
from cloudjar.spec.databases import Parameter

_FUNCTIONS: dict[str, Callable[[list[float]], float]] = {
    "GREATEST": max, "LEAST": min, "SUM": sum, "log": lambda given: math.log2(given[0]),
}  # fmt: skip


def checked(parameter: Parameter, value: str) -> str:
    """A value that a user wants; raises InvalidParameterValue."""
    refused = errors.invalid(
        f"Invalid parameter value: {value} for: {parameter.name} allowed values are: {parameter.allowed}"
    )
    if any(ord(c) < 32 for c in value):
        raise refused
    if parameter.kind == "integer" and ("{" in value or "(" in value):
        if evaluated(value, 1 << 30, 5432) is None:
            raise refused
        return value
    allowed = parameter.allowed
    if parameter.kind in ("integer", "float"):
        if not _in_range(parameter, value):
            raise refused
    elif allowed:
        given = [part.strip() for part in value.split(",")] if parameter.kind == "list" else [value]
        if not set(given) - {""} <= set(allowed.split(",")):
            raise refused
    return value


def _in_range(parameter: Parameter, value: str) -> bool:
    try:
        number = float(value) if parameter.kind == "float" else int(value)
    except ValueError:
        return False
    found = re.fullmatch(r"(-?[0-9.e+-]+?)-(-?[0-9.e+]+)", parameter.allowed)
    if not math.isfinite(number) or found is None:
        return math.isfinite(number)
    return float(found[1]) <= number <= float(found[2])


def told(
    family: Mapping[str, Parameter], running: Mapping[str, str], memory: int, port: int
) -> tuple[tuple[str, str], ...]:
    """What the engine is told: RDS's own values, and over them those that run. `memory` in bytes."""
    wanted = {p.name: p.value for p in family.values() if p.value and not p.name.startswith("rds.")}
    wanted |= {name: value for name, value in running.items() if not name.startswith("rds.")}
    return tuple((name, resolved(value, memory, port)) for name, value in sorted(wanted.items()))


def resolved(value: str, memory: int, port: int) -> str:
    """A value with what it refers to put in."""
    if "{" not in value:
        return value
    number = evaluated(value, memory, port)
    return value if number is None else str(number)


def evaluated(text: str, memory: int, port: int) -> int | None:
    """What a formula comes to, or None when it is none: ``LEAST({DBInstanceClassMemory/9531392},5000)``."""
    names = {"DBInstanceClassMemory": memory, "EndPointPort": port, "AllocatedStorage": 0}
    try:
        tokens = _tokens(text)
        value, rest = _sum(tokens, names)
    except (ValueError, IndexError, ZeroDivisionError, KeyError, OverflowError):
        return None
    return int(value) if not rest and math.isfinite(value) else None


def _tokens(text: str) -> list[str]:
    found = re.findall(r"\d+|[A-Za-z_]+|[{}(),*/+-]|\S", text)
    if len(found) > 200:
        raise ValueError(text)
    return ["(" if token == "{" else ")" if token == "}" else token for token in found]


def _sum(tokens: list[str], names: Mapping[str, int]) -> tuple[float, list[str]]:
    value, tokens = _product(tokens, names)
    while tokens and tokens[0] in "+-":
        more, rest = _product(tokens[1:], names)
        value = value + more if tokens[0] == "+" else value - more
        tokens = rest
    return value, tokens


def _product(tokens: list[str], names: Mapping[str, int]) -> tuple[float, list[str]]:
    value, tokens = _atom(tokens, names)
    while tokens and tokens[0] in "*/":
        more, rest = _atom(tokens[1:], names)
        value = value * more if tokens[0] == "*" else float(value // more)
        tokens = rest
    return value, tokens


def _atom(tokens: list[str], names: Mapping[str, int]) -> tuple[float, list[str]]:
    head, rest = tokens[0], tokens[1:]
    if head.isdigit():
        return float(head), rest
    if head == "(":
        value, rest = _sum(rest, names)
        return value, _closed(rest)
    if head in _FUNCTIONS:
        arguments, rest = _arguments(rest, names)
        return float(_FUNCTIONS[head](arguments)), rest
    return float(names[head]), rest


def _arguments(tokens: list[str], names: Mapping[str, int]) -> tuple[list[float], list[str]]:
    if tokens[0] != "(":
        raise ValueError("a function without arguments")
    found, rest = [], tokens[1:]
    while True:
        value, rest = _sum(rest, names)
        found.append(value)
        if rest[0] != ",":
            return found, _closed(rest)
        rest = rest[1:]


def _closed(tokens: list[str]) -> list[str]:
    if tokens[0] != ")":
        raise ValueError("a bracket is open")
    return tokens[1:]
