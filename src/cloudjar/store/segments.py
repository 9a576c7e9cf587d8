"""What went on evenly for a while: segments of time by key, for metrics that are derived when somebody asks.

A key is a thing that is measured; its segments follow each other. Nothing else is stored of it: an idle machine that
runs for a month is one row.
"""

from __future__ import annotations

from typing import NamedTuple

from cloudjar.store.database import Database


class Segment(NamedTuple):
    """[start, stop) in Unix seconds, and what was so (the owner's own encoding)."""

    start: float
    stop: float
    data: bytes


class Subject(NamedTuple):
    """A thing that was measured: when first and last, and the facts about it (the owner's own encoding)."""

    key: str
    facts: bytes
    first: float
    last: float


_SCHEMA = (
    "CREATE TABLE IF NOT EXISTS segment (kind TEXT, key TEXT, start REAL, stop REAL, data BLOB, "
    "PRIMARY KEY (kind, key, start)) WITHOUT ROWID",
    "CREATE TABLE IF NOT EXISTS segment_subject (kind TEXT, account TEXT, region TEXT, key TEXT, facts BLOB, "
    "first REAL, last REAL, PRIMARY KEY (kind, account, region, key)) WITHOUT ROWID",
    "CREATE INDEX IF NOT EXISTS segment_subject_last ON segment_subject (kind, last)",
)


class Segments:
    """The segments of one kind of thing. Writes are inside the caller's transaction."""

    def __init__(self, database: Database, kind: str) -> None:
        self._database = database
        self._kind = kind
        with database.lock:
            for statement in _SCHEMA:
                database.execute(statement)

    def add(self, account: str, region: str, key: str, segment: Segment, facts: bytes, *, kept: float) -> None:
        """Append a segment; one that says the same as the one before prolongs it. What ended more than `kept` seconds
        ago is forgotten."""
        run = self._database.execute
        before = run(
            "SELECT start, stop, data FROM segment WHERE kind=? AND key=? AND start<? ORDER BY start DESC LIMIT 1",
            (self._kind, key, segment.start + 1e-9),
        ).fetchone()
        if before is not None and before[1] == segment.start and before[2] == segment.data:
            run(
                "UPDATE segment SET stop=? WHERE kind=? AND key=? AND start=?",
                (segment.stop, self._kind, key, before[0]),
            )
        else:
            run("INSERT OR REPLACE INTO segment VALUES (?,?,?,?,?)", (self._kind, key, *segment))
        self.seen(account, region, key, facts, segment.start, segment.stop)
        run("DELETE FROM segment WHERE kind=? AND key=? AND stop<?", (self._kind, key, segment.stop - kept))
        run("DELETE FROM segment_subject WHERE kind=? AND last<?", (self._kind, segment.stop - kept))

    def seen(self, account: str, region: str, key: str, facts: bytes, first: float, last: float) -> None:
        """Note that a thing is being measured."""
        self._database.execute(
            "INSERT INTO segment_subject VALUES (?,?,?,?,?,?,?) ON CONFLICT (kind, account, region, key) "
            "DO UPDATE SET facts=excluded.facts, last=max(last, excluded.last)",
            (self._kind, account, region, key, facts, first, last),
        )

    def between(self, key: str, start: float, stop: float) -> list[Segment]:
        """The segments that overlap a span, oldest first."""
        rows = self._database.query(
            "SELECT start, stop, data FROM segment WHERE kind=? AND key=? AND start<? AND start>="
            "coalesce((SELECT max(start) FROM segment WHERE kind=? AND key=? AND start<=?), ?) AND stop>? "
            "ORDER BY start",
            (self._kind, key, stop, self._kind, key, start, start, start),
        )
        return [Segment(*row) for row in rows]

    def subjects(self, account: str, region: str, since: float) -> list[Subject]:
        """What was measured in an account and region since an instant."""
        rows = self._database.query(
            "SELECT key, facts, first, last FROM segment_subject WHERE kind=? AND account=? AND region=? AND last>=? "
            "ORDER BY key",
            (self._kind, account, region, since),
        )
        return [Subject(*row) for row in rows]
