"""Events that archives keep."""

from __future__ import annotations

from typing import NamedTuple

import msgspec

from cloudjar.kit import own_tables
from cloudjar.kit.context import World
from cloudjar.kit.envelope import Envelope
from cloudjar.store.database import Database

_PORT = "events.archived"
_PURPOSE = "events-archived"
_OWN, _KMS = b"\0", b"\1"
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
        own_tables.create(self._database, _SCHEMA)

    def add(self, archive: str, text: str, time: float, received: float, envelope: Envelope | None = None) -> None:
        """Keep an event (its JSON), which happened at a time; in an envelope when there is one."""
        plain = text.encode()
        if envelope is None:
            data = _OWN + self._sealer.seal(plain, _PURPOSE)
        else:
            data = _KMS + msgspec.msgpack.encode(envelope)
        self._database.execute(
            "INSERT INTO events_archived (archive, time, received, size, data) VALUES (?,?,?,?,?)",
            (archive, time, received, len(plain), data),
        )

    def held(self, archive: str) -> Held:
        """How much an archive keeps."""
        asked = "SELECT count(*), coalesce(sum(size), 0), min(received) FROM events_archived WHERE archive=?"
        return Held(*self._database.query(asked, (archive,))[0])

    def after(
        self, archive: str, place: tuple[float, int], end: float, limit: int
    ) -> list[tuple[tuple[float, int], bytes | Envelope]]:
        """Events behind a place, (time, number), and not later than `end`, oldest first: each with its own place, as
        JSON or in its envelope."""
        rows = self._database.query(
            "SELECT time, seq, data FROM events_archived WHERE archive=? AND (time, seq) > (?, ?) AND time<=? "
            "ORDER BY time, seq LIMIT ?",
            (archive, *place, end, limit),
        )
        return [((time, seq), self._opened(data)) for time, seq, data in rows]

    def _opened(self, data: bytes) -> bytes | Envelope:
        if data[:1] == _KMS:
            return msgspec.msgpack.decode(data[1:], type=Envelope)
        opened = self._sealer.open(data[1:], _PURPOSE)
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
    return own_tables.of_jar(world, _PORT, lambda: Archived(world))
