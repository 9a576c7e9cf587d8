"""Rows of usage that was covered by reservations and plans, and of their fees, as cost and usage reports have them.

Reserved usage costs nothing: its fee is a row of its own, used or not. Usage under a plan stands on the bill at
on-demand prices, and is taken off again. `amortized` gives what was paid to the usage that it covered; what covered
nothing stays with the fee.

https://docs.aws.amazon.com/cur/latest/userguide/understanding-ri.html
https://docs.aws.amazon.com/cur/latest/userguide/cur-sp.html
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from operator import add
from typing import NamedTuple

from cloudjar.billing import costs, dimensions, measured
from cloudjar.billing.costs import Row
from cloudjar.billing.covering import Covering, Piece, Use, until, worth
from cloudjar.billing.lines import HOUR, seconds
from cloudjar.billing.measured import ZERO, Grid, Labels, Line, Rows
from cloudjar.kit.commitments import RESERVATION, Commitment
from cloudjar.kit.usage import Span
from cloudjar.spec import prices, regions

_HEADS = ("BoxUsage", "UnusedBox")
_DATABASES = ("InstanceUsage", "Multi-AZUsage")
_LINUX = "RunInstances"
_HOUR = timedelta(hours=1)


class Split(NamedTuple):
    """What is left to be priced of lines that something covers, and rows whose costs are known."""

    left: Rows
    known: list[Row]


def applied(rows: Rows, split: Split, deals: Iterable[Commitment]) -> Rows:
    """What is left to be priced of everything that was measured in a grid. `rows` is changed."""
    _take_fees(rows, deals)
    for line, row in split.left.items():
        if any(row):
            rows[line] = row
        else:
            del rows[line]
    return rows


def split(
    spans: Iterable[Span], deals: Sequence[Commitment], grid: Grid, labels: Labels, payer: Callable[[str], str]
) -> Split:
    """Apply commitments to what was used in a grid: to `spans` among others, that may reach beyond it."""
    in_force = [deal for deal in deals if not deal.terms.returned]
    hours = grid.step * grid.steps // 3600
    fine = Grid(grid.start, 3600, hours, grid.now)
    seen = [span for span in spans if eligible(span)] if in_force else []
    measure: Rows = {}
    measured.add_spans(measure, seen, fine, labels)
    lines, uses = _uses(measure, payer)
    covering = Covering(uses, in_force, grid.start, hours, grid.now, [payer(deal.account) for deal in in_force])
    sums = _Sums(grid, hours)
    for piece in covering.pieces(_breaks(seen, fine, labels)):
        sums.add(piece)
    left = {lines[number]: _left(measure[lines[number]], pieces, grid) for number, pieces in sums.hourly.items()}
    known: list[Row] = []
    used = [[ZERO] * grid.steps for _ in in_force]
    for (number, place), (quantities, dollars) in sorted(sums.found.items()):
        known += _rows(lines[number], in_force[place], quantities, dollars, uses[number].price)
        used[place] = list(map(add, used[place], dollars))
    for place, deal in enumerate(in_force):
        known += _fees(deal, used[place], grid, labels)
    for deal in deals:
        if deal.terms.returned:
            known += _returned(deal, grid, labels)
    return Split(left, known)


def joined(past: Split, today: Split, rows: Rows, done: int, steps: int) -> Split:
    """Of the `done` first days of a month and of the day after them; `rows` are what was measured in `steps` days."""
    rest = [ZERO] * (steps - done - 1)
    left = {}
    for line in past.left.keys() | today.left.keys():
        first, last = past.left.get(line) or rows[line][:done], today.left.get(line) or rows[line][done : done + 1]
        left[line] = first + last + rest
    before, now = {row.line: row for row in past.known}, {row.line: row for row in today.known}
    nothing = [ZERO] * done
    known = []
    for line, row in before.items():
        known.append(_longer(row, now.get(line), nothing, rest))
    known += [_longer(None, row, nothing, rest) for line, row in now.items() if line not in before]
    return Split(left, known)


def _longer(past: Row | None, today: Row | None, nothing: list[Decimal], rest: list[Decimal]) -> Row:
    about = past or today
    assert about is not None

    def column(name: str) -> list[Decimal]:
        first: list[Decimal] = nothing if past is None else getattr(past, name)
        last: list[Decimal] = [ZERO] if today is None else getattr(today, name)
        return first + last + rest

    cost = column("cost")
    blended = cost if about.blended is about.cost else column("blended")
    return Row(about.line, column("usage"), cost, column("amortized"), blended, column("free"), about.price)


def eligible(span: Span) -> bool:
    """Whether commitments can cover it: instances on demand with Linux, and room that is kept for them; databases."""
    head, _, kind = span.meter.usage_type.partition(":")
    if span.meter.service == "AmazonRDS":
        return head in _DATABASES
    return bool(kind) and head in _HEADS and span.meter.service == "AmazonEC2" and span.meter.operation == _LINUX


def _take_fees(rows: Rows, deals: Iterable[Commitment]) -> None:
    """What is metered of the fees of commitments that are known: it is written anew."""
    about = {(deal.account, deal.region, deal.resource) for deal in deals}
    fees = [
        line
        for line in rows
        if line.unit in prices.MONEY and (line.account, line.region, line.resource) in about
    ]
    for line in fees:
        del rows[line]


def _uses(measure: Rows, payer: Callable[[str], str]) -> tuple[list[Line], list[Use]]:
    lines, uses = [], []
    for line, row in measure.items():
        price = costs.price_of_line(line)
        if isinstance(price, str) or not price.per_unit:
            continue
        head, _, kind = line.usage_type.partition(":")
        if line.service == "AmazonRDS":
            kind = dimensions.database(kind, line.operation, multi_az=head == _DATABASES[1])
        zone = regions.zone(line.zone, line.account) if line.zone else None
        lines.append(line)
        uses.append(Use(
            line.account, payer(line.account), line.region, zone.id if zone is not None else "", kind, line.resource,
            price.per_unit, head == "UnusedBox", row,
        ))  # fmt: skip
    return lines, uses


def _breaks(spans: Iterable[Span], grid: Grid, labels: Labels) -> set[int]:
    """Hours in which usage is not as in the hour before."""
    found: set[int] = set()

    def note(moment: datetime) -> None:
        hour = (moment - grid.start) // _HOUR
        found.update((hour, hour + 1))

    for span in spans:
        end = span.end or grid.now
        note(span.start)
        note(end)
        note(end - timedelta(microseconds=1))
        for first, _, _ in labels.cut((span.account, span.region, span.resource), span.start, end):
            note(first)
    return found


class _Sums:
    """Pieces added up by the grid's steps."""

    def __init__(self, grid: Grid, hours: int) -> None:
        self._each, self._steps, self._hours = grid.step // 3600, grid.steps, hours
        self.found: dict[tuple[int, int], tuple[list[Decimal], list[Decimal]]] = {}
        """(use, commitment) -> hours of usage, dollars; by step."""
        self.hourly: dict[int, list[tuple[int, int, Decimal]]] = {}
        """Use -> (first, last, how much of each hour in [first, last)) is covered."""

    def add(self, piece: Piece) -> None:
        """Count a piece."""
        key = (piece.use, piece.deal)
        if key not in self.found:
            self.found[key] = ([ZERO] * self._steps, [ZERO] * self._steps)
        quantities, dollars = self.found[key]
        for step in range(piece.first // self._each, -(-piece.last // self._each)):
            count = min(piece.last, (step + 1) * self._each) - max(piece.first, step * self._each)
            quantities[step] += piece.quantity * count
            dollars[step] += piece.worth * count
        self.hourly.setdefault(piece.use, []).append((piece.first, piece.last, piece.quantity))


def _left(hourly: list[Decimal], pieces: list[tuple[int, int, Decimal]], grid: Grid) -> list[Decimal]:
    """What is not covered, by step: from the hours, so that what is all covered leaves exactly nothing."""
    rest = hourly[:]
    for first, last, quantity in pieces:
        rest[first:last] = [one - quantity for one in rest[first:last]]
    each = grid.step // 3600
    if each == 1:
        return rest
    return [sum(rest[step * each : (step + 1) * each], ZERO) for step in range(grid.steps)]


def _rows(
    line: Line, deal: Commitment, quantities: list[Decimal], dollars: list[Decimal], price: Decimal
) -> Iterator[Row]:
    """Usage that a commitment covered."""
    nothing = [ZERO] * len(quantities)
    known = costs.price_of_line(line)
    assert not isinstance(known, str)
    named = line._replace(commitment=deal.terms.arn)
    if deal.terms.kind == RESERVATION:
        yield Row(named._replace(kind=measured.RESERVED), quantities, nothing, dollars, nothing, nothing, known)
        return
    cost = [one * price for one in quantities]
    yield Row(named._replace(kind=measured.COVERED), quantities, cost, dollars, cost, nothing, known)
    back = [-one for one in cost]
    yield Row(named._replace(kind=measured.NEGATION), nothing, back, nothing, back, nothing, known)


def _line(deal: Commitment, kind: str, unit: str, moment: datetime, labels: Labels) -> Line:
    service, usage_type, operation = deal.terms.fee
    tags = labels.at((deal.account, deal.region, deal.resource), moment)
    return Line(deal.account, deal.region, service, usage_type, operation, unit, deal.resource, kind, tags,
                commitment=deal.terms.arn)  # fmt: skip


def _recurring(deal: Commitment) -> str:
    return measured.RI_FEE if deal.terms.kind == RESERVATION else measured.PLAN_FEE


def _in_force(deal: Commitment, grid: Grid, first: datetime, last: datetime) -> list[Decimal]:
    """Hours of [first, last) in each step."""
    length, found = timedelta(seconds=grid.step), []
    for step in range(grid.steps):
        begin = grid.start + step * length
        part = min(begin + length, last, until(deal, grid.now)) - max(begin, first, deal.start)
        found.append(seconds(part) / HOUR if part > timedelta(0) else ZERO)
    return found


def _fees(deal: Commitment, used: list[Decimal], grid: Grid, labels: Labels) -> Iterator[Row]:
    """The fees of a commitment; amortized, what of it covered nothing."""
    end = min(until(deal, grid.now), grid.end)
    begin, spent = max(deal.start, grid.start), used
    place = (deal.account, deal.region, deal.resource)
    if begin < end:
        for first, last, _ in labels.cut(place, begin, end):
            hours = _in_force(deal, grid, first, last)
            whole = _in_force(deal, grid, begin, end)
            cost = [one * deal.terms.hourly for one in hours]
            rest = [
                one * worth(deal) - (mine * one / all_of_it if one != all_of_it else mine) if one else ZERO
                for one, all_of_it, mine in zip(hours, whole, spent, strict=True)
            ]
            line = _line(deal, _recurring(deal), "Hrs", first, labels)
            count = deal.terms.count
            usage = hours if count == 1 else [one * count for one in hours]
            yield Row(line, usage, cost, rest, cost, [ZERO] * grid.steps, _money(deal))
    yield from _once(deal, grid, labels)


def _once(deal: Commitment, grid: Grid, labels: Labels) -> Iterator[Row]:
    """What is due at the beginning."""
    if deal.terms.due and grid.start <= deal.start < grid.end and deal.start <= grid.now:
        kind = measured.FEE if deal.terms.kind == RESERVATION else measured.PLAN_UPFRONT
        cost, usage = [ZERO] * grid.steps, [ZERO] * grid.steps
        step = (deal.start - grid.start) // timedelta(seconds=grid.step)
        cost[step], usage[step] = deal.terms.due, Decimal(deal.terms.count)
        nothing = [ZERO] * grid.steps
        line = _line(deal, kind, "Quantity", deal.start, labels)
        yield Row(line, usage, cost, nothing, cost, nothing, _money(deal))


def _returned(deal: Commitment, grid: Grid, labels: Labels) -> Iterator[Row]:
    """A commitment that was given back: what was paid stands on the bill, and is paid back."""
    hours = _in_force(deal, grid, deal.start, until(deal, grid.now))
    nothing = [ZERO] * grid.steps
    if any(hours):
        cost = [one * deal.terms.hourly for one in hours]
        line = _line(deal, _recurring(deal), "Hrs", deal.start, labels)
        yield Row(line, hours, cost, cost, cost, nothing, _money(deal))
    for row in _once(deal, grid, labels):
        yield row._replace(amortized=row.cost)
    if deal.stop is not None and grid.start <= deal.stop < grid.end and deal.stop <= grid.now:
        back = nothing[:]
        paid = deal.terms.due + deal.terms.hourly * seconds(deal.stop - deal.start) / HOUR
        back[(deal.stop - grid.start) // timedelta(seconds=grid.step)] = -paid
        line = _line(deal, measured.REFUND, "Quantity", deal.stop, labels)
        yield Row(line, nothing, back, back, back, nothing, _money(deal))


def _money(deal: Commitment) -> prices.Price:
    service, usage_type, operation = deal.terms.fee
    return prices.money(service, usage_type, operation, prices.RECURRING)
