"""What is stored of a fault."""

from __future__ import annotations

from datetime import datetime

from cloudjar.kit.record import Record, record


@record("fis", "fault", regional=False)
class Fault(Record, frozen=True, kw_only=True):
    """Something that is broken. All of them are in the account ``""``: they are the jar's, not an account's."""

    id: str
    kind: str
    """``zone`` or ``instance``: without power."""
    target: str
    """A zone's id, an instance's id."""
    since: datetime
    until: datetime | None = None
