"""What Trusted Advisor stores: what each check found last, and what its reader wants to hear no more of."""

from __future__ import annotations

from datetime import datetime

from cloudjar.kit.advice import Finding
from cloudjar.kit.record import Record, record


@record("trustedadvisor", "outcome", key="check", regional=False)
class Kept(Record, frozen=True, kw_only=True):
    """The last look of a check; `at` is None before the first, `asked` is when a refresh was asked for that has not
    run yet."""

    check: str
    at: datetime | None = None
    created: datetime | None = None
    changed: datetime | None = None
    """When the findings were last others than before."""
    state: str = "not_available"
    findings: tuple[Finding, ...] = ()
    asked: datetime | None = None


@record("trustedadvisor", "exclusion", key="place", index=("check",), regional=False)
class Exclusion(Record, frozen=True, kw_only=True):
    """A resource that a check shall leave out; `place` is ``CHECK/KEY``."""

    place: str
    check: str
