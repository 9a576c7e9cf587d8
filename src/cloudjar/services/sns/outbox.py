"""Messages on their way. A publish adds one row and is answered; what is made of it follows, whatever crashes.

`sns_message` holds what was published until everybody has it; `sns_delivery` is one attempt that is still to be made,
to one subscription. Deliveries to queues are made in the transaction that removes their rows: each arrives once. Those
over the wire are made outside, and their rows removed afterwards: each arrives at least once.
"""

from __future__ import annotations

from typing import NamedTuple

import msgspec

from cloudjar.kit.context import World
from cloudjar.store.database import Database

_PORT = "sns.outbox"
_SCHEMA = (
    "CREATE TABLE IF NOT EXISTS sns_counter (one INTEGER PRIMARY KEY, next INTEGER)",
    "CREATE TABLE IF NOT EXISTS sns_message (id INTEGER PRIMARY KEY, topic INTEGER, fresh INTEGER, data BLOB)",
    "CREATE INDEX IF NOT EXISTS sns_fresh ON sns_message (topic, id) WHERE fresh=1",
    "CREATE TABLE IF NOT EXISTS sns_delivery (subscription TEXT, message INTEGER, due REAL, tries INTEGER, "
    "PRIMARY KEY (subscription, message)) WITHOUT ROWID",
    "CREATE INDEX IF NOT EXISTS sns_delivery_of ON sns_delivery (message)",
    "CREATE TABLE IF NOT EXISTS sns_dedup (topic INTEGER, scope TEXT, dedup TEXT, expires REAL, answer BLOB, "
    "PRIMARY KEY (topic, scope, dedup)) WITHOUT ROWID",
)
_RESERVED = 1 << 16


class Message(msgspec.Struct, array_like=True):
    """What was published. `bodies` are by protocol, "default" for the others; attributes are (type, value) by name."""

    id: str
    at: float
    bodies: dict[str, str]
    subject: str = ""
    attributes: dict[str, tuple[str, object]] = {}
    group: str = ""
    dedup: str = ""
    sequence: str = ""
    base: str = ""
    kind: str = "Notification"
    token: str = ""
    size: int = 0
    """Bytes, as they are counted when it is published."""

    def body(self, protocol: str) -> str:
        """What a protocol gets."""
        found = self.bodies.get(protocol)
        return self.bodies["default"] if found is None else found


class Delivery(NamedTuple):
    """An attempt to be made; `due` is Unix seconds."""

    subscription: str
    message: int
    due: float
    tries: int


