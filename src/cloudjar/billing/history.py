"""Usage that nothing covers and that could be covered, hour by hour: what recommendations are worked out from."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from decimal import Decimal, localcontext
from typing import NamedTuple

from cloudjar.billing import covered, measured
from cloudjar.billing.dimensions import instance_type
from cloudjar.billing.ledger import DIGITS, HOUR, ledger, month_end
from cloudjar.billing.measured import ZERO, Grid, Labels, Line, Rows
from cloudjar.kit.context import World
from cloudjar.kit.usage import Usage


class History(NamedTuple):
    """Hours of usage in each clock hour of [start, end): of lines without tags."""

    start: datetime
    hours: int
    rows: dict[Line, list[Decimal]]


def uncovered(world: World, start: datetime, end: datetime, keep: Callable[[Line], bool]) -> History:
    """What ran on demand in [start, end), two midnights (UTC) that are over."""
    whole = int((end - start).total_seconds()) // HOUR
    found: dict[Line, list[Decimal]] = {}
    moment = start
    with localcontext() as context:
        context.prec = DIGITS
        while moment < end:
            last = min(month_end(moment.replace(day=1)), end)
            hours, before = int((last - moment).total_seconds()) // HOUR, int((moment - start).total_seconds()) // HOUR
            for line, row in _month(world, Grid(moment, HOUR, hours, last)).items():
                if not keep(line):
                    continue
                bare = line._replace(tags=(), resource="")
                held = found.setdefault(bare, [ZERO] * whole)
                held[before : before + hours] = [a + b for a, b in zip(held[before:], row, strict=False)]
            moment = last
    return History(start, whole, found)


def _month(world: World, grid: Grid) -> Rows:
    usage: Usage = world.ports["usage"]
    book = ledger(world)
    spans = [
        span
        for span in usage.spans(grid.start, grid.end)
        if span.meter.service == "AmazonEC2" and covered.eligible(span)
    ]
    labels, rows = Labels(()), Rows()
    measured.add_spans(rows, spans, grid, labels)
    deals = book.commitments(grid.start, grid.end)
    left = covered.applied(rows, covered.split(spans, deals, grid, labels, book.payer), deals) if deals else rows
    return {line: row for line, row in left.items() if line.kind == measured.USAGE and instance_type(line)}
