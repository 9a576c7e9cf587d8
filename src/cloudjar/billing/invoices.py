"""Invoices: what a payer owes for a calendar month that is over, with what each of his accounts and services came to.

One for each month in which anything was charged, issued on the third of the next month. Amounts are dollars and cents;
they are apportioned so that they add up to the total, which is the exact sum rounded once. There is no tax.

https://docs.aws.amazon.com/awsaccountbilling/latest/aboutv2/getting-viewing-bill.html
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from hashlib import sha256
from typing import NamedTuple

from cloudjar.billing.crediting import KIND
from cloudjar.billing.invoice import apportioned
from cloudjar.billing.ledger import ledger, month_end
from cloudjar.billing.measured import ZERO
from cloudjar.billing.rate import CENT
from cloudjar.kit.context import World
from cloudjar.spec import prices

ISSUER = "Amazon Web Services, Inc."
ISSUED = timedelta(days=2)
"""After a month's end: on the third of the next."""


class Part(NamedTuple):
    """What a service of one account came to; `amount` is before credits."""

    account: str
    service: str
    name: str
    amount: Decimal


class Invoice(NamedTuple):
    """Of a month that begins so. `charges` and `credits` (which is not negative) make `total`."""

    id: str
    payer: str
    month: datetime
    issued: datetime
    charges: Decimal
    credits: Decimal
    total: Decimal
    parts: tuple[Part, ...]


def of_payer(world: World, payer: str) -> Iterator[Invoice]:
    """The invoices of an account that were issued by now, oldest first; none of an account that another pays for."""
    book, now = ledger(world), world.clock.now()
    if book.payer(payer) != payer:
        return
    month = _first(world)
    while month is not None and month_end(month) + ISSUED <= now:
        found = _of_month(world, payer, month)
        if found is not None:
            yield found
        month = month_end(month)


def _first(world: World) -> datetime | None:
    """The month in which anything was metered first."""
    begun = (world.ports["usage"].first(), world.ports["quantities"].first(), world.ports["audit"].first_call())
    known = [one for one in begun if one is not None]
    if not known:
        return None
    return datetime.fromtimestamp(min(known), UTC).replace(day=1, hour=0, minute=0, second=0, microsecond=0)


def _of_month(world: World, payer: str, month: datetime) -> Invoice | None:
    book = ledger(world)
    sums: dict[tuple[str, str], Decimal] = {}
    paid = ZERO
    month_book = book.book(month)
    for row, totals in zip(month_book.brief, month_book.brief_totals, strict=True):
        line = row.line
        if book.payer(line.account) != payer or not totals.unblended:
            continue
        if line.kind == KIND:
            paid -= totals.unblended
        else:
            key = (line.account, line.service)
            sums[key] = sums.get(key, ZERO) + totals.unblended
    if not sums:
        return None
    exact = sum(sums.values(), ZERO)
    total = (exact - paid).quantize(CENT, ROUND_HALF_UP)
    charges, credit = apportioned([exact, -paid], total, CENT)
    shares = apportioned(list(sums.values()), charges, CENT)
    parts = [
        Part(account, service, prices.service_name(service), amount)
        for (account, service), amount in zip(sums, shares, strict=True)
    ]
    number = int.from_bytes(sha256(f"{payer} {month:%Y-%m}".encode()).digest()[:8], "big") % 10**10
    return Invoice(
        f"{number:010d}", payer, month, month_end(month) + ISSUED, charges, -credit, total, tuple(sorted(parts))
    )