class Outbox:
    """The tables. Writes are inside the caller's transaction."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._next = self._end = 0
        self._encode = msgspec.msgpack.Encoder().encode
        self._decode = msgspec.msgpack.Decoder(Message).decode
        with database.lock:
            for statement in _SCHEMA:
                database.execute(statement)

    def number(self) -> int:
        """A number that is never used again."""
        if self._next >= self._end:
            run = self._database.execute
            row = run("SELECT next FROM sns_counter").fetchone()
            self._next = row[0] if row else 1
            self._end = self._next + _RESERVED
            run("INSERT OR REPLACE INTO sns_counter VALUES (1, ?)", (self._end,))
            self._database.on_rollback(self._unreserve)
        self._next += 1
        return self._next - 1

    def _unreserve(self) -> None:
        self._next = self._end = 0

    def publish(self, topic: int, number: int, sealed: bytes) -> None:
        """Keep a message for everybody who subscribes to a topic."""
        self._database.execute("INSERT INTO sns_message VALUES (?,?,1,?)", (number, topic, sealed))

    def encode(self, message: Message) -> bytes:
        """A message's stored form."""
        return self._encode(message)

    def decode(self, data: bytes) -> Message:
        """The reverse."""
        return self._decode(data)

    def fresh(self, topic: int) -> tuple[int, bytes] | None:
        """The oldest message of which nobody knows yet whom it is for."""
        rows = self._database.query(
            "SELECT id, data FROM sns_message WHERE topic=? AND fresh=1 ORDER BY id LIMIT 1", (topic,)
        )
        return (rows[0][0], rows[0][1]) if rows else None

    def data(self, message: int) -> bytes | None:
        """A message's stored form by its number."""
        rows = self._database.query("SELECT data FROM sns_message WHERE id=?", (message,))
        return rows[0][0] if rows else None

    def spread(self, message: int, subscriptions: list[str], now: float) -> None:
        """It is known whom a message is for."""
        self._database.executemany(
            "INSERT OR IGNORE INTO sns_delivery VALUES (?,?,?,0)", [(one, message, now) for one in subscriptions]
        )
        self._database.execute("UPDATE sns_message SET fresh=0 WHERE id=?", (message,))
        self._swept(message)

    def due(self, subscription: str, now: float, limit: int) -> list[Delivery]:
        """The oldest attempts to be made to a subscription."""
        rows = self._database.query(
            "SELECT subscription, message, due, tries FROM sns_delivery WHERE subscription=? AND due<=? "
            "ORDER BY message LIMIT ?",
            (subscription, now, limit),
        )
        return [Delivery(*row) for row in rows]

    def next_due(self, subscription: str) -> float | None:
        """When the next attempt is to be made."""
        found: float | None = self._database.query(
            "SELECT min(due) FROM sns_delivery WHERE subscription=?", (subscription,)
        )[0][0]
        return found

    def done(self, delivery: Delivery) -> None:
        """No more attempts."""
        self._database.execute(
            "DELETE FROM sns_delivery WHERE subscription=? AND message=?", (delivery.subscription, delivery.message)
        )
        self._swept(delivery.message)

    def later(self, delivery: Delivery, due: float) -> None:
        """Try again."""
        self._database.execute(
            "UPDATE sns_delivery SET due=?, tries=tries+1 WHERE subscription=? AND message=?",
            (due, delivery.subscription, delivery.message),
        )

    def _swept(self, message: int) -> None:
        self._database.execute(
            "DELETE FROM sns_message WHERE id=? AND fresh=0 AND NOT EXISTS "
            "(SELECT 1 FROM sns_delivery WHERE message=?)",
            (message, message),
        )

    def forget(self, subscription: str) -> None:
        """A subscription is gone."""
        rows = self._database.query("SELECT message FROM sns_delivery WHERE subscription=?", (subscription,))
        self._database.execute("DELETE FROM sns_delivery WHERE subscription=?", (subscription,))
        for (message,) in rows:
            self._swept(message)

    def erase(self, topic: int) -> None:
        """A topic is gone, with what nobody has been told of."""
        self._database.execute("DELETE FROM sns_message WHERE topic=?", (topic,))
        self._database.execute("DELETE FROM sns_dedup WHERE topic=?", (topic,))

    def answered(self, topic: int, scope: str, dedup: str, now: float) -> dict[str, str] | None:
        """What was answered to the publication with this id in the last five minutes."""
        rows = self._database.query(
            "SELECT answer FROM sns_dedup WHERE topic=? AND scope=? AND dedup=? AND expires>?",
            (topic, scope, dedup, now),
        )
        return msgspec.msgpack.decode(rows[0][0], type=dict[str, str]) if rows else None

    def remember(self, topic: int, scope: str, dedup: str, now: float, answer: dict[str, str]) -> None:
        """Answer the same for the next five minutes."""
        run = self._database.execute
        run("DELETE FROM sns_dedup WHERE topic=? AND expires<=?", (topic, now))
        data = msgspec.msgpack.encode(answer)
        run("INSERT OR REPLACE INTO sns_dedup VALUES (?,?,?,?,?)", (topic, scope, dedup, now + 300, data))


def outbox(world: World) -> Outbox:
    """The tables of a jar."""
    held: Outbox | None = world.ports.get(_PORT)
    if held is None:
        held = world.ports[_PORT] = Outbox(world.state.database)
        world.state.database.undone(lambda: world.ports.pop(_PORT, None))
    return held
