"""The index: current objects apart from history, and pages that cost what they show."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import pytest

from cloudjar.services.s3.listing import walks
from cloudjar.services.s3.objects import version_ids
from cloudjar.services.s3.objects.index import Index, Total
from cloudjar.services.s3.objects.rows import NULL, Version
from cloudjar.store.database import Database


@pytest.fixture
def index() -> Iterator[Index]:
    database = Database(None)
    yield Index(database)
    database.close()


def write(
    index: Index, key: str, *, versioned: bool = False, size: int = 1, marker: bool = False, bucket: str = "b"
) -> Version:
    with index.database.transaction():
        seq, version_id = index.place(bucket, key, 1000, versioned=versioned)
        version = Version(bucket=bucket, key=key, seq=seq, id=version_id, size=size, marker=marker)
        index.put(version)
    return version


def shown(page: walks.Page) -> list[str]:
    return [item if isinstance(item, str) else item.key for item in page.items]


def test_a_put_replaces_where_nothing_is_versioned(index: Index) -> None:
    first = write(index, "a", size=3)
    with index.database.transaction():
        seq, name = index.place("b", "a", 1000, versioned=False)
        second = Version(bucket="b", key="a", seq=seq, id=name, size=5)
        assert index.put(second, plain=True) == first
    assert index.current("b", "a") == second
    assert index.version("b", "a", NULL) == second
    assert index.totals("b") == [Total("STANDARD", 1, 5)]


def test_versions_are_found_by_id_and_the_newest_comes_back(index: Index) -> None:
    made = [write(index, "a", versioned=True) for _ in range(5)]
    assert [index.version("b", "a", v.id) for v in made] == made
    assert index.version("b", "a", version_ids.make(7)) is None
    assert index.version("b", "other", made[0].id) is None
    with index.database.transaction():
        index.drop(made[4])
    assert index.current("b", "a") == made[3]
    with index.database.transaction():
        index.drop(made[1])
    assert index.current("b", "a") == made[3]
    assert [v.id for v in walks.every_version(index, "b")] == [made[3].id, made[2].id, made[0].id]
    assert index.totals("b") == [Total("STANDARD", 3, 3)]


def test_a_marker_hides_and_its_removal_shows_again(index: Index) -> None:
    kept = write(index, "a", versioned=True)
    marker = write(index, "a", versioned=True, marker=True)
    assert index.current("b", "a") is None
    assert index.latest("b", "a") == marker
    assert index.is_current(marker)
    assert shown(walks.current(index, "b")) == []
    assert not index.is_empty("b")
    with index.database.transaction():
        index.drop(marker)
    assert index.current("b", "a") == kept


def test_null_versions_replace_each_other_only(index: Index) -> None:
    write(index, "a")
    named = write(index, "a", versioned=True)
    second = write(index, "a")  # suspended
    assert index.current("b", "a") == second
    assert [v.id for v in walks.every_version(index, "b")] == [NULL, named.id]
    marker = write(index, "a", marker=True)
    assert index.latest("b", "a") == marker
    assert index.version("b", "a", NULL) == marker
    assert [v.id for v in walks.every_version(index, "b")] == [NULL, named.id]
    again = write(index, "a", versioned=True)
    third = write(index, "a")
    assert [v.seq for v in walks.every_version(index, "b")] == [third.seq, again.seq, named.seq]


def test_what_is_rolled_back_was_never_written(index: Index) -> None:
    first = write(index, "a")
    with contextlib.suppress(RuntimeError), index.database.transaction():
        seq, name = index.place("b", "a", 1000, versioned=False)
        index.put(Version(bucket="b", key="a", seq=seq, id=name))
        raise RuntimeError
    assert index.current("b", "a") == first


def test_keys_are_in_the_order_of_their_bytes(index: Index) -> None:
    keys = ["a", "a/", "a\0", "z", "é", "\uffff", "😀", "Z", "0", "a b", "\ud7ff", "\ue000"]
    for key in keys:
        write(index, key)
    assert shown(walks.current(index, "b")) == sorted(keys, key=str.encode)


def test_prefixes_and_delimiters(index: Index) -> None:
    for key in ("a/1", "a/2", "a/b/3", "b", "c/d/e", "c/f", "c\U0010ffff"):
        write(index, key)
    write(index, "a/9", bucket="c")
    assert shown(walks.current(index, "b", delimiter="/")) == ["a/", "b", "c/", "c\U0010ffff"]
    assert shown(walks.current(index, "b", prefix="a/", delimiter="/")) == ["a/1", "a/2", "a/b/"]
    assert shown(walks.current(index, "b", prefix="c", delimiter="/")) == ["c/", "c\U0010ffff"]
    assert shown(walks.current(index, "b", prefix="c\U0010ffff")) == ["c\U0010ffff"]
    page = walks.current(index, "b", delimiter="/", limit=2)
    assert (shown(page), page.more) == (["a/", "b"], True)
    assert not walks.current(index, "b", delimiter="/", limit=4).more


@pytest.mark.parametrize("limit", [1, 2, 3, 7])
def test_pages_of_versions_are_the_whole(index: Index, limit: int) -> None:
    for key in ("a", "a", "b/1", "b/2", "c", "c", "c"):
        write(index, key, versioned=True)
    write(index, "c", versioned=True, marker=True)
    whole = [(v.key, v.seq) for v in walks.every_version(index, "b")]
    assert len(whole) == 8
    assert whole == sorted(whole, key=lambda place: (place[0], -place[1]))
    assert [(v.key, v.seq) for v in walks.every_version(index, "b", batch=limit)] == whole
    assert len(walks.versions(index, "b", delimiter="/").items) == 7


def test_a_page_reads_what_it_shows(index: Index) -> None:
    """Ten thousand keys under each of three prefixes: the page of three reads a few rows."""
    with index.database.transaction():
        for top in "abc":
            for number in range(10_000):
                index.put(Version(bucket="b", key=f"{top}/{number:05}", seq=1), plain=True)
    steps = 0

    def count() -> int:
        nonlocal steps
        steps += 1
        return 0

    index.database._connection.set_progress_handler(count, 10)
    try:
        assert shown(walks.current(index, "b", delimiter="/")) == ["a/", "b/", "c/"]
        assert shown(walks.versions(index, "b", delimiter="/")) == ["a/", "b/", "c/"]
    finally:
        index.database._connection.set_progress_handler(None, 0)
    assert steps < 100  # a thousand virtual instructions; a scan would take some hundred thousand


def test_after_prefix() -> None:
    assert walks.after_prefix("a/") == "a0"
    assert walks.after_prefix("") is None
    assert walks.after_prefix("a\U0010ffff") == "b"
    assert walks.after_prefix("\ud7ff") == "\ue000"
