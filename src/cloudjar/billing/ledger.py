"""The ledger: cost and usage of every account, the one read model of Cost Explorer, budgets, reports and bills.

A month is added up from what was metered (spans, quantities, calls) by day, line by line (`costs.Row`); months that are
over are kept, so that a year is read and not counted again. Hours are added up when they are asked for, at the prices
of their day. Not to be asked inside a transaction: it has journals moved first.

    book = ledger(world).book(moment)                     # a calendar month by day, every account
    periods, groups = ledger(world).sums(start, end, "DAILY", keep=lambda line: ..., key=lambda line: line.service)
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal, localcontext
from functools import cache
from operator import add, sub
from typing import Generic, Literal, NamedTuple, TypeVar

from cloudjar.billing import allowances, blending, costs, covered, crediting, kept, measured
from cloudjar.billing.costs import Row
from cloudjar.billing.covered_days import Splits
from cloudjar.billing.measured import ZERO, Grid, Labels, Line, Rows
from cloudjar.kit import account_credits
from cloudjar.kit import quantities as counters
from cloudjar.kit.audit import Audit
from cloudjar.kit.closed_months import closed_months
from cloudjar.kit.commitments import Commitment
from cloudjar.kit.context import World
from cloudjar.kit.db import Db
from cloudjar.kit.quantities import Quantities
from cloudjar.kit.usage import Usage

DIGITS = 50
DAY, HOUR = 86400, 3600
Step = Literal["HOURLY", "DAILY", "MONTHLY"]
K = TypeVar("K", bound=Hashable)
_PORT = "ledger"


class Book(NamedTuple):
    """A calendar month (or one day of it, by the hour): a number for each of `grid`'s steps in each row's lists."""

    grid: Grid
    rows: list[Row]
    closed: bool
    totals: list[Amounts]
    """Of the rows, one for each."""
    brief: list[Row]
    """The rows with those added up that differ by their resources alone."""
    brief_totals: list[Amounts]


class Amounts(NamedTuple):
    """Dollars, and how much was used in `unit` ("" of nothing, "N/A" where several were added up)."""

    usage: Decimal = ZERO
    unblended: Decimal = ZERO
    amortized: Decimal = ZERO
    blended: Decimal = ZERO
    unit: str = ""

    def __add__(self, other: object) -> Amounts:
        if not isinstance(other, Amounts):
            return NotImplemented
        return Amounts(
            self.usage + other.usage,
            self.unblended + other.unblended,
            self.amortized + other.amortized,
            self.blended + other.blended,
            one_unit(self.unit, other.unit),
        )


def one_unit(one: str, other: str) -> str:
    """The unit of a sum."""
    return one if not other or one == other else other if not one else "N/A"


class Group(Generic[K]):
    """What lines of one key come to, by period."""

    __slots__ = ("amortized", "blended", "key", "unblended", "unit", "usage")

    def __init__(self, key: K, periods: int) -> None:
        self.key = key
        self.unit = ""
        self.usage = [ZERO] * periods
        self.unblended = [ZERO] * periods
        self.amortized: list[Decimal] = []
        """By how much it differs from unblended, until `finish`: hardly a line's does. So does `blended`."""
        self.blended: list[Decimal] = []

    def differ(self, name: Literal["amortized", "blended"], place: int, amounts: Iterable[Decimal]) -> None:
        """Count by how much a line's cost of this name differs from its unblended, from period `place` on."""
        column: list[Decimal] = getattr(self, name) or [ZERO] * len(self.usage)
        for index, amount in enumerate(amounts, place):
            column[index] += amount
        setattr(self, name, column)

    def finish(self) -> None:
        """Make costs of differences."""
        for name in ("amortized", "blended"):
            column = getattr(self, name)
            setattr(self, name, list(map(add, self.unblended, column)) if column else list(self.unblended))

    def at(self, index: int) -> Amounts:
        """One period's."""
        return Amounts(
            self.usage[index], self.unblended[index], self.amortized[index], self.blended[index], self.unit
        )


class Period(NamedTuple):
    """[start, end) in UTC."""

    start: datetime
    end: datetime


