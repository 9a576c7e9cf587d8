"""What Secrets Manager stores: secrets, their versions (sealed), and how they are replicated and rotated."""

from __future__ import annotations

from datetime import datetime

import msgspec

from cloudjar.kit.envelope import Envelope
from cloudjar.kit.record import Record, record
from cloudjar.services.secretsmanager import errors

CURRENT, PREVIOUS, PENDING = "AWSCURRENT", "AWSPREVIOUS", "AWSPENDING"

_MISSING = errors.no_secret()


class Replica(msgspec.Struct, frozen=True):
    """A region that a primary secret is copied to, and how that went last."""

    region: str
    kms_key_id: str = ""
    status: str = "InProgress"
    message: str = ""


class Rotation(msgspec.Struct, frozen=True):
    """How a secret is rotated, and how far a rotation has come.

    `opens` and `closes` bound the next window; `token` is the version being made ("" when nothing runs), `step` counts
    the steps of the function that are done, `tries` the failed attempts; `testing` is a try-out of the configuration.
    """

    enabled: bool = False
    function: str = ""
    after_days: int = 0
    expression: str = ""
    duration: str = ""
    last: datetime | None = None
    opens: datetime | None = None
    closes: datetime | None = None
    token: str = ""
    step: int = 0
    tries: int = 0
    retry_at: datetime | None = None
    testing: bool = False


@record(
    "secretsmanager",
    "Secret",
    key="id",
    index=("name",),
    arn="secret:{id}",
    missing=(_MISSING.code, _MISSING.message),
)
class Secret(Record, frozen=True, kw_only=True):
    """A secret without its values. `id` is its name with the hyphen and six characters of its ARN.

    `accessed` is a day; `deleted` is when its recovery window ends. A replica has its primary's region in
    `primary_region`, which is not its own; a primary with replicas has its own.
    """

    id: str
    name: str
    description: str = ""
    kms_key_id: str = ""
    tags: dict[str, str] = {}
    policy: str = ""
    created: datetime
    changed: datetime
    accessed: datetime | None = None
    deleted: datetime | None = None
    primary_region: str = ""
    replicas: tuple[Replica, ...] = ()
    rotation: Rotation | None = None

    @property
    def is_replica(self) -> bool:
        """Whether it is a copy of a secret in another region."""
        return bool(self.primary_region) and self.primary_region != self.region


@record("secretsmanager", "version", key="key", index=("secret",))
class Version(Record, frozen=True, kw_only=True):
    """A version of a secret. `envelope` is None while a rotation has not put a value yet."""

    key: str
    secret: str
    id: str
    stages: tuple[str, ...] = ()
    envelope: Envelope | None = None
    kms_key_id: str = ""
    """The key as the secret named it then; "" for the default key."""
    binary: bool = False
    created: datetime
    accessed: datetime | None = None
    number: int = 0
    """Counts the versions of a secret, for those made at the same instant."""


def version_key(secret_id: str, version_id: str) -> str:
    """The key of a version's record."""
    return f"{secret_id}/{version_id}"
