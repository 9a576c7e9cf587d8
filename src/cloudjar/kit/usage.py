"""Metering: what runs, from when to when. Handlers never mention money.

A service's ``bill.py`` says which meters a record drives in its present state; the store's writes open and
close spans from the difference, in the same transaction. Spans are exact instants of AWS time.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, NamedTuple, TypeVar

from cloudjar.base.clock import Clock
from cloudjar.kit.closed_months import closed_months
from cloudjar.kit.commitments import Commitments
from cloudjar.kit.counted import Counts
from cloudjar.kit.record import meta
from cloudjar.store.database import Database
from cloudjar.store.tables import Record

R = TypeVar("R", bound=Record)


class Meter(NamedTuple):
    """Something that is billed by the hour while a record is in its present state.

    `usage_type` without the region prefix (``BoxUsage:t3.micro``); `rate` is units per hour: 1 for instance hours, the
    size in GB for storage (converted to GB-months by the invoice).
    """

    service: str
    usage_type: str
    operation: str
    unit: str
    rate: Decimal = Decimal(1)


class Span(NamedTuple):
    """A stretch of usage; `end` is None while it goes on. `zone` is "" of what is in none."""

    account: str
    region: str
    resource: str
    meter: Meter
    start: datetime
    end: datetime | None
    zone: str = ""


class Label(NamedTuple):
    """The tags that a resource has from an instant on."""

    account: str
    region: str
    resource: str
    since: datetime
    tags: dict[str, str]


_METERS: dict[type[Record], Callable[[Any], Iterable[Meter]]] = {}


def meters(cls: type[R]) -> Callable[[Callable[[R], Iterable[Meter]]], Callable[[R], Iterable[Meter]]]:
    """Decorator: the meters that a record drives, as a pure function of the record."""

    def declare(function: Callable[[R], Iterable[Meter]]) -> Callable[[R], Iterable[Meter]]:
        _METERS[cls] = function
        return function

    return declare


_FEES: dict[type[Record], Callable[[Any], Iterable[Meter]]] = {}


def fees(cls: type[R]) -> Callable[[Callable[[R], Iterable[Meter]]], Callable[[R], Iterable[Meter]]]:
    """Decorator: what a record costs once, when it first comes to a state in which the function names it. The meter's
    rate is the amount, its unit is one of money. What commits its account (`kit.commitments`) has such fees."""

    def declare(function: Callable[[R], Iterable[Meter]]) -> Callable[[R], Iterable[Meter]]:
        _FEES[cls] = function
        return function

    return declare


class Usage:
    """The span table."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock
        self.counts = Counts(database, clock)
        database.execute(
            "CREATE TABLE IF NOT EXISTS usage_span (id INTEGER PRIMARY KEY, account TEXT, region TEXT, resource TEXT, "
            "service TEXT, usage_type TEXT, operation TEXT, unit TEXT, rate TEXT, start REAL, stop REAL, "
            "zone TEXT NOT NULL DEFAULT '')"
        )
        if "zone" not in {row[1] for row in database.query("PRAGMA table_info(usage_span)")}:
            database.execute("ALTER TABLE usage_span ADD COLUMN zone TEXT NOT NULL DEFAULT ''")
        database.execute("CREATE INDEX IF NOT EXISTS usage_open ON usage_span (resource) WHERE stop IS NULL")
        database.execute("CREATE INDEX IF NOT EXISTS usage_stop ON usage_span (resource, stop)")
        database.execute(
            "CREATE TABLE IF NOT EXISTS usage_label (account TEXT, region TEXT, resource TEXT, since REAL, tags TEXT)"
        )
        self.commitments = Commitments(database)
        self._closed = closed_months(database)

    def edge(self, before: Record | None, after: Record | None) -> None:
        """Open and close the spans that a write of a record changes; called inside its transaction."""
        item = after or before
        if item is not None:
            self.counts.edge(meta(type(item)), before, after)
        self._label(before, after)
        if type(item) in _FEES:
            self._charge(before, after)
            self.commitments.edge(before, after, self._clock.now().timestamp())
        function = _METERS.get(type(item)) if item is not None else None
        if function is None or item is None:
            return
        held = tuple(function(before)) if before is not None else ()
        wanted = tuple(function(after)) if after is not None else ()
        if held == wanted:  # most writes change nothing of it
            return
        was, now = set(held), set(wanted)
        resource = meta(type(item)).key_of(item)
        instant = self._clock.now().timestamp()
        zone = getattr(item, "zone", "")
        for meter in was - now:
            self._database.execute(
                "UPDATE usage_span SET stop=? WHERE resource=? AND account=? AND region=? AND usage_type=? "
                "AND operation=? AND rate=? AND stop IS NULL",
                (instant, resource, item.account, item.region, meter.usage_type, meter.operation, str(meter.rate)),
            )
        for meter in now - was:
            self._database.execute(
                "INSERT INTO usage_span (account, region, resource, service, usage_type, operation, unit, rate, start, "
                "zone) VALUES (?,?,?,?,?,?,?,?,?,?)",
                (item.account, item.region, resource, *meter[:4], str(meter.rate), instant,
                 zone if isinstance(zone, str) else ""),
            )  # fmt: skip

    def _label(self, before: Record | None, after: Record | None) -> None:
        """Remember which tags a record has from now on: reports tell usage by them."""
        tags = getattr(after, "tags", None)
        was = getattr(before, "tags", None) or {}
        if after is None or tags is None or tags == was or not isinstance(tags, dict):
            return
        self._database.execute(
            "INSERT INTO usage_label VALUES (?,?,?,?,?)",
            (after.account, after.region, meta(type(after)).key_of(after), self._clock.now().timestamp(),
             json.dumps(tags, sort_keys=True)),
        )  # fmt: skip

    def labels(self) -> list[Label]:
        """Every set of tags that a resource has had, oldest first."""
        rows = self._database.query(
            "SELECT account, region, resource, since, tags FROM usage_label ORDER BY since, rowid"
        )
        return [Label(a, r, key, _instant(since), json.loads(tags)) for a, r, key, since, tags in rows]

    def _charge(self, before: Record | None, after: Record | None) -> None:
        """What is due at once: a span without length."""
        if after is None:
            return
        function, instant = _FEES[type(after)], self._clock.now().timestamp()
        due = set(function(after)) - (set(function(before)) if before is not None else set())
        for meter in sorted(due):
            self._database.execute(
                "INSERT INTO usage_span (account, region, resource, service, usage_type, operation, unit, rate, start, "
                "stop) VALUES (?,?,?,?,?,?,?,?,?,?)",
                (after.account, after.region, meta(type(after)).key_of(after), *meter[:4], str(meter.rate), instant,
                 instant),
            )  # fmt: skip

    def used(
        self, account: str, region: str, resource: str, meter: Meter, start: datetime, end: datetime
    ) -> None:
        """What was used without a record that says so, from `start` to `end`; called inside a transaction.

        A stretch that begins within or right after the one before prolongs it: what is told twice counts once.
        """
        first, last = start.timestamp(), end.timestamp()
        self._closed.late(first)
        place = (resource, account, region, meter.usage_type, meter.operation, str(meter.rate))
        row = self._database.execute(
            "SELECT id, stop FROM usage_span WHERE resource=? AND account=? AND region=? AND usage_type=? "
            "AND operation=? AND rate=? AND stop>=? ORDER BY stop DESC LIMIT 1",
            (*place, first),
        ).fetchone()
        if row is not None:
            if row[1] < last:
                self._database.execute("UPDATE usage_span SET stop=? WHERE id=?", (last, row[0]))
            return
        self._database.execute(
            "INSERT INTO usage_span (account, region, resource, service, usage_type, operation, unit, rate, start, "
            "stop) VALUES (?,?,?,?,?,?,?,?,?,?)",
            (account, region, resource, *meter[:4], str(meter.rate), first, last),
        )

    def first(self) -> float | None:
        """When the first stretch of usage began (Unix seconds)."""
        found: float | None = self._database.query("SELECT min(start) FROM usage_span")[0][0]
        return found

    def spans(self, start: datetime, end: datetime, account: str | None = None) -> list[Span]:
        """Every span that overlaps [start, end), oldest first."""
        rows = self._database.query(
            "SELECT account, region, resource, service, usage_type, operation, unit, rate, start, stop, zone FROM "
            "usage_span WHERE start < ? AND (stop IS NULL OR stop > ? OR start = stop AND start = ?) "
            "AND (? IS NULL OR account = ?) ORDER BY start, id",
            (end.timestamp(), start.timestamp(), start.timestamp(), account, account),
        )
        return [_span(row) for row in rows]


def _span(row: tuple[Any, ...]) -> Span:
    account, region, resource, service, usage_type, operation, unit, rate, start, stop, zone = row
    return Span(
        account,
        region,
        resource,
        Meter(service, usage_type, operation, unit, Decimal(rate)),
        _instant(start),
        None if stop is None else _instant(stop),
        zone,
    )


def _instant(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)
