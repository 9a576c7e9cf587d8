"""What is stored: certificates with their keys sealed, and an account's configuration.

https://docs.aws.amazon.com/acm/latest/APIReference/API_CertificateDetail.html
"""

from __future__ import annotations

from datetime import datetime

import msgspec

from cloudjar.kit.record import Quota, Record, record

CERTIFICATE = "acm/certificate"


class Proof(msgspec.Struct, frozen=True, kw_only=True):
    """That whoever asked owns a domain: a DNS record, or mail to addresses of `validation_domain`."""

    domain: str
    validation_domain: str
    method: str
    name: str = ""
    value: str = ""
    given: bool = False


class Renewal(msgspec.Struct, frozen=True, kw_only=True):
    """How far the latest renewal has come."""

    status: str
    updated: datetime
    reason: str = ""


class Facts(msgspec.Struct, frozen=True, kw_only=True):
    """What is written in an X.509 certificate, in the API's words."""

    not_before: datetime
    not_after: datetime
    serial: str
    subject: str
    issuer: str
    algorithm: str
    signature: str
    usages: tuple[str, ...] = ()
    extended: tuple[tuple[str, str], ...] = ()
    """(name, OID)."""


@record(
    "acm",
    "certificate",
    key="arn",
    index=("token",),
    arn="certificate/{id}",
    missing=("ResourceNotFoundException", "Could not find certificate {key}."),
    quotas=(
        Quota(
            ("acm", "L-F141DD1D"),
            ("LimitExceededException", "Error: you have reached your limit of {limit} certificates."),
        ),
    ),
)
class Certificate(Record, frozen=True, kw_only=True):
    """A certificate, asked for or brought. `names` begins with `domain`; `body` and `chain` are PEM, `key` sealed."""

    arn: str
    id: str
    domain: str
    names: tuple[str, ...]
    kind: str
    algorithm: str
    created: datetime
    state: str = "PENDING_VALIDATION"
    reason: str = ""
    """Why it failed."""
    proofs: tuple[Proof, ...] = ()
    token: str = ""
    transparent: bool = True
    exportable: bool = False
    exported: bool = False
    managed_by: str = ""
    facts: Facts | None = None
    body: str = ""
    chain: str = ""
    key: bytes = b""
    issued: datetime | None = None
    imported: datetime | None = None
    renewal: Renewal | None = None
    users: tuple[str, ...] = ()
    """ARNs of what serves with it."""
    tags: dict[str, str] = {}


@record("acm", "configuration", key="id")
class Configuration(Record, frozen=True, kw_only=True):
    """What an account has set for its certificates in a Region."""

    id: str = "configuration"
    days_before_expiry: int = 45


def purpose(certificate: Certificate) -> str:
    """What a private key is sealed for."""
    return f"acm {certificate.arn}"
