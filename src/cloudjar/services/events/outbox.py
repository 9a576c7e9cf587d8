"""Events on their way to targets. Whoever puts an event is answered once it is here; what is made of it follows.

`events_event` holds an event until each of its targets has it or never will; `events_delivery` is one that is still to
be given to one target. What goes to queues, topics, log groups and buses goes in the transaction that removes its row:
each arrives once. All else is done outside, and its row removed afterwards: at least once.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

import msgspec

from cloudjar.kit import own_tables
from cloudjar.kit.context import World
from cloudjar.store.database import Database

_PORT = "events.outbox"
_PURPOSE = "events-event"
_SCHEMA = (
    "CREATE TABLE IF NOT EXISTS events_event (id INTEGER PRIMARY KEY AUTOINCREMENT, data BLOB)",
    "CREATE TABLE IF NOT EXISTS events_delivery (rule TEXT, target TEXT, event INTEGER, due REAL, tries INTEGER, "
    "PRIMARY KEY (rule, event, target)) WITHOUT ROWID",
    "CREATE INDEX IF NOT EXISTS events_delivery_of ON events_delivery (event)",
    "CREATE INDEX IF NOT EXISTS events_delivery_due ON events_delivery (rule, due)",
)


class Kept(msgspec.Struct, array_like=True, kw_only=True):
    """An event as it arrived on a bus. `event` is its JSON, `received` Unix seconds."""

    event: str
    received: float
    hops: tuple[tuple[str, str], ...] = ()
    """(account, Region) of each bus that it was on, this one included."""


class Delivery(NamedTuple):
    """An event that is to be given to a target; `due` is Unix seconds."""

    rule: str
    target: str
    event: int
    due: float
    tries: int


class Outbox:
    """The tables. Writes are inside the caller's transaction."""

    def __init__(self, world: World) -> None:
        self._database: Database = world.state.database
        self._sealer = world.sealer
        self._encode = msgspec.msgpack.Encoder().encode
        self._decode = msgspec.msgpack.Decoder(Kept).decode
        own_tables.create(self._database, _SCHEMA)

    def keep(self, kept: Kept, for_whom: Iterable[tuple[str, str]]) -> None:
        """Keep an event for targets, each by its rule's place and its id."""
        sealed = self._sealer.seal(self._encode(kept), _PURPOSE)
        number = self._database.execute("INSERT INTO events_event (data) VALUES (?)", (sealed,)).lastrowid
        self._database.executemany(
            "INSERT INTO events_delivery VALUES (?,?,?,?,0)",
            [(rule, target, number, kept.received) for rule, target in for_whom],
        )

    def event(self, number: int) -> Kept | None:
        """An event by its number."""
        rows = self._database.query("SELECT data FROM events_event WHERE id=?", (number,))
        if not rows:
            return None
        opened = self._sealer.open(rows[0][0], _PURPOSE)
        if opened is None:
            raise RuntimeError("an event was sealed by another installation")
        return self._decode(opened)

    def due(self, rule: str, now: float, limit: int) -> list[Delivery]:
        """The oldest deliveries of a rule that are due."""
        rows = self._database.query(
            "SELECT rule, target, event, due, tries FROM events_delivery WHERE rule=? AND due<=? "
            "ORDER BY event LIMIT ?",
            (rule, now, limit),
        )
        return [Delivery(*row) for row in rows]

    def next_due(self, rule: str) -> float | None:
        """When a rule has something to deliver."""
        found: float | None = self._database.query("SELECT min(due) FROM events_delivery WHERE rule=?", (rule,))[0][0]
        return found

    def done(self, delivery: Delivery) -> None:
        """It has been given, or never will be."""
        self._database.execute(
            "DELETE FROM events_delivery WHERE rule=? AND event=? AND target=?",
            (delivery.rule, delivery.event, delivery.target),
        )
        self._swept(delivery.event)

    def later(self, delivery: Delivery, due: float, tries: int) -> None:
        """Try again."""
        self._database.execute(
            "UPDATE events_delivery SET due=?, tries=? WHERE rule=? AND event=? AND target=?",
            (due, tries, delivery.rule, delivery.event, delivery.target),
        )

    def postpone(self, delivery: Delivery, due: float) -> None:
        """Look at it again; what was given or given up meanwhile stays so, and what is to be tried later too."""
        self._database.execute(
            "UPDATE events_delivery SET due=? WHERE rule=? AND event=? AND target=? AND tries=? AND due<?",
            (due, delivery.rule, delivery.event, delivery.target, delivery.tries, due),
        )

    def forget(self, rule: str) -> None:
        """A rule is gone."""
        rows = self._database.query("SELECT DISTINCT event FROM events_delivery WHERE rule=?", (rule,))
        self._database.execute("DELETE FROM events_delivery WHERE rule=?", (rule,))
        for (number,) in rows:
            self._swept(number)

    def _swept(self, number: int) -> None:
        self._database.execute(
            "DELETE FROM events_event WHERE id=? AND NOT EXISTS (SELECT 1 FROM events_delivery WHERE event=?)",
            (number, number),
        )


def outbox(world: World) -> Outbox:
    """The tables of a jar."""
    return own_tables.of_jar(world, _PORT, lambda: Outbox(world))
