"""Events that archives keep."""

from __future__ import annotations

import json
from typing import Any, NamedTuple

from cloudjar.kit.context import World
from cloudjar.store.database import Database

_PORT = "events.archived"
_PURPOSE = "events-archived"
_SCHEMA = (
    "CREATE TABLE IF NOT EXISTS events_archived (seq INTEGER PRIMARY KEY AUTOINCREMENT, archive TEXT, time REAL, "
    "received REAL, size INTEGER, data BLOB)",
    "CREATE INDEX IF NOT EXISTS events_archived_at ON events_archived (archive, time, seq)",
)


class Held(NamedTuple):
    """How much an archive keeps."""

    events: int
    size: int
    oldest: float | None
    """When its oldest event was received."""


class Archived:
    """The table. `archive` is ``account/Region/name``, times Unix seconds. Writes are in the caller's transaction."""

    def __init__(self, world: World) -> None:
        self._database: Database = world.state.database
        self._sealer = world.sealer
        with self._database.lock:
            for statement in _SCHEMA:
                self._database.execute(statement)

    def add(self, archive: str, text: str, time: float, received: float) -> None:
        """Keep an event (its JSON), which happened at a time."""
        sealed = self._sealer.seal(text.encode(), _PURPOSE)
        self._database.execute(
            "INSERT INTO events_archived (archive, time, received, size, data) VALUES (?,?,?,?,?)",
            (archive, time, received, len(text.encode()), sealed),
        )

    def held(self, archive: str) -> Held:
        """How much an archive keeps."""
        asked = "SELECT count(*), coalesce(sum(size), 0), min(received) FROM events_archived WHERE archive=?"
        return Held(*self._database.query(asked, (archive,))[0])

    def after(
        self, archive: str, place: tuple[float, int], end: float, limit: int
    ) -> list[tuple[tuple[float, int], dict[str, Any]]]:
        """Events behind a place, (time, number), and not later than `end`, each with its own place, oldest first."""
        rows = self._database.query(
            "SELECT time, seq, data FROM events_archived WHERE archive=? AND (time, seq) > (?, ?) AND time<=? "
            "ORDER BY time, seq LIMIT ?",
            (archive, *place, end, limit),
        )
        return [((time, seq), json.loads(self._opened(data))) for time, seq, data in rows]

    def _opened(self, data: bytes) -> bytes:
        opened = self._sealer.open(data, _PURPOSE)
        if opened is None:
            raise RuntimeError("an event was sealed by another installation")
        return opened

    def expire(self, archive: str, before: float) -> None:
        """Drop what was received before an instant."""
        self._database.execute("DELETE FROM events_archived WHERE archive=? AND received<=?", (archive, before))

    def erase(self, archive: str) -> None:
        """The archive is gone."""
        self._database.execute("DELETE FROM events_archived WHERE archive=?", (archive,))


def archived(world: World) -> Archived:
    """The table of a jar."""
    held: Archived | None = world.ports.get(_PORT)
    if held is None:
        held = world.ports[_PORT] = Archived(world)
        world.state.database.undone(lambda: world.ports.pop(_PORT, None))
    return held