def month_end(start: datetime) -> datetime:
    """The beginning of the month after one that begins so."""
    return (start + timedelta(days=32)).replace(day=1)


def ledger(world: World) -> Ledger:
    """The one of a world."""
    found: Ledger | None = world.ports.get(_PORT)
    if found is None:
        found = world.ports[_PORT] = Ledger(world)
    return found


class Ledger:
    """See the module. Thread-safe."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._turn = threading.RLock()
        self._usage: Usage = world.ports["usage"]
        self._quantities: Quantities = world.ports["quantities"]
        self._audit: Audit = world.ports["audit"]
        self._db = Db(world.state, "", "")
        self._closed = closed_months(world.state.database)
        self._books: dict[datetime, Book] = {}
        self._disturbed = -1
        self._past: tuple[Grid, int, Rows] | None = None
        self._splits = Splits()

    def collect(self) -> None:
        """Have the planes' counters read, so that what they carried until now is counted. It waits for the host."""
        if not self._world.state.database.in_transaction:
            counters.collect(self._world)

    def book(self, moment: datetime) -> Book:
        """The calendar month that an instant is in, up to now, by day."""
        now = self._world.clock.now()
        grid = measured.month_grid(moment, now)
        with self._turn, localcontext() as context:
            context.prec = DIGITS
            if self._disturbed != self._closed.disturbed:
                self._books.clear()
                self._past = None
                self._disturbed = self._closed.disturbed
            found = self._books.get(grid.start)
            if found is None or not found.closed:
                found = self._books[grid.start] = self._read(grid, grid.end <= now)
            return found

    def hours(self, day: datetime) -> Book:
        """The 24 hours of the day (UTC) that an instant is in, at the prices of the day."""
        book = self.book(day)
        start = day.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
        index = (start - book.grid.start).days
        with self._turn, localcontext() as context:
            context.prec = DIGITS
            grid = Grid(start, HOUR, 24, book.grid.now)
            rows, known = self._covered(grid, self._measure(grid))
            found = [*costs.by_the_hour(rows, book.rows, index), *known]
            rates = blending.average_rates(book.rows, self.payer)
            found = blending.blended(found, rates, self.payer, index)
            return _book(grid, [*found, *crediting.by_the_hour(found, book.rows, index)], closed=book.closed)

    def _read(self, grid: Grid, closed: bool) -> Book:
        until, made = int(grid.end.timestamp()), kept.stamp()
        disturbed = self._closed.disturbed
        data = self._closed.get(until, made) if closed else None
        if data is None:
            rows = self._add_up(grid)
            if closed and not self._world.state.database.in_transaction:
                self._closed.put(until, made, kept.packed(rows), disturbed)
        else:
            rows = kept.unpacked(data)
        return _book(grid, rows, closed=closed)

    def _add_up(self, grid: Grid, *, anew: bool = False, before: Sequence[tuple[Grid, list[Row]]] = ()) -> list[Row]:
        """A month's rows; `before` are months between now and then that have not come yet."""
        rows, known = self._covered(grid, self._measure(grid, anew=anew), anew=anew)
        gifts = allowances.given(rows, grid, self.payer, allowances.window(self._world))
        found = [*costs.costed(rows, self.payer, gifts), *known]
        if known:
            found = blending.blended(found, blending.average_rates(found, self.payer), self.payer)
        return [*found, *self._credits(grid, found, before)]

    def _credits(self, grid: Grid, rows: list[Row], before: Sequence[tuple[Grid, list[Row]]]) -> Iterator[Row]:
        for account in sorted(account_credits.owners(self._db)):
            purse = self.purse(account, before[0][0].start if before else grid.start)
            for month, lines in before:
                purse.spend(month, lines, account)
            yield from crediting.lines(rows, account, purse, grid)

    def purse(self, account: str, until: datetime | None = None) -> crediting.Purse:
        """An account's credits as they are now, or were when a month began."""
        held = account_credits.of(self._db, account)
        purse = crediting.Purse(held)
        if held:
            for book in self.months(min(one.given for one in held), until or self._world.clock.now()):
                purse.spend(book.grid, book.rows, account)
        return purse

    def commitments(self, start: datetime, end: datetime) -> list[Commitment]:
        """What was bought ahead by anybody and in force somewhere in [start, end), oldest first."""
        return self._usage.commitments.between(start, end)

    def _covered(self, grid: Grid, rows: Rows, *, anew: bool = False) -> tuple[Rows, list[Row]]:
        """What is left to be priced, and what commitments make of the rest."""
        end = min(grid.end, grid.now)
        deals = self.commitments(grid.start, end)
        if not deals:
            return rows, []
        spans, labels, payer = self._usage.spans(grid.start, end), Labels(self._usage.labels()), cache(self.payer)
        done = (grid.now - grid.start) // timedelta(days=1)
        if grid.step == DAY and 0 < done < grid.steps and not anew:
            split = self._splits.month(rows, spans, deals, grid, labels, payer, disturbed=self._disturbed)
        else:
            split = covered.split(spans, deals, grid, labels, payer)
        return covered.applied(rows, split, deals), split.known

    def _measure(self, grid: Grid, *, anew: bool = False) -> Rows:
        labels = Labels(self._usage.labels())
        done = max((grid.now - grid.start) // timedelta(days=1), 0)
        if grid.step == DAY and 0 < done < grid.steps and not anew:
            rows = {line: row[:] for line, row in self._days_before(grid, done, labels).items()}
            self._count(rows, grid, done, labels)
        else:
            rows = {}
            self._count(rows, grid, 0, labels)
        measured.add_spans(rows, self._usage.spans(grid.start, min(grid.end, grid.now)), grid, labels)
        return rows

    def _days_before(self, grid: Grid, done: int, labels: Labels) -> Rows:
        """What was counted in the days of this month that are over, remembered until one more is."""
        if self._past is None or self._past[0][:3] != grid[:3] or self._past[1] != done:
            rows: Rows = {}
            midnight = grid.start + timedelta(days=done)
            self._closed.watch(midnight.timestamp())
            self._count(rows, grid, 0, labels, midnight)
            self._past = (grid, done, rows)
        return self._past[2]

    def _count(self, rows: Rows, grid: Grid, index: int, labels: Labels, until: datetime | None = None) -> None:
        """Count calls and quantities from a step on."""
        first = int(grid.start.timestamp()) + index * grid.step
        last = int((until or grid.end).timestamp())
        measured.add_calls(rows, self._audit.requests_by(first, last, grid.step), grid, index)
        measured.add_quantities(rows, self._quantities.sums(first, last, grid.step), grid, labels, index)

    def ahead(self, until: datetime) -> list[Row]:
        """What is to come until then if everything that is metered by the time goes on as it is, month by month: the
        difference to now, at the tiers that are reached. Counts nothing and moves no clock."""
        now = self._world.clock.now()
        found: list[Row] = []
        before: list[tuple[Grid, list[Row]]] = []
        moment = now.astimezone(UTC).replace(day=1, hour=0, minute=0, second=0, microsecond=0)
        with self._turn, localcontext() as context:
            context.prec = DIGITS
            while moment < until:
                grid = measured.month_grid(moment, until)
                later = self._add_up(grid, anew=True, before=before)
                before.append((grid, later))
                known = {row.line: row for row in self.book(moment).rows} if moment <= now else {}
                found += [costs.less(row, known.get(row.line)) for row in later]
                moment = month_end(moment)
        return [row for row in found if any(row.usage) or any(row.cost)]

    def payer(self, account: str) -> str:
        """Who gets the bill for an account: its organization's management account, else itself."""
        find = self._world.ports.get("organization")
        organization = find() if find is not None else None
        standing = organization.standing(account) if organization is not None else None
        return standing.management_account if standing is not None else account

    def months(self, start: datetime, end: datetime) -> Iterator[Book]:
        """The books of the months that overlap [start, end) and have begun; oldest first."""
        moment = start.astimezone(UTC).replace(day=1, hour=0, minute=0, second=0, microsecond=0)
        while moment < min(end, self._world.clock.now()):
            yield self.book(moment)
            moment = month_end(moment)

    def sums(
        self,
        start: datetime,
        end: datetime,
        step: Step,
        *,
        keep: Callable[[Line], bool],
        key: Callable[[Line], K],
        resources: bool = False,
    ) -> tuple[list[Period], dict[K, Group[K]]]:
        """Add lines up in each period of [start, end), by key.

        `start` and `end` are midnights (UTC; of hours with HOURLY). `keep` says which lines count, `key` under which
        name (of several keys, ask several times); they see a line's resource with `resources` alone, which takes
        longer. Months are cut at `start` and `end`.
        """
        periods = list(_periods(start, end, step))
        groups: dict[K, Group[K]] = {}
        with localcontext() as context:
            context.prec = DIGITS
            for book in self._by_hours(start, end) if step == "HOURLY" else self.months(start, end):
                rows = (book.rows, book.totals) if resources else (book.brief, book.brief_totals)
                self._sum(book.grid, zip(*rows, strict=True), groups, periods, step, keep, key)
            for group in groups.values():
                group.finish()
        return periods, groups

    def _by_hours(self, start: datetime, end: datetime) -> Iterator[Book]:
        day = start.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
        while day < min(end, self._world.clock.now()):
            yield self.hours(day)
            day += timedelta(days=1)

    def _sum(
        self,
        grid: Grid,
        rows: Iterable[tuple[Row, Amounts]],
        groups: dict[K, Group[K]],
        periods: list[Period],
        step: Step,
        keep: Callable[[Line], bool],
        key: Callable[[Line], K],
    ) -> None:
        length = timedelta(seconds=grid.step)
        first = max((periods[0].start - grid.start) // length, 0)
        last = min((periods[-1].end - grid.start) // length, grid.steps)
        if step == "MONTHLY":
            place = next(i for i, period in enumerate(periods) if period.end > grid.start)
        else:
            place = (grid.start + first * length - periods[0].start) // length
        whole = step == "MONTHLY" and last - first == grid.steps
        for row, totals in rows:
            if not keep(row.line):
                continue
            name = key(row.line)
            group = groups.get(name)
            if group is None:
                group = groups[name] = Group(name, len(periods))
            group.unit = one_unit(group.unit, row.line.unit)
            if step == "MONTHLY":
                _add_once(group, place, totals if whole else _part(row, first, last))
            else:
                _add_row(group, place, row, first, last)


def _add_once(group: Group[K], place: int, amounts: Amounts) -> None:
    group.usage[place] += amounts.usage
    group.unblended[place] += amounts.unblended
    if amounts.amortized is not amounts.unblended:
        group.differ("amortized", place, (amounts.amortized - amounts.unblended,))
    if amounts.blended is not amounts.unblended:
        group.differ("blended", place, (amounts.blended - amounts.unblended,))


def _add_row(group: Group[K], place: int, row: Row, first: int, last: int) -> None:
    stop = place + last - first
    for sums, column in ((group.usage, row.usage), (group.unblended, row.cost)):
        sums[place:stop] = map(add, sums[place:stop], column[first:last])
    if row.amortized is not row.cost:
        group.differ("amortized", place, map(sub, row.amortized[first:last], row.cost[first:last]))
    if row.blended is not row.cost:
        group.differ("blended", place, map(sub, row.blended[first:last], row.cost[first:last]))


def _book(grid: Grid, rows: list[Row], *, closed: bool) -> Book:
    brief = costs.without_resources(rows)
    return Book(grid, rows, closed, list(map(_totals, rows)), brief, list(map(_totals, brief)))


def _totals(row: Row) -> Amounts:
    return _part(row, 0, len(row.usage))


def _part(row: Row, first: int, last: int) -> Amounts:
    usage, cost = measured.total(row.usage[first:last]), measured.total(row.cost[first:last])
    amortized = cost if row.amortized is row.cost else measured.total(row.amortized[first:last])
    blended = cost if row.blended is row.cost else measured.total(row.blended[first:last])
    return Amounts(usage, cost, amortized, blended, row.line.unit)


def _periods(start: datetime, end: datetime, step: Step) -> Iterator[Period]:
    while start < end:
        if step == "MONTHLY":
            turn = (start.replace(day=1) + timedelta(days=32)).replace(day=1)
        else:
            turn = start + timedelta(seconds=HOUR if step == "HOURLY" else DAY)
        yield Period(start, min(turn, end))
        start = turn
