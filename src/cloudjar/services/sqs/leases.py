"""Receives of standard queues, before the tables know of them.

Most messages are deleted a moment after they were received. So a receive does not rewrite its message: who has it, and
until when, is kept here and noted in a journal (`sqs.leases`, beside the database), which survives `kill -9` as a
commit does and costs a tenth of one. The tables are told when somebody asks them something (`settle`), when a queue has
many such messages, and when the journal has grown; a message that is deleted before was never rewritten. The first
messages of a queue that can be seen (`heads`) are held here too, so that a receive need not look for them.

docs/decisions/receives-are-journaled.md says what this may lose: nothing but the receives of the last moments before a
power cut, whose messages are then seen early.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterable
from functools import partial
from itertools import islice
from pathlib import Path
from zlib import crc32

from cloudjar.services.sqs.standing import COLUMNS, NOTHING_SENT, Known, Row, queue_of, requests
from cloudjar.store.database import Database
from cloudjar.store.journal import Journal

FILE = "sqs.leases"
_NAME = "sqs.leases"
_SEEN = 3
"""The row of `sqs_counter` with the last receive that the minutes have counted."""
_MOST_HEADS = 100
_FEW, _MANY = 64, 256
"""Messages that a queue may have received when it is looked for further ones; at most."""
_FRONTS = 128
"""Queues of which anything is held."""
_LONG = 128 << 10
"""Bytes of the journal from which on it begins anew."""
_RECORD = struct.Struct(">QQQQQIII")
_CHECK = struct.Struct(">I")
APART = 2000
"""Bytes from which contents lie in a table of their own."""
_SIZE = _RECORD.size + _CHECK.size
_SAME_CALL = (1 << 32) - 1
"""In place of the bytes of all: the message before came with the same call."""
_HEADS = f"SELECT {COLUMNS} FROM sqs_message WHERE queue=? AND lane=0 AND visible<=? ORDER BY visible LIMIT ?"
_POST = (
    "INSERT INTO sqs_message (id, queue, lane, visible, sent, data, count, receipt, first) VALUES (?,?,?,?,?,?,0,0,0)"
)
_KEEP = "UPDATE sqs_message SET visible=?, count=?, receipt=?, first=? WHERE id=?"
_AGAIN = "UPDATE sqs_message SET visible=?, count=?, receipt=?, first=? WHERE id=? AND count<?"


class Front:
    """A queue's first messages, and those that were received lately as they are now: both by row."""

    __slots__ = ("batch", "heads", "young")

    def __init__(self) -> None:
        self.heads: dict[int, Row] = {}
        self.young: dict[int, Row] = {}
        self.batch = 10


Counted = tuple[int, int, int, int, int, int, int, int, int]
"""(queue, minute, messages sent, their bytes, the least and the most of one, messages received, messages deleted,
requests)."""
Post = tuple[int, int, int, int, int, bytes]
"""A message that nobody has seen: row, queue, lane, visible, sent, data."""
Counts = Callable[[Iterable[Counted]], None]


