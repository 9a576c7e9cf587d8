"""Transactions, savepoints, group commit."""

from __future__ import annotations

import os
import sqlite3
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from cloudjar.store.database import SCHEMA_VERSION, Database
from tests.store.failing import undone


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    database = Database(tmp_path / "a.db", durable=False)
    database.execute("CREATE TABLE t (n INTEGER)")
    yield database
    database.close()


def numbers(database: Database) -> list[int]:
    return [n for (n,) in database.query("SELECT n FROM t ORDER BY n")]


def insert(database: Database, n: int) -> None:
    database.execute("INSERT INTO t VALUES (?)", (n,))


def test_a_block_commits_or_leaves_nothing(database: Database) -> None:
    with database.transaction():
        insert(database, 1)
    with undone(database):
        insert(database, 2)
    assert numbers(database) == [1]
    assert database.changes == 1
    assert not database.in_transaction


def test_an_inner_block_can_fail_by_itself(database: Database) -> None:
    with database.transaction():
        insert(database, 1)
        with undone(database):
            insert(database, 2)
            with database.transaction():
                insert(database, 3)
        with database.transaction():
            insert(database, 4)
        assert database.in_transaction
    assert numbers(database) == [1, 4]
    assert database.changes == 1


def test_an_outer_block_takes_inner_ones_with_it(database: Database) -> None:
    with undone(database), database.transaction():
        insert(database, 1)
    assert numbers(database) == []


def test_hooks_follow_what_they_belong_to(database: Database) -> None:
    said: list[str] = []
    with database.transaction():
        database.on_commit(lambda: said.append("outer committed"))
        database.on_rollback(lambda: said.append("outer undone"))
        with undone(database):
            database.on_commit(lambda: said.append("inner committed"))
            database.on_rollback(lambda: said.append("inner undone"))
        assert said == ["inner undone"]
        with database.transaction():
            database.on_commit(lambda: said.append("second committed"))
        assert said == ["inner undone"]
    assert said == ["inner undone", "outer committed", "second committed"]
    with undone(database):
        database.on_rollback(lambda: said.append("undone"))
    assert said[3:] == ["undone"]


def test_a_hook_may_begin_a_transaction(database: Database) -> None:
    def again() -> None:
        with database.transaction():
            insert(database, 2)

    with database.transaction():
        insert(database, 1)
        database.on_commit(again)
    assert numbers(database) == [1, 2]


def test_others_wait_for_a_transaction_and_are_not_in_it(database: Database) -> None:
    seen: list[object] = []

    def other() -> None:
        seen.append(database.in_transaction)
        seen.append(numbers(database))

    with database.transaction():
        insert(database, 1)
        thread = threading.Thread(target=other)
        thread.start()
        insert(database, 2)
        assert database.in_transaction
    thread.join(30)
    assert seen == [False, [1, 2]]


def test_what_was_committed_is_there_after_reopening(tmp_path: Path) -> None:
    database = Database(tmp_path / "a.db")
    database.execute("CREATE TABLE t (n INTEGER)")
    with database.transaction():
        insert(database, 7)
    done = threading.Event()
    database.flush(done.set)
    assert done.wait(30)
    copy = sqlite3.connect(tmp_path / "a.db")  # another process would see the same
    assert copy.execute("SELECT n FROM t").fetchall() == [(7,)]
    copy.close()
    database.close()
    again = Database(tmp_path / "a.db", durable=False)
    assert numbers(again) == [7]
    again.close()


def test_one_sync_serves_all_who_wait(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first, go, syncs = threading.Event(), threading.Event(), []

    def sync(fd: int) -> None:
        syncs.append(fd)
        first.set()
        assert go.wait(30)

    monkeypatch.setattr(os, "fdatasync", sync)
    database = Database(tmp_path / "a.db")
    told: list[int] = []
    everybody = threading.Event()
    database.flush(lambda: told.append(0))
    assert first.wait(30)
    for n in range(1, 51):
        database.flush(lambda n=n: told.append(n))  # type: ignore[misc]  # a default argument binds it
    database.flush(everybody.set)
    assert told == [], "nobody is told before the disk has it"
    go.set()
    assert everybody.wait(30)
    assert told == list(range(51))
    assert len(syncs) == 2
    database.close()


def test_without_durability_nobody_waits(database: Database) -> None:
    told: list[bool] = []
    database.flush(lambda: told.append(True))
    assert told == [True]


def test_the_log_does_not_grow_for_ever(tmp_path: Path) -> None:
    database = Database(tmp_path / "a.db")
    database.execute("CREATE TABLE b (data BLOB)")
    for _ in range(60):
        with database.transaction():
            database.execute("DELETE FROM b")
            database.execute("INSERT INTO b VALUES (?)", (bytes(1 << 20),))
        done = threading.Event()
        database.flush(done.set)
        assert done.wait(30)
    assert (tmp_path / "a.db-wal").stat().st_size < 40 << 20
    assert database.query("PRAGMA integrity_check") == [("ok",)]
    database.close()


def test_a_file_of_a_newer_version_is_refused(tmp_path: Path) -> None:
    other = sqlite3.connect(tmp_path / "a.db")
    other.execute(f"PRAGMA user_version={SCHEMA_VERSION + 1}")
    other.close()
    with pytest.raises(RuntimeError, match="Try: upgrade"):
        Database(tmp_path / "a.db", durable=False)
