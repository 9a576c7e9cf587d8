"""A key pair as it is stored: the public half. The private half is shown once and never kept."""

from __future__ import annotations

from datetime import datetime

from cloudjar.kit.record import Record, record


@record(
    "ec2",
    "key-pair",
    key="name",
    index=("id",),
    missing=("InvalidKeyPair.NotFound", "The key pair '{key}' does not exist"),
)
class KeyPair(Record, frozen=True, kw_only=True):
    """`public_key` is one line in OpenSSH's form, the key's name as its comment."""

    name: str
    id: str
    type: str
    fingerprint: str
    public_key: str
    created: datetime
    tags: dict[str, str] = {}
