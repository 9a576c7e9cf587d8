"""Transactions that are committed together at the end of the loop's turn."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from cloudjar.store.database import Database
from tests.store.failing import Oops


class Turns:
    """A loop whose turns end when the test says so."""

    def __init__(self) -> None:
        self.ends: list[Callable[[], None]] = []

    def end(self) -> None:
        ends, self.ends = self.ends, []
        for hook in ends:
            hook()


@pytest.fixture
def turns() -> Turns:
    return Turns()


@pytest.fixture
def database(tmp_path: Path, turns: Turns) -> Iterator[Database]:
    database = Database(tmp_path / "a.db", durable=False)
    database.execute("CREATE TABLE t (n INTEGER)")
    database.at_turns_end = lambda hook: turns.ends.append(hook)
    yield database
    turns.end()
    database.close()


def write(database: Database, n: int, *, fails: bool = False) -> None:
    with database.transaction():
        database.execute("INSERT INTO t VALUES (?)", (n,))
        if fails:
            raise Oops


def committed(path: Path) -> list[int]:
    """What somebody else finds in the file."""
    copy = sqlite3.connect(path / "a.db")
    try:
        return [n for (n,) in copy.execute("SELECT n FROM t ORDER BY n")]
    finally:
        copy.close()


def test_what_joins_is_committed_at_the_turns_end(database: Database, turns: Turns, tmp_path: Path) -> None:
    database.joined(write, database, 1)
    database.joined(write, database, 2)
    assert (database.changes, committed(tmp_path), len(turns.ends)) == (2, [], 1)
    assert not database.in_transaction
    turns.end()
    assert committed(tmp_path) == [1, 2]
    turns.end()
    database.joined(write, database, 3)
    turns.end()
    assert committed(tmp_path) == [1, 2, 3]


def test_one_that_fails_takes_nobody_with_it(database: Database, turns: Turns, tmp_path: Path) -> None:
    said: list[str] = []

    def with_hooks(n: int, *, fails: bool) -> None:
        with database.transaction():
            database.on_commit(lambda: said.append(f"{n} committed"))
            database.on_rollback(lambda: said.append(f"{n} undone"))
            write(database, n)
            if fails:
                raise Oops

    database.joined(lambda: with_hooks(1, fails=False))
    with pytest.raises(Oops):
        database.joined(lambda: with_hooks(2, fails=True))
    database.joined(lambda: with_hooks(3, fails=False))
    assert (said, database.changes) == (["2 undone"], 2)
    turns.end()
    assert said == ["2 undone", "1 committed", "3 committed"]
    assert committed(tmp_path) == [1, 3]


def test_an_inner_block_of_one_that_joins_can_fail_by_itself(database: Database, turns: Turns, tmp_path: Path) -> None:
    def both() -> None:
        with database.transaction():
            write(database, 1)
            with pytest.raises(Oops):
                write(database, 2, fails=True)

    database.joined(both)
    turns.end()
    assert committed(tmp_path) == [1]


def test_whoever_does_not_join_commits_what_did_before(database: Database, turns: Turns, tmp_path: Path) -> None:
    database.joined(write, database, 1)
    with database.transaction():
        assert committed(tmp_path) == [1]
        database.execute("INSERT INTO t VALUES (2)")
    assert committed(tmp_path) == [1, 2]
    turns.end()
    assert committed(tmp_path) == [1, 2]


def test_other_threads_see_nothing_of_it_before(database: Database, turns: Turns) -> None:
    seen: list[list[int]] = []
    waits = threading.Event()

    def other() -> None:
        waits.set()
        seen.append([n for (n,) in database.query("SELECT n FROM t ORDER BY n")])

    database.joined(write, database, 1)
    thread = threading.Thread(target=other)
    thread.start()
    assert waits.wait(60)
    database.joined(write, database, 2)
    turns.end()
    thread.join(60)
    assert seen == [[1, 2]]


def test_threads_never_join(database: Database, turns: Turns, tmp_path: Path) -> None:
    """Though the loop's thread is in something that does."""

    def during() -> None:
        thread = threading.Thread(target=write, args=(database, 1))
        thread.start()
        thread.join(60)

    database.joined(during)
    assert (committed(tmp_path), turns.ends) == ([1], [])


def test_without_a_loop_nothing_joins(database: Database, tmp_path: Path) -> None:
    database.at_turns_end = None
    database.joined(write, database, 1)
    assert committed(tmp_path) == [1]


def test_what_cannot_be_committed_is_undone_and_known(
    database: Database, turns: Turns, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    undone: list[int] = []

    def one(n: int) -> None:
        with database.transaction():
            database.on_rollback(lambda: undone.append(n))
            write(database, n)

    database.execute("CREATE TABLE parent (id INTEGER PRIMARY KEY)")
    database.execute("CREATE TABLE child (id INTEGER REFERENCES parent (id) DEFERRABLE INITIALLY DEFERRED)")
    database.execute("PRAGMA foreign_keys=ON")
    database.joined(one, 1)
    database.execute("INSERT INTO child VALUES (7)")  # whose commit will fail
    database.joined(one, 2)
    turns.end()
    assert (database.lost, undone, committed(tmp_path)) == (True, [1, 2], [])
    assert "lost" in caplog.text
    database.lost = False
    database.joined(one, 3)
    turns.end()
    assert (database.lost, committed(tmp_path)) == (False, [3])


def test_an_ordinary_commit_that_fails_is_undone_too(database: Database, tmp_path: Path) -> None:
    undone: list[int] = []
    database.execute("CREATE TABLE parent (id INTEGER PRIMARY KEY)")
    database.execute("CREATE TABLE child (id INTEGER REFERENCES parent (id) DEFERRABLE INITIALLY DEFERRED)")
    database.execute("PRAGMA foreign_keys=ON")

    def one() -> None:
        with database.transaction():
            database.on_rollback(lambda: undone.append(1))
            database.execute("INSERT INTO child VALUES (7)")

    with pytest.raises(sqlite3.IntegrityError):
        one()
    assert (undone, database.changes) == ([1], 0)
    write(database, 4)
    assert committed(tmp_path) == [4]


def test_what_is_summed_up_is_written_once_before_the_commit(
    database: Database, turns: Turns, tmp_path: Path
) -> None:
    sums: list[int] = []

    def insert(n: int) -> None:
        database.execute("INSERT INTO t VALUES (?)", (n,))

    def count(n: int, *, fails: bool = False) -> None:
        with database.transaction():
            database.before_commit("sum", lambda: insert(sum(sums)))
            sums.append(n)
            database.on_rollback(lambda: sums.remove(n))
            if fails:
                raise Oops

    database.joined(lambda: count(1))
    with pytest.raises(Oops):
        database.joined(lambda: count(2, fails=True))
    database.joined(lambda: count(3))
    assert committed(tmp_path) == []
    turns.end()
    assert committed(tmp_path) == [4]
    with pytest.raises(Oops):
        count(5, fails=True)
    write(database, 6)
    assert committed(tmp_path) == [4, 6]
