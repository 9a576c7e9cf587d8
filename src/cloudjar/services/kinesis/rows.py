"""Records: a table clustered by shard and by place in it, so that a read costs the same however much is stored.

A record's row id is its shard's number and its place, which grows by one. Arrival times never fall along a shard, so
that an instant is found by halving.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from cloudjar.kit import own_tables
from cloudjar.kit.context import World
from cloudjar.services.kinesis.shards import Shard
from cloudjar.store.database import Database

_PORT = "kinesis.rows"
_SHIFT = 36
_MASK = (1 << _SHIFT) - 1
_SCHEMA = (
    "CREATE TABLE IF NOT EXISTS kinesis_record (id INTEGER PRIMARY KEY, at INTEGER, cipher INTEGER, key TEXT, "
    "data BLOB)",
    "CREATE TABLE IF NOT EXISTS kinesis_data_key (number INTEGER PRIMARY KEY, stream INTEGER, key TEXT, blob BLOB)",
)
Entry = tuple[int, int, int, str, bytes]
"""(row id, arrival in milliseconds, data key's number or 0, partition key, data)."""


class Row(NamedTuple):
    """A record where it stands."""

    number: int
    at: int
    cipher: int
    key: str
    data: bytes


class Tip:
    """The end of a shard: the place of the last record, and when it came (milliseconds)."""

    __slots__ = ("at", "number")

    def __init__(self, number: int, at: int) -> None:
        self.number = number
        self.at = at


class Rows:
    """The tables of a database. Writes are inside the caller's transaction."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self._tips: dict[int, Tip] = {}
        own_tables.create(database, _SCHEMA)

    def tip(self, shard: Shard) -> Tip:
        """Where a shard ends. Who moves it, in a transaction, sees to it that it is forgotten when that is undone."""
        found = self._tips.get(shard.sid)
        if found is None:
            start, end = shard.sid << _SHIFT, (shard.sid + 1) << _SHIFT
            rows = self.database.query(
                "SELECT id, at FROM kinesis_record WHERE id>=? AND id<? ORDER BY id DESC LIMIT 1", (start, end)
            )
            found = Tip(rows[0][0] & _MASK, rows[0][1]) if rows else Tip(shard.trimmed, 0)
            self._tips[shard.sid] = found
        return found

    def add(self, entries: Sequence[Entry]) -> None:
        """New records; their tips were moved."""
        self.database.executemany("INSERT INTO kinesis_record VALUES (?,?,?,?,?)", list(entries))

    def read(self, shard: Shard, after: int, limit: int, most: int) -> list[Row]:
        """Records after a place, in order: so many, of so many bytes in all (or one that alone has more)."""
        start, end = (shard.sid << _SHIFT) + after, (shard.sid + 1) << _SHIFT
        found: list[Row] = []
        size = 0
        with self.database.lock:
            for id_, at, cipher, key, data in self.database.execute(
                "SELECT id, at, cipher, key, data FROM kinesis_record WHERE id>? AND id<? ORDER BY id LIMIT ?",
                (start, end, limit),
            ):
                size += len(data) + len(key)
                if found and size > most:
                    break
                found.append(Row(id_ & _MASK, at, cipher, key, data))
        return found

    def arrival(self, shard: Shard, number: int) -> int | None:
        """When the record at a place came."""
        rows = self.database.query("SELECT at FROM kinesis_record WHERE id=?", (row_id(shard, number),))
        return rows[0][0] if rows else None

    def before(self, shard: Shard, instant: int) -> int:
        """The place of the last record that came before an instant (milliseconds); at least what was trimmed."""
        low, high = shard.trimmed, self.tip(shard).number
        if high == low or (self.arrival(shard, low + 1) or instant) >= instant:
            return low
        while high - low > 1:
            middle = (low + high) // 2
            if (self.arrival(shard, middle) or 0) < instant:
                low = middle
            else:
                high = middle
        return high if (self.arrival(shard, high) or instant) < instant else low

    def remove(self, shard: Shard, upto: int, limit: int) -> int:
        """Remove records up to a place, so many at most; the place up to which they are gone."""
        last = min(upto, shard.trimmed + limit)
        self.tip(shard)  # which would else be taken for the place before the oldest record
        self.database.execute(
            "DELETE FROM kinesis_record WHERE id>? AND id<=?", (shard.sid << _SHIFT, row_id(shard, last))
        )
        return last

    def size(self, shard: Shard, upto: int) -> int:
        """Bytes of the records up to a place."""
        rows = self.database.query(
            "SELECT sum(length(data)+length(key)) FROM kinesis_record WHERE id>? AND id<=?",
            (shard.sid << _SHIFT, row_id(shard, upto)),
        )
        return rows[0][0] or 0

    def forget(self, *moved: Shard) -> None:
        """Look at the ends of shards anew: what moved them was undone, or they are gone."""
        for shard in moved:
            self._tips.pop(shard.sid, None)

    # -- data keys of KMS
    def new_key(self, stream: int, key: str, blob: bytes) -> int:
        """Keep a wrapped data key; its number."""
        made = self.database.execute(
            "INSERT INTO kinesis_data_key (stream, key, blob) VALUES (?,?,?)", (stream, key, blob)
        ).lastrowid
        assert made is not None
        return made

    def key(self, number: int) -> tuple[str, bytes] | None:
        """(KMS key, wrapped data key)."""
        found = self.database.query("SELECT key, blob FROM kinesis_data_key WHERE number=?", (number,))
        return (found[0][0], found[0][1]) if found else None

    def drop_keys(self, stream: int) -> None:
        """The data keys of a stream that is gone."""
        self.database.execute("DELETE FROM kinesis_data_key WHERE stream=?", (stream,))


def row_id(shard: Shard, number: int) -> int:
    """Where the record at a place of a shard is kept."""
    return (shard.sid << _SHIFT) + number


def rows(world: World) -> Rows:
    """The tables of a jar."""
    return own_tables.of_jar(world, _PORT, lambda: Rows(world.state.database))
