"""A month's use written down in a line, and what the ledger makes of it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from decimal import Decimal, localcontext
from typing import NamedTuple

from cloudjar.billing import costs, measured
from cloudjar.billing.costs import Row
from cloudjar.billing.ledger import DIGITS
from cloudjar.billing.measured import Grid, Labels, Rows
from cloudjar.billing.rate import cents
from cloudjar.kit.quantities import Owner, Tally
from cloudjar.kit.usage import Meter, Span
from cloudjar.spec import prices

ME = "123456789012"
PARIS, VIRGINIA = "eu-west-3", "us-east-1"
JANUARY = datetime(2026, 1, 1, tzinfo=UTC)
FEBRUARY = datetime(2026, 2, 1, tzinfo=UTC)
LEAP = datetime(2028, 2, 1, tzinfo=UTC)


class Ran(NamedTuple):
    """Something that was metered by the time: from when, for how long."""

    meter: Meter
    start: datetime
    length: timedelta
    region: str = PARIS
    account: str = ME
    key: str = "one"


class Counted(NamedTuple):
    """Something that was counted at an instant, in the unit of its price."""

    tally: Tally
    amount: int
    at: datetime
    region: str = PARIS
    account: str = ME
    key: str = "one"


Use = Ran | Counted


def hours(count: float) -> timedelta:
    """A length."""
    return timedelta(hours=count)


def measure(uses: Iterable[Use], month: datetime, now: datetime | None = None) -> tuple[Rows, Grid]:
    """How much was used in the month, by day, seen from `now` (default: long after)."""
    uses = list(uses)
    grid = measured.month_grid(month, now or month + timedelta(days=400))
    rows: Rows = {}
    labels = Labels(())
    spans = [
        Span(one.account, one.region, one.key, one.meter, one.start, _end(one, grid.now))
        for one in uses
        if isinstance(one, Ran) and one.start < grid.now
    ]
    with localcontext() as context:
        context.prec = DIGITS
        measured.add_spans(rows, spans, grid, labels)
        counted = [one for one in uses if isinstance(one, Counted) and grid.start <= one.at < min(grid.end, grid.now)]
        sums = [
            (Owner(one.account, one.region, one.key), one.tally, (one.at - grid.start).days, one.amount)
            for one in counted
        ]
        measured.add_quantities(rows, sums, grid, labels)
    return rows, grid


def bill(uses: Iterable[Use], month: datetime, now: datetime | None = None) -> list[Row]:
    """The rows of the month, seen from `now` (default: long after)."""
    rows, _ = measure(uses, month, now)
    with localcontext() as context:
        context.prec = DIGITS
        return costs.costed(rows, lambda account: account)


def _end(one: Ran, now: datetime) -> datetime | None:
    end = one.start + one.length
    return end if end <= now else None


def cost(rows: Iterable[Row], keep: Callable[[Row], bool] = lambda _: True) -> Decimal:
    """The sum, exact but for what no report shows."""
    with localcontext() as context:
        context.prec = DIGITS
        found = sum((measured.total(row.cost) for row in rows if keep(row)), Decimal(0))
        return found.quantize(Decimal("1e-20"))


def due(uses: Iterable[Use], month: datetime, now: datetime | None = None) -> Decimal:
    """Dollars and cents of the month."""
    rows = bill(uses, month, now)
    unpriced = [row.why for row in rows if row.why]
    assert unpriced == []
    return cents(cost(rows).quantize(Decimal("1e-10")))


def price(service: str, usage_type: str, region: str = PARIS, operation: str = "", tier: int = 0) -> Decimal:
    """A price fact."""
    return prices.price(service, usage_type, region, operation).tiers[tier].price
