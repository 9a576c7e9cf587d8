"""Taps on metrics: who wants a copy of all that is put (CloudWatch's metric streams), and what waits for them.

A tap costs nothing where nobody has one: who has is remembered by account and region. What waits is kept by the minute
in which it came, in the transaction that put it, and the tap's record is woken when that minute is over.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import NamedTuple

import msgspec

from cloudjar.kit.context import World
from cloudjar.store.points import DAY, Dimensions, Name, Point

_PORT = "metric taps"
OLDEST = 2 * DAY
"""Seconds after which a measurement is not handed on any more."""
_SCHEMA = (
    "CREATE TABLE IF NOT EXISTS metric_tap (account TEXT, region TEXT, tbl TEXT, key TEXT, wanted BLOB, upto INTEGER, "
    "PRIMARY KEY (account, region, tbl, key)) WITHOUT ROWID",
    "CREATE TABLE IF NOT EXISTS metric_tapped (id INTEGER PRIMARY KEY AUTOINCREMENT, account TEXT, region TEXT, "
    "tbl TEXT, key TEXT, minute INTEGER, data BLOB)",
    "CREATE INDEX IF NOT EXISTS metric_tapped_of ON metric_tapped (account, region, tbl, key, minute)",
)
_OF = "account=? AND region=? AND tbl=? AND key=?"
Entry = tuple[str, str, Dimensions, list[Point]]
"""(namespace, name, dimensions, what was measured)."""
_ENTRIES = msgspec.msgpack.Decoder(list[Entry])
_ENCODE = msgspec.msgpack.Encoder().encode


class Place(NamedTuple):
    """The record that has a tap."""

    account: str
    region: str
    table: str
    key: str


class Wanted(msgspec.Struct, frozen=True):
    """Which metrics: those of `names` (namespace to names of metrics, none for all), or with `others` all but those."""

    others: bool = True
    names: dict[str, tuple[str, ...]] = {}

    def has(self, namespace: str, name: str) -> bool:
        """Whether a metric is wanted."""
        listed = self.names.get(namespace)
        return (listed is not None and (not listed or name in listed)) != self.others

    def some_of(self, namespace: str) -> bool:
        """Whether any metric of a namespace may be wanted."""
        listed = self.names.get(namespace)
        return listed is None or bool(listed) if self.others else listed is not None


class Waiting(NamedTuple):
    """What came in one minute (of Unix time); `last` tells it from what comes later."""

    minute: int
    last: int
    entries: list[Entry]


class Taps:
    """The taps of a jar. All writes run in the caller's transaction."""

    def __init__(self, world: World) -> None:
        self._wakes, self._clock = world.state.wakes, world.clock
        self._database = world.state.database
        with self._database.lock:
            for statement in _SCHEMA:
                self._database.execute(statement)
        self._held: dict[tuple[str, str], list[tuple[Place, Wanted]]] = {}

    def _minute(self) -> int:
        return int(self._clock.now().timestamp()) // 60

    def _changed(self) -> None:
        self._held.clear()
        self._database.undone(self._held.clear)

    def open(self, place: Place, wanted: Wanted) -> None:
        """Hand on what is put from now on; a tap that is open already goes on with what is wanted now."""
        self._changed()
        self._database.execute(
            "INSERT INTO metric_tap VALUES (?,?,?,?,?,?) "
            "ON CONFLICT (account, region, tbl, key) DO UPDATE SET wanted=excluded.wanted",
            (*place, _ENCODE(wanted), self._minute()),
        )

    def close(self, place: Place) -> None:
        """Hand on nothing any more; what waits is forgotten."""
        self._changed()
        self._database.execute(f"DELETE FROM metric_tap WHERE {_OF}", place)
        self._database.execute(f"DELETE FROM metric_tapped WHERE {_OF}", place)

    def offer(self, account: str, region: str, measured: Iterable[tuple[Name, bool, Sequence[Point]]]) -> None:
        """Something was put: copies for whoever wants them."""
        taps = self._of(account, region)
        if not taps:
            return
        oldest = self._clock.now().timestamp() - OLDEST
        fresh = [
            (*name, held) for name, _, points in measured if (held := [point for point in points if point.at > oldest])
        ]
        for place, wanted in taps:
            self.keep(place, [entry for entry in fresh if wanted.has(entry[0], entry[1])])

    def keep(self, place: Place, entries: Sequence[Entry]) -> None:
        """Have entries wait until this minute is over."""
        if not entries:
            return
        minute = self._minute()
        self._write(place, minute, entries)
        # A purpose for each minute: what is due is never put off by what comes later.
        due = datetime.fromtimestamp(minute * 60 + 60, UTC)
        self._wakes.wake(place.table, *place[:2], place.key, purpose=f"minute {minute}", due=due)

    def _write(self, place: Place, minute: int, entries: Sequence[Entry]) -> None:
        self._database.execute(
            "INSERT INTO metric_tapped (account, region, tbl, key, minute, data) VALUES (?,?,?,?,?,?)",
            (*place, minute, _ENCODE(entries)),
        )

    def _of(self, account: str, region: str) -> list[tuple[Place, Wanted]]:
        found = self._held.get((account, region))
        if found is None:
            rows = self._database.query(
                "SELECT account, region, tbl, key, wanted FROM metric_tap WHERE account=? AND region=?",
                (account, region),
            )
            found = [(Place(*row[:4]), msgspec.msgpack.decode(row[4], type=Wanted)) for row in rows]
            self._held[account, region] = found
            self._database.undone(self._held.clear)
        return found

    # -- for who has a tap
    def first(self, place: Place) -> Waiting | None:
        """What waits since the earliest minute that is over."""
        rows = self._database.query(
            f"SELECT min(minute) FROM metric_tapped WHERE {_OF} AND minute<?", (*place, self._minute())
        )
        minute = rows[0][0]
        if minute is None:
            return None
        rows = self._database.query(
            f"SELECT id, data FROM metric_tapped WHERE {_OF} AND minute=? ORDER BY id", (*place, minute)
        )
        return Waiting(minute, rows[-1][0], [entry for _, data in rows for entry in _ENTRIES.decode(data)])

    def done(self, place: Place, waiting: Waiting) -> None:
        """It waits no more."""
        self._database.execute(
            f"DELETE FROM metric_tapped WHERE {_OF} AND minute=? AND id<=?", (*place, waiting.minute, waiting.last)
        )

    def expire(self, place: Place) -> None:
        """Forget what has waited too long."""
        oldest = self._minute() - OLDEST // 60
        self._database.execute(f"DELETE FROM metric_tapped WHERE {_OF} AND minute<?", (*place, oldest))

    def upto(self, place: Place) -> int | None:
        """The minute before which derived metrics were handed on; None when the tap is closed."""
        rows = self._database.query(f"SELECT upto FROM metric_tap WHERE {_OF}", place)
        return int(rows[0][0]) if rows else None

    def handed(self, place: Place, entries: Sequence[Entry], upto: int) -> None:
        """Have what was derived until a minute wait, to be handed on at once."""
        if entries:
            self._write(place, upto - 1, entries)
        self._database.execute(f"UPDATE metric_tap SET upto=? WHERE {_OF}", (upto, *place))


def taps(world: World) -> Taps:
    """The jar's taps."""
    held: Taps | None = world.ports.get(_PORT)
    if held is None:
        held = world.ports[_PORT] = Taps(world)
        world.state.database.undone(lambda: world.ports.pop(_PORT, None))
    return held
