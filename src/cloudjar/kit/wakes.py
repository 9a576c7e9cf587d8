"""Wake-ups: who must be looked at, and when. Woken by commit, timer and boot, so there is no recovery path.

A row is (table, account, region, key, purpose, due): written in the transaction that changed the record,
removed when its reconciler has nothing left to do. Durable alarms are rows with a purpose and a later due.
"""

from __future__ import annotations

import logging
import math
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any, NamedTuple, Protocol

from cloudjar.base.clock import Clock, monotonic
from cloudjar.base.errors import PlaneError
from cloudjar.kit.record import Record, RecordMeta
from cloudjar.store.database import Database, Transaction

log = logging.getLogger("cloudjar.wakes")

_RETRY_SECONDS = (0.5, 1, 2, 5, 10, 30)


class Wake(NamedTuple):
    """One wake-up. `stamp` changes when the record is woken again while it is being looked at."""

    table: str
    account: str
    region: str
    key: str
    purpose: str
    due: float
    stamp: int
    tries: int

    @property
    def place(self) -> tuple[str, str, str, str]:
        return self[:4]


Key = tuple[str, str, str, str, str]
"""(table, account, region, key, purpose) of a wake-up."""


class Reconcile(Protocol):
    """Runs the reconciler of a wake-up's table; raises `PlaneError` when the host could not."""

    def __call__(self, wake: Wake, /) -> None: ...


class Alone(Exception):
    """Raised by a reconciler that cannot do what it is woken for inside somebody's transaction: it is called again,
    without one, and what it has done so far is undone."""


_RECONCILED: set[str] = set()
_TOGETHER: set[str] = set()
_BATCH, _BATCH_SECONDS = 256, 0.05
_AHEAD = 64
"""Wake-ups that are read at once while AWS time is moved on."""
_DONE = "DELETE FROM wake WHERE tbl=? AND account=? AND region=? AND key=? AND purpose=? AND stamp=?"


def reconciled(table: str, *, together: bool = False) -> None:
    """Declare that writes to a table wake the record's own reconciler; `together` says that it does nothing but change
    the database, so that while AWS time is moved on many of its looks may share a transaction."""
    _RECONCILED.add(table)
    if together:
        _TOGETHER.add(table)


