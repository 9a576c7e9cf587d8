"""What happened, as EventBridge will see it: state changes and domain events, in the order of their commits."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec

from cloudjar.base import ids
from cloudjar.base.clock import Clock
from cloudjar.store.database import Database

if TYPE_CHECKING:
    from cloudjar.kit.audit_event import AuditEvent
    from cloudjar.kit.context import World

Hear = Callable[["World", str, str, dict[str, Any]], None]
_HEARERS: dict[tuple[str, str], list[Hear]] = {}


def hears(source: str, detail_type: str) -> Callable[[Hear], Hear]:
    """Decorator: a service is told of an event (world, account, region, detail) in the transaction that emits it.

    It may read and wake; what there is to do, its reconciler does. A service is told from its first call on, and after
    a start when its manifest says `boots`.
    """

    def declare(function: Hear) -> Hear:
        _HEARERS.setdefault((source, detail_type), []).append(function)
        return function

    return declare


class Event(NamedTuple):
    """One event; `detail` is JSON-ready."""

    seq: int
    id: str
    time: datetime
    account: str
    region: str
    source: str
    detail_type: str
    resources: tuple[str, ...]
    detail: dict[str, Any]


Tap = Callable[[Event], None]
Recorded = Callable[["AuditEvent", str, Callable[[], dict[str, Any]]], None]
"""Gets a call that CloudTrail recorded, its event source (``ec2.amazonaws.com``) and how to have its record made."""


class Events:
    """The event log: appended inside transactions, read by ``cloudjar events`` and heard by the default bus."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock
        self.world: World | None = None
        """Whose events they are: what hearers are given; set by the world itself."""
        self.taps: list[Tap] = []
        """Told of every event, in the transaction that emits it (its `seq` is not known to them)."""
        self.recorded: list[Recorded] = []
        """Told by CloudTrail of every call that a trail records; perhaps outside of a transaction."""
        database.execute(
            "CREATE TABLE IF NOT EXISTS event (seq INTEGER PRIMARY KEY, id TEXT, time REAL, account TEXT, "
            "region TEXT, source TEXT, detail_type TEXT, resources BLOB, detail BLOB)"
        )

    def emit(
        self,
        account: str,
        region: str,
        source: str,
        detail_type: str,
        detail: dict[str, Any],
        resources: tuple[str, ...] = (),
    ) -> None:
        """Append an event in the running transaction."""
        event_id, now = ids.uuid4(), self._clock.now()
        self._database.execute(
            "INSERT INTO event (id, time, account, region, source, detail_type, resources, detail) "
            "VALUES (?,?,?,?,?,?,?,?)",
            (
                event_id,
                now.timestamp(),
                account,
                region,
                source,
                detail_type,
                msgspec.json.encode(resources),
                msgspec.json.encode(detail),
            ),
        )
        if self.world is not None:
            for hear in _HEARERS.get((source, detail_type), ()):
                hear(self.world, account, region, detail)
        if self.taps:
            event = Event(0, event_id, now, account, region, source, detail_type, tuple(resources), detail)
            for tap in self.taps:
                tap(event)

    def since(self, seq: int, limit: int = 1000) -> list[Event]:
        """Events after a sequence number, oldest first."""
        rows = self._database.query("SELECT * FROM event WHERE seq > ? ORDER BY seq LIMIT ?", (seq, limit))
        return [_event(row) for row in rows]


def _event(row: tuple[Any, ...]) -> Event:
    return Event(
        row[0],
        row[1],
        datetime.fromtimestamp(row[2], UTC),
        row[3],
        row[4],
        row[5],
        row[6],
        tuple(msgspec.json.decode(row[7])),
        msgspec.json.decode(row[8]),
    )
