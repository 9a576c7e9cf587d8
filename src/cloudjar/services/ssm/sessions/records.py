"""What is stored of sessions."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from cloudjar.kit.record import Record, record

CONNECTING, CONNECTED, TERMINATED, FAILED = "Connecting", "Connected", "Terminated", "Failed"
ACTIVE = (CONNECTING, CONNECTED)


@record(
    "ssm",
    "session",
    index=("status",),
    missing=("DoesNotExistException", "Session {key} does not exist"),
    everywhere=True,
)
class Session(Record, frozen=True, kw_only=True):
    """A session with a node. `ticket` counts its tokens: only the newest opens its stream."""

    id: str
    target: str
    status: str = CONNECTING
    began: datetime
    ended: datetime | None = None
    document: str = ""
    kind: str
    """The session type: ``Standard_Stream``, ``Port``, ``InteractiveCommands``, ``NonInteractiveCommands``."""
    properties: dict[str, Any] = {}
    """The document's properties with their parameters filled in."""
    owner: str
    owner_id: str = ""
    run_as: str = ""
    profile: str = ""
    """What a shell is told first."""
    reason: str = ""
    details: str = ""
    ticket: int = 1
    idle_minutes: int = 20
    most_minutes: int = 0
    """How long it may last; 0: for ever."""
