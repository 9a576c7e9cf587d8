"""Streams and events: tables shaped for how they are asked for, so that no request costs more for what is stored.

A group and a stream have numbers of their own that are never used again: what was deleted is out of sight at once,
and its events are removed afterwards, some at a time. An event's place is (timestamp, number), the number
growing within its group; times are milliseconds since 1970.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

from cloudjar.kit.context import World
from cloudjar.store.database import Database

Place = tuple[int, int]
FIRST: Place = (-1, 0)
LAST: Place = (1 << 62, 0)
_PORT = "logs.rows"
_SWEEP = 5000


class Stream(NamedTuple):
    """A log stream; times are 0 while it has no events."""

    number: int
    group: int
    name: str
    created: int
    first: int
    last: int
    ingested: int


class Event(NamedTuple):
    """A stored event. `message` is UTF-8, sealed under the data key number `key` unless that is 0."""

    time: int
    number: int
    stream: int
    ingested: int
    size: int
    key: int
    message: bytes

    @property
    def place(self) -> Place:
        """Where it stands in its group."""
        return self.time, self.number


class New(NamedTuple):
    """An event to be stored."""

    time: int
    size: int
    message: bytes


_TABLES = (
    # What a group holds: bytes stored, number of the last event, bytes ever taken in.
    "CREATE TABLE IF NOT EXISTS logs_group (id INTEGER PRIMARY KEY AUTOINCREMENT, bytes INTEGER NOT NULL, "
    "number INTEGER NOT NULL, gone INTEGER NOT NULL)",
    "CREATE TABLE IF NOT EXISTS logs_stream (id INTEGER PRIMARY KEY AUTOINCREMENT, grp INTEGER NOT NULL, "
    "name TEXT NOT NULL, created INTEGER NOT NULL, first INTEGER NOT NULL, last INTEGER NOT NULL, "
    "ingested INTEGER NOT NULL)",
    "CREATE UNIQUE INDEX IF NOT EXISTS logs_stream_name ON logs_stream (grp, name)",
    "CREATE INDEX IF NOT EXISTS logs_stream_last ON logs_stream (grp, last, name)",
    "CREATE TABLE IF NOT EXISTS logs_event (grp INTEGER NOT NULL, time INTEGER NOT NULL, number INTEGER NOT NULL, "
    "stream INTEGER NOT NULL, ingested INTEGER NOT NULL, size INTEGER NOT NULL, key INTEGER NOT NULL, "
    "message BLOB NOT NULL, PRIMARY KEY (grp, time, number)) WITHOUT ROWID",
    "CREATE INDEX IF NOT EXISTS logs_event_stream ON logs_event (stream, time, number)",
    "CREATE TABLE IF NOT EXISTS logs_gone (stream INTEGER PRIMARY KEY, grp INTEGER NOT NULL)",
    "CREATE TABLE IF NOT EXISTS logs_key (id INTEGER PRIMARY KEY AUTOINCREMENT, grp INTEGER NOT NULL, arn TEXT, "
    "wrapped BLOB NOT NULL)",
)
_STREAM = "SELECT id, grp, name, created, first, last, ingested FROM logs_stream"
_EVENT = "SELECT time, number, stream, ingested, size, key, message FROM logs_event"


def rows(world: World) -> Rows:
    """The tables of a jar; made at first use."""
    found: Rows | None = world.ports.get(_PORT)
    if found is None:
        found = world.ports[_PORT] = Rows(world.state.database)
    return found


class Rows:
    """All streams and events of a jar. Writes run in the caller's transaction."""

    def __init__(self, database: Database) -> None:
        self._database = database
        with database.lock:
            for sql in _TABLES:
                database.execute(sql)

    # -- groups
    def new_group(self) -> int:
        """The number of a new, empty group."""
        made = self._database.execute("INSERT INTO logs_group (bytes, number, gone) VALUES (0, 0, 0)")
        return int(made.lastrowid or 0)

    def drop_group(self, group: int) -> None:
        """Put a group's streams out of sight; its events go with `sweep`."""
        self._database.execute("UPDATE logs_group SET gone=1 WHERE id=?", (group,))
        self._database.execute("DELETE FROM logs_key WHERE grp=?", (group,))

    def stored(self, group: int) -> int:
        """Bytes that a group holds."""
        found = self._database.query("SELECT bytes FROM logs_group WHERE id=?", (group,))
        return int(found[0][0]) if found else 0

    def oldest(self, group: int) -> int | None:
        """The time of a group's oldest event."""
        found = self._database.query("SELECT time FROM logs_event WHERE grp=? ORDER BY time, number LIMIT 1", (group,))
        return int(found[0][0]) if found else None

    # -- streams
    def stream(self, group: int, name: str) -> Stream | None:
        """A stream by its name."""
        found = self._database.query(f"{_STREAM} WHERE grp=? AND name=?", (group, name))
        return Stream(*found[0]) if found else None

    def new_stream(self, group: int, name: str, now: int) -> None:
        """A stream without events."""
        self._database.execute(
            "INSERT INTO logs_stream (grp, name, created, first, last, ingested) VALUES (?,?,?,0,0,0)",
            (group, name, now),
        )

    def drop_stream(self, stream: Stream) -> None:
        """Put a stream out of sight; its events go with `sweep`."""
        self._database.execute("DELETE FROM logs_stream WHERE id=?", (stream.number,))
        self._database.execute("INSERT INTO logs_gone VALUES (?,?)", (stream.number, stream.group))

    def name(self, stream: int) -> str | None:
        """The name of a stream; None when it is gone."""
        found = self._database.query("SELECT name FROM logs_stream WHERE id=?", (stream,))
        return str(found[0][0]) if found else None

    def by_name(self, group: int, prefix: str, after: str, limit: int, *, descending: bool) -> list[Stream]:
        """Streams whose names begin with `prefix`, beyond the name `after` ("" begins), in the order of their names."""
        sign, order = ("<", "DESC") if descending else (">", "ASC")
        beyond = f" AND name {sign} ?" if after else ""
        args = (group, prefix, prefix + "\U0010ffff", *((after,) if after else ()), limit)
        sql = f"{_STREAM} WHERE grp=? AND name>=? AND name<?{beyond} ORDER BY name {order} LIMIT ?"
        return [Stream(*row) for row in self._database.query(sql, args)]

    def by_last(self, group: int, after: tuple[int, str] | None, limit: int, *, descending: bool) -> list[Stream]:
        """Streams beyond a (time, name) in the order of their last events."""
        sign, order = ("<", "DESC") if descending else (">", "ASC")
        beyond = f" AND (last, name) {sign} (?, ?)" if after else ""
        sql = f"{_STREAM} WHERE grp=?{beyond} ORDER BY last {order}, name {order} LIMIT ?"
        return [Stream(*row) for row in self._database.query(sql, (group, *(after or ()), limit))]

    # -- events
    def append(self, stream: Stream, events: Sequence[New], now: int, key: int) -> int:
        """Store events, oldest first; gives the number of the last one."""
        size = sum(event.size for event in events)
        number = int(
            self._database.execute(
                "UPDATE logs_group SET number = number + ?, bytes = bytes + ? WHERE id=? RETURNING number",
                (len(events), size, stream.group),
            ).fetchone()[0]
        )
        begin = number - len(events) + 1
        self._database.executemany(
            "INSERT INTO logs_event VALUES (?,?,?,?,?,?,?,?)",
            [
                (stream.group, event.time, begin + i, stream.number, now, event.size, key, event.message)
                for i, event in enumerate(events)
            ],
        )
        low, high = events[0].time, events[-1].time
        self._database.execute(
            "UPDATE logs_stream SET first = CASE first WHEN 0 THEN ? ELSE min(first, ?) END, last = max(last, ?), "
            "ingested=? WHERE id=?",
            (low, low, high, now, stream.number),
        )
        return number

    def of_stream(self, stream: int, low: Place, high: Place, limit: int, *, descending: bool = False) -> list[Event]:
        """Events of a stream strictly between two places, `limit` of them at most."""
        order = "DESC" if descending else "ASC"
        sql = (
            f"{_EVENT} WHERE stream=? AND (time, number) > (?, ?) AND (time, number) < (?, ?) "
            f"ORDER BY time {order}, number {order} LIMIT ?"
        )
        return [Event(*row) for row in self._database.query(sql, (stream, *low, *high, limit))]

    def of_group(self, group: int, low: Place, high: Place, limit: int, *, descending: bool = False) -> list[Event]:
        """Events of a group strictly between two places."""
        order = "DESC" if descending else "ASC"
        sql = (
            f"{_EVENT} WHERE grp=? AND (time, number) > (?, ?) AND (time, number) < (?, ?) "
            f"ORDER BY time {order}, number {order} LIMIT ?"
        )
        return [Event(*row) for row in self._database.query(sql, (group, *low, *high, limit))]

    # -- keys
    def new_key(self, group: int, arn: str, wrapped: bytes) -> int:
        """Keep a data key as KMS has wrapped it; gives its number."""
        made = self._database.execute("INSERT INTO logs_key (grp, arn, wrapped) VALUES (?,?,?)", (group, arn, wrapped))
        return int(made.lastrowid or 0)

    def key(self, number: int) -> tuple[str, bytes] | None:
        """(KMS key, wrapped data key) of a number."""
        found = self._database.query("SELECT arn, wrapped FROM logs_key WHERE id=?", (number,))
        return (str(found[0][0]), bytes(found[0][1])) if found else None

    # -- what goes
    def expire(self, group: int, before: int) -> bool:
        """Remove some events of a group that are older than an instant; True when there may be more."""
        gone = self._database.execute(
            "DELETE FROM logs_event WHERE (grp, time, number) IN (SELECT grp, time, number FROM logs_event "
            "WHERE grp=? AND time<? ORDER BY time, number LIMIT ?) RETURNING size",
            (group, before, _SWEEP),
        ).fetchall()
        self._lighter(group, gone)
        return len(gone) == _SWEEP

    def sweep(self) -> bool:
        """Remove some events of groups and streams that are gone; True when there may be more."""
        for stream, group in self._database.query("SELECT stream, grp FROM logs_gone LIMIT 16"):
            if self._remove("stream", stream, group):
                return True
            self._database.execute("DELETE FROM logs_gone WHERE stream=?", (stream,))
        for (group,) in self._database.query("SELECT id FROM logs_group WHERE gone=1 LIMIT 16"):
            if self._remove("grp", group, group):
                return True
            done = self._database.execute(
                "DELETE FROM logs_stream WHERE id IN (SELECT id FROM logs_stream WHERE grp=? LIMIT ?)", (group, _SWEEP)
            )
            if done.rowcount == _SWEEP:
                return True
            self._database.execute("DELETE FROM logs_group WHERE id=?", (group,))
        left = "SELECT EXISTS (SELECT 1 FROM logs_gone) OR EXISTS (SELECT 1 FROM logs_group WHERE gone=1)"
        return bool(self._database.query(left)[0][0])

    def _remove(self, column: str, value: int, group: int) -> bool:
        gone = self._database.execute(
            "DELETE FROM logs_event WHERE (grp, time, number) IN (SELECT grp, time, number FROM logs_event "
            f"WHERE {column}=? LIMIT ?) RETURNING size",
            (value, _SWEEP),
        ).fetchall()
        self._lighter(group, gone)
        return len(gone) == _SWEEP

    def _lighter(self, group: int, gone: Sequence[tuple[int]]) -> None:
        self._database.execute(
            "UPDATE logs_group SET bytes = bytes - ? WHERE id=?", (sum(size for (size,) in gone), group)
        )


def pages(
    read: Callable[[Place, Place, int], list[Event]], low: Place, high: Place, size: int, *, descending: bool
) -> Iterator[Event]:
    """Events between two places, read some at a time."""
    while True:
        found = read(low, high, size)
        yield from found
        if len(found) < size:
            return
        if descending:
            high = found[-1].place
        else:
            low = found[-1].place
