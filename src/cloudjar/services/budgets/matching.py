"""Whether a line of the ledger is meant by an expression."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from cloudjar.billing.measured import Line
from cloudjar.services.budgets import errors
from cloudjar.spec import prices

Match = Callable[[Line], bool]


def _instance_type(line: Line) -> str:
    kind, _, name = line.usage_type.partition(":")
    return name if kind.endswith(("BoxUsage", "SpotUsage", "DedicatedUsage", "InstanceUsage")) else ""


DIMENSIONS: dict[str, Callable[[Line], str]] = {
    "INSTANCE_TYPE": _instance_type,
    "LINKED_ACCOUNT": lambda line: line.account,
    "OPERATION": lambda line: line.operation,
    "RECORD_TYPE": lambda line: line.kind,
    "REGION": lambda line: line.region or "global",
    "RESOURCE_ID": lambda line: line.resource,
    "SERVICE": lambda line: prices.service_name(line.service),
    "SERVICE_CODE": lambda line: line.service,
    "USAGE_TYPE": lambda line: line.bill_usage_type,
}


def compiled(expression: Mapping[str, Any] | None) -> Match:
    """An expression as a test of lines; raises InvalidParameterException for what cannot be told of a line."""
    if not expression:
        return lambda _: True
    if expression.get("And"):
        parts = [compiled(one) for one in expression["And"]]
        return lambda line: all(part(line) for part in parts)
    if expression.get("Or"):
        parts = [compiled(one) for one in expression["Or"]]
        return lambda line: any(part(line) for part in parts)
    if expression.get("Not"):
        inner = compiled(expression["Not"])
        return lambda line: not inner(line)
    if expression.get("Dimensions"):
        said = expression["Dimensions"]
        read = DIMENSIONS.get(said["Key"])
        if read is None:
            raise errors.invalid(f"The dimension {said['Key']} is not known of any costs.")
        wanted = _wanted(said)
        return lambda line: wanted(read(line))
    if expression.get("Tags"):
        said = expression["Tags"]
        key, wanted = said["Key"], _wanted(said)
        return lambda line: wanted(dict(line.tags).get(key, ""))
    raise errors.invalid("Costs can be filtered by dimensions and tags.")


def _wanted(said: Mapping[str, Any]) -> Callable[[str], bool]:
    """EQUALS unless something else is said; ABSENT is for what has no value."""
    options, values = said.get("MatchOptions") or ["EQUALS"], list(said.get("Values") or ())
    if "ABSENT" in options:
        return lambda value: not value
    fold = "CASE_INSENSITIVE" in options
    if fold:
        values = [value.lower() for value in values]
    tests: dict[str, Callable[[str, str], bool]] = {
        "STARTS_WITH": str.startswith,
        "ENDS_WITH": str.endswith,
        "CONTAINS": str.__contains__,
    }
    test = next((tests[option] for option in options if option in tests), str.__eq__)
    return lambda value: any(test(value.lower() if fold else value, one) for one in values)
