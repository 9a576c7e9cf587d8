"""Quantities: what is added, and what is read of counters that neither a crash nor a new beginning counts twice."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from cloudjar.base.clock import SimClock
from cloudjar.billing.quantities import lines
from cloudjar.kit.quantities import GB, Owner, Quantities, Reading, Tally
from cloudjar.store.database import Database

MINE = Owner("111122223333", "eu-west-3", "nat-1")
BYTES = Tally("AmazonEC2", "NatGateway-Bytes", "NatGateway")
TALLIES = {"out": BYTES, "back": BYTES}


class Meters:
    """A store that can be lost and opened again, and a clock."""

    def __init__(self, home: Path) -> None:
        self.path = home / "usage.db"
        self.clock = SimClock()
        self.open()

    def open(self) -> None:
        self.database = Database(self.path, durable=False)
        self.quantities = Quantities(self.database, self.clock)

    def read(self, born: str, **amounts: int) -> None:
        self.quantities.read(MINE, "nat-1", lambda: Reading(born, amounts), TALLIES)

    def total(self) -> int:
        rows = self.quantities.rows(datetime(2000, 1, 1, tzinfo=UTC), datetime(2100, 1, 1, tzinfo=UTC))
        return sum(row.amount for row in rows)


@pytest.fixture
def meters(tmp_path: Path) -> Iterator[Meters]:
    made = Meters(tmp_path)
    yield made
    made.database.close()


def test_only_what_a_counter_has_grown_by_is_counted(meters: Meters) -> None:
    meters.read("a", out=100, back=20)
    meters.read("a", out=100, back=20)
    meters.read("a", out=150, back=20)
    assert meters.total() == 170
    meters.read("b", out=30, back=5)  # made anew: it has counted from nothing
    assert meters.total() == 205
    meters.quantities.read(MINE, "nat-1", lambda: None, TALLIES)
    assert meters.total() == 205


def test_a_reading_and_its_difference_are_written_together(meters: Meters) -> None:
    meters.read("a", out=100)
    with meters.database.lock:
        meters.database.execute(
            "CREATE TRIGGER broken BEFORE INSERT ON usage_quantity BEGIN SELECT RAISE(ABORT, 'the disk is full'); END"
        )
    with pytest.raises(Exception, match="the disk is full"):
        meters.read("a", out=175)
    with meters.database.lock:
        meters.database.execute("DROP TRIGGER broken")
    meters.database.close()
    meters.open()  # a later server, the same counters
    assert meters.total() == 100
    meters.read("a", out=175)
    meters.database.close()
    meters.open()
    meters.read("a", out=175)
    assert meters.total() == 175


def test_hours_and_owners_are_told_apart(meters: Meters) -> None:
    start = meters.clock.now()
    with meters.database.transaction():
        meters.quantities.add(MINE, BYTES, GB // 2)
        meters.quantities.add(MINE, BYTES, GB)
    meters.clock.advance(timedelta(hours=1))
    with meters.database.transaction():
        meters.quantities.add(MINE, BYTES, GB)
        meters.quantities.add(MINE._replace(account="2"), BYTES, GB)
    rows = meters.quantities.rows(start, meters.clock.now() + timedelta(seconds=1), MINE.account)
    assert [(row.units, row.hour.minute) for row in rows] == [(Decimal("1.5"), 0), (Decimal(1), 0)]
    assert rows[1].hour - rows[0].hour == timedelta(hours=1)
    assert len(meters.quantities.rows(start, meters.clock.now() + timedelta(seconds=1))) == 3
    [first, _] = lines(rows)
    assert (first.quantity, first.unit, first.resource, first.end - first.start) == (
        Decimal("1.5"), "GB", "nat-1", timedelta(hours=1),
    )  # fmt: skip
