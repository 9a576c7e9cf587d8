"""The embedded database: one writer, group-committed.

Commits run with ``synchronous=NORMAL``: they reach the operating system (and so survive ``kill -9``) but not
the disk. A flusher thread then syncs the write-ahead log once for all commits that wait, and only
then are their answers sent. The event loop never waits for the disk.
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

SCHEMA_VERSION = 1
_CHECKPOINT_BYTES = 8 << 20


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
        self.changes = 0
        """Transactions committed since opening."""
        self._connection = sqlite3.connect(
            path or ":memory:", check_same_thread=False, isolation_level=None, cached_statements=512
        )
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

    def execute(self, sql: str, args: tuple[Any, ...] = ()) -> sqlite3.Cursor:
        """Run one statement; the caller holds `lock` or runs inside `transaction`."""
        return self._connection.execute(sql, args)

    def executemany(self, sql: str, rows: list[tuple[Any, ...]]) -> None:
        """Run one statement for many rows."""
        self._connection.executemany(sql, rows)

    def query(self, sql: str, args: tuple[Any, ...] = ()) -> list[Any]:
        """All rows of a read, safe from any thread."""
        with self.lock:
            return self._connection.execute(sql, args).fetchall()

    @contextlib.contextmanager
    def transaction(self) -> Iterator[None]:
        """Commit when the block ends, roll back when it raises. Nested blocks are savepoints."""
        with self.lock:
            if self._depth:
                yield from self._savepoint()
                return
            self._connection.execute("BEGIN IMMEDIATE")
            self._depth = 1
            self._owner = threading.get_ident()
            try:
                yield
            except BaseException:
                self._depth = self._owner = 0
                self._connection.execute("ROLLBACK")
                self._settle(self._on_rollback, self._on_commit)
                raise
            self._depth = self._owner = 0
            self._connection.execute("COMMIT")
            self.changes += 1
            self._settle(self._on_commit, self._on_rollback)

    def _savepoint(self) -> Iterator[None]:
        name = f"s{self._depth}"
        self._connection.execute(f"SAVEPOINT {name}")
        mark_rollback, mark_commit = len(self._on_rollback), len(self._on_commit)
        self._depth += 1
        try:
            yield
        except BaseException:
            self._connection.execute(f"ROLLBACK TO {name}")
            self._connection.execute(f"RELEASE {name}")
            self._depth -= 1
            undone = self._on_rollback[mark_rollback:]
            del self._on_rollback[mark_rollback:]
            del self._on_commit[mark_commit:]
            for hook in undone:
                hook()
            raise
        self._connection.execute(f"RELEASE {name}")
        self._depth -= 1

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

    def on_commit(self, hook: Callable[[], None]) -> None:
        """Run `hook` once the outermost transaction has committed."""
        self._on_commit.append(hook)

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


class Flusher:
    """A thread that syncs the write-ahead log for everybody who waits, then tells them."""

    def __init__(self, wal: Path, after: Callable[[], None]) -> None:
        self._wal = wal
        self._after = after
        self._waiting: list[Callable[[], object]] = []
        self._wake = threading.Condition()
        self._closed = False
        self._thread = threading.Thread(target=self._run, name="cloudjar-flush", daemon=True)
        self._thread.start()

    def wait(self, done: Callable[[], object]) -> None:
        with self._wake:
            self._waiting.append(done)
            self._wake.notify()

    def _run(self) -> None:
        fd = os.open(self._wal, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            while True:
                with self._wake:
                    while not self._waiting and not self._closed:
                        self._wake.wait()
                    if not self._waiting:
                        return
                    batch, self._waiting = self._waiting, []
                os.fdatasync(fd)
                for done in batch:
                    done()
                self._after()
        finally:
            os.close(fd)

    def close(self) -> None:
        with self._wake:
            self._closed = True
            self._wake.notify()
        self._thread.join()
