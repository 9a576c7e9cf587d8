"""Points: what comes as single measurements is found again by period, packed or not, and nothing is kept too long."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path

import pytest

from cloudjar.store.database import Database
from cloudjar.store.points import DAY, HOUR, KEPT, Name, Point, Points, merged
from cloudjar.store.sums import Sums

START = 1_700_006_400.0  # a day begins
LOAD: Name = ("Shop", "Load", (("Host", "a"),))
PLACE = ("000000000000", "eu-west-3")


def one(at: float, value: float, unit: str = "None") -> Point:
    """A single measurement."""
    return Point(at, unit, 1.0, value, value, value, ((value, 1.0),))


@pytest.fixture
def database() -> Database:
    """One in memory."""
    return Database(None)


def add(store: Points, database: Database, points: list[Point], now: float, *, fine: bool = False) -> None:
    """One batch in a transaction of its own."""
    with database.transaction():
        store.add(*PLACE, [(LOAD, fine, points)], now=now)


def number(store: Points) -> int:
    """The series' own number; 0 when there is none."""
    return store.find(*PLACE, namespace=LOAD[0], name=LOAD[1], dimensions=LOAD[2]) or 0


def read(store: Points, resolution: int, start: float, stop: float, now: float) -> list[Point]:
    """Points of the series."""
    return store.read(number(store), resolution, start, stop, now)


@pytest.mark.parametrize("seed", range(5))
def test_what_is_packed_reads_as_what_was_put(database: Database, seed: int) -> None:
    """A day of measurements in any order, late ones too, against the plain way to put them together."""
    dice, store = random.Random(seed), Points(database)
    put: list[Point] = []
    now = START
    for hour in range(24):
        now = START + hour * HOUR
        batch = [
            one(now - dice.choice((0, 0, 0, 3 * HOUR)) + dice.randrange(HOUR), float(dice.randrange(9)), unit)
            for unit in ("None", "Bytes")
            for _ in range(dice.choice((3, 90)))
        ]
        batch = [point for point in batch if point.at >= START]
        put += batch
        add(store, database, batch, now)
    now += HOUR
    store.settle(now)
    for resolution in (60, 300, 3600):
        wanted = merged(put, resolution)
        assert read(store, resolution, START, now, now) == wanted
        low, high = START + 4 * HOUR, START + 9 * HOUR
        assert read(store, resolution, low, high, now) == [p for p in wanted if low <= p.at < high]
    assert database.query("SELECT count(*) FROM metric_block")[0][0] > 0
    _same_statistics(store, put, now)


def _same_statistics(store: Points, put: list[Point], now: float) -> None:
    series = number(store)
    plain: dict[str, Callable[[Point], float]] = {
        "Sum": lambda p: p.total,
        "Average": lambda p: p.total / p.samples,
        "Minimum": lambda p: p.low,
        "Maximum": lambda p: p.high,
        "SampleCount": lambda p: p.samples,
    }
    alike = [point._replace(unit="") for point in put]
    for period, resolution in ((60, 60), (600, 300), (7200, 3600)):
        for stat, of in plain.items():
            sums = Sums(stat, period, START)
            for chunk in store.columns([series], resolution, START, now, now)[series]:
                sums.add(chunk, resolution)
            wanted = {point.at: of(point) for point in merged(alike, period, START)}
            assert sums.found() == pytest.approx(wanted)
            assert list(sums.found()) == sorted(wanted)


def test_single_values_are_remembered_in_blocks(database: Database) -> None:
    store = Points(database)
    points = [one(START + second, float(second % 3)) for second in range(0, 300, 10)]
    unknown = Point(START + 300, "None", 5.0, 20.0, 1.0, 9.0, None)
    add(store, database, [*points, unknown], START + 300)
    store.settle()
    with database.transaction():
        store.pack(number(store), START + 2 * HOUR)
    first, second = read(store, 300, START, START + 600, START + 2 * HOUR)
    assert first.pairs == ((0.0, 10.0), (1.0, 10.0), (2.0, 10.0))
    assert second == unknown._replace(at=START + 300)
    assert database.query("SELECT count(*) FROM metric_point") == [(0,)]


def test_a_batch_that_is_undone_leaves_nothing(database: Database) -> None:
    store = Points(database)

    def fails() -> None:
        with database.transaction():
            store.add(*PLACE, [(LOAD, False, [one(START, 1.0)])], now=START)
            store.settle(START)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fails()
    assert number(store) == 0
    add(store, database, [one(START, 2.0)], START)
    assert [point.total for point in read(store, 60, START, START + 60, START)] == [2.0]


def test_what_waits_in_the_journal_survives(tmp_path: Path) -> None:
    database = Database(tmp_path / "d.db", durable=False)
    add(Points(database), database, [one(START + 5, 1.0), one(START + 6, 3.0)], START + 6, fine=True)
    database.close()
    database = Database(tmp_path / "d.db", durable=False)
    store = Points(database)
    assert [point.at for point in read(store, 1, START, START + 60, START + 60)] == [START + 5, START + 6]
    (minute,) = read(store, 60, START, START + 60, START + 60)
    assert (minute.samples, minute.total) == (2.0, 4.0)
    assert store.last(number(store)) == START + 6
    database.close()


def test_each_resolution_is_kept_for_its_time(database: Database) -> None:
    store = Points(database)
    add(store, database, [one(START, 1.0)], START, fine=True)
    other: Name = ("Shop", "Other", ())
    for resolution, kept in KEPT.items():
        now = START + kept
        with database.transaction():
            store.add(*PLACE, [(other, False, [one(now, 1.0)])], now=now)
        assert len(read(store, resolution, START, START + DAY, now)) == 1
        assert read(store, resolution, START, START + DAY, now + 1) == []
    now = START + KEPT[3600] + 5 * DAY
    with database.transaction():
        store.add(*PLACE, [(other, False, [one(now, 1.0)])], now=now)
    with database.transaction():
        store.add(*PLACE, [(other, False, [one(now, 1.0)])], now=now + HOUR)
    assert number(store) == 0
    assert database.query("SELECT count(*) FROM metric_block WHERE start<?", (int(START + DAY),)) == [(0,)]


def test_what_an_earlier_version_kept_is_packed(database: Database) -> None:
    Points(database)
    run = database.execute
    run("INSERT INTO metric_series VALUES (1, ?, ?, 'Shop', 'Load', '[[\"Host\",\"a\"]]', ?, 0)", (*PLACE, START))
    for resolution in (60, 300, 3600):
        row = (resolution, int(START), b"\x91\x92\x07\x01")
        run("INSERT INTO metric_point VALUES (1,?,?,'None',1.0,7.0,7.0,7.0,?)", row)
    store = Points(database)
    add(store, database, [one(START + 30, 3.0)], START + 30)
    for resolution in (60, 300, 3600):
        (point,) = read(store, resolution, START, START + HOUR, START + 60)
        assert (point.samples, point.total, point.pairs) == (2.0, 10.0, ((3.0, 1.0), (7.0, 1.0)))
