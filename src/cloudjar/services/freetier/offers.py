"""What is free, and how much of it is used: what the bill leaves out, read from the ledger.

https://aws.amazon.com/free/
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal
from typing import NamedTuple

from cloudjar.billing import dimensions
from cloudjar.billing.ledger import ledger
from cloudjar.kit.context import World

ALWAYS = "Always Free"


class Used(NamedTuple):
    """One offer of the running month, over all regions: amounts in `unit`."""

    service: str
    usage_type: str
    operation: str
    unit: str
    actual: Decimal
    forecast: Decimal
    limit: Decimal

    @property
    def share(self) -> Decimal:
        """Percent of what is free."""
        return self.actual * 100 / self.limit

    @property
    def description(self) -> str:
        """The offer in a sentence."""
        return f"{self.limit.normalize():f} {self.unit} of {self.usage_type} free each month"


def used(world: World, account: str) -> list[Used]:
    """The offers that an account (or, when it pays for an organization, anybody in it) makes use of."""
    book = ledger(world)
    now = world.clock.now()
    month = book.book(now)
    gone = max((now - month.grid.start).total_seconds(), 1.0)
    rest = Decimal(str((month.grid.end - month.grid.start).total_seconds() / gone))
    found: dict[tuple[str, str, str, str], tuple[Decimal, Decimal]] = {}
    for row in month.rows:
        if row.price is None or not row.price.free_per_month or book.payer(row.line.account) != account:
            continue
        line = row.line
        key = (dimensions.service(line), line.usage_type, row.price.operation, line.unit)
        amount, _ = found.get(key, (Decimal(0), Decimal(0)))
        found[key] = (amount + sum(row.usage, Decimal(0)), row.price.free_per_month)
    return [Used(*key, actual, actual * rest, limit) for key, (actual, limit) in sorted(found.items()) if actual]


def spent(world: World, account: str, since_days: int) -> Decimal:
    """Dollars that an account's usage cost in the last so many days and today."""
    now = world.clock.now()
    today = now.replace(hour=0, minute=0, second=0, microsecond=0)
    start = today - timedelta(days=since_days)
    _, groups = ledger(world).sums(
        start, today + timedelta(days=1), "MONTHLY", keep=lambda line: line.account == account, key=lambda _: ""
    )
    return sum((amount for group in groups.values() for amount in group.unblended), Decimal(0))


def usage_types(world: World, account: str, days: int) -> Iterator[str]:
    """What an account used in the last so many days: ``AmazonEC2 BoxUsage:t3.micro``."""
    now = world.clock.now()
    for month in ledger(world).months(now - timedelta(days=days), now + timedelta(seconds=1)):
        yield from (f"{row.line.service} {row.line.usage_type}" for row in month.rows if row.line.account == account)
