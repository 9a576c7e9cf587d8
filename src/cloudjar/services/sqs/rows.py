"""Messages: tables shaped for how they are asked for, so that a receive costs the same however many messages wait.

A message's row id is its queue's number and a number that grows over all queues: a queue's messages lie together, the
oldest first, which is what retention asks for. The index `sqs_visible` is by queue and by when a message can be seen
(milliseconds of AWS time; lane 1 is for noisy tenants, see `fair`), which is what a receive asks for. Larger
contents lie apart: whoever counts or moves messages does not touch them.

What is remembered in memory of a queue (`Known`) only saves looking: it is made anew from the tables whenever a
transaction is undone, and when the server starts.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import Any, NamedTuple

from cloudjar.kit.context import World
from cloudjar.kit.waiting import Waits
from cloudjar.services.sqs.leases import APART, Counted, Leases
from cloudjar.services.sqs.standing import COLUMNS, SHIFT, Known, Row, queue_of
from cloudjar.store.database import Database

_PORT = "sqs.rows"
_MASK = (1 << SHIFT) - 1
_RESERVED = 1 << 16

_SCHEMA = (
    "CREATE TABLE IF NOT EXISTS sqs_counter (one INTEGER PRIMARY KEY, next INTEGER)",
    "CREATE TABLE IF NOT EXISTS sqs_message (id INTEGER PRIMARY KEY, queue INTEGER, lane INTEGER, visible INTEGER, "
    "count INTEGER, receipt INTEGER, first INTEGER, sent INTEGER, grp TEXT, source TEXT, data BLOB)",
    "CREATE INDEX IF NOT EXISTS sqs_visible ON sqs_message (queue, lane, visible, count)",
    "CREATE INDEX IF NOT EXISTS sqs_grouped ON sqs_message (queue, grp) WHERE grp IS NOT NULL",
    "CREATE TABLE IF NOT EXISTS sqs_body (id INTEGER PRIMARY KEY, data BLOB)",
    "CREATE TABLE IF NOT EXISTS sqs_group (queue INTEGER, grp TEXT, ready INTEGER, head INTEGER, "
    "PRIMARY KEY (queue, grp)) WITHOUT ROWID",
    "CREATE INDEX IF NOT EXISTS sqs_ready ON sqs_group (queue, ready, head)",
    "CREATE TABLE IF NOT EXISTS sqs_dedup (queue INTEGER, scope TEXT, dedup TEXT, expires INTEGER, answer BLOB, "
    "PRIMARY KEY (queue, scope, dedup)) WITHOUT ROWID",
    "CREATE INDEX IF NOT EXISTS sqs_dedup_expires ON sqs_dedup (queue, expires)",
    "CREATE TABLE IF NOT EXISTS sqs_attempt (queue INTEGER, attempt TEXT, expires INTEGER, receipts BLOB, "
    "PRIMARY KEY (queue, attempt)) WITHOUT ROWID",
    "CREATE TABLE IF NOT EXISTS sqs_data_key (number INTEGER PRIMARY KEY, queue INTEGER, key TEXT, blob BLOB)",
)
_OF_QUEUE = ("sqs_group", "sqs_dedup", "sqs_attempt", "sqs_minute", "sqs_data_key")
_VISIBLE = f"SELECT {COLUMNS} FROM sqs_message WHERE queue=? AND lane=? AND visible<=? ORDER BY visible LIMIT ?"
_HOLD = "UPDATE sqs_message SET visible=?, count=count+1, receipt=?, first=? WHERE id=?"
_DROP = "DELETE FROM sqs_message WHERE id=? RETURNING data IS NULL"
_DROP_RECEIVED = "DELETE FROM sqs_message WHERE id=? AND receipt=? RETURNING data IS NULL"


class Counts(NamedTuple):
    """How many messages can be seen, are in flight, are delayed."""

    visible: int
    flying: int
    delayed: int


class Rows:
    """The tables of a database. Writes are inside the caller's transaction."""

    def __init__(
        self,
        database: Database,
        counts: Callable[[Iterable[Counted]], None],
        arrived: Callable[[int, int], None],
    ) -> None:
        self.database = database
        self._next = 0
        self._end = 0
        self._known: dict[int, Known] = {}
        self._touched: set[int] = set()
        with database.lock:
            for statement in _SCHEMA:
                database.execute(statement)
            self.leases = Leases(database, self._known, counts, arrived)

    def number(self) -> int:
        """A message's number, that is never used again."""
        if self._next >= self._end:
            run = self.database.execute
            row = run("SELECT next FROM sqs_counter WHERE one=1").fetchone()
            self._next = row[0] if row else 1
            self._end = self._next + _RESERVED
            run("INSERT OR REPLACE INTO sqs_counter VALUES (1, ?)", (self._end,))
            self.database.on_rollback(self._unreserve)
        self._next += 1
        return self._next - 1

    def queue_number(self, most: Callable[[], int]) -> int:
        """A queue's number, that is never used again. There is room for eight million, so they are counted one by one,
        not with the messages, of which each life reserves many; `most` tells the greatest of a jar that did."""
        row = self.database.execute("SELECT next FROM sqs_counter WHERE one=2").fetchone()
        number: int = row[0] if row else most() + 1
        self.database.execute("INSERT OR REPLACE INTO sqs_counter VALUES (2, ?)", (number + 1,))
        return number

    def _unreserve(self) -> None:
        self._next = self._end = 0

    def known(self, queue: int) -> Known:
        """What is remembered of a queue, to read."""
        found = self._known.get(queue)
        if found is None:
            found = self._known[queue] = Known()
        return found

    def change(self, queue: int) -> Known:
        """The same, to change in the running transaction."""
        database = self.database
        if not self._touched:
            database.on_commit(self._touched.clear)
        database.on_rollback(self._forget)  # each time: a savepoint may be undone alone
        self._touched.add(queue)
        return self._known.get(queue) or self.known(queue)

    def _forget(self) -> None:
        for queue in self._touched:
            self._known.pop(queue, None)
        self._touched.clear()

    # -- writing
    def add(
        self,
        queue: int,
        visible: int,
        sent: int,
        group: str | None,
        data: bytes,
        *,
        lane: int = 0,
        old: int = 0,
        source: str | None = None,
    ) -> int:
        """A new message; its row id. `old` is the row of another queue that it comes from with its age."""
        id_ = queue << SHIFT | (old & _MASK if old else self.number())
        run = self.database.execute
        apart = len(data) > APART
        run(
            "INSERT INTO sqs_message VALUES (?,?,?,?,0,0,0,?,?,?,?)",
            (id_, queue, lane, visible, sent, group, source, None if apart else data),
        )
        if apart:
            run("INSERT INTO sqs_body VALUES (?,?)", (id_, data))
        known = self.change(queue)
        if group is not None:
            known.lanes = True
        if known.total is not None:
            known.total += 1
        if known.oldest is not None and sent < known.oldest:
            known.oldest = sent
        return id_

    def post(self, queue: int, visible: int, sent: int, data: bytes, size: int) -> None:
        """A new message that names no group, in the turn's transaction (`Database.join`); the call is counted."""
        self.leases.post((queue << SHIFT | self.number(), queue, 0, visible, sent, data), size)

    def hold(self, queue: int, taken: Sequence[tuple[int, int, int, int]]) -> None:
        """Messages were received: (visible again, receipt, first receive, id) each."""
        self.leases.settle(queue)
        if len(taken) == 1:
            self.database.execute(_HOLD, taken[0])
        else:
            self.database.executemany(_HOLD, list(taken))
        known = self.change(queue)
        if known.flying is not None:
            known.flying += len(taken)

    def show(self, id_: int, visible: int) -> None:
        """Move the time from when on a message can be seen."""
        self.leases.touch(queue_of(id_), id_)
        self.database.execute("UPDATE sqs_message SET visible=? WHERE id=?", (visible, id_))

    def lane(self, ids: Iterable[int], lane: int) -> None:
        """Move messages to the other lane."""
        self.database.executemany("UPDATE sqs_message SET lane=? WHERE id=?", [(lane, id_) for id_ in ids])

    def drop(self, queue: int, id_: int, receipt: int | None = None) -> bool:
        """Remove a message, if it is there and this was its last receive."""
        self.leases.touch(queue, id_)
        run = self.database.execute
        gone = (run(_DROP, (id_,)) if receipt is None else run(_DROP_RECEIVED, (id_, receipt))).fetchall()
        if not gone:
            return False
        if gone[0][0]:
            run("DELETE FROM sqs_body WHERE id=?", (id_,))
        known = self.change(queue)
        if known.total is not None:
            known.total -= 1
        return True

    # -- reading
    def get(self, id_: int) -> Row | None:
        """A message by its row."""
        self.leases.touch(queue_of(id_), id_)
        row = self.database.execute(f"SELECT {COLUMNS} FROM sqs_message WHERE id=?", (id_,)).fetchone()
        return None if row is None else Row(*row)

    def data(self, row: Row) -> bytes:
        """A message's contents, wherever they lie."""
        if row.data is not None:
            return row.data
        found: bytes = self.database.execute("SELECT data FROM sqs_body WHERE id=?", (row.id,)).fetchone()[0]
        return found

    def visible(self, queue: int, lane: int, now: int, limit: int) -> list[Row]:
        """The messages that have been visible longest."""
        self.leases.settle(queue)
        return [Row._make(row) for row in self.database.execute(_VISIBLE, (queue, lane, now, limit))]

    def next_visible(self, queue: int, now: int) -> int | None:
        """When the next message becomes visible by itself."""
        self.leases.settle(queue)
        found = [
            row[0][0]
            for lane in (0, 1)
            if (
                row := self.database.query(
                    "SELECT min(visible) FROM sqs_message WHERE queue=? AND lane=? AND visible>?", (queue, lane, now)
                )
            )
            and row[0][0] is not None
        ]
        return min(found) if found else None

    def oldest(self, queue: int, limit: int = 1, after: int = 0) -> list[Row]:
        """The oldest messages, after a row."""
        self.leases.settle(queue)
        start, end = max(queue << SHIFT, after + 1), (queue + 1) << SHIFT
        rows = self.database.query(
            f"SELECT {COLUMNS} FROM sqs_message WHERE id>=? AND id<? ORDER BY id LIMIT ?", (start, end, limit)
        )
        return [Row(*row) for row in rows]

    def oldest_sent(self, queue: int) -> int:
        """When the oldest message was sent; 0 when there is none."""
        self.leases.settle(queue)
        start, end = queue << SHIFT, (queue + 1) << SHIFT
        row = self.database.query("SELECT sent FROM sqs_message WHERE id>=? AND id<? ORDER BY id LIMIT 1", (start, end))
        return row[0][0] if row else 0

    def newest(self, queue: int) -> int:
        """The row of the newest message; 0 when there is none."""
        self.leases.settle(queue)
        start, end = queue << SHIFT, (queue + 1) << SHIFT
        row = self.database.query("SELECT max(id) FROM sqs_message WHERE id>=? AND id<?", (start, end))
        return row[0][0] or 0

    def total(self, queue: int) -> int:
        """Messages in all."""
        self.leases.settle(queue)
        known = self.known(queue)
        if known.total is None:
            start, end = queue << SHIFT, (queue + 1) << SHIFT
            with self.database.lock:
                known.total = self.database.execute(
                    "SELECT count(*) FROM sqs_message WHERE id>=? AND id<?", (start, end)
                ).fetchone()[0]
        return known.total

    def counts(self, queue: int, now: int) -> Counts:
        """How many there are of each sort."""
        self.leases.settle(queue)
        with self.database.lock:
            total = self.total(queue)
            hidden = {
                row[0]: row[1]
                for row in self.database.execute(
                    "SELECT count>0, count(*) FROM sqs_message WHERE queue=? AND lane IN (0, 1) AND visible>? "
                    "GROUP BY count>0",
                    (queue, now),
                )
            }
        flying, delayed = hidden.get(1, 0), hidden.get(0, 0)
        return Counts(total - flying - delayed, flying, delayed)

    def flying(self, queue: int, now: int) -> list[tuple[int, int, str | None]]:
        """(row, visible again, group) of the messages in flight."""
        self.leases.settle(queue)
        return self.database.query(
            "SELECT id, visible, grp FROM sqs_message WHERE queue=? AND lane IN (0, 1) AND visible>? AND count>0",
            (queue, now),
        )

    def has_groups(self, queue: int) -> bool:
        """Whether any message names a group."""
        return bool(self.database.query("SELECT 1 FROM sqs_message WHERE queue=? AND grp>='' LIMIT 1", (queue,)))

    def in_lane(self, queue: int, lane: int, group: str) -> list[int]:
        """The rows of a group in a lane."""
        self.leases.settle(queue)
        asked = "SELECT id FROM sqs_message WHERE queue=? AND grp=? AND lane=?"
        rows = self.database.query(asked, (queue, group, lane))
        return [row[0] for row in rows]

    def of_group(self, queue: int, group: str, now: int) -> Counts:
        """How many of a group there are of each sort."""
        self.leases.settle(queue)
        with self.database.lock:
            run = self.database.execute
            total = run("SELECT count(*) FROM sqs_message WHERE queue=? AND grp=?", (queue, group)).fetchone()[0]
            hidden = {
                row[0]: row[1]
                for row in run(
                    "SELECT count>0, count(*) FROM sqs_message INDEXED BY sqs_visible WHERE queue=? AND lane IN (0, 1) "
                    "AND visible>? AND grp=? GROUP BY count>0",
                    (queue, now, group),
                )
            }
        flying, delayed = hidden.get(1, 0), hidden.get(0, 0)
        return Counts(total - flying - delayed, flying, delayed)

    def oldest_but(self, queue: int, groups: Sequence[str], looks: int) -> int:
        """When the oldest message of none of these groups was sent, of so many that are looked at; 0 for none."""
        self.leases.settle(queue)
        start, end = queue << SHIFT, (queue + 1) << SHIFT
        held = ",".join("?" * len(groups))
        row = self.database.query(
            "SELECT min(sent) FROM (SELECT sent, grp FROM sqs_message WHERE id>=? AND id<? ORDER BY id LIMIT ?) "
            f"WHERE grp IS NULL OR grp NOT IN ({held})",
            (start, end, looks, *groups),
        )
        return row[0][0] or 0

    def waiting_of(self, queue: int, group: str, now: int, limit: int) -> list[Row]:
        """The oldest messages of a group in the noisy lane that can be seen."""
        self.leases.settle(queue)
        rows = self.database.execute(
            f"SELECT {COLUMNS} FROM sqs_message WHERE queue=? AND grp=? AND lane=1 AND visible<=? ORDER BY id LIMIT ?",
            (queue, group, now, limit),
        )
        return [Row._make(row) for row in rows]

    # -- all of a queue
    def purge(self, queue: int) -> None:
        """Remove every message; what was sent lately is still not accepted twice."""
        self.leases.settle(queue)
        start, end = queue << SHIFT, (queue + 1) << SHIFT
        run = self.database.execute
        run("DELETE FROM sqs_body WHERE id>=? AND id<?", (start, end))
        run("DELETE FROM sqs_message WHERE id>=? AND id<?", (start, end))
        run("DELETE FROM sqs_group WHERE queue=?", (queue,))
        run("DELETE FROM sqs_attempt WHERE queue=?", (queue,))
        self.change(queue)
        self._known[queue] = Known()

    def erase(self, queue: int, limit: int) -> bool:
        """Remove so many messages of a queue that is gone, or else everything that is left of it: then True."""
        found = self.oldest(queue, limit)
        run = self.database.execute
        if found:
            start, end = found[0].id, found[-1].id
            run("DELETE FROM sqs_body WHERE id>=? AND id<=?", (start, end))
            run("DELETE FROM sqs_message WHERE id>=? AND id<=?", (start, end))
            return False
        for table in _OF_QUEUE:
            run(f"DELETE FROM {table} WHERE queue=?", (queue,))
        self._known.pop(queue, None)
        return True

    # -- data keys of KMS
    def new_key(self, queue: int, key: str, blob: bytes) -> int:
        """Keep a wrapped data key; its number."""
        made = self.database.execute(
            "INSERT INTO sqs_data_key (queue, key, blob) VALUES (?,?,?)", (queue, key, blob)
        ).lastrowid
        assert made is not None
        return made

    def key(self, number: int) -> tuple[str, bytes] | None:
        """(KMS key, wrapped data key)."""
        found: list[Any] = self.database.query("SELECT key, blob FROM sqs_data_key WHERE number=?", (number,))
        return (found[0][0], found[0][1]) if found else None


def rows(world: World) -> Rows:
    """The tables of a jar."""
    held: Rows | None = world.ports.get(_PORT)
    if held is None:
        from cloudjar.services.sqs import minutes  # which reads what is written here

        told = partial(minutes.told, world)
        held = world.ports[_PORT] = Rows(world.state.database, told, partial(_arrived, world.waits))
        world.state.database.undone(lambda: world.ports.pop(_PORT, None))
    return held


def key(queue: int) -> tuple[str, int]:
    """What a long poll of a queue waits for."""
    return ("sqs", queue)


def _arrived(waits: Waits, queue: int, count: int) -> None:
    """Messages have come to a queue, and are committed."""
    waits.notify(key(queue), count)


def made(world: World) -> Rows | None:
    """The same, if somebody has asked for them."""
    return world.ports.get(_PORT)


def sequence(id_: int) -> str:
    """SequenceNumber: 20 digits that grow within a queue."""
    return str(18_800_000_000_000_000_000 + (id_ & _MASK) * 256)
