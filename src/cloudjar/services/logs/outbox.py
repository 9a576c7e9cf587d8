"""Events that wait to be sent on, in the order in which they came: kept with them, so that none is lost.

What waits is sealed by the jar, whatever key the group has.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from cloudjar.kit.context import World

_PORT, _PURPOSE = "logs.outbox", "logs-outbox"
Sent = tuple[str, int, str]
"""(id, time in milliseconds, message) of an event."""


class Batch(msgspec.Struct, array_like=True):
    """Events of one stream."""

    stream: str
    events: list[Sent]


class Outbox:
    """What waits, by the subscription's number. Writes run in the caller's transaction."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._database = world.state.database
        with self._database.lock:
            self._database.execute(
                "CREATE TABLE IF NOT EXISTS logs_outbox (id INTEGER PRIMARY KEY AUTOINCREMENT, sub INTEGER NOT NULL, "
                "at REAL NOT NULL, tries INTEGER NOT NULL, data BLOB NOT NULL)"
            )
            self._database.execute("CREATE INDEX IF NOT EXISTS logs_outbox_of ON logs_outbox (sub, id)")
            self._database.execute(
                "CREATE TABLE IF NOT EXISTS logs_subscription (id INTEGER PRIMARY KEY AUTOINCREMENT)"
            )

    def number(self) -> int:
        """One that no subscription has had."""
        return int(self._database.execute("INSERT INTO logs_subscription DEFAULT VALUES").lastrowid or 0)

    def add(self, subscription: int, stream: str, events: Sequence[Sent], at: float) -> None:
        """Have a batch sent."""
        plain = msgspec.msgpack.encode(Batch(stream, list(events)))
        data = self._world.sealer.seal(plain, _PURPOSE)
        self._database.execute(
            "INSERT INTO logs_outbox (sub, at, tries, data) VALUES (?,?,0,?)", (subscription, at, data)
        )

    def first(self, subscription: int) -> tuple[int, int, Batch] | None:
        """(number, attempts so far, batch) of what has waited longest."""
        found = self._database.query(
            "SELECT id, tries, data FROM logs_outbox WHERE sub=? ORDER BY id LIMIT 1", (subscription,)
        )
        if not found:
            return None
        plain = self._world.sealer.open(found[0][2], _PURPOSE)
        if plain is None:
            raise RuntimeError("log events were sealed by another installation")
        return found[0][0], found[0][1], msgspec.msgpack.decode(plain, type=Batch)

    def done(self, number: int) -> None:
        """A batch is where it should be."""
        self._database.execute("DELETE FROM logs_outbox WHERE id=?", (number,))

    def failed(self, number: int) -> None:
        """One more attempt in vain."""
        self._database.execute("UPDATE logs_outbox SET tries=tries+1 WHERE id=?", (number,))

    def expire(self, subscription: int, before: float) -> None:
        """Give up what has waited since before an instant."""
        self._database.execute("DELETE FROM logs_outbox WHERE sub=? AND at<?", (subscription, before))

    def drop(self, subscription: int) -> None:
        """A subscription is gone."""
        self._database.execute("DELETE FROM logs_outbox WHERE sub=?", (subscription,))


def outbox(world: World) -> Outbox:
    """The table of a jar; made at first use."""
    found: Outbox | None = world.ports.get(_PORT)
    if found is None:
        found = world.ports[_PORT] = Outbox(world)
        world.state.database.undone(lambda: world.ports.pop(_PORT, None))
    return found