class WakeTable:
    """The durable rows."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock
        self.notify: Callable[[], None] = lambda: None
        database.execute(
            "CREATE TABLE IF NOT EXISTS wake (tbl TEXT, account TEXT, region TEXT, key TEXT, purpose TEXT, "
            "due REAL, stamp INTEGER, tries INTEGER, PRIMARY KEY (tbl, account, region, key, purpose)) WITHOUT ROWID"
        )
        database.execute("CREATE INDEX IF NOT EXISTS wake_due ON wake (due)")
        database.execute("CREATE TABLE IF NOT EXISTS clock_reached (one INTEGER PRIMARY KEY, instant REAL)")
        top = database.execute("SELECT max(stamp) FROM wake").fetchone()[0]
        self._stamp = top or 0
        self._versions: dict[tuple[str, str], int] = {}
        self._looking: Key | None = None
        self._soonest = math.inf
        self._changed: set[Key] | None = None
        """What was woken anew since `ahead` read: the earliest, and which; None while nobody reads ahead."""
        self._renewed: set[Key] = set()
        """Of these the ones whose waking was not undone."""
        self._resting: dict[tuple[str, str, str, str], float] = {}

    def after_write(self, declared: RecordMeta[Any], item: Record) -> None:
        """Wake whoever reconciles this record or its parent."""
        if declared.spec.name in _RECONCILED:
            place = (declared.spec.name, item.account, item.region, declared.key_of(item), "")
            if place == self._looking:
                self._grow(place)
            else:
                self.wake(*place[:4])
        if declared.parent is not None:
            table, attribute = declared.parent
            key = getattr(item, attribute)
            if key:
                self.wake(table, item.account, item.region, key)

    def wake(
        self,
        table: str,
        account: str,
        region: str,
        key: str,
        *,
        purpose: str = "",
        due: datetime | None = None,
        tries: int = 0,
    ) -> None:
        """Wake a record at `due` (AWS time; default now)."""
        when = (due or self._clock.now()).timestamp()
        self._grow((table, account, region, key, purpose))
        self._soonest = min(self._soonest, when)
        if self._changed is not None:
            renewed = (table, account, region, key, purpose)
            self._renewed.add(renewed)
            self._database.on_rollback(partial(self._renewed.discard, renewed))
        self._database.execute(
            "INSERT OR REPLACE INTO wake VALUES (?,?,?,?,?,?,?,?)",
            (table, account, region, key, purpose, when, self._stamp, tries),
        )
        if self._database.in_transaction:
            self._database.on_commit(self.notify)
        else:
            self.notify()

    def _grow(self, place: Key) -> None:
        self._stamp += 1
        self._versions[place[0], place[3]] = self._stamp
        if self._changed is not None:
            self._changed.add(place)

    def reached(self, instant: datetime | None) -> None:
        """While AWS time is moved on: how far it has come, in the transaction of what happened then; None when it has
        arrived."""
        if instant is None:
            self._database.execute("DELETE FROM clock_reached")
        else:
            self._database.execute("INSERT OR REPLACE INTO clock_reached VALUES (1, ?)", (instant.timestamp(),))

    def catch_up(self) -> None:
        """The server died while AWS time was moved on: it has come as far as what is stored had."""
        for (instant,) in self._database.query("SELECT instant FROM clock_reached"):
            self._clock.advance(max(datetime.fromtimestamp(instant, UTC) - self._clock.now(), timedelta(0)))
            with self._database.transaction():
                self.reached(None)

    def transaction(self) -> Transaction:
        """One of the database's."""
        return self._database.transaction()

    def now(self) -> datetime:
        """AWS time, for who has nothing but the state."""
        return self._clock.now()

    @contextmanager
    def looking(self, declared: RecordMeta[Any], item: Record) -> Iterator[None]:
        """A record's own reconciler looks at it: what it writes of it meanwhile does not wake it again; in a
        transaction."""
        before = self._looking
        self._looking = (declared.spec.name, item.account, item.region, declared.key_of(item), "")
        try:
            yield
        finally:
            self._looking = before

    def soon(self, wake: Wake, seconds: float, purpose: str) -> None:
        """Wake the same record after some seconds of the machine's."""
        due, frozen = self.after(seconds, wake.place), self._clock.speed == 0
        self.wake(*wake.place, purpose=purpose, due=due, tries=int(frozen))

    def after(self, seconds: float, place: tuple[str, str, str, str]) -> datetime:
        """AWS time in some seconds of the machine's, which is what the host is asked again by. To a frozen clock it is
        now, and the place rests so long."""
        speed = self._clock.speed
        if speed == 0:
            self._resting[place] = monotonic() + seconds
        return self._clock.now() + timedelta(seconds=seconds * speed)

    def rests(self, place: tuple[str, str, str, str]) -> bool:
        """Whether a record that is due is not to be looked at yet."""
        until = self._resting.get(place)
        if until is None:
            return False
        if until > monotonic():
            return True
        self._resting.pop(place, None)
        return False

    def version(self, table: str, key: str) -> int:
        """Grows with every write that concerns a record (its own and its children's); 0 when none was in this life."""
        return self._versions.get((table, key), 0)

    def due(self, until: datetime | None = None, limit: int = 64) -> list[Wake]:
        """Wake-ups due by now (or `until`), earliest first."""
        return list(map(Wake._make, self._due(until or self._clock.now(), limit)))

    def _due(self, until: datetime, limit: int) -> list[tuple[Any, ...]]:
        return self._database.query(
            "SELECT tbl, account, region, key, purpose, due, stamp, tries FROM wake WHERE due <= ? "
            "ORDER BY due, stamp LIMIT ?",
            (until.timestamp(), limit),
        )

    def ahead(self, until: datetime) -> Iterator[Wake]:
        """Wake-ups due by an instant, earliest first, those too that are made while the ones before are looked at; in
        a transaction. Whoever asks for the next has done with the one before."""
        try:
            while found := self._due(until, _AHEAD):
                self._soonest, self._changed = math.inf, set()
                self._renewed.clear()
                for number, row in enumerate(found):
                    if number and (self._soonest < row[5] or row[:5] in self._changed):
                        break
                    yield Wake._make(row)
        finally:
            self._changed = None
            self._renewed.clear()

    def expects(self, wake: Wake, purpose: str) -> bool:
        """True when the same record has a wake-up of another purpose outstanding."""
        rows = self._database.query(
            "SELECT 1 FROM wake WHERE tbl=? AND account=? AND region=? AND key=? AND purpose=?", (*wake.place, purpose)
        )
        return bool(rows)

    def next_due(self) -> datetime | None:
        """When the earliest wake-up is due."""
        row = self._database.query("SELECT min(due) FROM wake")[0][0]
        return None if row is None else datetime.fromtimestamp(row, UTC)

    def done(self, wake: Wake) -> None:
        """Forget a wake-up unless the record was woken again meanwhile."""
        if wake[:5] in self._renewed:
            return
        if self._database.in_transaction:
            self._database.execute(_DONE, (*wake[:5], wake.stamp))
            return
        with self._database.transaction():
            self._database.execute(_DONE, (*wake[:5], wake.stamp))

    def later(self, wake: Wake) -> None:
        """Try again after a failure, less and less often."""
        due = self.after(_RETRY_SECONDS[min(wake.tries, len(_RETRY_SECONDS) - 1)], wake.place).timestamp()
        self._soonest = min(self._soonest, due)
        with self._database.transaction():
            self._database.execute(
                "UPDATE wake SET due=?, tries=tries+1 WHERE tbl=? AND account=? AND region=? AND key=? "
                "AND purpose=? AND stamp=?",
                (due, *wake.place, wake.purpose, wake.stamp),
            )


