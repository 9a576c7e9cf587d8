"""What is remembered of a managed node while it cannot be asked."""

from __future__ import annotations

from datetime import datetime

from cloudjar.kit.record import Record, record


@record("ssm", "node")
class Node(Record, frozen=True, kw_only=True):
    """An instance whose agent has reported once. `seen` is when it was last known to be up."""

    id: str
    seen: datetime
