"""What IAM stores.

Names are unique whatever their case and keep the case they were given: the key is the name as given, `folded` finds
it in any case. Attachments, inline policies and memberships lie in the principal's own record, so that all that
bears on a principal is read at once.
"""

from __future__ import annotations

from datetime import datetime

import msgspec

from cloudjar.kit.record import Quota, Record, record
from cloudjar.spec import quotas

MISSING = "NoSuchEntity"


def count_quota(code: tuple[str, str], name: str) -> tuple[Quota, ...]:
    """A quota on how many there are in an account, worded as IAM words them."""
    error = ("LimitExceeded", f"Cannot exceed quota for {name}: {{limit}}")
    return (Quota(code, error),)


class Named(Record, frozen=True, kw_only=True):
    """What every named entity of an account has. `id` is the unique id (``AIDA...``); `path` begins and ends in /."""

    name: str
    folded: str
    id: str
    path: str
    created: datetime


class Principal(Named, frozen=True, kw_only=True):
    """A user, group or role: what policies are attached to and embedded in."""

    attached: tuple[str, ...] = ()
    """ARNs of managed policies, in the order they were attached."""
    inline: dict[str, str] = msgspec.field(default_factory=dict)
    """Policy documents by name."""


@record(
    "iam",
    "user",
    key="name",
    index=("folded", "id"),
    arn="user{path}{name}",
    missing=(MISSING, "The user with name {key} cannot be found.", 404),
    quotas=count_quota(quotas.IAM_USERS, "UsersPerAccount"),
    regional=False,
)
class User(Principal, frozen=True, kw_only=True):
    """An IAM user; `groups` are names."""

    boundary: str = ""
    tags: dict[str, str] = msgspec.field(default_factory=dict)
    groups: tuple[str, ...] = ()
    password_used: datetime | None = None


@record(
    "iam",
    "group",
    key="name",
    index=("folded",),
    arn="group{path}{name}",
    missing=(MISSING, "The group with name {key} cannot be found.", 404),
    quotas=count_quota(quotas.IAM_GROUPS, "GroupsPerAccount"),
    regional=False,
)
class Group(Principal, frozen=True, kw_only=True):
    """A group of users; membership is kept with the users."""


@record(
    "iam",
    "role",
    key="name",
    index=("folded", "id"),
    arn="role{path}{name}",
    missing=(MISSING, "The role with name {key} cannot be found.", 404),
    quotas=count_quota(quotas.IAM_ROLES, "RolesPerAccount"),
    regional=False,
)
class Role(Principal, frozen=True, kw_only=True):
    """A role; `max_session` is in seconds. `trust` is no resource policy: it speaks of assuming the role alone."""

    trust: str
    description: str = ""
    max_session: int = 3600
    boundary: str = ""
    tags: dict[str, str] = msgspec.field(default_factory=dict)
    linked_service: str = ""
    """The service principal that a service-linked role belongs to."""


class Version(msgspec.Struct, frozen=True):
    """One version of a managed policy."""

    id: str
    document: str
    created: datetime


@record(
    "iam",
    "policy",
    key="arn",
    index=("folded",),
    arn="policy{path}{name}",
    missing=(MISSING, "Policy {key} was not found.", 404),
    quotas=count_quota(quotas.IAM_POLICIES, "PoliciesPerAccount"),
    regional=False,
)
class ManagedPolicy(Named, frozen=True, kw_only=True):
    """A customer managed policy; `versions` are oldest first, `last` is the number of the newest ever made."""

    arn: str
    description: str = ""
    updated: datetime
    default: str = "v1"
    versions: tuple[Version, ...]
    last: int = 1
    tags: dict[str, str] = msgspec.field(default_factory=dict)


@record(
    "iam",
    "access-key",
    index=("user",),
    arn="access-key/{id}",
    missing=(MISSING, "The Access Key with id {key} cannot be found.", 404),
    regional=False,
    everywhere=True,
)
class AccessKey(Record, frozen=True, kw_only=True):
    """A user's access key; `secret` is sealed for the purpose ``access-key/ID``."""

    id: str
    user: str
    secret: bytes
    created: datetime
    active: bool = True
    changed: datetime | None = None
    """When it was last made active or inactive."""


@record("iam-use", "access-key", arn="access-key/{id}", regional=False)
class KeyUse(Record, frozen=True, kw_only=True):
    """When a key was last used; apart from the key, since writing it must not empty the policy caches."""

    id: str
    at: datetime
    service: str
    used_in: str


@record("iam-use", "role", arn="role/{id}", regional=False)
class RoleUse(Record, frozen=True, kw_only=True):
    """When a role was last used; `id` is its unique id."""

    id: str
    at: datetime
    used_in: str


@record(
    "iam",
    "instance-profile",
    key="name",
    index=("folded", "role"),
    arn="instance-profile{path}{name}",
    missing=(MISSING, "Instance Profile {key} cannot be found.", 404),
    quotas=count_quota(quotas.IAM_INSTANCE_PROFILES, "InstanceProfilesPerAccount"),
    regional=False,
)
class InstanceProfile(Named, frozen=True, kw_only=True):
    """What an instance carries: at most one role, by name."""

    role: str = ""
    tags: dict[str, str] = msgspec.field(default_factory=dict)


@record(
    "iam",
    "login-profile",
    key="user",
    missing=(MISSING, "Login Profile for User {key} cannot be found.", 404),
    regional=False,
)
class LoginProfile(Record, frozen=True, kw_only=True):
    """A user's console password: salted scrypt, never the password itself."""

    user: str
    created: datetime
    salt: bytes = b""
    hash: bytes = b""
    reset_required: bool = False
    changed: datetime | None = None
    """When the password was last set; None: when it was made."""
    previous: tuple[tuple[bytes, bytes], ...] = ()
    """Salt and hash of passwords before this one, the newest first, as many as a policy may forbid to use again."""


@record(
    "iam",
    "account-alias",
    key="alias",
    missing=(MISSING, "The account alias {key} cannot be found.", 404),
    regional=False,
    everywhere=True,
)
class AccountAlias(Record, frozen=True, kw_only=True):
    """The account's name in its sign-in address; unique over all accounts."""

    alias: str


@record(
    "iam",
    "password-policy",
    key="name",
    missing=(MISSING, "The Password Policy with domain name {key} cannot be found.", 404),
    regional=False,
)
class PasswordPolicy(Record, frozen=True, kw_only=True):
    """The account's rules for passwords; `name` is the account number. Zero means no limit."""

    name: str
    minimum: int = 6
    symbols: bool = False
    numbers: bool = False
    upper: bool = False
    lower: bool = False
    users_change: bool = False
    max_age: int = 0
    reuse: int = 0
    hard_expiry: bool | None = None


@record("iam", "account-preferences", key="name", regional=False)
class AccountPreferences(Record, frozen=True, kw_only=True):
    """What the account chose; `name` is the account number."""

    name: str
    token_version: int = 1
    """Of session tokens of STS's global endpoint. Ours are good in every region, whichever it is."""


@record(
    "iam",
    "deletion-task",
    missing=(MISSING, "Deletion task {key} cannot be found.", 404),
    regional=False,
)
class DeletionTask(Record, frozen=True, kw_only=True):
    """That a service-linked role was deleted, or why not: what its caller asks after."""

    id: str
    usage: list[tuple[str, tuple[str, ...]]] = []
    """Regions and ARNs that still need it."""
