"""Paging by the model's own paginator traits: a handler returns everything, the kit cuts.

A token is opaque and bound to its operation; a foreign or mangled one is refused with the service's words.
"""

from __future__ import annotations

import base64
import zlib
from typing import Any

from cloudjar.base.errors import AwsError

# What a service cuts at when the request does not say.
_DEFAULT_LIMIT = {
    "autoscaling": 50,
    "autoscaling.DescribeScalingActivities": 100,
    "budgets": 100,
    "events": 100,
    "iam": 100,
    "kms": 50,
    "kms.ListKeys": 100,
    "organizations": 20,
    "pricing": 100,
    "ssm": 10,
}
# Services that have a code of their own for a token that is none.
_REFUSED = {
    "autoscaling": "InvalidNextToken",
    "budgets": "InvalidNextTokenException",
    "ce": "InvalidNextTokenException",
    "kms": "InvalidMarkerException",
    "pricing": "InvalidNextTokenException",
    "secretsmanager": "InvalidNextTokenException",
    "ssm": "InvalidNextToken",
}


def cut(paginator: Any, service: str, operation: str, req: dict[str, Any], result: dict[str, Any]) -> dict[str, Any]:
    """One page of a whole result. `paginator` has input_token, output_token, limit_key, result_keys, more_results.

    Several lists are cut as if they were one, in the model's order; results without a list, and paginators with
    several tokens, are left whole.
    """
    lists = [key for key in paginator.result_keys if isinstance(result.get(key), list)]
    if not lists or len(paginator.output_token) != 1:
        return result
    start = _offset(service, operation, req.get(paginator.input_token[0]))
    limit = req.get(paginator.limit_key) if paginator.limit_key else None
    if limit is None:
        limit = _DEFAULT_LIMIT.get(f"{service}.{operation}", _DEFAULT_LIMIT.get(service))
    total = sum(len(result[key]) for key in lists)
    end = total if limit is None else min(total, start + int(limit))
    if start or end < total:
        _narrow(result, lists, start, end)
    if end < total:
        result[paginator.output_token[0]] = _token(service, operation, end)
    if paginator.more_results:
        result[paginator.more_results] = end < total
    return result


def _narrow(result: dict[str, Any], lists: list[str], start: int, end: int) -> None:
    passed = 0
    for key in lists:
        items = result[key]
        result[key] = items[max(start - passed, 0) : max(end - passed, 0)]
        passed += len(items)


def _seal(service: str, operation: str, offset: int) -> int:
    return zlib.crc32(f"{service}.{operation}.{offset}".encode())


def _token(service: str, operation: str, offset: int) -> str:
    return base64.urlsafe_b64encode(f"{offset}.{_seal(service, operation, offset)}".encode()).decode()


def _offset(service: str, operation: str, token: Any) -> int:
    if not token:
        return 0
    try:
        offset, _, seal = base64.urlsafe_b64decode(str(token).encode()).decode().partition(".")
        if int(seal) == _seal(service, operation, int(offset)):
            return int(offset)
    except ValueError:
        pass
    raise invalid_token(service, str(token))


def invalid_token(service: str, token: str) -> AwsError:
    """How each family words a token that is not one of its own."""
    if service == "ec2":
        return AwsError("InvalidParameterValue", f"Invalid value for nextToken: '{token}'")
    if service == "iam":
        return AwsError("ValidationError", "Invalid Marker.")
    if service == "organizations":
        said = "You provided a pagination token that is not one of this operation's."
        return AwsError("InvalidInputException", said, 400, members={"Reason": "INVALID_NEXT_TOKEN"})
    return AwsError(_REFUSED.get(service, "ValidationException"), "Invalid pagination token")