class Runner:
    """Runs due wake-ups: in the caller's thread (`settle`) or by a dispatcher and a few workers (`start`)."""

    def __init__(self, table: WakeTable, clock: Clock, reconcile: Reconcile) -> None:
        self._table = table
        self._clock = clock
        self._reconcile = reconcile
        # Commits set the signal while they hold the database's lock, so nobody may hold a lock that a setter
        # needs while reading the database: hence an event for news and a condition for the busy set alone.
        self._signal = threading.Event()
        self._idle = threading.Condition()
        self._busy: set[tuple[str, str, str, str]] = set()
        self._stopping = False
        self._jumping = 0
        self._alone: set[int] = set()
        """Stamps of wake-ups whose reconcilers want no transaction around them."""
        self._dispatcher: threading.Thread | None = None
        self._pool: ThreadPoolExecutor | None = None
        self.moving: Callable[[], None] = lambda: None
        """Called before AWS time is moved on."""
        self.moved: Callable[[], None] = lambda: None
        """Called after AWS time was moved on."""
        table.catch_up()

    def run(self, wake: Wake) -> bool:
        """One wake-up; True when it is done, False when it will be tried again."""
        try:
            self._reconcile(wake)
        except Alone:
            raise
        except Exception as error:  # noqa: BLE001 it is logged, and tried again
            self._failed(wake, error)
            return False
        self._table.done(wake)
        return True

    def _failed(self, wake: Wake, error: Exception) -> None:
        if isinstance(error, PlaneError):
            log.warning("%s %s: %s", wake.table, wake.key, error)
        else:
            log.error("reconciling %s %s failed; it will be tried again", wake.table, wake.key, exc_info=error)
        self._table.later(wake)

    def settle(self, limit: int = 10_000) -> None:
        """Run everything that is due, and what that makes due, until nothing is. For simulated planes."""
        for _ in range(limit):
            batch = self._table.due(limit=1)
            if not batch:
                return
            self.run(batch[0])
        raise RuntimeError("the world does not settle: some record wakes itself for ever")

    def advance(self, by: timedelta) -> None:
        """Move AWS time forward, running every due alarm at its own instant, in order."""
        self.moving()
        target = self._clock.now() + by
        with self._idle:
            self._jumping += 1
        try:
            while True:
                self.settle_or_wait()
                due = self._table.next_due()
                if due is None or due > target:
                    break
                if not self._batch(target):
                    self._go_to(due)
        finally:
            with self._idle:
                self._jumping -= 1
                self._alone.clear()
            self._clock.keep()
            with self._table.transaction():
                self._table.reached(None)
        self._clock.advance(max(target - self._clock.now(), timedelta(0)))
        self.settle_or_wait()
        self.moved()

    def _go_to(self, instant: datetime) -> None:
        """Move on to an alarm that is for the workers. How far time has come is in the database before anybody can act
        on it."""
        with self._table.transaction():
            self._clock.skip(max(instant - self._clock.now(), timedelta(0)))
            self._table.reached(self._clock.now())

    def _batch(self, target: datetime) -> int:
        """Run alarms up to `target` one after another, each at its instant, as long as they only change the database:
        in one transaction, for a moment. How many there were. Takes no lock but the database's."""
        count, until = 0, monotonic() + _BATCH_SECONDS
        with self._table.transaction():
            for wake in self._table.ahead(target):
                if not self._is_mine(wake):
                    break
                if wake.due > self._clock.now().timestamp():
                    self._clock.skip(datetime.fromtimestamp(wake.due, UTC) - self._clock.now())
                count += 1
                try:
                    with self._table.transaction():
                        self._reconcile(wake)
                        self._table.done(wake)
                except Alone:
                    self._alone.add(wake.stamp)
                except Exception as error:  # noqa: BLE001 it is logged, and tried again
                    self._failed(wake, error)
                if count == _BATCH or monotonic() > until:
                    break
            if count:
                self._table.reached(self._clock.now())
        return count

    def _is_mine(self, wake: Wake) -> bool:
        """Whether a wake-up is for who moves the clock on, not for the workers."""
        together = wake.table in _TOGETHER and wake.stamp not in self._alone
        return together and not wake.tries and wake.place not in self._busy

    def run_at(self, speed: float) -> None:
        """Let AWS time pass so many times as fast; 0 freezes it. Whoever waits for an instant of it waits anew."""
        self.moving()
        self._clock.run(speed)
        self._signal.set()
        self.moved()

    def settle_or_wait(self) -> None:
        """Bring everything due to rest, by the workers when they run, else here."""
        if self._dispatcher is None:
            self.settle()
            return
        while not self._stopping:
            while self._jumping and self._batch(self._clock.now()):
                pass
            self._signal.set()
            with self._idle:
                if not self._idle.wait_for(self._rests, timeout=60):
                    return
            if not (self._jumping and any(map(self._is_mine, self._table.due()))):
                return

    def _rests(self) -> bool:
        """Whether nothing is to be waited for."""
        if self._stopping or not self._busy:
            fresh = [wake for wake in self._table.due() if wake.tries == 0]
            return self._stopping or not fresh or (self._jumping > 0 and any(map(self._is_mine, fresh)))
        return False

    def start(self, workers: int = 8) -> None:
        """Serve wake-ups in the background until `stop`."""
        self._pool = ThreadPoolExecutor(workers, thread_name_prefix="cloudjar-reconcile")
        self._dispatcher = threading.Thread(target=self._dispatch, name="cloudjar-wakes", daemon=True)
        self._table.notify = self._signal.set
        self._dispatcher.start()

    def stop(self) -> None:
        """Finish what runs and stop."""
        self._stopping = True
        self._signal.set()
        if self._dispatcher is not None:
            self._dispatcher.join()
        if self._pool is not None:
            self._pool.shutdown(wait=True)

    def _dispatch(self) -> None:
        assert self._pool is not None
        while not self._stopping:
            self._signal.clear()
            started = 0
            for wake in self._table.due():
                if self._claim(wake):
                    self._pool.submit(self._work, wake)
                    started += 1
            if not started:
                self._signal.wait(self._pause())

    def _claim(self, wake: Wake) -> bool:
        if wake.tries and self._table.rests(wake.place):
            return False
        with self._idle:
            if self._jumping and self._is_mine(wake):
                return False
            if wake.place in self._busy:
                return False
            self._busy.add(wake.place)
            return True

    def _pause(self) -> float | None:
        due = self._table.next_due()
        if due is None:
            return None
        seconds, speed = (due - self._clock.now()).total_seconds(), self._clock.speed
        if seconds > 0:
            return min(seconds / speed, 3600.0) if speed else None
        # What is overdue and was not started is busy, and says so when it ends: the second is a belt. Or it rests.
        return 1.0

    def _work(self, wake: Wake) -> None:
        try:
            self.run(wake)
        finally:
            self._release(wake)
            self._signal.set()

    def _release(self, wake: Wake) -> None:
        with self._idle:
            self._busy.discard(wake.place)
            self._idle.notify_all()
