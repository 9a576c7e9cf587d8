"""Usage by day or by hour: what was metered, as one row of quantities for each thing that is metered.

A month of a machine that ran on is thirty-one times the same number, so a row shares its numbers. Exact decimals.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import lru_cache
from typing import NamedTuple

from cloudjar.billing import calls
from cloudjar.billing.lines import HOUR, hours_in_month, is_monthly, seconds, surplus
from cloudjar.kit.quantities import Owner, Tally
from cloudjar.kit.usage import Label, Span
from cloudjar.spec import prices

ZERO = Decimal(0)
Tags = tuple[tuple[str, str], ...]
Place = tuple[str, str, str]
"""Account, region, resource."""

USAGE, FEE, RI_FEE = "Usage", "Fee", "RIFee"
PLAN_FEE, PLAN_UPFRONT = "SavingsPlanRecurringFee", "SavingsPlanUpfrontFee"
RESERVED, COVERED, NEGATION, REFUND = "DiscountedUsage", "SavingsPlanCoveredUsage", "SavingsPlanNegation", "Refund"
FEES = frozenset((FEE, RI_FEE, PLAN_FEE, PLAN_UPFRONT, REFUND))


class Line(NamedTuple):
    """What a row is about: in the terms of a cost and usage report.

    `service` is a price list's code (AmazonEC2), `usage_type` without the region's prefix, `resource` a key within its
    service ("" for calls), `kind` the line item type (Usage, RIFee, ...), `tags` those that the resource had then,
    `zone` the name that its account has for its zone, `commitment` the ARN of the reservation or plan that covers it.
    """

    account: str
    region: str
    service: str
    usage_type: str
    operation: str
    unit: str
    resource: str
    kind: str = USAGE
    tags: Tags = ()
    zone: str = ""
    commitment: str = ""

    @property
    def bill_usage_type(self) -> str:
        """With the region's prefix: ``EUW3-BoxUsage:t3.micro``."""
        return prices.bill_usage_type(self.usage_type, self.region)


class Grid(NamedTuple):
    """`steps` steps of `step` seconds from `start` on, within one calendar month; usage is counted up to `now`."""

    start: datetime
    step: int
    steps: int
    now: datetime

    @property
    def end(self) -> datetime:
        """The end of the last step."""
        return self.start + timedelta(seconds=self.step * self.steps)


Rows = dict[Line, list[Decimal]]


