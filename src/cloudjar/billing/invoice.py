"""The bill: charges added up by service and usage type, as the Bills page shows them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from decimal import ROUND_FLOOR, Decimal
from typing import NamedTuple

from cloudjar.billing.rate import ZERO, Charge, cents
from cloudjar.spec import prices

# From least to most certain: a sum is as certain as its least certain part.
_CERTAINTY = ("low", "medium", "high")


class Item(NamedTuple):
    """One usage type of one account and region. `cost` is None where some of it has no known price (`why`)."""

    account: str
    region: str
    service: str
    usage_type: str
    operation: str
    unit: str
    quantity: Decimal
    free: Decimal
    resources: int
    cost: Decimal | None
    confidence: str
    why: str
    kind: str = "Usage"

    @property
    def bill_usage_type(self) -> str:
        """With the region's prefix, as on the bill: ``EUW3-BoxUsage:t3.micro``."""
        return prices.bill_usage_type(self.usage_type, self.region)

    @property
    def amount(self) -> Decimal | None:
        """The cost in dollars and cents."""
        return None if self.cost is None else cents(self.cost)


class ServiceTotal(NamedTuple):
    """A service's items and their sum; items without a price are not in it."""

    service: str
    name: str
    cost: Decimal
    items: tuple[Item, ...]

    @property
    def amount(self) -> Decimal:
        """The cost in dollars and cents."""
        return cents(self.cost)


class Summary(NamedTuple):
    """A bill. `cost` is the exact sum of what has a price; `unpriced` are the items that have none."""

    services: tuple[ServiceTotal, ...]
    cost: Decimal
    currency: str = prices.CURRENCY

    @property
    def amount(self) -> Decimal:
        """The total in dollars and cents, rounded once."""
        return cents(self.cost)

    @property
    def unpriced(self) -> tuple[Item, ...]:
        """Items that are used but missing in the total, each with its reason."""
        return tuple(i for s in self.services for i in s.items if i.cost is None)


def summary(charges: Iterable[Charge]) -> Summary:
    """Add charges up: by service (name order), then usage type, region, operation and account."""
    groups: dict[tuple[str, ...], list[Charge]] = {}
    for charge in charges:
        line = charge.line
        key = (line.service, line.usage_type, line.region, line.operation, line.account, line.unit, charge.kind)
        groups.setdefault(key, []).append(charge)
    by_service: dict[str, list[Item]] = {}
    for group in sorted(groups):
        by_service.setdefault(group[0], []).append(_item(groups[group]))
    totals = [
        ServiceTotal(code, prices.service_name(code), sum((i.cost or ZERO for i in items), ZERO), tuple(items))
        for code, items in by_service.items()
    ]
    totals.sort(key=lambda total: total.name)
    return Summary(tuple(totals), sum((t.cost for t in totals), ZERO))


def apportioned(amounts: Sequence[Decimal], whole: Decimal, digit: Decimal) -> list[Decimal]:
    """Amounts rounded to a digit so that they add up to `whole`, which is their sum rounded: each is less than a digit
    from what it is; the last digits go where most was cut off."""
    found = [amount.quantize(digit, ROUND_FLOOR) for amount in amounts]
    missing = int((whole - sum(found, ZERO)) / digit)
    cut = sorted(range(len(found)), key=lambda i: (found[i] - amounts[i], i))
    for i in cut[: max(missing, 0)]:
        found[i] += digit
    return found


def _item(charges: list[Charge]) -> Item:
    line = charges[0].line
    costs = [c.cost for c in charges]
    known = [c.price.confidence for c in charges if c.price is not None]
    return Item(
        line.account,
        line.region,
        line.service,
        line.usage_type,
        line.operation,
        line.unit,
        sum((c.line.quantity for c in charges), ZERO),
        sum((c.free for c in charges), ZERO),
        len({c.line.resource for c in charges}),
        None if None in costs else sum((c for c in costs if c is not None), ZERO),
        min(known, key=_CERTAINTY.index) if known else "",
        next((c.why for c in charges if c.why), ""),
        charges[0].kind,
    )
