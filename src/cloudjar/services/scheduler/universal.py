"""Universal targets: any operation that changes something, named as the SDKs name it.

``arn:aws:scheduler:::aws-sdk:SERVICE:ACTION``, where SERVICE is the service's id in lower case without blanks and
ACTION begins with a small letter.
https://docs.aws.amazon.com/scheduler/latest/UserGuide/managing-targets-universal.html
"""

from __future__ import annotations

import base64
import binascii
from datetime import UTC, datetime
from functools import cache
from typing import Any

from cloudjar.base.errors import AwsError
from cloudjar.services.scheduler import errors
from cloudjar.spec import models
from cloudjar.spec.models import Shape

PREFIX = "arn:aws:scheduler:::aws-sdk:"
_READS = ("get", "describe", "list", "poll", "receive", "search", "scan", "query", "select", "read", "lookup",
          "discover", "validate", "batchGet", "batchDescribe", "batchRead", "transactGet", "adminGet", "adminList",
          "testMigration", "retrieve", "testConnection", "translateDocument", "isAuthorized",
          "invokeModel")  # fmt: skip


@cache
def _services() -> dict[str, str]:
    return {entry.service_id.replace(" ", "").lower(): name for name, entry in models.catalogue().items()}


def named(text: str) -> tuple[str, str]:
    """The service (as botocore calls it) and the operation behind a universal target; raises ValidationException."""
    service, _, action = text.removeprefix(PREFIX).partition(":")
    name = _services().get(service)
    if name is None:
        raise errors.invalid(f"{service} is not a supported service for a target.")
    operation = action[:1].upper() + action[1:]
    if action.startswith(_READS) or action[:1].isupper() or operation not in models.service(name).operations:
        raise errors.invalid(f"{action} is not a supported api for a target.")
    return name, operation


def params(service: str, operation: str, data: Any) -> dict[str, Any]:
    """The input of an operation out of JSON; raises the `AwsError` of why it is none."""
    shape = models.service(service).operations[operation].input
    if not isinstance(data, dict):
        raise _malformed("the input must be a JSON object")
    made: dict[str, Any] = _value(shape, data, "") if shape is not None else {}
    return made


def _malformed(why: str) -> AwsError:
    return AwsError("ValidationException", f"Invalid input for the target: {why}.", 400)


def _value(shape: Shape, given: Any, where: str) -> Any:
    if given is None:
        return None
    if shape.type == "structure":
        return _structure(shape, given, where)
    if shape.type == "list":
        _must(isinstance(given, list), where, "a list")
        return [_value(shape.member, one, where) for one in given]
    if shape.type == "map":
        _must(isinstance(given, dict), where, "an object")
        return {name: _value(shape.value, one, f"{where}.{name}") for name, one in given.items()}
    return _scalar(shape, given, where)


def _structure(shape: Shape, given: Any, where: str) -> dict[str, Any]:
    _must(isinstance(given, dict), where, "an object")
    known = {name.lower(): name for name in shape.members}
    made = {}
    for name, one in given.items():
        member = name if name in shape.members else known.get(name.lower())
        if member is None:
            raise _malformed(f"unknown member {where}.{name}".replace(" .", " "))
        made[member] = _value(shape.members[member], one, f"{where}.{member}")
    return made


def _scalar(shape: Shape, given: Any, where: str) -> Any:
    if shape.type == "timestamp":
        return _time(given, where)
    if shape.type == "blob":
        _must(isinstance(given, str), where, "text")
        try:
            return base64.b64decode(given, validate=True)
        except (binascii.Error, ValueError):
            return given.encode()
    if shape.type in ("string", "character"):
        _must(isinstance(given, str), where, "text")
    elif shape.type == "boolean":
        _must(isinstance(given, bool), where, "true or false")
    else:
        _must(isinstance(given, int | float) and not isinstance(given, bool), where, "a number")
    return given


def _time(given: Any, where: str) -> datetime:
    try:
        if isinstance(given, int | float) and not isinstance(given, bool):
            return datetime.fromtimestamp(given, UTC)
        found = datetime.fromisoformat(str(given).replace("Z", "+00:00"))
    except (ValueError, OverflowError, OSError):
        raise _malformed(f"{where} must be a time") from None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def _must(held: bool, where: str, what: str) -> None:
    if not held:
        raise _malformed(f"{where.lstrip('.') or 'the input'} must be {what}")
