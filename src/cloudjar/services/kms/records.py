"""What KMS stores. Key material lies sealed, apart from the keys: it comes and goes by rules of its own."""

from __future__ import annotations

from datetime import datetime

import msgspec

from cloudjar.kit.record import Quota, Record, record

ENABLED, DISABLED = "Enabled", "Disabled"
PENDING_DELETION, PENDING_REPLICA_DELETION = "PendingDeletion", "PendingReplicaDeletion"
PENDING_IMPORT = "PendingImport"
LEAVING = (PENDING_DELETION, PENDING_REPLICA_DELETION)

CURRENT, NON_CURRENT, PENDING_ROTATION = "CURRENT", "NON_CURRENT", "PENDING_ROTATION"


@record(
    "kms",
    "key",
    missing=("NotFoundException", "Invalid keyId '{key}'"),
    quotas=(
        Quota(
            ("kms", "L-C2F1777E"),
            ("LimitExceededException", "The maximum number of KMS keys ({limit}) has been reached."),
            counts=lambda key: key.manager == "CUSTOMER",
        ),
    ),
    index=("multi_region",),
)
class Key(Record, frozen=True, kw_only=True):
    """A KMS key. A multi-Region key is one record per Region, with the same id."""

    id: str
    spec: str
    usage: str
    origin: str
    state: str
    made: datetime
    policy: str
    description: str = ""
    manager: str = "CUSTOMER"
    tags: dict[str, str] = {}
    aliases: tuple[str, ...] = ()
    """Names of its aliases: policies ask for them at every use of the key (``kms:ResourceAliases``)."""
    principals: dict[str, str] = {}
    """Unique ids of the users and roles that the policy named when it was put: a later namesake is somebody else."""
    material: str = ""
    """The current key material's id."""
    rotations: int = 0
    on_demand: int = 0
    rotation_days: int = 0
    """Days between automatic rotations; 0 when they are off."""
    next_rotation: datetime | None = None
    deletion: datetime | None = None
    """When the key is deleted; for a primary key that waits for its replicas, None."""
    window: int = 0
    """Days of the waiting period that was asked for."""
    multi_region: str = ""
    """PRIMARY, REPLICA or nothing."""
    primary: str = ""
    """Region of the primary key."""
    replicas: tuple[str, ...] = ()
    """Regions of the replica keys."""


@record("kms", "material", index=("key_id",))
class Material(Record, frozen=True, kw_only=True):
    """One generation of a key's material, in the Region of its key. `sealed` is empty when an import is missing."""

    id: str
    key_id: str
    number: int
    sealed: bytes
    state: str = CURRENT
    description: str = ""
    imported: bool = False
    valid_to: datetime | None = None
    rotated: datetime | None = None
    """When it took its predecessor's place; None for the first."""
    rotation: str = ""


@record(
    "kms",
    "alias",
    key="name",
    index=("key_id",),
    arn="{name}",
    quotas=(
        Quota(
            ("kms", "L-340F62FB"),
            ("LimitExceededException", "The maximum number of aliases ({limit}) for the KMS key has been reached."),
            per="key_id",
        ),
    ),
)
class Alias(Record, frozen=True, kw_only=True):
    """Another name of a key: ``alias/...``."""

    name: str
    key_id: str
    made: datetime
    updated: datetime


class Principal(msgspec.Struct, frozen=True):
    """Who a grant is for: an ARN or a service's name, and the unique id behind the ARN of a user or role."""

    name: str
    id: str = ""
    service: bool = False


@record(
    "kms",
    "grant",
    index=("key_id",),
    quotas=(
        Quota(
            ("kms", "L-D594A657"),
            ("LimitExceededException", "The maximum number of grants ({limit}) on the KMS key has been reached."),
            per="key_id",
        ),
    ),
)
class KeyGrant(Record, frozen=True, kw_only=True):
    """A permission to use a key, outside its policy. Lies with the key."""

    id: str
    key_id: str
    made: datetime
    issuer: str
    """The account that made it."""
    grantee: Principal
    retiring: Principal | None = None
    operations: tuple[str, ...] = ()
    name: str = ""
    equals: dict[str, str] | None = None
    subset: dict[str, str] | None = None
    source_arn: str = ""


@record("kms", "spare", key="spec", regional=False)
class Spare(Record, frozen=True, kw_only=True):
    """An RSA key made beforehand; `sealed` is empty while the next one is being made."""

    spec: str
    sealed: bytes = b""
