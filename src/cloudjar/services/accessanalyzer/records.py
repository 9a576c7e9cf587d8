"""What Access Analyzer stores."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import msgspec

from cloudjar.kit.record import Record, record

EXTERNAL = ("ACCOUNT", "ORGANIZATION")
UNUSED = ("ACCOUNT_UNUSED_ACCESS", "ORGANIZATION_UNUSED_ACCESS")


class Criterion(msgspec.Struct, frozen=True, omit_defaults=True):
    """What an attribute of a finding must be."""

    eq: tuple[str, ...] = ()
    neq: tuple[str, ...] = ()
    contains: tuple[str, ...] = ()
    exists: bool | None = None


class ArchiveRule(msgspec.Struct, frozen=True, kw_only=True):
    """New findings that meet all criteria are archived at once."""

    filter: dict[str, Criterion]
    created: datetime
    updated: datetime


class Exclusion(msgspec.Struct, frozen=True):
    """What an analyzer of unused access leaves out: accounts, and principals with all tags of one of the sets."""

    accounts: tuple[str, ...] = ()
    tags: tuple[dict[str, str], ...] = ()


@record(
    "access-analyzer",
    "Analyzer",
    key="name",
    arn="analyzer/{name}",
    missing=("ResourceNotFoundException", "Analyzer {key} not found", 404),
)
class Analyzer(Record, frozen=True, kw_only=True):
    """An analyzer of its Region; `age` is in days (unused access)."""

    name: str
    type: str
    created: datetime
    tags: dict[str, str] = msgspec.field(default_factory=dict)
    rules: dict[str, ArchiveRule] = msgspec.field(default_factory=dict)
    age: int = 90
    exclusions: tuple[Exclusion, ...] = ()
    last_resource: str = ""
    last_at: datetime | None = None


class Unused(msgspec.Struct, frozen=True, kw_only=True):
    """A service that a principal may use and did not, or of which it left some actions unused."""

    service: str
    last: datetime | None = None
    actions: tuple[tuple[str, datetime | None], ...] = ()
    """Unused actions and their last use; empty when none of the service was used."""


@record(
    "access-analyzer",
    "finding",
    index=("analyzer", "resource"),
    missing=("ResourceNotFoundException", "Finding {key} not found", 404),
)
class Finding(Record, frozen=True, kw_only=True):
    """What an analyzer found out; lies with its analyzer.

    `place` is what makes it the same finding when it is seen again. `type` is the API's finding type. The rest is of
    external access (`principal` to `public`) or of unused access (`last`, `key`, `unused`).
    """

    id: str
    analyzer: str
    place: str
    type: str
    resource: str
    resource_type: str
    owner: str
    status: str = "ACTIVE"
    created: datetime
    analyzed: datetime
    updated: datetime
    principal: dict[str, str] = msgspec.field(default_factory=dict)
    actions: tuple[str, ...] = ()
    condition: dict[str, str] = msgspec.field(default_factory=dict)
    public: bool = False
    last: datetime | None = None
    key: str = ""
    unused: tuple[Unused, ...] = ()
    sources: list[dict[str, Any]] = msgspec.field(default_factory=lambda: [{"type": "POLICY"}])
    """What gives the access: a policy, a bucket's ACL, an access point."""


@record(
    "access-analyzer",
    "recommendation",
    missing=("ResourceNotFoundException", "Recommendation {key} not found", 404),
)
class Recommendation(Record, frozen=True, kw_only=True):
    """How a finding of unused permissions could be answered; `id` is the finding's. Steps are (action, ARN or name of
    the policy that is, new document or "")."""

    id: str
    resource: str
    started: datetime
    completed: datetime
    steps: tuple[tuple[str, str, str], ...] = ()


@record("access-analyzer", "generation", index=("principal",))
class Generation(Record, frozen=True, kw_only=True):
    """A job that makes a policy of what a principal did between two instants."""

    id: str
    principal: str
    started: datetime
    start: datetime
    end: datetime
    trails: tuple[str, ...] = ()
    status: str = "IN_PROGRESS"
    completed: datetime | None = None
    used: tuple[tuple[str, tuple[str, ...]], ...] = ()
    """Actions and the resources on which they were used."""
