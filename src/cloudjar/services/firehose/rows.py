"""What waits to be delivered: a table clustered by delivery stream, in the order in which it came.

What is remembered in memory (`Waiting`) only saves looking: it is made anew from the table whenever a transaction is
undone, and when the server starts.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from cloudjar.kit import own_tables
from cloudjar.kit.context import World
from cloudjar.store.database import Database

_PORT = "firehose.rows"
_NUMBERS = "firehose_number"
_SHIFT = 40
_SCHEMA = (
    "CREATE TABLE IF NOT EXISTS firehose_record (id INTEGER PRIMARY KEY, at INTEGER, sealed INTEGER, data BLOB)",
    own_tables.counter(_NUMBERS),
)


class Row(NamedTuple):
    """A record that waits; `at` is in milliseconds."""

    id: int
    at: int
    sealed: bool
    data: bytes


class Waiting:
    """How much waits: bytes, and the number of the last record."""

    __slots__ = ("last", "size")

    def __init__(self, size: int, last: int) -> None:
        self.size = size
        self.last = last


class Rows:
    """The tables of a database. Writes are inside the caller's transaction."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._waiting: dict[int, Waiting] = {}
        own_tables.create(database, _SCHEMA)

    def number(self) -> int:
        """A number for a delivery stream that is never used again."""
        return own_tables.next_number(self._database, _NUMBERS)

    def waiting(self, number: int) -> Waiting:
        """How much waits for a delivery stream, to read."""
        found = self._waiting.get(number)
        if found is None:
            start, end = number << _SHIFT, (number + 1) << _SHIFT
            size, last = self._database.query(
                "SELECT sum(length(data)), max(id) FROM firehose_record WHERE id>=? AND id<?", (start, end)
            )[0]
            found = self._waiting[number] = Waiting(size or 0, last or start)
        return found

    def _change(self, number: int) -> Waiting:
        self._database.on_rollback(lambda: self._forget(number))
        return self.waiting(number)

    def _forget(self, number: int) -> None:
        self._waiting.pop(number, None)

    def add(self, number: int, at: int, records: Sequence[bytes], *, sealed: bool) -> Waiting:
        """Records that came, in order; what waits then."""
        held = self._change(number)
        first = held.last + 1
        self._database.executemany(
            "INSERT INTO firehose_record VALUES (?,?,?,?)",
            [(first + place, at, int(sealed), data) for place, data in enumerate(records)],
        )
        held.last += len(records)
        held.size += sum(map(len, records))
        return held

    def oldest(self, number: int, most: int) -> list[Row]:
        """The records that have waited longest, until they are so many bytes."""
        start, end = number << _SHIFT, (number + 1) << _SHIFT
        found: list[Row] = []
        size = 0
        with self._database.lock:
            for id_, at, sealed, data in self._database.execute(
                "SELECT id, at, sealed, data FROM firehose_record WHERE id>=? AND id<? ORDER BY id", (start, end)
            ):
                found.append(Row(id_, at, bool(sealed), data))
                size += len(data)
                if size >= most:
                    break
        return found

    def first(self, number: int) -> int | None:
        """When the record came that has waited longest (milliseconds); None when nothing waits."""
        start, end = number << _SHIFT, (number + 1) << _SHIFT
        rows = self._database.query(
            "SELECT at FROM firehose_record WHERE id>=? AND id<? ORDER BY id LIMIT 1", (start, end)
        )
        return rows[0][0] if rows else None

    def remove(self, number: int, rows: Sequence[Row]) -> None:
        """The oldest records have been delivered."""
        held = self._change(number)
        self._database.execute("DELETE FROM firehose_record WHERE id>=? AND id<=?", (rows[0].id, rows[-1].id))
        held.size -= sum(len(row.data) for row in rows)

    def erase(self, number: int) -> None:
        """A delivery stream is gone."""
        start, end = number << _SHIFT, (number + 1) << _SHIFT
        self._database.execute("DELETE FROM firehose_record WHERE id>=? AND id<?", (start, end))
        self._forget(number)


def rows(world: World) -> Rows:
    """The tables of a jar."""
    return own_tables.of_jar(world, _PORT, lambda: Rows(world.state.database))
