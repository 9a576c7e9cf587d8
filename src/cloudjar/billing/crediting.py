"""Credits on the bill: they pay for usage by the day, in the order in which they expire, and stand there as lines of
their own with negative amounts.

What a day's credits pay is spread over the day's usage in proportion. Fees of reservations and plans are not paid by
credits. An account's credits pay for its own usage.

https://docs.aws.amazon.com/awsaccountbilling/latest/aboutv2/useconsolidatedbilling-credits.html
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from decimal import Decimal

from cloudjar.billing.costs import Row
from cloudjar.billing.measured import USAGE, ZERO, Grid, Line, total
from cloudjar.kit.account_credits import Credit

KIND = "Credit"
_DAY = timedelta(days=1)


class Purse:
    """The credits of one account, spent day after day."""

    def __init__(self, held: Iterable[Credit]) -> None:
        self._left = [(credit, credit.amount) for credit in held]

    def take(self, day: datetime, wanted: Decimal) -> Decimal:
        """Pay as much as there is of what a day (UTC) cost."""
        paid = ZERO
        for index, (credit, left) in enumerate(self._left):
            if credit.given < day + _DAY and day < credit.expires and left and paid < wanted:
                part = min(left, wanted - paid)
                self._left[index] = credit, left - part
                paid += part
        return paid

    def spend(self, grid: Grid, rows: Iterable[Row], account: str) -> None:
        """What was paid of an account in a month of days."""
        for i, amount in enumerate(spent(rows, account, grid.steps)):
            if amount:
                self.take(grid.start + i * _DAY, amount)

    def left(self, now: datetime) -> Decimal:
        """What is left and not expired."""
        return total(left for credit, left in self._left if credit.given <= now < credit.expires)

    def each(self) -> list[tuple[Credit, Decimal]]:
        """Every credit and what is left of it."""
        return self._left


def spent(rows: Iterable[Row], account: str, steps: int) -> list[Decimal]:
    """Dollars that credits paid of an account, by step."""
    found = [ZERO] * steps
    for row in rows:
        if row.line.kind == KIND and row.line.account == account:
            found = [one - more for one, more in zip(found, row.cost, strict=True)]
    return found


def lines(rows: Iterable[Row], account: str, purse: Purse, grid: Grid) -> list[Row]:
    """The lines of an account's credits in a month of days; `purse` is as at its beginning."""
    mine = [row for row in rows if row.line.account == account and row.line.kind == USAGE and any(row.cost)]
    if not mine:
        return []
    costs = [total(row.cost[i] for row in mine) for i in range(grid.steps)]
    paid = [purse.take(grid.start + i * _DAY, cost) if cost else ZERO for i, cost in enumerate(costs)]
    found: dict[Line, tuple[Row, list[Decimal]]] = {}
    for row in mine:
        line = _of(row.line)
        _, sums = found.setdefault(line, (row, [ZERO] * grid.steps))
        for i, cost in enumerate(row.cost):
            if cost and paid[i]:
                sums[i] -= cost if paid[i] == costs[i] else paid[i] * cost / costs[i]
    return [_row(line, row, sums) for line, (row, sums) in found.items() if any(sums)]


def by_the_hour(rows: Iterable[Row], days: Iterable[Row], index: int) -> list[Row]:
    """A day's credits by the hour, as what they pay for was used: `rows` are its hours, `days` its month's rows."""
    mine: dict[Line, list[Row]] = {}
    for row in rows:
        if row.line.kind == USAGE:
            mine.setdefault(_of(row.line), []).append(row)
    return [
        _row(day.line, day, _spread(mine.get(day.line, []), day.cost[index]))
        for day in days
        if day.line.kind == KIND and day.cost[index]
    ]


def _spread(rows: list[Row], amount: Decimal) -> list[Decimal]:
    hours = [total(costs) for costs in zip(*(row.cost for row in rows), strict=True)]
    whole = total(hours)
    if not whole:
        return [*([ZERO] * 23), amount]
    return [amount * cost / whole for cost in hours]


def _of(line: Line) -> Line:
    return line._replace(kind=KIND, resource="", tags=(), zone="", commitment="")


def _row(line: Line, row: Row, cost: list[Decimal]) -> Row:
    nothing = [ZERO] * len(cost)
    return Row(line, nothing, cost, cost, cost, nothing, row.price)
