"""Wake-ups: who must be looked at, and when. Woken by commit, timer and boot, so there is no recovery path.

A row is (table, account, region, key, purpose, due): written in the transaction that changed the record,
removed when its reconciler has nothing left to do. Durable alarms are rows with a purpose and a later due.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple, Protocol

from cloudjar.base.clock import Clock
from cloudjar.base.errors import PlaneError
from cloudjar.kit.record import Record, RecordMeta
from cloudjar.store.database import Database

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


class Reconcile(Protocol):
    """Runs the reconciler of a wake-up's table; raises `PlaneError` when the host could not."""

    def __call__(self, wake: Wake, /) -> None: ...


_RECONCILED: set[str] = set()


def reconciled(table: str) -> None:
    """Declare that writes to a table wake the record's own reconciler."""
    _RECONCILED.add(table)


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
        top = database.execute("SELECT max(stamp) FROM wake").fetchone()[0]
        self._stamp = top or 0
        self._versions: dict[tuple[str, str], int] = {}

    def after_write(self, declared: RecordMeta[Any], item: Record) -> None:
        """Wake whoever reconciles this record or its parent."""
        if declared.spec.name in _RECONCILED:
            self.wake(declared.spec.name, item.account, item.region, declared.key_of(item))
        if declared.parent is not None:
            table, attribute = declared.parent
            key = getattr(item, attribute)
            if key:
                self.wake(table, item.account, item.region, key)

    def wake(
        self, table: str, account: str, region: str, key: str, *, purpose: str = "", due: datetime | None = None
    ) -> None:
        """Wake a record at `due` (AWS time; default now)."""
        self._stamp += 1
        self._versions[table, key] = self._stamp
        when = (due or self._clock.now()).timestamp()
        self._database.execute(
            "INSERT OR REPLACE INTO wake VALUES (?,?,?,?,?,?,?,0)",
            (table, account, region, key, purpose, when, self._stamp),
        )
        if self._database.in_transaction:
            self._database.on_commit(self.notify)
        else:
            self.notify()

    def now(self) -> datetime:
        """AWS time, for who has nothing but the state."""
        return self._clock.now()

    def version(self, table: str, key: str) -> int:
        """Grows with every write that concerns a record (its own and its children's); 0 when none was in this life."""
        return self._versions.get((table, key), 0)

    def due(self, until: datetime | None = None, limit: int = 64) -> list[Wake]:
        """Wake-ups due by now (or `until`), earliest first."""
        when = (until or self._clock.now()).timestamp()
        rows = self._database.query(
            "SELECT tbl, account, region, key, purpose, due, stamp, tries FROM wake WHERE due <= ? "
            "ORDER BY due, stamp LIMIT ?",
            (when, limit),
        )
        return [Wake(*row) for row in rows]

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
        with self._database.transaction():
            self._database.execute(
                "DELETE FROM wake WHERE tbl=? AND account=? AND region=? AND key=? AND purpose=? AND stamp=?",
                (*wake.place, wake.purpose, wake.stamp),
            )

    def later(self, wake: Wake) -> None:
        """Try again after a failure, less and less often."""
        delay = _RETRY_SECONDS[min(wake.tries, len(_RETRY_SECONDS) - 1)]
        due = self._clock.now().timestamp() + delay
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
        self._dispatcher: threading.Thread | None = None
        self._pool: ThreadPoolExecutor | None = None
        self.moving: Callable[[], None] = lambda: None
        """Called before AWS time is moved on."""
        self.moved: Callable[[], None] = lambda: None
        """Called after AWS time was moved on."""

    def run(self, wake: Wake) -> bool:
        """One wake-up; True when it is done, False when it will be tried again."""
        try:
            self._reconcile(wake)
        except PlaneError as error:
            log.warning("%s %s: %s", wake.table, wake.key, error)
        except Exception:
            log.exception("reconciling %s %s failed; it will be tried again", wake.table, wake.key)
        else:
            self._table.done(wake)
            return True
        self._table.later(wake)
        return False

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
        while True:
            self.settle_or_wait()
            due = self._table.next_due()
            if due is None or due > target:
                break
            self._clock.advance(max(due - self._clock.now(), timedelta(0)))
        self._clock.advance(max(target - self._clock.now(), timedelta(0)))
        self.settle_or_wait()
        self.moved()

    def settle_or_wait(self) -> None:
        """Bring everything due to rest, by the workers when they run, else here."""
        if self._dispatcher is None:
            self.settle()
            return
        self._signal.set()
        with self._idle:
            self._idle.wait_for(lambda: self._stopping or not (self._busy or self._fresh()), timeout=60)

    def _fresh(self) -> bool:
        return any(wake.tries == 0 for wake in self._table.due())

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
        with self._idle:
            if wake.place in self._busy:
                return False
            self._busy.add(wake.place)
            return True

    def _pause(self) -> float | None:
        due = self._table.next_due()
        if due is None:
            return None
        seconds = (due - self._clock.now()).total_seconds()
        # What is overdue and was not started is busy, and says so when it ends: the second is a belt.
        return min(seconds, 3600.0) if seconds > 0 else 1.0

    def _work(self, wake: Wake) -> None:
        try:
            self.run(wake)
        finally:
            with self._idle:
                self._busy.discard(wake.place)
                self._idle.notify_all()
            self._signal.set()
