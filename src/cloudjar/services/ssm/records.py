"""What Parameter Store keeps: parameters, their versions, and settings."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

import msgspec

from cloudjar.kit.record import Record, record
from cloudjar.services.ssm import errors

STANDARD, ADVANCED, INTELLIGENT = "Standard", "Advanced", "Intelligent-Tiering"
STRING, LIST, SECURE = "String", "StringList", "SecureString"

_MISSING = errors.not_found()


class Policy(msgspec.Struct, frozen=True):
    """A parameter policy as it was given, and whether it has done what it is for."""

    text: str
    type: str
    status: str = "Pending"


@record(
    "ssm",
    "parameter",
    key="path",
    index=("tier",),
    arn="parameter/{path}",
    missing=(_MISSING.code, _MISSING.message),
)
class Parameter(Record, frozen=True, kw_only=True):
    """A parameter without its values. `path` is its name without the leading slash, as in its ARN.

    `shared` are resource policies by their id; `version` is the latest.
    """

    path: str
    name: str
    type: str
    tier: str
    data_type: str = "text"
    key_id: str = ""
    description: str = ""
    allowed_pattern: str = ""
    version: int = 1
    modified: datetime
    modified_by: str
    tags: dict[str, str] = {}
    policies: tuple[Policy, ...] = ()
    shared: dict[str, str] = {}

    @property
    def policy(self) -> str:
        """All resource policies as one: what authorisation looks at."""
        if not self.shared:
            return ""
        statements: list[Any] = []
        for text in self.shared.values():
            found = json.loads(text)["Statement"]
            statements += [found] if isinstance(found, dict) else found
        return json.dumps({"Version": "2012-10-17", "Statement": statements})


@record("ssm", "parameter-version", key="key", index=("path",))
class Version(Record, frozen=True, kw_only=True):
    """A version of a parameter. A SecureString has `sealed` (a KMS ciphertext, or an envelope for the advanced tier)
    and no `value`."""

    key: str
    path: str
    number: int
    type: str
    tier: str
    value: str = ""
    sealed: bytes = b""
    data_type: str = "text"
    key_id: str = ""
    description: str = ""
    allowed_pattern: str = ""
    modified: datetime
    modified_by: str
    labels: tuple[str, ...] = ()
    policies: tuple[Policy, ...] = ()


@record("ssm", "servicesetting", key="id", arn="servicesetting{id}")
class Setting(Record, frozen=True, kw_only=True):
    """A service setting that is not at its default."""

    id: str
    value: str
    modified: datetime
    modified_by: str


def version_key(path: str, number: int) -> str:
    """The key of a version's record."""
    return f"{path}:{number}"
