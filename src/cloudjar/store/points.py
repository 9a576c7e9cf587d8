"""Metric points, shaped for their access path: a series is a row, its points lie together in the order of time.

What is measured is first written down as it came, a row a batch (`metric_journal`); when enough has come, or somebody
asks, it is put together by period, at the resolutions 1 second (when it was asked for) and 1 minute (`metric_point`).
What is older than the hour is packed into blocks of 1 minute, 5 minutes and 1 hour (`metric_block`), a few series
at a time, so that what a request costs depends on what it asks for and never on how much is stored.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from typing import Any, NamedTuple

import msgspec

from cloudjar.store import point_blocks, point_columns
from cloudjar.store.database import Database
from cloudjar.store.point_blocks import SPAN, Pairs
from cloudjar.store.point_columns import Chunk

HOUR, DAY = 3600, 86400
KEPT = {1: 3 * HOUR, 60: 15 * DAY, 300: 63 * DAY, 3600: 455 * DAY}
"""Seconds for which points of each resolution are kept."""
_DISTINCT = 200
"""Different values that a point remembers by themselves; beyond, neighbours are told by their mean."""
_JOURNAL = 5000
"""Measurements that may wait to be put together."""
_PACKED = 16
"""Series that are packed at a time, so that nobody waits for all."""
_FEW, _SPARSE = 32, 128
"""Points that do not make it worth while to pack a series: of a day, of one that is measured now and then."""
_NOW_AND_THEN = 10
"""Points an hour of such a series."""
_LATER = 500
"""Measurements that may wait over the hour."""
_CACHED = 200_000


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
    "CREATE INDEX IF NOT EXISTS metric_series_swept ON metric_series (swept)",
    "CREATE TABLE IF NOT EXISTS metric_dimension (series INTEGER, account TEXT, region TEXT, name TEXT, value TEXT, "
    "PRIMARY KEY (series, name)) WITHOUT ROWID",
    "CREATE INDEX IF NOT EXISTS metric_dimension_of ON metric_dimension (account, region, name, value, series)",
    "CREATE TABLE IF NOT EXISTS metric_journal (id INTEGER PRIMARY KEY AUTOINCREMENT, data BLOB)",
    "CREATE TABLE IF NOT EXISTS metric_point (series INTEGER, resolution INTEGER, at INTEGER, unit TEXT, count REAL, "
    "total REAL, low REAL, high REAL, pairs BLOB, PRIMARY KEY (series, resolution, at, unit)) WITHOUT ROWID",
    "CREATE TABLE IF NOT EXISTS metric_block (series INTEGER, resolution INTEGER, start INTEGER, unit TEXT, "
    "data BLOB, PRIMARY KEY (series, resolution, start, unit)) WITHOUT ROWID",
    "CREATE TABLE IF NOT EXISTS metric_values (series INTEGER, resolution INTEGER, start INTEGER, unit TEXT, "
    "pairs BLOB, PRIMARY KEY (series, resolution, start, unit)) WITHOUT ROWID",
)


_SERIES = "SELECT id FROM metric_series WHERE account=? AND region=? AND namespace=? AND name=? AND dimensions=?"
_OF_DIMENSION = "d.account=? AND d.region=? AND d.name=?"
_POINT = "SELECT at, unit, count, total, low, high, pairs FROM metric_point"
_BLOCK = (
    "SELECT data, resolution, start, unit, pairs FROM metric_block LEFT JOIN metric_values "
    "USING (series, resolution, start, unit)"
)
_AMONG = "series IN (SELECT value FROM json_each(?)) AND resolution=?"
_FRESH_OF = (
    "SELECT series, at, unit, count, total, low, high, pairs FROM metric_point "
    f"WHERE {_AMONG} AND at>=? AND at<? ORDER BY series, at, unit"
)
_BLOCKS_OF = (
    f"SELECT series, data, start, unit FROM metric_block WHERE {_AMONG} AND start>? AND start<? "
    "ORDER BY series, start, unit"
)
_INSERT = "INSERT INTO metric_point VALUES (?,?,?,?,?,?,?,?,?) ON CONFLICT DO NOTHING"

Dimensions = tuple[tuple[str, str], ...]
Name = tuple[str, str, Dimensions]
"""(namespace, name, dimensions) of a metric."""
_Entry = tuple[int, bool, list[Point]]
_ENTRIES = msgspec.msgpack.Decoder(list[_Entry])
_ENCODE = msgspec.msgpack.Encoder().encode
_ENCODE_JSON = msgspec.json.Encoder().encode


class Points:
    """The tables of a database; made when they are not there."""

    def __init__(self, database: Database) -> None:
        self._database = database
        with database.lock:
            for statement in _SCHEMA:
                database.execute(statement)
            self._upgrade()
            self._waiting = database.execute("SELECT count(*) FROM metric_journal").fetchone()[0]
        self._known: dict[tuple[str, str, Name], int] = {}
        self._hour = 0
        """Of AWS's clock: when it changes, series are due to be packed."""
        self._behind = self._due = False

    def _upgrade(self) -> None:
        """Put what an earlier version kept, a row for each point and resolution, into blocks."""
        run = self._database.execute
        if run("SELECT 1 FROM metric_point WHERE resolution IN (300, 3600) LIMIT 1").fetchone() is None:
            return
        with self._database.transaction():
            for (series,) in run("SELECT id FROM metric_series").fetchall():
                for resolution in SPAN:
                    rows = run(f"{_POINT} WHERE series=? AND resolution=? ORDER BY at, unit", (series, resolution))
                    self._into_blocks(series, resolution, [_read(row) for row in rows.fetchall()])
            run("DELETE FROM metric_point WHERE resolution>1")

    # -- writing, inside the caller's transaction
    def add(
        self, account: str, region: str, measured: Iterable[tuple[Name, bool, Sequence[Point]]], *, now: float
    ) -> None:
        """Add measurements to series, which are made when they are new; a true second member keeps them by the second
        as well."""
        self._database.on_rollback(self._forget)
        entries = [(self._series(account, region, name, now), fine, points) for name, fine, points in measured]
        self._database.execute("INSERT INTO metric_journal (data) VALUES (?)", (_ENCODE(entries),))
        self._waiting += sum(len(points) for _, _, points in entries)
        hour = int(now // HOUR)
        if hour != self._hour:
            # A few that waited for less than a day can wait on: whoever asks finds them in the journal.
            self._due = self._due or self._waiting >= _LATER or hour // 24 != self._hour // 24
            self._hour = hour
        if self._waiting > _JOURNAL or self._behind or self._due:
            self._due = False
            self.settle(now)

    def _forget(self) -> None:
        """What was remembered of a transaction that did not happen."""
        self._known.clear()
        self._waiting = self._database.query("SELECT count(*) FROM metric_journal")[0][0]

    def _series(self, account: str, region: str, name: Name, now: float) -> int:
        known = self._known.get((account, region, name))
        if known is not None:
            return known
        run = self._database.execute
        place = (account, region, *name[:2], key_of(name[2]))
        row = run(_SERIES, place).fetchone()
        if row is None:
            row = run(
                "INSERT INTO metric_series (account, region, namespace, name, dimensions, last, swept) "
                "VALUES (?,?,?,?,?,?,?) RETURNING id",
                (*place, 0.0, int(now // HOUR)),
            ).fetchone()
            for label, value in name[2]:
                run("INSERT INTO metric_dimension VALUES (?,?,?,?,?)", (row[0], account, region, label, value))
        self._remember(account, region, name, int(row[0]))
        return int(row[0])

    def settle(self, now: float | None = None) -> None:
        """Put together what waits in the journal; with the time, pack a few series too."""
        if not self._waiting:
            return
        with self._database.transaction():
            self._database.on_rollback(self._forget)
            entries: list[_Entry] = []
            for (data,) in self._database.execute("SELECT data FROM metric_journal ORDER BY id").fetchall():
                entries += _ENTRIES.decode(data)
            self._database.execute("DELETE FROM metric_journal")
            self._waiting = 0
            self._fold(entries)
            if now is not None:
                self._sweep(now)

    def _fold(self, entries: Iterable[_Entry]) -> None:
        periods: dict[tuple[int, int, int, str], list[Point]] = {}
        last: dict[int, float] = {}
        for series, fine, points in entries:
            for point in points:
                at = int(point.at)
                periods.setdefault((series, 60, at - at % 60, point.unit), []).append(point)
                if fine:
                    periods.setdefault((series, 1, at, point.unit), []).append(point)
                if point.at > last.get(series, 0.0):
                    last[series] = point.at
        for place, held in periods.items():
            self._put(place, together(held, place[2], place[3]))
        self._database.executemany(
            "UPDATE metric_series SET last=? WHERE id=? AND last<?", [(at, series, at) for series, at in last.items()]
        )

    def _put(self, place: tuple[int, int, int, str], point: Point) -> None:
        run = self._database.execute
        if run(_INSERT, (*place, *point[2:6], _pairs_in(point))).rowcount:
            return
        row = run(f"{_POINT} WHERE series=? AND resolution=? AND at=? AND unit=?", place).fetchone()
        whole = together([_read(row), point], place[2], place[3])
        run("INSERT OR REPLACE INTO metric_point VALUES (?,?,?,?,?,?,?,?,?)", (*place, *whole[2:6], _pairs_in(whole)))

    def _sweep(self, now: float) -> None:
        """Once an hour each series is packed and loses what is too old; a few at a time."""
        run, hour = self._database.execute, int(now // HOUR)
        due = run("SELECT id FROM metric_series WHERE swept<? LIMIT ?", (hour, _PACKED)).fetchall()
        self._behind = len(due) == _PACKED
        for (series,) in due:
            if not self._is_sparse(series, now):
                self.pack(series, now)
            run("UPDATE metric_series SET swept=? WHERE id=?", (hour, series))
        dead = run("SELECT id FROM metric_series WHERE last<? LIMIT 10", (now - KEPT[3600],)).fetchall()
        for (gone,) in dead:
            for table in ("point", "block", "values", "dimension"):
                run(f"DELETE FROM metric_{table} WHERE series=?", (gone,))
            run("DELETE FROM metric_series WHERE id=?", (gone,))
            self._known.clear()

    def _is_sparse(self, series: int, now: float) -> bool:
        """A few points of the last days alone: packing them takes as long as a thousand, so they wait for more."""
        sql = "SELECT count(*), min(at) FROM metric_point WHERE series=? AND resolution=60"
        count, oldest = self._database.execute(sql, (series,)).fetchone()
        if not count or oldest < now - 2 * DAY:
            return False
        return bool(count < _FEW or (count < _SPARSE and count < (now - oldest) / HOUR * _NOW_AND_THEN))

    def pack(self, series: int, now: float) -> None:
        """Put what a series measured before this hour into blocks."""
        run = self._database.execute
        before = int(now - now % HOUR)
        rows = run(f"{_POINT} WHERE series=? AND resolution=60 AND at<? ORDER BY at, unit", (series, before)).fetchall()
        points = [_read(row) for row in rows]
        for resolution, span in SPAN.items():
            self._into_blocks(series, resolution, points if resolution == 60 else merged(points, resolution))
            gone = int(now - KEPT[resolution] - span)
            old = (series, resolution, gone)
            for table in ("block", "values"):
                run(f"DELETE FROM metric_{table} WHERE series=? AND resolution=? AND start<?", old)
        run("DELETE FROM metric_point WHERE series=? AND resolution=60 AND at<?", (series, before))
        run("DELETE FROM metric_point WHERE series=? AND resolution=1 AND at<?", (series, int(now - KEPT[1])))

    def _into_blocks(self, series: int, resolution: int, points: Iterable[Point]) -> None:
        run, span = self._database.execute, SPAN[resolution]
        blocks: dict[tuple[int, str], list[Point]] = {}
        for point in points:
            blocks.setdefault((int(point.at) // span * span, point.unit), []).append(point)
        for (start, unit), held in blocks.items():
            place = (series, resolution, start, unit)
            row = run(f"{_BLOCK} WHERE series=? AND resolution=? AND start=? AND unit=?", place).fetchone()
            whole = held if row is None else merged([*_of_block(*row), *held], resolution)
            columns, values = point_blocks.encoded(((p.at, *p[2:]) for p in whole), start, resolution)
            run("INSERT OR REPLACE INTO metric_block VALUES (?,?,?,?,?)", (*place, columns))
            run("DELETE FROM metric_values WHERE series=? AND resolution=? AND start=? AND unit=?", place)
            if values is not None:
                run("INSERT INTO metric_values VALUES (?,?,?,?,?)", (*place, values))

    # -- reading
    def find(
        self, account: str, region: str, namespace: str, name: str, dimensions: tuple[tuple[str, str], ...]
    ) -> int | None:
        """The id of a series that exists with exactly these dimensions."""
        return self.found(account, region, [(namespace, name, dimensions)])[0]

    def found(self, account: str, region: str, names: Iterable[Name]) -> list[int | None]:
        """The ids of several, None for each that does not exist."""
        known = self._known
        with self._database.lock:  # what a transaction has made, it alone knows until it commits
            return [
                known.get((account, region, name)) or self._look_up(account, region, name) for name in names
            ]

    def _look_up(self, account: str, region: str, name: Name) -> int | None:
        row = self._database.execute(_SERIES, (account, region, *name[:2], key_of(name[2]))).fetchone()
        if row is None:
            return None
        self._remember(account, region, name, int(row[0]))
        return int(row[0])

    def _remember(self, account: str, region: str, name: Name, series: int) -> None:
        if len(self._known) > _CACHED:
            self._known.clear()
        self._known[account, region, name] = series

    def read(self, series: int, resolution: int, start: float, stop: float, now: float) -> list[Point]:
        """Points that begin in [start, stop) and are still kept at this resolution, oldest first."""
        oldest = max(start, now - KEPT[resolution])
        found = [
            point
            for row in self._blocks(_BLOCK, series, resolution, oldest, stop)
            for point in _of_block(*row)
            if oldest <= point.at < stop
        ]
        found.sort()  # blocks of different units lie over each other
        fresh = merged(self._fresh(series, resolution, oldest, stop), resolution)
        return merged([*found, *fresh], resolution) if found and fresh else found or fresh

    def columns(
        self, wanted: Collection[int], resolution: int, start: float, stop: float, now: float, *, bounds: bool = True
    ) -> dict[int, list[Chunk]]:
        """The same of several series at once without the single values (and without `bounds` lowest and highest ones),
        in columns; a period may be in several chunks."""
        oldest = max(start, now - KEPT[resolution])
        cut = point_columns.Cut(resolution, oldest, stop, bounds=bounds)
        found: dict[int, list[Chunk]] = {series: [] for series in wanted}
        listed = _ENCODE_JSON(list(found)).decode()
        self.settle()
        span, whole = SPAN.get(resolution, 0), -(-stop // resolution) * resolution
        with self._database.lock:
            blocks, fresh = [], self._database.query(_FRESH_OF, (listed, min(resolution, 60), oldest, whole))
            if span:
                blocks = self._database.query(_BLOCKS_OF, (listed, resolution, oldest - span, stop))
        for series, data, begin, unit in blocks:
            chunk = cut.block(data, begin, unit)
            if chunk.at:
                found[series].append(chunk)
        points: dict[int, list[Point]] = {}
        for row in fresh:
            points.setdefault(row[0], []).append(_read(row[1:]))
        for series, held in points.items():
            found[series] += point_columns.of_points(merged(held, resolution))
        return found

    def _blocks(self, select: str, series: int, resolution: int, start: float, stop: float) -> list[Any]:
        self.settle()
        if resolution not in SPAN:
            return []
        return self._database.query(
            f"{select} WHERE series=? AND resolution=? AND start>? AND start<? "
            "ORDER BY start, unit",
            (series, resolution, start - SPAN[resolution], stop),
        )

    def _fresh(self, series: int, resolution: int, start: float, stop: float) -> list[Point]:
        """What is not packed yet: all of the periods that begin in [start, stop)."""
        whole = -(-stop // resolution) * resolution
        rows = self._database.query(
            f"{_POINT} WHERE series=? AND resolution=? AND at>=? AND at<? ORDER BY at, unit",
            (series, min(resolution, 60), start, whole),
        )
        return [_read(row) for row in rows]

    def last(self, series: int) -> float:
        """When the newest point of a series was measured."""
        self.settle()
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
        self.settle()
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


_PAIRS = msgspec.msgpack.Decoder(tuple[tuple[float, float], ...]).decode


def _read(row: Any) -> Point:
    low, high, raw = row[4], row[5], row[6]
    pairs = None if raw is None else (((low, row[2]),) if raw == b"" else _PAIRS(raw))
    return Point(float(row[0]), row[1], row[2], row[3], low, high, pairs)


def _pairs_in(point: Point) -> bytes | None:
    """How a point's values are stored: nothing when they follow from the rest, None when they are not known."""
    if point.pairs is None:
        return None
    return b"" if point.low == point.high else _ENCODE(point.pairs)


def _of_block(data: bytes, resolution: int, start: int, unit: str, values: bytes | None) -> list[Point]:
    return [Point(one[0], unit, *one[1:]) for one in point_blocks.measured(data, values, start, resolution)]


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
        only = points[0]
        return only if only.at == at and only.unit == unit else Point(at, unit, *only[2:])
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
