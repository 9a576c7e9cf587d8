"""The index against a plain model: many short histories of writes and removals, each list asked in every way."""

from __future__ import annotations

import itertools
from random import Random

import pytest

from cloudjar.services.s3.listing import walks
from cloudjar.services.s3.objects.index import Index
from cloudjar.services.s3.objects.rows import NULL, Version
from cloudjar.store.database import Database

KEYS = ("a", "a/", "a/b", "a/b/c", "a0", "b/x", "b/y/z", "é/1", "\U0010ffff")
Model = dict[str, list[Version]]
"""Versions by key, newest first."""


def write(index: Index, model: Model, key: str, *, versioned: bool, marker: bool) -> None:
    seq, name = index.place("b", key, 0, versioned=versioned)
    version = Version(bucket="b", key=key, seq=seq, id=name, marker=marker, size=1)
    index.put(version)
    kept = [old for old in model.get(key, []) if versioned or old.id != NULL]
    model[key] = [version, *kept]


def remove(index: Index, model: Model, chance: Random) -> None:
    every = [version for versions in model.values() for version in versions]
    if every:
        gone = chance.choice(every)
        index.drop(gone)
        model[gone.key] = [version for version in model[gone.key] if version is not gone]


def shown(items: list[Version | str]) -> list[object]:
    return [item if isinstance(item, str) else (item.key, item.seq) for item in items]


def expected(model: Model, prefix: str, delimiter: str, *, history: bool) -> list[object]:
    """What a list shows, worked out the long way."""
    found: list[object] = []
    for key in sorted(model, key=str.encode):
        if not key.startswith(prefix):
            continue
        versions = model[key] if history else [one for one in model[key][:1] if not one.marker]
        common = walks.rolled(key, prefix, delimiter) if delimiter else None
        if common is None:
            found += [(key, version.seq) for version in versions]
        elif versions and common not in found:
            found.append(common)
    return found


@pytest.mark.parametrize("seed", range(25))
def test_the_index_is_what_was_written(seed: int) -> None:
    chance = Random(seed)
    database = Database(None)
    index, model = Index(database), Model()
    with database.transaction():
        for _ in range(60):
            if chance.random() < 0.25:
                remove(index, model, chance)
            else:
                marker = chance.random() < 0.3
                write(index, model, chance.choice(KEYS), versioned=chance.random() < 0.6, marker=marker)
    for key in KEYS:
        versions = model.get(key, [])
        assert index.latest("b", key) == (versions[0] if versions else None)
        assert index.current("b", key) == (versions[0] if versions and not versions[0].marker else None)
        assert [index.version("b", key, version.id) for version in versions] == versions
    objects = sum(1 for versions in model.values() for version in versions if not version.marker)
    assert sum(total.objects for total in index.totals("b")) == objects
    assert index.is_empty("b") is not any(model.values())
    for prefix, delimiter in itertools.product(("", "a", "a/", "b/", "zz"), ("", "/", "b")):
        wanted = expected(model, prefix, delimiter, history=False)
        page = walks.current(index, "b", prefix=prefix, delimiter=delimiter)
        assert (shown(page.items), page.more) == (wanted, False)
        short = walks.current(index, "b", prefix=prefix, delimiter=delimiter, limit=2)
        assert (shown(short.items), short.more) == (wanted[:2], len(wanted) > 2)
        wanted = expected(model, prefix, delimiter, history=True)
        page = walks.versions(index, "b", prefix=prefix, delimiter=delimiter)
        assert (shown(page.items), page.more) == (wanted, False)
    database.close()
