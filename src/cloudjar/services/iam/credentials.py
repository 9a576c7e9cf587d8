"""What IAM stores of certificates, SSH keys and credentials for single services. Users are meant by unique id, so that
a rename changes nothing.
"""

from __future__ import annotations

from datetime import datetime

import msgspec

from cloudjar.kit.record import Record, record
from cloudjar.services.iam.records import MISSING, Named, count_quota
from cloudjar.spec import quotas


@record(
    "iam",
    "server-certificate",
    key="name",
    index=("folded",),
    arn="server-certificate{path}{name}",
    missing=(MISSING, "The Server Certificate with name {key} cannot be found.", 404),
    quotas=count_quota(quotas.IAM_SERVER_CERTIFICATES, "ServerCertificatesPerAccount"),
    regional=False,
)
class ServerCertificate(Named, frozen=True, kw_only=True):
    """A certificate for TLS with its key, which is sealed for the purpose ``server-certificate/ID``; PEM."""

    body: str
    chain: str = ""
    key: bytes
    expires: datetime
    tags: dict[str, str] = msgspec.field(default_factory=dict)


class OfUser(Record, frozen=True, kw_only=True):
    """What hangs on a user, by his unique id, and can be switched off."""

    id: str
    user_id: str
    made: datetime
    active: bool = True
    changed: datetime | None = None
    """When it was last made active or inactive."""


@record(
    "iam",
    "signing-certificate",
    index=("user_id",),
    missing=(MISSING, "The Certificate with id {key} cannot be found.", 404),
    regional=False,
    everywhere=True,
)
class SigningCertificate(OfUser, frozen=True, kw_only=True):
    """An X.509 certificate by which old SOAP requests are signed; PEM. No service here takes such requests."""

    body: str


@record(
    "iam",
    "ssh-public-key",
    index=("user_id",),
    missing=(MISSING, "The Public Key with id {key} cannot be found.", 404),
    regional=False,
)
class SshPublicKey(OfUser, frozen=True, kw_only=True):
    """A public key for CodeCommit, in the form ``ssh-rsa BASE64``."""

    body: str
    fingerprint: str


@record(
    "iam",
    "service-specific-credential",
    index=("user_id",),
    missing=(MISSING, "No such credential {key} exists", 404),
    regional=False,
)
class ServiceCredential(OfUser, frozen=True, kw_only=True):
    """A name and a password, or an API key, for one service; of the secret, its salted scrypt hash is kept."""

    service: str
    name: str
    salt: bytes
    hash: bytes
    expires: datetime | None = None
