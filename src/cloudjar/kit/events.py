"""What happened, as EventBridge will see it: state changes and domain events, in the order of their commits."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, NamedTuple

import msgspec

from cloudjar.base import ids
from cloudjar.base.clock import Clock
from cloudjar.store.database import Database


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


class Events:
    """The event log: appended inside transactions, read by ``cloudjar events`` and the default bus."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock
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
        self._database.execute(
            "INSERT INTO event (id, time, account, region, source, detail_type, resources, detail) "
            "VALUES (?,?,?,?,?,?,?,?)",
            (
                ids.uuid4(),
                self._clock.now().timestamp(),
                account,
                region,
                source,
                detail_type,
                msgspec.json.encode(resources),
                msgspec.json.encode(detail),
            ),
        )

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
