"""Paging by the model's own paginator traits: a handler returns everything, the kit cuts.

A token is opaque and bound to its operation; a foreign or mangled one is refused with the service's words.
"""

from __future__ import annotations

import base64
import zlib
from typing import Any

from cloudjar.base.errors import AwsError


def cut(paginator: Any, service: str, operation: str, req: dict[str, Any], result: dict[str, Any]) -> dict[str, Any]:
    """One page of a whole result. `paginator` has input_token, output_token, limit_key, result_keys, more_results.

    Results of several lists, or of none, and paginators with several tokens are left whole.
    """
    lists = [key for key in paginator.result_keys if isinstance(result.get(key), list)]
    if len(lists) != 1 or isinstance(paginator.output_token, (list, tuple)):
        return result
    start = _offset(service, operation, req.get(paginator.input_token))
    limit = req.get(paginator.limit_key) if paginator.limit_key else None
    items = result[lists[0]]
    end = len(items) if limit is None else min(len(items), start + int(limit))
    more = end < len(items)
    if start or more:
        result[lists[0]] = items[start:end]
    if more:
        result[paginator.output_token] = _token(service, operation, end)
    if paginator.more_results:
        result[paginator.more_results] = more
    return result


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
    return AwsError("ValidationException", "Invalid pagination token")