def month_grid(moment: datetime, now: datetime) -> Grid:
    """The days of the calendar month (UTC) that an instant is in."""
    start = moment.astimezone(UTC).replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    return Grid(start, 86400, int(hours_in_month(start)) // 24, now)


class Labels:
    """Which tags a resource had when."""

    def __init__(self, labels: Iterable[Label]) -> None:
        self._known: dict[Place, list[tuple[datetime, Tags]]] = defaultdict(list)
        for one in labels:
            pair = (one.since, tuple(sorted(one.tags.items())))
            self._known[one.account, one.region, one.resource].append(pair)

    def at(self, place: Place, moment: datetime) -> Tags:
        """The tags at an instant."""
        known = self._known.get(place)
        if known is None:
            return ()
        index = bisect_right(known, moment, key=lambda pair: pair[0])
        return known[index - 1][1] if index else ()

    def cut(self, place: Place, start: datetime, end: datetime) -> Iterator[tuple[datetime, datetime, Tags]]:
        """[start, end) cut where the tags changed."""
        turns = [since for since, _ in self._known.get(place, ()) if start < since < end]
        for turn in (*turns, end):
            yield start, turn, self.at(place, start)
            start = turn


def add_spans(rows: Rows, spans: Iterable[Span], grid: Grid, labels: Labels) -> None:
    """Count stretches of usage into the grid's steps; what a minimum or a begun hour adds, where the span ends."""
    until = min(grid.end, grid.now)
    for span in spans:
        if span.meter.unit == prices.ONCE:
            if grid.start <= span.start < grid.end:
                line = _line(span, labels.at(_place(span), span.start))
                _put(rows, line, grid, _index(grid, span.start), span.meter.rate)
            continue
        stop = grid.now if span.end is None else span.end
        begin, end = max(span.start, grid.start), min(stop, until)
        if begin < end:
            for first, last, tags in labels.cut(_place(span), begin, end):
                _spread(rows.setdefault(_line(span, tags), [ZERO] * grid.steps), span, grid, first, last)
        if grid.start <= span.start <= stop <= until or grid.start < stop <= until:
            extra = surplus(span.meter.usage_type, stop - span.start)
            if extra and (span.end is not None or begin < end):
                last = max(span.start, stop - timedelta(microseconds=1), grid.start)
                if last < grid.end:
                    line = _line(span, labels.at(_place(span), last))
                    _put(rows, line, grid, _index(grid, last), _amount(span, extra, grid))


def _place(span: Span) -> Place:
    return span.account, span.region, span.resource


def _index(grid: Grid, moment: datetime) -> int:
    return (moment - grid.start) // timedelta(seconds=grid.step)


def _put(rows: Rows, line: Line, grid: Grid, index: int, amount: Decimal) -> None:
    row = rows.setdefault(line, [ZERO] * grid.steps)
    row[index] = row[index] + amount if row[index] else amount


def _amount(span: Span, length: timedelta, grid: Grid) -> Decimal:
    return _units(span.meter.rate, seconds(length), is_monthly(span.meter.unit), grid.start)


@lru_cache(4096)
def _units(rate: Decimal, length: Decimal, monthly: bool, month: datetime) -> Decimal:
    units = rate * length / HOUR
    return units / hours_in_month(month) if monthly else units


def _spread(row: list[Decimal], span: Span, grid: Grid, first: datetime, last: datetime) -> None:
    step = timedelta(seconds=grid.step)
    index, rest = divmod(first - grid.start, step)
    if rest:
        edge = min(grid.start + (index + 1) * step, last)
        row[index] += _amount(span, edge - first, grid)
        first, index = edge, index + 1
    whole, rest = divmod(last - first, step) if first < last else (0, timedelta(0))
    if whole:
        amount, held = _amount(span, step, grid), row[index : index + whole]
        more = [one + amount if one else amount for one in held] if any(held) else [amount] * whole
        row[index : index + whole] = more
    if rest:
        row[index + whole] += _amount(span, rest, grid)


def _line(span: Span, tags: Tags) -> Line:
    meter = span.meter
    return Line(span.account, span.region, meter.service, meter.usage_type, meter.operation, meter.unit, span.resource,
                kind_of(meter.service, meter.unit), tags, span.zone)  # fmt: skip


def kind_of(service: str, unit: str) -> str:
    """The line item type: fees are told from usage by their units."""
    if unit == prices.ONCE:
        return PLAN_UPFRONT if service == "ComputeSavingsPlans" else FEE
    if unit == prices.RECURRING:
        return PLAN_FEE if service == "ComputeSavingsPlans" else RI_FEE
    return USAGE


def add_quantities(
    rows: Rows, sums: Iterable[tuple[Owner, Tally, int, int]], grid: Grid, labels: Labels, base: int = 0
) -> None:
    """Count what was counted by the hour (in steps from step `base` on); with the tags that its owner had at the end
    of the step."""
    step = timedelta(seconds=grid.step)
    for owner, tally, after, amount in sums:
        index = base + after
        account, region, resource = owner
        service, usage_type, operation, unit, per = tally
        tags = labels.at((account, region, resource), min(grid.start + (index + 1) * step, grid.now))
        line = Line(account, region, service, usage_type, operation, unit, resource, USAGE, tags)
        _put(rows, line, grid, index, Decimal(amount) / per)


def add_calls(rows: Rows, counts: Sequence[tuple[str, str, str, str, int, int]], grid: Grid, base: int = 0) -> None:
    """Count calls: (account, region, service, operation, which step from `base` on, how many)."""
    for account, region, service, operation, after, count in counts:
        for one in calls.lines([calls.Calls(account, region, service, operation, count)], grid.start):
            line = Line(account, one.region, one.service, one.usage_type, operation, one.unit, "")
            _put(rows, line, grid, base + after, one.quantity)


def total(row: Iterable[Decimal]) -> Decimal:
    """The sum of a row."""
    return sum(row, ZERO)


