"""Usage as rows of reports: a line of the ledger in one hour, day or month.

https://docs.aws.amazon.com/cur/latest/userguide/table-dictionary-cur2.html
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from decimal import Decimal, localcontext
from typing import NamedTuple

from cloudjar.billing.costs import Row
from cloudjar.billing.ledger import DIGITS, Book, ledger
from cloudjar.billing.measured import Line
from cloudjar.kit.commitments import Commitment
from cloudjar.kit.context import World

ZERO = Decimal(0)
HOURLY, DAILY, MONTHLY = "HOURLY", "DAILY", "MONTHLY"


class Used(NamedTuple):
    """What a row of a report is about. Costs are dollars, `usage` is in the line's unit, `month` what is billed."""

    line: Line
    payer: str
    start: datetime
    end: datetime
    month: tuple[datetime, datetime]
    usage: Decimal
    cost: Decimal
    blended: Decimal
    amortized: Decimal
    public: Decimal
    """Dollars of a unit at the first tier, 0 where nothing is known."""
    deal: Commitment | None = None
    """What it is covered by, or the fee of."""
    unused: bool = False
    """Of a fee, what covered nothing (in tables that tell it apart)."""


def used(world: World, account: str, moment: datetime, granularity: str, *, resources: bool) -> Iterator[Used]:
    """The rows of a calendar month up to now, of an account and those that it pays for; what was not used is not there.

    Without `resources` lines that differ by their resource alone are one row.
    """
    book = ledger(world)
    month = book.book(moment)
    span = (month.grid.start, month.grid.end)
    with localcontext() as context:
        context.prec = DIGITS
        deals = {deal.terms.arn: deal for deal in book.commitments(*span)}
        for one in _books(world, month, granularity):
            sums: dict[tuple[Line, int], Used] = {}
            for row in one.rows:
                payer = book.payer(row.line.account)
                if account in (row.line.account, payer):
                    for place, part in _parts(row, one, granularity, payer, span):
                        line = part.line if resources else part.line._replace(resource="")
                        part = part._replace(line=line, deal=deals.get(line.commitment))
                        held = sums.get((line, place))
                        sums[line, place] = part if held is None else _sum(held, part)
            yield from sums.values()


def _books(world: World, month: Book, granularity: str) -> Iterator[Book]:
    if granularity != HOURLY:
        yield month
        return
    day = month.grid.start
    while day < min(month.grid.end, month.grid.now):
        yield ledger(world).hours(day)
        day += timedelta(days=1)


def _parts(
    row: Row, book: Book, granularity: str, payer: str, month: tuple[datetime, datetime]
) -> Iterator[tuple[int, Used]]:
    price = row.price.per_unit if row.price is not None else ZERO
    columns = (row.usage, row.cost, row.blended, row.amortized)
    if granularity == MONTHLY:
        usage, cost, blended, amortized = (sum(column, ZERO) for column in columns)
        if usage or cost or amortized:
            yield 0, Used(row.line, payer, *month, month, usage, cost, blended, amortized, price)
        return
    length = timedelta(seconds=book.grid.step)
    for place, (usage, cost, blended, amortized) in enumerate(zip(*columns, strict=True)):
        if usage or cost or amortized:
            start = book.grid.start + place * length
            yield place, Used(row.line, payer, start, start + length, month, usage, cost, blended, amortized, price)


def _sum(one: Used, other: Used) -> Used:
    return one._replace(
        usage=one.usage + other.usage,
        cost=one.cost + other.cost,
        blended=one.blended + other.blended,
        amortized=one.amortized + other.amortized,
    )


Value = str | Decimal | datetime | dict[str, str] | None
Column = tuple[str, Callable[[Used], Value]]
"""Its type (string, double, timestamp, map) and what it holds."""
