"""What rows of usage cost: tiers and free units by the calendar month, over everybody who pays together.

All that is used of a usage type in one day has one average price: so a day's cost does not depend on who is asked
about first, nor on how often the clock was moved.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from decimal import Decimal
from functools import cache
from operator import add, sub
from typing import NamedTuple

from cloudjar.billing.lines import UsageLine
from cloudjar.billing.measured import FEES, ZERO, Line, Rows
from cloudjar.billing.rate import price_of, tiered
from cloudjar.spec import prices


class Row(NamedTuple):
    """A line's usage by step and what it costs, in dollars, exact to fifty digits.

    `cost` is unblended; `amortized` spreads what was paid upfront over its term and gives it to the usage that it
    covered; `blended` is at the average price of everybody who pays together. `free` is the usage that every account
    has free. Where no price is known `why` says so, and the costs are 0.
    """

    line: Line
    usage: list[Decimal]
    cost: list[Decimal]
    amortized: list[Decimal]
    blended: list[Decimal]
    free: list[Decimal]
    price: prices.Price | None
    why: str = ""


@cache
def _priced(service: str, usage_type: str, region: str, operation: str, unit: str) -> prices.Price | str:
    """The price, or why there is none. The product's own table does not change while it runs."""
    try:
        found = price_of(service, usage_type, region, operation, unit)
    except prices.NoPrice as reason:
        return str(reason)
    if found.unit != unit:
        return f"{usage_type} is priced per {found.unit}, but was measured in {unit}"
    return found


def price_of_line(line: Line | UsageLine) -> prices.Price | str:
    """The price of a line's usage, or why there is none. Fees of what was bought ahead cost what was agreed."""
    if isinstance(line, Line) and line.commitment and line.kind in FEES:
        return prices.money(line.service, line.usage_type, line.operation, prices.RECURRING)
    return _priced(line.service, line.usage_type, line.region, line.operation, line.unit)


def costed(rows: Rows, payer: Callable[[str], str], given: Rows | None = None) -> list[Row]:
    """Price rows of one calendar month from its first step on; `payer` says who pays for an account, `given` how much
    of a line's usage somebody has free for a reason of his own (`allowances`)."""
    done: list[Row] = []
    gifts = given or {}
    pools: dict[tuple[str, str, str], Pool] = {}
    for line, usage in rows.items():
        price = price_of_line(line)
        if isinstance(price, str):
            nothing = [ZERO] * len(usage)
            done.append(Row(line, usage, nothing, nothing, nothing, nothing, None, price))
        elif len(price.tiers) == 1 and not price.free_per_month:
            done.append(_flat(line, usage, price, gifts.get(line)))
        else:
            pool = pools.setdefault((payer(line.account), line.service, line.usage_type), {})
            pool.setdefault((line.region, price.operation), []).append((line, usage, price))
    for pool in pools.values():
        done += _pooled(pool, gifts)
    return done


def _flat(line: Line, usage: list[Decimal], price: prices.Price, gift: list[Decimal] | None) -> Row:
    each = price.per_unit
    if gift is not None:
        paid = [(amount - free) * each for amount, free in zip(usage, gift, strict=True)]
        return Row(line, usage, paid, paid, paid, gift, price)
    cost: list[Decimal] = []
    last, worth = ZERO, ZERO
    for amount in usage:
        if amount is not last:
            last, worth = amount, amount * each
        cost.append(worth)
    return Row(line, usage, cost, cost, cost, [ZERO] * len(usage), price)


Pool = dict[tuple[str, str], list[tuple[Line, list[Decimal], prices.Price]]]


def _pooled(pool: Pool, gifts: Rows) -> list[Row]:
    """One usage type of one payer in all regions: free units first, by the day in proportion, then tiers by region."""
    steps = len(next(iter(pool.values()))[0][1])
    due = {place: [_rest(usage, gifts.get(line)) for line, usage, _ in held] for place, held in pool.items()}
    totals = {place: [sum((one[i] for one in held), ZERO) for i in range(steps)] for place, held in due.items()}
    left = max(held[0][2].free_per_month for held in pool.values())
    reached: dict[tuple[str, str], Decimal] = defaultdict(Decimal)
    done = {
        place: [_empty(line, usage, price) for line, usage, price in held] for place, held in pool.items()
    }
    for i in range(steps):
        whole = sum((row[i] for row in totals.values()), ZERO)
        given = min(left, whole)
        left -= given
        for place, rows in done.items():
            day = totals[place][i]
            free = day if given == whole else given if day == whole else min(given * day / whole, day)
            before = reached[place]
            reached[place] = before + day - free
            price = rows[0].price
            assert price is not None
            cost = tiered(price.tiers, reached[place]) - tiered(price.tiers, before)
            _share(rows, due[place], i, day, cost, free)
    return [_with(row, gifts.get(row.line)) for rows in done.values() for row in rows]


