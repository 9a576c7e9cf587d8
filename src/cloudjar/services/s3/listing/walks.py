"""Walks over the index in key order. A page costs what it shows: what a delimiter rolls up is skipped, never read.

Positions are text: a walk begins at the first key that is not less than `start` (inclusive), which need not exist.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterator
from typing import Any, NamedTuple

from cloudjar.services.s3.objects.index import Index
from cloudjar.services.s3.objects.rows import Version, unpack

_LAST = 0x10FFFF
_SURROGATES = range(0xD800, 0xE000)


class Page(NamedTuple):
    """One page: `items` (versions, and common prefixes as text) in order, and whether more follow."""

    items: list[Version | str]
    more: bool


def after_prefix(prefix: str) -> str | None:
    """The least text that follows every text with this prefix; None when nothing can."""
    while prefix:
        last = ord(prefix[-1])
        prefix = prefix[:-1]
        if last < _LAST:
            following = last + 1
            return prefix + chr(_SURROGATES.stop if following in _SURROGATES else following)
    return None


def after_key(key: str) -> str:
    """The least text that follows a key."""
    return key + "\0"


def current(
    index: Index, bucket: str, *, prefix: str = "", delimiter: str = "", start: str = "", limit: int = 1000
) -> Page:
    """A page of current objects: at most `limit` keys and common prefixes from `start` on."""
    items: list[Version | str] = []
    place: str | None = max(start, prefix)
    with index.database.lock:
        while place is not None:
            place = _collect(index, bucket, prefix, delimiter, place, limit, items)
            if len(items) > limit:
                return Page(items[:limit], True)
    return Page(items, False)


def _collect(
    index: Index, bucket: str, prefix: str, delimiter: str, place: str, limit: int, items: list[Version | str]
) -> str | None:
    """Rows up to the first that is rolled up; gives where to go on, or None at the end (or when one more than the limit
    is known)."""
    rows = _rows(index, "s3_current", bucket, prefix, place)
    for key, seq, data in rows:
        if delimiter:
            common = rolled(key, prefix, delimiter)
            if common is not None:
                items.append(common)
                return after_prefix(common) if len(items) <= limit else None
        items.append(unpack(bucket, key, seq, data))
        if len(items) > limit:
            return None
    return None


def rolled(key: str, prefix: str, delimiter: str) -> str | None:
    """The common prefix under which a key is shown; None when it is shown itself."""
    found = key.find(delimiter, len(prefix))
    return None if found < 0 else key[: found + len(delimiter)]


def _rows(index: Index, table: str, bucket: str, prefix: str, place: str) -> Iterator[tuple[str, int, bytes]]:
    end = after_prefix(prefix)
    bound, args = ("", ()) if end is None else (" AND key<?", (end,))
    order = "key" if table == "s3_current" else "key, seq DESC"
    rows: Iterator[tuple[str, int, bytes]] = index.database.execute(
        f"SELECT key, seq, data FROM {table} WHERE bucket=? AND key>=?{bound} ORDER BY {order}", (bucket, place, *args)
    )
    return rows


def versions(
    index: Index,
    bucket: str,
    *,
    prefix: str = "",
    delimiter: str = "",
    start: str = "",
    below: tuple[str, int] | None = None,
    limit: int = 1000,
) -> Page:
    """A page of versions and delete markers: by key, the newest first. `below` (key, seq) goes on inside of a key: only
    its versions older than `seq`, then what follows it; `start` is then of no account."""
    items: list[Version | str] = []
    with index.database.lock:
        place: str | None = max(start, prefix)
        if below is not None:
            place = max(after_key(below[0]), prefix)
            if below[0].startswith(prefix):
                items += _older(index, bucket, *below, limit)
        while place is not None and len(items) <= limit:
            place = _collect_versions(index, bucket, prefix, delimiter, place, limit, items)
    return Page(items[:limit], len(items) > limit)


def _older(index: Index, bucket: str, key: str, seq: int, limit: int) -> list[Version]:
    rows = index.database.execute(
        "SELECT seq, data FROM s3_history WHERE bucket=? AND key=? AND seq<? ORDER BY seq DESC LIMIT ?",
        (bucket, key, seq, limit + 1),
    )
    return [unpack(bucket, key, *row) for row in rows]


def _collect_versions(
    index: Index, bucket: str, prefix: str, delimiter: str, place: str, limit: int, items: list[Version | str]
) -> str | None:
    for key, seq, data in _merged(index, bucket, prefix, place):
        common = rolled(key, prefix, delimiter) if delimiter else None
        if common is not None:
            items.append(common)
            return after_prefix(common)
        items.append(unpack(bucket, key, seq, data))
        if len(items) > limit:
            return None
    return None


def _merged(index: Index, bucket: str, prefix: str, place: str) -> Iterator[tuple[str, int, bytes]]:
    def order(row: tuple[str, int, bytes]) -> Any:
        return row[0], -row[1]

    tables = (_rows(index, name, bucket, prefix, place) for name in ("s3_current", "s3_history"))
    return heapq.merge(*tables, key=order)


def every(index: Index, bucket: str, *, prefix: str = "", batch: int = 500) -> Iterator[Version]:
    """Every current object, in pages: the lock is not held between them, so what changes meanwhile may show or not."""
    start = ""
    while True:
        page = current(index, bucket, prefix=prefix, start=start, limit=batch)
        for item in page.items:
            assert isinstance(item, Version)
            yield item
            start = after_key(item.key)
        if not page.more:
            return


def every_version(index: Index, bucket: str, *, prefix: str = "", batch: int = 500) -> Iterator[Version]:
    """Every version and delete marker, by key and newest first; in pages like `every`."""
    below: tuple[str, int] | None = None
    while True:
        page = versions(index, bucket, prefix=prefix, below=below, limit=batch)
        for item in page.items:
            assert isinstance(item, Version)
            yield item
            below = (item.key, item.seq)
        if not page.more:
            return
