"""Filters of free tier usage.

https://docs.aws.amazon.com/aws-cost-management/latest/APIReference/API_freetier_Expression.html
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from cloudjar.base.errors import AwsError

Row = Mapping[str, Any]
_MEMBERS = {
    "SERVICE": "service", "OPERATION": "operation", "USAGE_TYPE": "usageType", "REGION": "region",
    "FREE_TIER_TYPE": "freeTierType", "DESCRIPTION": "description",
}  # fmt: skip
_TESTS: dict[str, Callable[[str, str], bool]] = {
    "EQUALS": str.__eq__,
    "STARTS_WITH": str.startswith,
    "ENDS_WITH": str.endswith,
    "CONTAINS": str.__contains__,
}


def compiled(expression: Mapping[str, Any] | None) -> Callable[[Row], bool]:
    """An expression as a test of what GetFreeTierUsage shows."""
    if not expression:
        return lambda _: True
    if expression.get("And"):
        parts = [compiled(one) for one in expression["And"]]
        return lambda row: all(part(row) for part in parts)
    if expression.get("Or"):
        parts = [compiled(one) for one in expression["Or"]]
        return lambda row: any(part(row) for part in parts)
    if expression.get("Not"):
        inner = compiled(expression["Not"])
        return lambda row: not inner(row)
    return _dimension(expression.get("Dimensions") or {})


def _dimension(said: Mapping[str, Any]) -> Callable[[Row], bool]:
    key, values, options = said.get("Key"), said.get("Values") or [], said.get("MatchOptions") or ["EQUALS"]
    if key == "USAGE_PERCENTAGE":
        if options != ["GREATER_THAN_OR_EQUAL"] or not values or not values[0].replace(".", "", 1).isdecimal():
            message = "USAGE_PERCENTAGE is compared by GREATER_THAN_OR_EQUAL to a number."
            raise AwsError("ValidationException", message, 400)
        return lambda row: row["actualUsageAmount"] * 100 >= float(values[0]) * row["limit"]
    if key not in _MEMBERS or options[0] not in _TESTS:
        raise AwsError("ValidationException", f"{key} cannot be filtered by {options[0]}.", 400)
    test, member = _TESTS[options[0]], _MEMBERS[key]
    return lambda row: any(test(str(row[member]), value) for value in values)