def _rest(usage: list[Decimal], gift: list[Decimal] | None) -> list[Decimal]:
    return usage if gift is None else list(map(sub, usage, gift))


def _with(row: Row, gift: list[Decimal] | None) -> Row:
    return row if gift is None else row._replace(free=list(map(add, row.free, gift)))


def _empty(line: Line, usage: list[Decimal], price: prices.Price) -> Row:
    cost: list[Decimal] = []
    return Row(line, usage, cost, cost, cost, [], price)


def _share(
    rows: list[Row], due: list[list[Decimal]], index: int, day: Decimal, cost: Decimal, free: Decimal
) -> None:
    for row, amounts in zip(rows, due, strict=True):
        used = amounts[index]
        mine, mine_free = cost, free
        if used != day:
            mine, mine_free = (cost * used / day, used if free == day else free * used / day) if used else (ZERO, ZERO)
        row.cost.append(mine)
        row.free.append(mine_free)


def by_the_hour(rows: Rows, days: list[Row], index: int) -> list[Row]:
    """Price rows of one day's hours as the day was priced: `days` are its month's rows, `index` the day in them."""
    prices_of: dict[tuple[str, ...], Row] = {}
    for day in days:
        if day.usage[index]:
            prices_of[_kind(day.line)] = day
    return [_hourly(line, usage, prices_of.get(_kind(line)), index) for line, usage in rows.items()]


def _kind(line: Line) -> tuple[str, ...]:
    """What has one price in a day."""
    return (*line[:6], line.kind)


def _hourly(line: Line, usage: list[Decimal], day: Row | None, index: int) -> Row:
    if day is None:
        nothing = [ZERO] * len(usage)
        return Row(line, usage, nothing, nothing, nothing, nothing, None, "nothing was used on this day")
    used = day.usage[index]
    cost, free = ([column[index] * amount / used for amount in usage] for column in (day.cost, day.free))
    return Row(line, usage, cost, cost, cost, free, day.price, day.why)


def without_resources(rows: list[Row]) -> list[Row]:
    """Rows with those added up that differ by their resources alone."""
    groups: dict[Line, list[Row]] = {}
    for row in rows:
        groups.setdefault(row.line._replace(resource=""), []).append(row)
    return [_added(line, held) for line, held in groups.items()]


def _added(line: Line, rows: list[Row]) -> Row:
    if len(rows) == 1:
        return rows[0]._replace(line=line)
    usage, cost, free = (_columns(rows, name) for name in ("usage", "cost", "free"))
    amortized = cost if all(row.amortized is row.cost for row in rows) else _columns(rows, "amortized")
    blended = cost if all(row.blended is row.cost for row in rows) else _columns(rows, "blended")
    return Row(line, usage, cost, amortized, blended, free, rows[0].price, rows[0].why)


def _columns(rows: list[Row], name: str) -> list[Decimal]:
    return [sum(amounts, ZERO) for amounts in zip(*(getattr(row, name) for row in rows), strict=True)]


def less(row: Row, known: Row | None) -> Row:
    """What a row has beyond what was known of its line before."""
    if known is None:
        return row
    usage, cost, free = (_less(row, known, name) for name in ("usage", "cost", "free"))
    amortized = cost if row.amortized is row.cost else _less(row, known, "amortized")
    blended = cost if row.blended is row.cost else _less(row, known, "blended")
    return row._replace(usage=usage, cost=cost, amortized=amortized, blended=blended, free=free)


def _less(row: Row, known: Row, name: str) -> list[Decimal]:
    return list(map(sub, getattr(row, name), getattr(known, name)))
