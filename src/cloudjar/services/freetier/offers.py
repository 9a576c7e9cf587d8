"""What is free, and how much of it is used: what the bill leaves out, read from the ledger.

https://aws.amazon.com/free/
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal
from typing import NamedTuple

from cloudjar.billing import allowances, dimensions
from cloudjar.billing.ledger import ledger
from cloudjar.billing.measured import USAGE
from cloudjar.kit.context import World

ALWAYS, YEAR = "Always Free", "12 Months Free"


class Used(NamedTuple):
    """One offer of the running month, over all regions: amounts in `unit`."""

    service: str
    usage_type: str
    operation: str
    unit: str
    actual: Decimal
    forecast: Decimal
    limit: Decimal
    kind: str = ALWAYS

    @property
    def share(self) -> Decimal:
        """Percent of what is free."""
        return self.actual * 100 / self.limit

    @property
    def description(self) -> str:
        """The offer in a sentence."""
        how = "always free per month" if self.kind == ALWAYS else "free for 12 months"
        return f"{self.limit.normalize():f} {self.unit} are {how} as part of AWS Free Usage Tier ({self.usage_type})"


def used(world: World, account: str) -> list[Used]:
    """The offers that an account (or, when it pays for an organization, anybody in it) makes use of."""
    book = ledger(world)
    now = world.clock.now()
    month = book.book(now)
    gone = max((now - month.grid.start).total_seconds(), 1.0)
    rest = Decimal(str((month.grid.end - month.grid.start).total_seconds() / gone))
    end = allowances.window(world)(account)
    found: dict[tuple[str, str, str, str, Decimal, str], Decimal] = defaultdict(Decimal)
    for row in month.rows:
        line = row.line
        if row.price is None or line.kind != USAGE or book.payer(line.account) != account:
            continue
        name, amount = dimensions.service(line), sum(row.usage, Decimal(0))
        if row.price.free_per_month:
            found[name, line.usage_type, row.price.operation, line.unit, row.price.free_per_month, ALWAYS] += amount
        offer = allowances.offer(line) if end is not None and now < end else None
        if offer is not None:
            found[name, offer.title, line.operation, line.unit, offer.limit, YEAR] += amount
    return [
        Used(service, kind, operation, unit, actual, actual * rest, limit, tier)
        for (service, kind, operation, unit, limit, tier), actual in sorted(found.items())
        if actual
    ]


def usage_types(world: World, account: str, days: int) -> Iterator[str]:
    """What an account used in the last so many days: ``AmazonEC2 BoxUsage:t3.micro``."""
    now = world.clock.now()
    for month in ledger(world).months(now - timedelta(days=days), now + timedelta(seconds=1)):
        yield from (f"{row.line.service} {row.line.usage_type}" for row in month.rows if row.line.account == account)
