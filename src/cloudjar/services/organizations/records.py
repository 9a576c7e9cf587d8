"""What Organizations stores: everything of an organization lies in its management account.

An account's own record there (`Member`) can be found from anywhere, so that one look-up tells which organization an
account belongs to. Name, address and state of accounts are not the organization's: they lie in `kit.accounts`.
"""

from __future__ import annotations

from datetime import datetime
from typing import Literal

import msgspec

from cloudjar.kit.record import Record, record

SCP, RCP = "SERVICE_CONTROL_POLICY", "RESOURCE_CONTROL_POLICY"


@record("organizations", "organization", regional=False, everywhere=True)
class Organization(Record, frozen=True, kw_only=True):
    """An organization; its account is the management account. `services` have trusted access, since when."""

    id: str
    root: str
    features: str
    created: datetime
    services: dict[str, datetime] = msgspec.field(default_factory=dict)


@record("organizations", "root", arn="root/{org}/{id}", regional=False)
class Root(Record, frozen=True, kw_only=True):
    """The top of the tree; `types` are the policy types that are enabled."""

    id: str
    org: str
    types: tuple[str, ...] = ()
    tags: dict[str, str] = msgspec.field(default_factory=dict)


@record("organizations", "organizationalunit", index=("parent",), arn="ou/{org}/{id}", regional=False)
class Unit(Record, frozen=True, kw_only=True):
    """An organizational unit below the root or another one."""

    id: str
    org: str
    parent: str
    name: str
    tags: dict[str, str] = msgspec.field(default_factory=dict)


@record("organizations", "account", index=("parent",), arn="account/{org}/{id}", regional=False, everywhere=True)
class Member(Record, frozen=True, kw_only=True):
    """An account's place in its organization; `id` is the account number.

    `delegations` are the service principals that it administers for the organization, since when; `closing` is when
    it was asked to be closed.
    """

    id: str
    org: str
    parent: str
    joined: datetime
    method: Literal["CREATED", "INVITED"]
    delegations: dict[str, datetime] = msgspec.field(default_factory=dict)
    closing: datetime | None = None
    tags: dict[str, str] = msgspec.field(default_factory=dict)


@record("organizations", "create-account", index=("state",), regional=False)
class CreateRequest(Record, frozen=True, kw_only=True):
    """An account that was asked for, and what became of it (``CreateAccountStatus``)."""

    id: str
    org: str
    name: str
    email: str
    role: str
    bills: bool = True
    """Whether users of the account may be let see its bills (``IamUserAccessToBilling``)."""
    requested: datetime
    state: str = "IN_PROGRESS"
    number: str = ""
    failure: str = ""
    completed: datetime | None = None
    tags: dict[str, str] = msgspec.field(default_factory=dict)


@record("organizations", "handshake", index=("target",), arn="handshake/{org}/{kind}/{id}", regional=False,
        everywhere=True)  # fmt: skip
class Handshake(Record, frozen=True, kw_only=True):
    """An agreement in the making.

    `kind` is the action in lower case (``invite``); `target` the account number or, when the invitation went to an
    address, that address; `parent` the handshake that it is a part of.
    """

    id: str
    org: str
    kind: str
    target: str
    requested: datetime
    expires: datetime
    state: str
    notes: str = ""
    parent: str = ""
    ended: datetime | None = None
    tags: dict[str, str] = msgspec.field(default_factory=dict)


@record("organizations", "policy", index=("type",), arn="policy/{org}/{kind}/{id}", regional=False)
class StoredPolicy(Record, frozen=True, kw_only=True):
    """A customer's policy; `kind` is the type in lower case, as the ARN has it."""

    id: str
    org: str
    type: str
    kind: str
    name: str
    description: str
    content: str
    tags: dict[str, str] = msgspec.field(default_factory=dict)


@record("organizations", "attachment", key="id", index=("target", "policy", "type"), regional=False)
class Attachment(Record, frozen=True, kw_only=True):
    """That a policy is attached to a root, OU or account; `id` is both, `since` gives the order."""

    id: str
    target: str
    policy: str
    type: str
    since: datetime


@record("organizations", "resourcepolicy", arn="resourcepolicy/{org}/{id}", regional=False)
class Delegation(Record, frozen=True, kw_only=True):
    """The organization's resource policy: what of its own administration it leaves to member accounts."""

    id: str
    org: str
    content: str
    tags: dict[str, str] = msgspec.field(default_factory=dict)
