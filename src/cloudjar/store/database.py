"""The embedded database: one writer, group-committed.

Commits run with ``synchronous=NORMAL``: they reach the operating system (and so survive ``kill -9``) but not
the disk. A flusher thread then syncs the write-ahead log once for all commits that wait, and only
then are their answers sent. The event loop never waits for the disk.

What costs most of a small transaction is its end. So calls of which there are many (`joined`) share one: each is a
savepoint, and the thread of the loop commits them together at the end of its turn. It keeps the lock until then, so
that nobody else sees, or acts on, what might not come to be.
"""

from __future__ import annotations

import contextlib
import logging
import os
import sqlite3
import threading
from collections.abc import Callable
from pathlib import Path
from queue import SimpleQueue
from typing import Any, TypeVar, TypeVarTuple

log = logging.getLogger("cloudjar.store")

P = TypeVarTuple("P")
T = TypeVar("T")

SCHEMA_VERSION = 1
_CHECKPOINT_BYTES = 8 << 20
_LOOKS_EVERY = 8
"""After so many syncs the log's size is looked at."""


class Database:
    """A SQLite file. All access is serialised by `lock`; transactions nest as savepoints.

    `durable=False` skips the disk sync (tests); commits then still survive the process.
    """

    def __init__(self, path: Path | None, *, durable: bool = True) -> None:
        self.path = path
        self.lock = threading.RLock()
        self._depth = 0
        self._owner = 0
        self._on_commit: list[Callable[[], object]] = []
        self._on_rollback: list[Callable[[], object]] = []
        self._before: dict[str, Callable[[], None]] = {}
        self.changes = 0
        """Transactions committed (or joined) since opening."""
        self.at_turns_end: Callable[[Callable[[], None]], object] | None = None
        """Calls a function when the loop's turn ends. Until it is set, nothing joins."""
        self.lost = False
        """What had joined could not be committed. For who tells them; he resets it."""
        self._joiner = 0
        self._joining = False
        self._connection = sqlite3.connect(
            path or ":memory:", check_same_thread=False, isolation_level=None, cached_statements=512
        )
        self.execute: Callable[..., sqlite3.Cursor] = self._connection.execute
        """Run one statement, with its arguments; the caller holds `lock` or runs inside `transaction`."""
        self._configure()
        self._flusher = Flusher(Path(f"{path}-wal"), self.checkpoint) if path and durable else None

    def _configure(self) -> None:
        run = self._connection.execute
        run("PRAGMA journal_mode=WAL")
        run("PRAGMA synchronous=NORMAL")
        run("PRAGMA wal_autocheckpoint=0")
        run(f"PRAGMA journal_size_limit={_CHECKPOINT_BYTES}")
        run("PRAGMA temp_store=MEMORY")
        run("PRAGMA cache_size=-8192")
        found = run("PRAGMA user_version").fetchone()[0]
        if found > SCHEMA_VERSION:
            raise RuntimeError(
                f"{self.path} was written by a newer Cloudjar (schema {found}, this one knows {SCHEMA_VERSION}). "
                "Try: upgrade Cloudjar, or point CLOUDJAR_HOME elsewhere."
            )
        if found != SCHEMA_VERSION:
            run(f"PRAGMA user_version={SCHEMA_VERSION}")

    def executemany(self, sql: str, rows: list[tuple[Any, ...]]) -> None:
        """Run one statement for many rows."""
        self._connection.executemany(sql, rows)

    def query(self, sql: str, args: tuple[Any, ...] = ()) -> list[Any]:
        """All rows of a read, safe from any thread."""
        with self.lock:
            return self._connection.execute(sql, args).fetchall()

    def transaction(self) -> Transaction:
        """``with``: commit when the block ends, roll back when it raises. Nested blocks are savepoints."""
        return Transaction(self)

    def within(self) -> contextlib.AbstractContextManager[None]:
        """``with``: the running transaction, of which this is a part for better or worse, or one of its own."""
        return contextlib.nullcontext() if self.in_transaction else Transaction(self)

    def joined(self, run: Callable[[*P], T], *args: *P) -> T:
        """Run something on the loop's thread whose outermost transaction may be committed together with others' at the
        turn's end. Whoever is told of what it did waits for `flush`. What it keeps in memory of a transaction must
        hear of each savepoint's end: a hook that is registered once a transaction does not."""
        self._joiner = threading.get_ident() if self.at_turns_end is not None else 0
        try:
            return run(*args)
        finally:
            self._joiner = 0

    def commit_joined(self) -> None:
        """Commit what joined, if there is anything; called by the loop's thread, anywhere but in a transaction."""
        if not self._joining or self._depth:
            return
        self._joining = False
        try:
            self._commit()
        except BaseException:
            self.lost = True
            raise
        finally:
            self.lock.release()

    def _turn_ends(self) -> None:
        try:
            self.commit_joined()
        except sqlite3.Error:
            log.exception("what was done in this turn is lost")

    def join(self) -> bool:
        """Join the turn's transaction without a savepoint: from here on the call can only succeed, and what it wants is
        written `before_commit`, or undone with all others'. False when nothing joins here: use `transaction`."""
        if self._joiner != threading.get_ident() or self._depth:
            return False
        if not self._joining:
            with self.lock:
                self._join()
        self.changes += 1
        return True

    def _join(self) -> None:
        assert self.at_turns_end is not None
        self._connection.execute("BEGIN IMMEDIATE")
        self._joining = True
        self.lock.acquire()
        self.at_turns_end(self._turn_ends)

    def _begin(self) -> Mark | None:
        """The lock is held. The mark is a savepoint's."""
        if not self._depth:
            me = threading.get_ident()
            if self._joiner != me:
                self.commit_joined()
                self._connection.execute("BEGIN IMMEDIATE")
                self._depth, self._owner = 1, me
                return None
            if not self._joining:
                self._join()
            self._connection.execute("SAVEPOINT s0")
            self._owner = me
        else:
            self._connection.execute(f"SAVEPOINT s{self._depth}")
        self._depth += 1
        return len(self._on_rollback), len(self._on_commit)

    def _end(self, mark: Mark | None, *, failed: bool) -> None:
        if mark is None:
            self._depth = self._owner = 0
            if failed:
                self._undo()
            else:
                self._commit()
                self.changes += 1
            return
        self._depth -= 1
        if not self._depth:
            self._owner = 0
        name = f"s{self._depth}"
        if not failed:
            self._connection.execute(f"RELEASE {name}")
            if not self._depth:
                self.changes += 1
            return
        self._connection.execute(f"ROLLBACK TO {name}")
        self._connection.execute(f"RELEASE {name}")
        undone = self._on_rollback[mark[0] :]
        del self._on_rollback[mark[0] :]
        del self._on_commit[mark[1] :]
        for hook in undone:
            hook()

    def _commit(self) -> None:
        try:
            for hook in self._before.values():
                hook()
            self._before.clear()
            self._connection.execute("COMMIT")
        except BaseException:
            self._undo()
            raise
        self._settle(self._on_commit, self._on_rollback)

    def _undo(self) -> None:
        self._before.clear()
        if self._connection.in_transaction:  # some errors have ended it already
            self._connection.execute("ROLLBACK")
        self._settle(self._on_rollback, self._on_commit)

    def _settle(self, run: list[Callable[[], object]], drop: list[Callable[[], object]]) -> None:
        hooks = run[:]
        run.clear()
        drop.clear()
        for hook in hooks:
            hook()

    @property
    def in_transaction(self) -> bool:
        """True inside a `transaction` block of this thread (the lock is then held)."""
        return self._owner == threading.get_ident()

    @property
    def is_open(self) -> bool:
        """Whether a transaction runs, or the turn's is still to be committed."""
        return self._connection.in_transaction

    def on_commit(self, hook: Callable[[], None]) -> None:
        """Run `hook` once the outermost transaction has committed."""
        self._on_commit.append(hook)

    def before_commit(self, name: str, hook: Callable[[], None]) -> None:
        """Run `hook` before the outermost transaction (with all that joined it) commits, once for each name: it writes
        down what was summed up. It uses `execute` alone."""
        self._before.setdefault(name, hook)

    def on_rollback(self, hook: Callable[[], None]) -> None:
        """Run `hook` when what was done so far is undone."""
        self._on_rollback.append(hook)

    def undone(self, forget: Callable[[], object]) -> None:
        """Call `forget` should the running transaction be undone: tables that it made are gone then."""
        if self.in_transaction:
            self._on_rollback.append(forget)

    def flush(self, done: Callable[[], object]) -> None:
        """Call `done` (from the flusher's thread, or at once when not durable) when every commit so far is on disk."""
        if self._flusher is None:
            done()
        else:
            self._flusher.wait(done)

    def checkpoint(self) -> None:
        """Move the log's pages into the database when it has grown, so that the next write begins it anew.

        The bulk is moved beside the writer; only what arrived meanwhile is moved while it waits.
        """
        if self.path is None:
            return
        with contextlib.suppress(OSError, sqlite3.OperationalError):
            if os.path.getsize(f"{self.path}-wal") > _CHECKPOINT_BYTES:
                side = sqlite3.connect(self.path, isolation_level=None)
                try:
                    side.execute("PRAGMA wal_checkpoint(PASSIVE)")
                finally:
                    side.close()
                with self.lock:
                    self._connection.execute("PRAGMA wal_checkpoint(PASSIVE)")

    def close(self) -> None:
        """Flush and close."""
        if self._flusher is not None:
            self._flusher.close()
        with self.lock:
            self._connection.close()


