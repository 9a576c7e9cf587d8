"""Metering by quantity: bytes that were carried, requests that a plane has seen; beside `usage`, which meters time.

What happens in a transaction is added there. What a plane counts is read from it: the difference to the last reading
and the reading itself are written together, so that a crash at any point counts nothing twice and nothing is missed.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, NamedTuple

from cloudjar.base.clock import Clock
from cloudjar.base.errors import PlaneError
from cloudjar.kit.closed_months import closed_months
from cloudjar.store.database import Database

if TYPE_CHECKING:
    from cloudjar.kit.context import World

log = logging.getLogger("cloudjar.usage")

GB = 1 << 30
HOUR = timedelta(hours=1)


class Tally(NamedTuple):
    """What is counted: a usage type without the region's prefix, in whole numbers of which `per` make a `unit`."""

    service: str
    usage_type: str
    operation: str
    unit: str = "GB"
    per: int = GB


class Owner(NamedTuple):
    """Whose usage it is."""

    account: str
    region: str
    resource: str


class Reading(NamedTuple):
    """Counters of a plane by name; `born` is another one when they began at nothing again."""

    born: str
    amounts: Mapping[str, int]


class Quantity(NamedTuple):
    """How much was counted in one hour of AWS time, in the tally's whole numbers."""

    owner: Owner
    tally: Tally
    hour: datetime
    amount: int

    @property
    def units(self) -> Decimal:
        """The amount in the unit of the price, exact."""
        return Decimal(self.amount) / self.tally.per


