"""AWS managed policies: their names, paths and versions without reading a document; each document on demand.

https://docs.aws.amazon.com/aws-managed-policy/latest/reference/
"""

from __future__ import annotations

from base64 import b32encode
from collections.abc import Iterator
from datetime import datetime
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import NamedTuple

import msgspec

_DATA = Path(__file__).with_name("data") / "managed_policies"


class ManagedPolicy(NamedTuple):
    """One AWS managed policy; its document is read by `document`."""

    name: str
    path: str
    default_version: str
    created: datetime
    updated: datetime

    @property
    def arn(self) -> str:
        """``arn:aws:iam::aws:policy/service-role/...``."""
        return f"arn:aws:iam::aws:policy{self.path}{self.name}"

    @property
    def id(self) -> str:
        """A stable ANPA... id. AWS's own ids are not public data: this one is derived from the ARN."""
        return "ANPA" + b32encode(sha256(self.arn.encode()).digest()).decode()[:17]

    @property
    def service_linked(self) -> bool:
        """Whether only service-linked roles may have it: attaching it is answered PolicyNotAttachable."""
        return self.path == "/aws-service-role/"


class _Row(msgspec.Struct, array_like=True):
    path: str
    version: str
    created: datetime
    updated: datetime
    place: int
    length: int


@cache
def _index() -> dict[str, _Row]:
    return msgspec.json.decode((_DATA / "index.json").read_bytes(), type=dict[str, _Row])


def names() -> tuple[str, ...]:
    """Every policy's name, in alphabetical order."""
    return tuple(_index())


def policies() -> Iterator[ManagedPolicy]:
    """Every policy, in alphabetical order; no document is read."""
    return (_policy(name, row) for name, row in _index().items())


def _policy(name: str, row: _Row) -> ManagedPolicy:
    return ManagedPolicy(name, row.path, row.version, row.created, row.updated)


def by_arn(arn: str) -> ManagedPolicy | None:
    """The policy of an ARN, which must have the right path; None when AWS has no such policy."""
    row = _index().get(name := arn.rsplit("/", 1)[-1])
    found = _policy(name, row) if row else None
    return found if found and found.arn == arn else None


@cache
def document(name: str) -> str:
    """The JSON document of a policy's default version; KeyError when there is no such policy."""
    row = _index()[name]
    with (_DATA / "documents.jsonl").open("rb") as file:
        file.seek(row.place)
        return file.read(row.length).decode()
