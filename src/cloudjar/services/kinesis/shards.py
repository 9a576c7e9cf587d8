"""Shards: a table, and what is remembered of it.

What is remembered only saves looking: it is made anew from the tables whenever a transaction is undone, and when the
server starts.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from typing import Any, NamedTuple

from cloudjar.kit import own_tables
from cloudjar.kit.context import World
from cloudjar.services.kinesis import sequence
from cloudjar.services.kinesis.reshaping import Range, Step
from cloudjar.store.database import Database

_PORT = "kinesis.shards"
_NUMBERS = "kinesis_number"
_SCHEMA = (
    "CREATE TABLE IF NOT EXISTS kinesis_shard (sid INTEGER PRIMARY KEY AUTOINCREMENT, stream INTEGER, ordinal INTEGER, "
    "lo TEXT, hi TEXT, opened INTEGER, closed INTEGER, last INTEGER, parent INTEGER, adjacent INTEGER, "
    "trimmed INTEGER)",
    "CREATE UNIQUE INDEX IF NOT EXISTS kinesis_shard_of ON kinesis_shard (stream, ordinal)",
    own_tables.counter(_NUMBERS),
)
_COLUMNS = "sid, stream, ordinal, lo, hi, opened, closed, last, parent, adjacent, trimmed"


class Shard(NamedTuple):
    """A shard. `sid` is its number over all streams; instants are milliseconds; `closed` is None while it is open and
    `last` then too, else the place of its last record; `parent` and `adjacent` are ordinals; records up to the place
    `trimmed` are not there any more."""

    sid: int
    stream: int
    ordinal: int
    lo: int
    hi: int
    opened: int
    closed: int | None
    last: int | None
    parent: int | None
    adjacent: int | None
    trimmed: int
    id: str
    base: int

    @property
    def range(self) -> Range:
        """Its hash keys."""
        return Range(self.ordinal, self.lo, self.hi)

    @property
    def parents(self) -> tuple[int, ...]:
        """The ordinals of the shards that it was made of."""
        return tuple(one for one in (self.parent, self.adjacent) if one is not None)


class Layout:
    """The shards of a stream, by number, and the open ones by hash key."""

    __slots__ = ("_starts", "all", "by_ordinal", "open")

    def __init__(self, shards: Sequence[Shard]) -> None:
        self.all = list(shards)
        self.by_ordinal = {shard.ordinal: shard for shard in shards}
        self.open = sorted((shard for shard in shards if shard.closed is None), key=lambda one: one.lo)
        self._starts = [shard.lo for shard in self.open]

    def at(self, hashed: int) -> Shard:
        """The open shard that a hash key falls into."""
        return self.open[bisect_right(self._starts, hashed) - 1]

    def children(self, shard: Shard) -> list[Shard]:
        """The shards that were made of one."""
        return [one for one in self.all if shard.ordinal in one.parents]


class Shards:
    """The tables of a database. Writes are inside the caller's transaction."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._layouts: dict[int, Layout] = {}
        own_tables.create(database, _SCHEMA)

    def number(self) -> int:
        """A number for a stream that is never used again."""
        return own_tables.next_number(self._database, _NUMBERS)

    def of(self, stream: int) -> Layout:
        """A stream's shards."""
        found = self._layouts.get(stream)
        if found is None:
            rows = self._database.query(
                f"SELECT {_COLUMNS} FROM kinesis_shard WHERE stream=? ORDER BY ordinal", (stream,)
            )
            found = self._layouts[stream] = Layout([_shard(row) for row in rows])
        return found

    def _changed(self, stream: int) -> None:
        self._forget(stream)
        self._database.on_rollback(lambda: self._forget(stream))

    def _forget(self, stream: int) -> None:
        self._layouts.pop(stream, None)

    def begin(self, stream: int, count: int, now: int) -> None:
        """The first shards of a stream."""
        for ordinal, (lo, hi) in enumerate(sequence.uniform(count)):
            self._open(stream, ordinal, lo, hi, now, ())
        self._changed(stream)

    def apply(self, stream: int, step: Step, lasts: Sequence[int], now: int) -> None:
        """Close and open; `lasts` are the places of the last records of the shards that close."""
        next_ordinal: int = self._database.execute(
            "SELECT max(ordinal) FROM kinesis_shard WHERE stream=?", (stream,)
        ).fetchone()[0]
        for ordinal, last in zip(step.closed, lasts, strict=True):
            self._database.execute(
                "UPDATE kinesis_shard SET closed=?, last=? WHERE stream=? AND ordinal=?", (now, last, stream, ordinal)
            )
        for more, (lo, hi) in enumerate(step.opened, 1):
            self._open(stream, next_ordinal + more, lo, hi, now, step.closed)
        self._changed(stream)

    def _open(self, stream: int, ordinal: int, lo: int, hi: int, now: int, parents: tuple[int, ...]) -> None:
        parent, adjacent = (*parents, None, None)[:2]
        self._database.execute(
            "INSERT INTO kinesis_shard (stream, ordinal, lo, hi, opened, parent, adjacent, trimmed) "
            "VALUES (?,?,?,?,?,?,?,0)",
            (stream, ordinal, f"{lo:x}", f"{hi:x}", now, parent, adjacent),
        )

    def trim(self, shard: Shard, upto: int) -> None:
        """Records up to a place are not there any more."""
        self._database.execute("UPDATE kinesis_shard SET trimmed=? WHERE sid=?", (upto, shard.sid))
        self._changed(shard.stream)

    def drop(self, shard: Shard) -> None:
        """A closed shard whose last record has expired."""
        self._database.execute("DELETE FROM kinesis_shard WHERE sid=?", (shard.sid,))
        self._changed(shard.stream)


def _shard(row: tuple[Any, ...]) -> Shard:
    sid, stream, ordinal, lo, hi, opened, *rest = row
    closed, last, parent, adjacent, trimmed = rest
    first = sequence.base(opened // 1000, ordinal)
    return Shard(
        sid, stream, ordinal, int(lo, 16), int(hi, 16), opened, closed, last, parent, adjacent, trimmed,
        sequence.shard_id(ordinal), first,
    )  # fmt: skip


def shards(world: World) -> Shards:
    """The tables of a jar."""
    return own_tables.of_jar(world, _PORT, lambda: Shards(world.state.database))