class Quantities:
    """The quantities of one jar. Thread-safe."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock
        self._turn = threading.Lock()
        self._closed = closed_months(database)
        self._numbers: dict[tuple[Owner, Tally], int] = {}
        self._make()
        database.execute(
            "CREATE TABLE IF NOT EXISTS usage_reading (source TEXT, name TEXT, born TEXT, value INTEGER, "
            "PRIMARY KEY (source, name)) WITHOUT ROWID"
        )

    def _make(self) -> None:
        """An hour's amount is three numbers: what it is of stands once in `usage_counted`."""
        run = self._database.execute
        run(
            "CREATE TABLE IF NOT EXISTS usage_counted (number INTEGER PRIMARY KEY, account TEXT, region TEXT, "
            "resource TEXT, service TEXT, usage_type TEXT, operation TEXT, unit TEXT, per INTEGER, "
            "UNIQUE (account, region, resource, service, usage_type, operation, unit, per))"
        )
        columns = [row[1] for row in self._database.query("PRAGMA table_info(usage_quantity)")]
        old = "account" in columns
        if old:
            run("ALTER TABLE usage_quantity RENAME TO usage_quantity_wide")
        run(
            "CREATE TABLE IF NOT EXISTS usage_quantity (hour INTEGER, number INTEGER, amount INTEGER, "
            "PRIMARY KEY (hour, number)) WITHOUT ROWID"
        )
        if old:
            self._narrow()

    def _narrow(self) -> None:
        """A data directory from before had all of it in each row."""
        with self._database.transaction():
            rows = self._database.query(
                "SELECT account, region, resource, service, usage_type, operation, unit, per, hour, amount "
                "FROM usage_quantity_wide"
            )
            for row in rows:
                self._put(self._number(Owner(*row[:3]), Tally(*row[3:8])), row[8], row[9])
            self._database.execute("DROP TABLE usage_quantity_wide")

    def _number(self, owner: Owner, tally: Tally) -> int:
        key = (owner, tally)
        found = self._numbers.get(key)
        if found is not None:
            return found
        place = (*owner, *tally)
        row = self._database.execute(
            "SELECT number FROM usage_counted WHERE account=? AND region=? AND resource=? AND service=? "
            "AND usage_type=? AND operation=? AND unit=? AND per=?",
            place,
        ).fetchone()
        if row is None:
            made = self._database.execute(
                "INSERT INTO usage_counted (account, region, resource, service, usage_type, operation, unit, per) "
                "VALUES (?,?,?,?,?,?,?,?)",
                place,
            )
            row = (made.lastrowid,)
        number = self._numbers[key] = int(row[0])
        self._database.undone(lambda: self._numbers.pop(key, None))
        return number

    def first(self) -> float | None:
        """When something was counted first (Unix seconds)."""
        hour = self._database.query("SELECT min(hour) FROM usage_quantity")[0][0]
        return None if hour is None else float(hour)

    def _put(self, number: int, hour: int, amount: int) -> None:
        self._database.execute(
            "INSERT INTO usage_quantity VALUES (?,?,?) ON CONFLICT DO UPDATE SET amount = amount + excluded.amount",
            (hour, number, amount),
        )

    def add(self, owner: Owner, tally: Tally, amount: int, at: datetime | None = None) -> None:
        """Count so much more in this hour (or in that of an instant); inside the caller's transaction."""
        hour = int((at or self._clock.now()).timestamp()) // 3600 * 3600
        self._closed.late(hour)
        self._put(self._number(owner, tally), hour, amount)

    def read(
        self,
        owner: Owner,
        source: str,
        take: Callable[[], Reading | None],
        tallies: Mapping[str, Tally],
    ) -> None:
        """Count what a plane's counters have grown by since they were last read.

        `take` reads them (None: there are none now) and `source` names them for ever; `tallies` says what a counter
        is, by its name. Must not be called inside a transaction: it waits for the host. Raises `PlaneError`.
        """
        with self._turn:  # a reading must be written before the next one is taken
            reading = take()
            if reading is None:
                return
            with self._database.transaction():
                for name, tally in tallies.items():
                    grown = self._grown(source, name, reading.born, reading.amounts.get(name, 0))
                    if grown:
                        self.add(owner, tally, grown)

    def _grown(self, source: str, name: str, born: str, value: int) -> int:
        last = self._database.execute(
            "SELECT born, value FROM usage_reading WHERE source=? AND name=?", (source, name)
        ).fetchone()
        if last is not None and last == (born, value):
            return 0
        self._database.execute(
            "INSERT OR REPLACE INTO usage_reading VALUES (?,?,?,?)", (source, name, born, value)
        )
        known = last[1] if last is not None and last[0] == born else 0
        return max(value - known, 0)

    def rows(self, start: datetime, end: datetime, account: str | None = None) -> list[Quantity]:
        """What was counted in the hours that begin in [start, end), and in the one that `start` is in; oldest first."""
        first = int(start.timestamp()) // 3600 * 3600
        found = self._database.query(
            "SELECT account, region, resource, service, usage_type, operation, unit, per, hour, amount "
            "FROM usage_quantity JOIN usage_counted USING (number) "
            "WHERE hour >= ? AND hour < ? AND (? IS NULL OR account = ?) ORDER BY hour, number",
            (first, end.timestamp(), account, account),
        )
        return [
            Quantity(Owner(*row[:3]), Tally(*row[3:8]), datetime.fromtimestamp(row[8], UTC), row[9]) for row in found
        ]

    def sums(self, start: int, end: int, step: int) -> list[tuple[Owner, Tally, int, int]]:
        """(owner, tally, which step, amount): what was counted in each `step` seconds (whole hours) from `start` on,
        in the hours that begin in [start, end)."""
        found = self._database.query(
            "SELECT number, (hour - ?) / ?, sum(amount) FROM usage_quantity WHERE hour >= ? AND hour < ? GROUP BY 1, 2",
            (start, step, start, end),
        )
        about = {
            row[0]: (Owner(*row[1:4]), Tally(*row[4:9]))
            for row in self._database.query(
                "SELECT number, account, region, resource, service, usage_type, operation, unit, per FROM usage_counted"
            )
        }
        return [(*about[number], place, amount) for number, place, amount in found]


_COLLECTORS: list[Callable[[World], None]] = []


def collects(function: Callable[[World], None]) -> Callable[[World], None]:
    """Decorator: how a service has all counters read that it is answerable for; raises `PlaneError`."""
    _COLLECTORS.append(function)
    return function


def collect(world: World) -> None:
    """Read every counter now, on a thread that may wait. What a host does not tell is read another time."""
    for function in _COLLECTORS:
        try:
            function(world)
        except PlaneError as error:
            log.warning("some counters could not be read: %s", error)
