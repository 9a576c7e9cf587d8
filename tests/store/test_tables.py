"""Typed records: what is read is what was committed, whoever reads; new columns are filled from old rows."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from cloudjar.store import tables as tables_module
from cloudjar.store.database import Database
from cloudjar.store.tables import Record, Tables, TableSpec
from tests.store.failing import undone


class Thing(Record, frozen=True, kw_only=True):
    """Something stored."""

    id: str
    colour: str = ""
    heavy: bool = False


class Older(Record, frozen=True, kw_only=True):
    """The same before it had colours."""

    id: str


THINGS = TableSpec("test/thing", Thing, "id", ("colour", "heavy"), everywhere=True)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Tables]:
    database = Database(tmp_path / "a.db", durable=False)
    yield Tables(database)
    database.close()


def thing(id_: str, colour: str = "red", account: str = "1", region: str = "r", heavy: bool = False) -> Thing:
    return Thing(account=account, region=region, id=id_, colour=colour, heavy=heavy)


def put(store: Tables, *records: Thing) -> None:
    with store.database.transaction():
        for record in records:
            store.put(THINGS, record)


def test_records_are_found_by_place_index_and_key(store: Tables) -> None:
    a, b, c = thing("a"), thing("b", "blue", heavy=True), thing("c", account="2")
    put(store, b, a, c)
    assert store.get(THINGS, "1", "r", "a") == a
    assert store.get(THINGS, "1", "q", "a") is None
    assert store.all(THINGS, "1", "r") == [a, b]
    assert store.all(THINGS, None, None) == [a, b, c]
    assert store.all(THINGS, "1", "r", {"colour": "blue", "heavy": True}) == [b]
    assert store.count(THINGS, None, None, {"colour": "red"}) == 2
    assert store.find(THINGS, "c") == [c]
    assert store.names() == ["test/thing"]
    with pytest.raises(KeyError, match="is not an index"):
        store.all(THINGS, "1", "r", {"id": "a"})


def test_a_dropped_record_is_gone(store: Tables) -> None:
    put(store, thing("a"))
    with store.database.transaction():
        store.drop(THINGS, thing("a"))
        assert store.get(THINGS, "1", "r", "a") is None
    assert store.all(THINGS, "1", "r") == []


def test_what_is_rolled_back_never_was(store: Tables) -> None:
    old, new = thing("a", "old"), thing("a", "new")
    put(store, old)
    with undone(store.database):
        store.put(THINGS, new)
        store.put(THINGS, thing("b"))
        assert store.get(THINGS, "1", "r", "a") == new
        assert len(store.all(THINGS, "1", "r")) == 2
    assert store.get(THINGS, "1", "r", "a") == old
    assert store.all(THINGS, "1", "r") == [old]
    with undone(store.database):
        store.drop(THINGS, old)
    assert store.get(THINGS, "1", "r", "a") == old


def test_an_inner_rollback_leaves_what_the_outer_block_wrote(store: Tables) -> None:
    first, second = thing("a", "first"), thing("a", "second")
    with store.database.transaction():
        store.put(THINGS, first)
        with undone(store.database):
            store.put(THINGS, second)
        assert store.get(THINGS, "1", "r", "a") == first
        assert store.all(THINGS, "1", "r", {"colour": "first"}) == [first]
    assert store.get(THINGS, "1", "r", "a") == first
    with undone(store.database):
        store.put(THINGS, second)
        with undone(store.database):
            store.drop(THINGS, second)
        assert store.get(THINGS, "1", "r", "a") == second
    assert store.get(THINGS, "1", "r", "a") == first


def test_a_write_that_begins_in_an_inner_block_follows_it(store: Tables) -> None:
    with store.database.transaction():
        with undone(store.database):
            store.put(THINGS, thing("a", "lost"))
        assert store.get(THINGS, "1", "r", "a") is None
        with store.database.transaction():
            store.put(THINGS, thing("a", "kept"))
    assert store.get(THINGS, "1", "r", "a") == thing("a", "kept")
    assert Tables(store.database).get(THINGS, "1", "r", "a") == thing("a", "kept")


def test_no_other_thread_sees_what_is_not_committed(store: Tables) -> None:
    """A reconciler must not act on a request that is refused in the end."""
    old = thing("a", "old")
    put(store, old)
    assert store.get(THINGS, "1", "r", "a") == old
    seen: list[Thing | None] = []

    def other() -> None:
        seen.append(store.get(THINGS, "1", "r", "a"))

    with undone(store.database):
        store.put(THINGS, thing("a", "new"))
        store.all(THINGS, "1", "r")
        store.get(THINGS, "1", "r", "a")
        thread = threading.Thread(target=other)
        thread.start()
        thread.join(0.2)  # it may wait for the end, or have read the old record; it must not have the new one
    thread.join(30)
    assert seen == [old]


def test_what_is_committed_everybody_sees(store: Tables) -> None:
    put(store, thing("a", "old"))
    put(store, thing("a", "new"))
    seen: list[Thing | None] = []
    thread = threading.Thread(target=lambda: seen.append(store.get(THINGS, "1", "r", "a")))
    thread.start()
    thread.join(30)
    assert seen == [thing("a", "new")]


def test_a_new_index_is_filled_from_the_rows_there_are(tmp_path: Path) -> None:
    older = TableSpec("test/thing", Older, "id")
    database = Database(tmp_path / "a.db", durable=False)
    with database.transaction():
        Tables(database).put(older, Older(account="1", region="r", id="a"))
    database.close()
    database = Database(tmp_path / "a.db", durable=False)
    store = Tables(database)
    assert store.all(THINGS, "1", "r", {"colour": ""}) == [thing("a", "")]
    assert store.find(THINGS, "a") == [thing("a", "")]
    put(store, thing("a", "green"))
    assert store.count(THINGS, "1", "r", {"colour": "green"}) == 1
    database.close()


def test_an_index_that_is_no_longer_declared_is_left_alone(tmp_path: Path) -> None:
    database = Database(tmp_path / "a.db", durable=False)
    put(Tables(database), thing("a"))
    fewer = TableSpec("test/thing", Thing, "id", ("heavy",))
    again = Tables(database)
    with database.transaction():
        again.put(fewer, thing("b"))
    assert [record.id for record in again.all(fewer, "1", "r")] == ["a", "b"]
    database.close()


def test_a_table_that_was_opened_in_a_failed_transaction_is_opened_again(store: Tables) -> None:
    with undone(store.database):
        store.put(THINGS, thing("a"))
    assert store.all(THINGS, "1", "r") == []
    put(store, thing("a"))
    assert store.get(THINGS, "1", "r", "a") == thing("a")


def test_the_cache_has_an_end(store: Tables, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tables_module, "_CACHE_LIMIT", 10)
    for n in range(100):
        put(store, thing(f"{n:03}"))
    assert len(store.all(THINGS, "1", "r")) == 100
    assert all(len(table.cache) <= 10 for table in store._open.values())
