"""Lines: columns as they are come to the same as points that are summed up one by one."""

from __future__ import annotations

import random

import pytest

from cloudjar.store.database import Database
from cloudjar.store.lines import Lines
from cloudjar.store.points import HOUR, Name, Point, Points
from cloudjar.store.sums import Sums
from tests.store.failing import undone

START = 1_700_006_400.0  # a day begins
PLACE = ("000000000000", "eu-west-3")
PERIODS = ((60, 60), (300, 300), (600, 300), (1500, 300), (3600, 3600), (7200, 3600), (18000, 3600))
STATS = ("Sum", "Average", "Minimum", "Maximum", "SampleCount")


def _name(number: int) -> Name:
    return ("Shop", f"Load{number}", (("Host", "a"),))


def _measured(dice: random.Random, at: float, units: tuple[str, ...]) -> Point:
    value, unit = float(dice.randrange(9)), dice.choice(units)
    if dice.random() < 0.2:
        return Point(at, unit, 0.0, 0.0, value, value, None)  # a set of nothing
    count = float(dice.choice((1, 1, 3)))
    return Point(at, unit, count, value * count, value, value, ((value, count),))


@pytest.mark.parametrize("seed", range(8))
def test_lines_are_the_sums_of_their_points(seed: int) -> None:
    dice, database = random.Random(seed), Database(None)
    store = Points(database)
    units = ("None",) if seed % 2 else ("None", "Bytes")
    now = START
    for hour in range(30):
        now = START + hour * HOUR
        instants = [now + 60 * minute for minute in range(60)]
        with database.transaction():
            for number in range(3):
                held = [_measured(dice, at, units) for at in instants if dice.random() < (1, 1, 0.5)[number]]
                store.add(*PLACE, [(_name(number), False, held)], now=now)
        if hour % 5 == 0:
            store.settle(now)
    ids = store.found(*PLACE, [_name(number) for number in range(4)])
    assert ids[3] is None
    assert None not in ids[:3]
    series = [one for one in ids if one is not None]
    for period, resolution in PERIODS:
        low, high = START + 2 * HOUR, now + HOUR - 600
        columns, lines = store.columns(series, resolution, low, high, now), Lines(period, START, resolution)
        for stat in STATS:
            for one in series:
                sums = Sums(stat, period, START)
                for chunk in columns[one]:
                    sums.add(chunk, resolution)
                line = lines.draw(stat, columns[one])
                assert line.points == pytest.approx(sums.found())
                assert list(line.at) == sorted(line.at)
    database.close()


def test_series_that_are_measured_together_share_their_instants() -> None:
    database = Database(None)
    store = Points(database)
    with database.transaction():
        for number in range(2):
            held = [Point(START + 60 * n, "None", 1.0, 2.0, 2.0, 2.0, ((2.0, 1.0),)) for n in range(60 * 12)]
            store.add(*PLACE, [(_name(number), False, held)], now=START)
    now = START + 13 * HOUR
    with database.transaction():
        store.settle()
        for series in (1, 2):
            store.pack(series, now)
    columns, lines = store.columns([1, 2], 60, START, now, now), Lines(60, START, 60)
    one, other = (lines.draw("Average", columns[series]) for series in (1, 2))
    assert len(one.at) == 60 * 12
    assert one.at is other.at
    database.close()


def test_what_is_not_committed_is_not_remembered() -> None:
    database = Database(None)
    store = Points(database)

    with undone(database):
        store.add(*PLACE, [(_name(0), False, [_measured(random.Random(1), START, ("None",))])], now=START)
        assert store.found(*PLACE, [_name(0)]) != [None]
    assert store.found(*PLACE, [_name(0)]) == [None]
    database.close()