class Leases:
    """Of a database, whose lock the caller holds. `counts` adds calls to their minutes; `arrived` hears of how many
    messages have come to a queue, once they are committed."""

    def __init__(
        self, database: Database, known: dict[int, Known], counts: Counts, arrived: Callable[[int, int], None]
    ) -> None:
        self._database = database
        self._known = known
        self._counts = counts
        self._arrived = arrived
        self._fronts: dict[int, Front] = {}
        self._gone: dict[int, tuple[bool, int]] = {}
        """Messages that were deleted in the running transaction: whether their contents lie apart, and the minute that
        counts the call, or 0."""
        self._posted: list[Post] = []
        """Messages that were sent in the running transaction, and the bytes of each."""
        self._sizes: list[int] = []
        self._come: dict[int, int] = {}
        """How many messages have come to which queue in the running transaction."""
        self._waiting: set[int] = set()
        """Queues of which the tables lack what the running transaction did."""
        self._sums: dict[tuple[int, int], tuple[int, int]] = {}
        """(messages, requests) by queue and minute that the minutes do not know of."""
        path: Path | None = database.path
        self.journal = None if path is None else Journal(path.with_name(FILE))
        row = database.execute("SELECT next FROM sqs_counter WHERE one=?", (_SEEN,)).fetchone()
        self._number: int = row[0] if row else 0
        """Of the last receive."""
        if self.journal is not None and self.journal.size:
            self._read_again(self.journal)

    # -- receiving
    def heads(self, queue: int, most: int, now: int) -> list[Row]:
        """The messages that have been visible longest; outside of any transaction."""
        front = self._fronts.get(queue)
        if front is None or len(front.heads) < most:
            front = self._filled(queue, most, now)
        return list(islice(front.heads.values(), most))

    def _filled(self, queue: int, most: int, now: int) -> Front:
        front = self._fronts.get(queue)
        if front is not None and (
            len(front.young) > _FEW or any(row.visible <= now for row in front.young.values())
        ):
            self.settle(queue)
            front = None
        if front is None:
            if len(self._fronts) >= _FRONTS:
                self.settle_all()
                self._fronts.clear()
            front = self._fronts[queue] = Front()
        self._database.commit_joined()  # what is handed out at once must be there to stay
        front.batch = max(min(front.batch * 2, _MOST_HEADS), most)
        young = front.young
        found = self._database.execute(_HEADS, (queue, now, front.batch + len(young)))
        front.heads = {row[0]: Row._make(row) for row in found if row[0] not in young}
        return front

    def hold(self, queue: int, held: list[Row], minute: int, size: int) -> None:
        """Messages of `heads` were received: as they are now; `size` is their bytes. Raises OSError."""
        journal, number = self.journal, self._number
        assert journal is not None
        noted = b""
        for row in held:
            number += 1
            record = _RECORD.pack(number, row.id, row.receipt, row.visible, row.first, minute, row.times, size)
            noted += record + _CHECK.pack(crc32(record))
            size = _SAME_CALL
        journal.append(noted)
        self._number = number
        front = self._fronts[queue]
        for row in held:
            del front.heads[row.id]
            front.young[row.id] = row

    def count(self, queue: int, minute: int, received: int, asked: int) -> None:
        """Count a call that received something, as so many requests."""
        place = (queue, minute)
        before = self._sums.get(place)
        self._sums[place] = (received, asked) if before is None else (before[0] + received, before[1] + asked)

    def is_long(self, queue: int) -> bool:
        """Whether the tables should be told before more is received."""
        front = self._fronts.get(queue)
        return (self.journal is not None and self.journal.size > _LONG) or (
            front is not None and len(front.young) > _MANY
        )

    # -- what the running transaction does
    def post(self, post: Post, size: int) -> None:
        """Add a message of so many bytes that names no group, in the turn's transaction (`Database.join`), and count
        the call."""
        if not self._posted:
            self._database.before_commit(_NAME, self._end)
            self._database.on_rollback(self._unpost)
            self._database.on_commit(self._announce)
        self._posted.append(post)
        self._sizes.append(size)
        queue = post[1]
        self._waiting.add(queue)
        self._come[queue] = self._come.get(queue, 0) + 1

    def _unpost(self) -> None:
        self._posted, self._sizes, self._come = [], [], {}

    def _announce(self) -> None:
        """Also when nobody waits yet: a poll that saw nothing may be about to."""
        come, self._come = self._come, {}
        for queue, count in come.items():
            self._arrived(queue, count)

    def has(self, queue: int, id_: int, receipt: int) -> bool:
        """Whether a message is here and this was its last receive."""
        front = self._fronts.get(queue)
        row = None if front is None else front.young.get(id_)
        return row is not None and row.receipt == receipt

    def delete(self, queue: int, id_: int, receipt: int, minute: int = 0) -> bool | None:
        """Delete a message in the running transaction, if this was its last receive; None when it is not here. With a
        minute the call is counted."""
        front = self._fronts.get(queue)
        row = None if front is None else front.young.get(id_)
        if front is None or row is None:
            return None
        if row.receipt != receipt:
            return False
        database = self._database
        del front.young[id_]
        if not self._gone:
            database.before_commit(_NAME, self._end)
        self._gone[id_] = (row.data is None, minute)
        self._waiting.add(queue)
        database.on_rollback(partial(self._undelete, queue, row))
        known = self._known.get(queue)
        if known is not None and known.total is not None:
            known.total -= 1
        return True

    def _undelete(self, queue: int, row: Row) -> None:
        self._gone.pop(row.id, None)
        self._put_back(queue, row)
        self._known.pop(queue, None)

    def _put_back(self, queue: int, row: Row) -> None:
        front = self._fronts.setdefault(queue, Front())
        front.heads.clear()
        front.young.setdefault(row.id, row)

    def _end(self) -> None:
        """Tell the tables what the running transaction did."""
        database, posted, gone = self._database, self._posted, self._gone
        self._waiting.clear()
        if posted:
            sizes, self._posted, self._sizes = self._sizes, [], []
            database.on_rollback(partial(self._not_posted, posted, sizes))
            self._insert(posted)
            self._count_sent(posted, sizes)
        if gone:
            self._gone = {}
            database.on_rollback(partial(self._not_gone, gone))
            self._remove(gone)

    def _insert(self, posted: list[Post]) -> None:
        short = [post if len(post[5]) <= APART else (*post[:5], None) for post in posted]
        self._database.executemany(_POST, short)
        if short != posted:
            apart = [(post[0], post[5]) for post in posted if len(post[5]) > APART]
            self._database.executemany("INSERT INTO sqs_body VALUES (?,?)", apart)

    def _count_sent(self, posted: list[Post], sizes: list[int]) -> None:
        calls: dict[tuple[int, int], list[int]] = {}
        for post, size in zip(posted, sizes, strict=True):
            calls.setdefault((post[1], post[4] // 60_000), []).append(size)
        for (queue, _), sent in calls.items():
            known = self._known.get(queue)
            if known is not None and known.total is not None:
                known.total += len(sent)
        self._counts([
            (*place, len(sent), sum(sent), min(sent), max(sent), 0, 0, sum(map(requests, sent)))
            for place, sent in calls.items()
        ])

    def _remove(self, gone: dict[int, tuple[bool, int]]) -> None:
        self._database.executemany("DELETE FROM sqs_message WHERE id=?", [(id_,) for id_ in gone])
        apart = [(id_,) for id_, (lies, _) in gone.items() if lies]
        if apart:
            self._database.executemany("DELETE FROM sqs_body WHERE id=?", apart)
        counted: dict[tuple[int, int], int] = {}
        for id_, (_, minute) in gone.items():
            if minute:
                place = (queue_of(id_), minute)
                counted[place] = counted.get(place, 0) + 1
        if counted:
            self._counts([(*place, 0, 0, NOTHING_SENT, 0, 0, count, count) for place, count in counted.items()])

    def _not_posted(self, posted: list[Post], sizes: list[int]) -> None:
        """The addition was undone; when all was, nothing is added any more."""
        queues = {post[1] for post in posted}
        for queue in queues:
            self._known.pop(queue, None)
        if self._database.is_open:
            self._posted, self._sizes = posted + self._posted, sizes + self._sizes
            self._waiting.update(queues)

    def _not_gone(self, gone: dict[int, tuple[bool, int]]) -> None:
        """The removal was undone; of what was not deleted at all the row is back already."""
        for id_, how in gone.items():
            front = self._fronts.get(queue_of(id_))
            if front is None or id_ not in front.young:
                self._gone[id_] = how
                self._waiting.add(queue_of(id_))

    # -- telling the tables
    def touch(self, queue: int, id_: int) -> None:
        """One message will be read or written in the tables."""
        front = self._fronts.get(queue)
        if front is not None and (id_ in front.young or id_ in front.heads or queue in self._waiting):
            self.settle(queue)

    def settle(self, queue: int) -> None:
        """The tables will be asked about a queue, or something in it changed: from now on they know all."""
        if queue not in self._fronts and queue not in self._waiting:
            return
        with self._database.lock:
            front = self._fronts.pop(queue, None)
            young = [] if front is None else [*front.young.values()]
            if young or self._waiting:
                with self._database.transaction():
                    self._database.on_rollback(partial(self._restore, young))
                    self._end()
                    self._keep(young)

    def settle_all(self) -> None:
        """The tables know of everything, and the minutes of every receive; in the running transaction or one of its
        own. The journal begins anew when it is committed."""
        with self._database.lock:
            if self._waiting or self._sums or (self.journal is not None and self.journal.size):
                with self._database.transaction():
                    self._write_all()

    def _write_all(self) -> None:
        database, sums = self._database, self._sums
        young = [row for front in self._fronts.values() for row in front.young.values()]
        self._sums = {}
        database.on_rollback(partial(self._restore, young, sums))
        for front in self._fronts.values():
            front.young = {}
        self._end()
        self._keep(young)
        self._counts([
            (*place, 0, 0, NOTHING_SENT, 0, received, 0, asked) for place, (received, asked) in sums.items()
        ])
        database.execute("INSERT OR REPLACE INTO sqs_counter VALUES (?,?)", (_SEEN, self._number))
        database.on_commit(partial(self._begin_anew, self._number))

    def _keep(self, young: list[Row]) -> None:
        if young:
            kept = [(row.visible, row.times, row.receipt, row.first, row.id) for row in young]
            self._database.executemany(_KEEP, kept)

    def _restore(self, young: list[Row], sums: dict[tuple[int, int], tuple[int, int]] | None = None) -> None:
        """What the tables were told was undone."""
        for row in young:
            self._put_back(queue_of(row.id), row)
        for (queue, minute), (received, asked) in (sums or {}).items():
            self.count(queue, minute, received, asked)

    def _begin_anew(self, number: int) -> None:
        if self.journal is not None and self._number == number:
            self.journal.clear()

    def shorten(self) -> None:
        """Tell the tables everything as the running turn is committed: then nothing comes in between, and the journal
        begins anew."""
        with self._database.transaction():
            self._database.before_commit(_NAME + ".all", self._write_all)

    # -- after a crash
    def _read_again(self, journal: Journal) -> None:
        """Tell the tables what the journal knows. What they knew already stays: a message is gone, or was received more
        often since."""
        data = journal.read()
        sums: dict[tuple[int, int], tuple[int, int]] = {}
        counted = self._number
        with self._database.transaction():
            for at in range(0, len(data) - _SIZE + 1, _SIZE):
                record = data[at : at + _RECORD.size]
                if _CHECK.unpack_from(data, at + _RECORD.size)[0] != crc32(record):
                    break
                number, id_, receipt, visible, first, minute, times, size = _RECORD.unpack(record)
                self._database.execute(_AGAIN, (visible, times, receipt, first, id_, times))
                if number > counted:
                    place = (queue_of(id_), minute)
                    before = sums.get(place, (0, 0))
                    sums[place] = (before[0] + 1, before[1] + (0 if size == _SAME_CALL else requests(size)))
                self._number = max(self._number, number)
            self._sums = sums
            self._write_all()
