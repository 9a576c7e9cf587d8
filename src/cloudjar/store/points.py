"""Metric points, shaped for their access path: a series is a row, its points lie together in the order of time.

Every point is kept at the resolutions 1 second (when it was asked for), 1 minute, 5 minutes and 1 hour at once, so
that what a request costs depends on what it asks for and never on how much is stored.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

import msgspec

from cloudjar.store.database import Database

HOUR, DAY = 3600, 86400
KEPT = {1: 3 * HOUR, 60: 15 * DAY, 300: 63 * DAY, 3600: 455 * DAY}
"""Seconds for which points of each resolution are kept."""
_DISTINCT = 200
"""Different values that a point remembers by themselves; beyond, neighbours are told by their mean."""

Pairs = tuple[tuple[float, float], ...]
"""(value, how often), by value."""


class Point(NamedTuple):
    """What was measured in one period that begins at `at` (Unix seconds). `pairs` is None when only sums are known."""

    at: float
    unit: str
    samples: float
    total: float
    low: float
    high: float
    pairs: Pairs | None


class Series(NamedTuple):
    """One metric of an account and region. `dimensions` are (name, value) pairs by name; `last` is its newest point."""

    id: int
    namespace: str
    name: str
    dimensions: tuple[tuple[str, str], ...]
    last: float


_SCHEMA = (
    "CREATE TABLE IF NOT EXISTS metric_series (id INTEGER PRIMARY KEY, account TEXT, region TEXT, namespace TEXT, "
    "name TEXT, dimensions TEXT, last REAL, swept INTEGER, UNIQUE (account, region, namespace, name, dimensions))",
    "CREATE INDEX IF NOT EXISTS metric_series_last ON metric_series (last)",
    "CREATE TABLE IF NOT EXISTS metric_dimension (series INTEGER, account TEXT, region TEXT, name TEXT, value TEXT, "
    "PRIMARY KEY (series, name)) WITHOUT ROWID",
    "CREATE INDEX IF NOT EXISTS metric_dimension_of ON metric_dimension (account, region, name, value, series)",
    "CREATE TABLE IF NOT EXISTS metric_point (series INTEGER, resolution INTEGER, at INTEGER, unit TEXT, count REAL, "
    "total REAL, low REAL, high REAL, pairs BLOB, PRIMARY KEY (series, resolution, at, unit)) WITHOUT ROWID",
)


_OF_DIMENSION = "d.account=? AND d.region=? AND d.name=?"


class Points:
    """The tables of a database; made when they are not there."""

    def __init__(self, database: Database) -> None:
        self._database = database
        with database.lock:
            for statement in _SCHEMA:
                database.execute(statement)

    # -- writing, inside the caller's transaction
    def add(
        self,
        account: str,
        region: str,
        namespace: str,
        name: str,
        dimensions: tuple[tuple[str, str], ...],
        points: Iterable[Point],
        *,
        fine: bool,
        now: float,
    ) -> None:
        """Add measurements to a series, which is made when it is new; `fine` keeps them by the second as well."""
        points = list(points)
        last = max(point.at for point in points)
        series = self._series(account, region, namespace, name, dimensions, last, now)
        for resolution in KEPT:
            if resolution > 1 or fine:
                for point in merged(points, resolution):
                    self._put(series, resolution, point)

    def _series(
        self, account: str, region: str, namespace: str, name: str, dimensions: Any, last: float, now: float
    ) -> int:
        run = self._database.execute
        text = key_of(dimensions)
        place = (account, region, namespace, name, text)
        row = run(
            "SELECT id, last, swept FROM metric_series WHERE account=? AND region=? AND namespace=? AND name=? "
            "AND dimensions=?",
            place,
        ).fetchone()
        hour = int(now // HOUR)
        if row is None:
            made = run(
                "INSERT INTO metric_series (account, region, namespace, name, dimensions, last, swept) "
                "VALUES (?,?,?,?,?,?,?)",
                (*place, last, hour),
            ).lastrowid
            assert made is not None
            for label, value in dimensions:
                run("INSERT INTO metric_dimension VALUES (?,?,?,?,?)", (made, account, region, label, value))
            return made
        series, newest, swept = row
        if swept != hour:
            self._sweep(series, now)
        if last > newest or swept != hour:
            run("UPDATE metric_series SET last=?, swept=? WHERE id=?", (max(last, newest), hour, series))
        return int(series)

    def _sweep(self, series: int, now: float) -> None:
        """Once an hour a series that is written to loses what is too old, and so do a few that nobody writes to."""
        run = self._database.execute
        for resolution, seconds in KEPT.items():
            run(
                "DELETE FROM metric_point WHERE series=? AND resolution=? AND at<?", (series, resolution, now - seconds)
            )
        dead = run("SELECT id FROM metric_series WHERE last<? LIMIT 10", (now - KEPT[3600],)).fetchall()
        for (gone,) in dead:
            run("DELETE FROM metric_point WHERE series=?", (gone,))
            run("DELETE FROM metric_dimension WHERE series=?", (gone,))
            run("DELETE FROM metric_series WHERE id=?", (gone,))

    def _put(self, series: int, resolution: int, point: Point) -> None:
        run = self._database.execute
        place = (series, resolution, int(point.at), point.unit)
        row = run(
            "SELECT at, unit, count, total, low, high, pairs FROM metric_point WHERE series=? AND resolution=? "
            "AND at=? AND unit=?",
            place,
        ).fetchone()
        whole = point if row is None else together([_read(row), point], point.at, point.unit)
        pairs = None if whole.pairs is None else msgspec.msgpack.encode(whole.pairs)
        run("INSERT OR REPLACE INTO metric_point VALUES (?,?,?,?,?,?,?,?,?)", (*place, *whole[2:6], pairs))

    # -- reading
    def find(
        self, account: str, region: str, namespace: str, name: str, dimensions: tuple[tuple[str, str], ...]
    ) -> int | None:
        """The id of a series that exists with exactly these dimensions."""
        rows = self._database.query(
            "SELECT id FROM metric_series WHERE account=? AND region=? AND namespace=? AND name=? AND dimensions=?",
            (account, region, namespace, name, key_of(dimensions)),
        )
        return int(rows[0][0]) if rows else None

    def read(self, series: int, resolution: int, start: float, stop: float, now: float) -> list[Point]:
        """Points that begin in [start, stop) and are still kept at this resolution, oldest first."""
        oldest = max(start, now - KEPT[resolution])
        rows = self._database.query(
            "SELECT at, unit, count, total, low, high, pairs FROM metric_point WHERE series=? AND resolution=? "
            "AND at>=? AND at<? ORDER BY at, unit",
            (series, resolution, oldest, stop),
        )
        return [_read(row) for row in rows]

    def last(self, series: int) -> float:
        """When the newest point of a series was measured."""
        rows = self._database.query("SELECT last FROM metric_series WHERE id=?", (series,))
        return float(rows[0][0]) if rows else 0.0

    def listed(
        self,
        account: str,
        region: str,
        *,
        namespace: str | None,
        name: str | None,
        dimensions: Iterable[tuple[str, str | None]],
        since: float,
        after: tuple[str, str, str] | None,
        limit: int,
    ) -> list[Series]:
        """Series with points since an instant, by (namespace, name, dimensions) and after a place in that order.

        `dimensions` narrow by a dimension's name, and by its value when there is one.
        """
        clauses, args = ["account=?", "region=?", "last>=?"], [account, region, since]
        for column, value in (("namespace", namespace), ("name", name)):
            if value is not None:
                clauses.append(f"{column}=?")
                args.append(value)
        for label, wanted in dimensions:
            same = "" if wanted is None else " AND d.value=?"
            clauses.append(f"id IN (SELECT d.series FROM metric_dimension d WHERE {_OF_DIMENSION}{same})")
            args += [account, region, label] if wanted is None else [account, region, label, wanted]
        if after is not None:
            clauses.append("(namespace, name, dimensions) > (?,?,?)")
            args += after
        rows = self._database.query(
            f"SELECT id, namespace, name, dimensions, last FROM metric_series WHERE {' AND '.join(clauses)} "
            "ORDER BY namespace, name, dimensions LIMIT ?",
            (*args, limit),
        )
        return [Series(row[0], row[1], row[2], pairs_of(row[3]), row[4]) for row in rows]


def key_of(dimensions: Iterable[tuple[str, str]]) -> str:
    """Dimensions as they are stored: JSON, by name."""
    return msgspec.json.encode(sorted(dimensions)).decode()


def pairs_of(text: str) -> tuple[tuple[str, str], ...]:
    """What `key_of` made."""
    return msgspec.json.decode(text, type=tuple[tuple[str, str], ...])


def _read(row: Any) -> Point:
    pairs = None if row[6] is None else msgspec.msgpack.decode(row[6], type=tuple[tuple[float, float], ...])
    return Point(float(row[0]), row[1], row[2], row[3], row[4], row[5], pairs)


def merged(points: Iterable[Point], resolution: int, origin: float = 0) -> list[Point]:
    """Points put together by period (of `resolution` seconds, counted from `origin`) and unit, oldest first."""
    periods: dict[tuple[float, str], list[Point]] = {}
    for point in points:
        at = point.at - (point.at - origin) % resolution
        periods.setdefault((at, point.unit), []).append(point)
    return [together(held, at, unit) for (at, unit), held in sorted(periods.items())]


def together(points: list[Point], at: float, unit: str) -> Point:
    """Several points as one."""
    if len(points) == 1:
        return points[0]._replace(at=at, unit=unit)
    pairs: Pairs | None = None
    known = [point.pairs for point in points]
    if None not in known:
        pairs = _counted(pair for held in known for pair in held or ())
    return Point(
        at,
        unit,
        sum(point.samples for point in points),
        sum(point.total for point in points),
        min(point.low for point in points),
        max(point.high for point in points),
        pairs,
    )


def _counted(pairs: Iterable[tuple[float, float]]) -> Pairs:
    counts: dict[float, float] = {}
    for value, count in pairs:
        counts[value] = counts.get(value, 0) + count
    found = sorted(counts.items())
    while len(found) > _DISTINCT:
        found = [_mean(found[i : i + 2]) for i in range(0, len(found), 2)]
    return tuple(found)


def _mean(pairs: list[tuple[float, float]]) -> tuple[float, float]:
    count = sum(pair[1] for pair in pairs)
    return (sum(value * often for value, often in pairs) / count, count) if count else (pairs[0][0], 0.0)
