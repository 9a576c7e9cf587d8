"""What is stored of a fault."""

from __future__ import annotations

from datetime import datetime

from cloudjar.kit.faults import Strike
from cloudjar.kit.record import Record, record


@record("fis", "fault", regional=False, index=("owner",))
class Fault(Record, frozen=True, kw_only=True):
    """Something that is broken. All of them are in the account ``""``: they are the jar's, not an account's."""

    id: str
    kind: str
    """``zone`` or ``instance``: without power; ``api``: calls of a role fail."""
    target: str
    """A zone's id, an instance's id, a role's ARN."""
    since: datetime
    until: datetime | None = None
    strike: Strike | None = None
    owner: str = ""
    """The action of an experiment that began it; "" for one begun by hand."""
