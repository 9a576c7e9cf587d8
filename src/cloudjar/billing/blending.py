"""Blended costs: usage that reservations cover in part, at the average price of everybody who is billed together.

An average is a day's, so that an hour's cost does not depend on how it is asked for.

https://docs.aws.amazon.com/awsaccountbilling/latest/aboutv2/con-bill-blended-rates.html
"""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from operator import add

from cloudjar.billing.costs import Row
from cloudjar.billing.measured import RESERVED, USAGE, ZERO, Line

Rates = dict[tuple[str, ...], list[Decimal]]


def average_rates(rows: list[Row], payer: Callable[[str], str]) -> Rates:
    """Average dollars of a unit by step, of usage that reservations cover in part: over all who are billed together."""
    about = {_together(row.line, payer) for row in rows if row.line.kind == RESERVED}
    sums: dict[tuple[str, ...], tuple[list[Decimal], list[Decimal]]] = {}
    for row in rows:
        if row.line.kind in (USAGE, RESERVED) and (key := _together(row.line, payer)) in about:
            usage, cost = sums.setdefault(key, ([ZERO] * len(row.usage), [ZERO] * len(row.usage)))
            usage[:] = map(add, usage, row.usage)
            cost[:] = map(add, cost, row.cost)
    return {
        key: [paid / used if used else ZERO for used, paid in zip(usage, cost, strict=True)]
        for key, (usage, cost) in sums.items()
    }


def blended(rows: list[Row], rates: Rates, payer: Callable[[str], str], step: int | None = None) -> list[Row]:
    """Rows with their costs at average rates: those of each step, or of one (`step`) for all."""
    if not rates:
        return rows
    return [_at_average(row, rates.get(_together(row.line, payer)), step) for row in rows]


def _at_average(row: Row, rates: list[Decimal] | None, step: int | None) -> Row:
    if rates is None or row.line.kind not in (USAGE, RESERVED):
        return row
    known = rates if step is None else [rates[step]] * len(row.usage)
    return row._replace(blended=[used * rate for used, rate in zip(row.usage, known, strict=True)])


def _together(line: Line, payer: Callable[[str], str]) -> tuple[str, ...]:
    return payer(line.account), line.region, line.service, line.usage_type, line.operation