Mark = tuple[int, int]
"""How many hooks there were: of a rollback, of a commit."""


class Transaction:
    """See `Database.transaction`."""

    __slots__ = ("_database", "_mark")

    def __init__(self, database: Database) -> None:
        self._database = database
        self._mark: Mark | None = None

    def __enter__(self) -> None:
        database = self._database
        database.lock.acquire()
        try:
            if database._joining and not database._depth and database._joiner == threading.get_ident():
                # One more call of this turn, which is most of them.
                database.execute("SAVEPOINT s0")
                database._owner, database._depth = database._joiner, 1
                self._mark = len(database._on_rollback), len(database._on_commit)
            else:
                self._mark = database._begin()
        except BaseException:
            database.lock.release()
            raise

    def __exit__(self, kind: type[BaseException] | None, error: object, trace: object) -> None:
        database = self._database
        try:
            if kind is None and database._depth == 1 and self._mark is not None:
                database._depth = database._owner = 0
                database.execute("RELEASE s0")
                database.changes += 1
            else:
                database._end(self._mark, failed=kind is not None)
        finally:
            database.lock.release()


class Flusher:
    """A thread that syncs the write-ahead log for everybody who waits, then tells them.

    It does as little as it can while the loop works: each time that it goes on after waiting (for somebody, for the
    disk), the loop's thread has to stand back.
    """

    def __init__(self, wal: Path, after: Callable[[], None]) -> None:
        self._wal = wal
        self._after = after
        self._waiting: SimpleQueue[Callable[[], object] | None] = SimpleQueue()
        self._thread = threading.Thread(target=self._run, name="cloudjar-flush", daemon=True)
        self._thread.start()

    def wait(self, done: Callable[[], object]) -> None:
        self._waiting.put(done)

    def _run(self) -> None:
        fd = os.open(self._wal, os.O_RDWR | os.O_CREAT, 0o600)
        take, syncs = self._waiting.get, 0
        try:
            while (done := take()) is not None:
                # Nobody else takes what is there: so many may be taken without waiting.
                more = [take() for _ in range(self._waiting.qsize())]
                os.fdatasync(fd)
                done()
                for other in more:
                    if other is not None:
                        other()
                syncs += 1
                if syncs % _LOOKS_EVERY == 0:
                    self._after()
                if None in more:
                    return
        finally:
            os.close(fd)

    def close(self) -> None:
        self._waiting.put(None)
        self._thread.join()
