"""Rating: usage lines to money. Exact decimals; tiers and free units by calendar month.

Tiers count a usage type's quantity of an account in a region and month, whatever the resource; free units
count over all regions. A line without a known price is not made up: it comes back unpriced, with the reason.
"""

from __future__ import annotations

from collections.abc import Iterable
from decimal import ROUND_HALF_UP, Decimal, localcontext
from typing import NamedTuple

from cloudjar.billing.lines import UsageLine
from cloudjar.spec import prices

# A cost and usage report has ten decimals; amounts on the bill have two.
REPORT = Decimal("0.0000000001")
CENT = Decimal("0.01")
ZERO = Decimal(0)
GLOBAL = "us-east-1"
"""Where what belongs to no region is priced."""


class Charge(NamedTuple):
    """A line and what it costs.

    `cost` is in US dollars with ten decimals, None where no price is known and `why` says so. `free` is the part of
    the quantity that cost nothing because every account has it free; `price` is what was applied.
    """

    line: UsageLine
    cost: Decimal | None
    free: Decimal
    price: prices.Price | None
    why: str = ""
    kind: str = "Usage"
    """The line item type."""

    @property
    def rate(self) -> Decimal | None:
        """Dollars per unit on average, None when unpriced or nothing was used."""
        return self.cost / self.line.quantity if self.cost is not None and self.line.quantity else None


def rate(lines: Iterable[UsageLine], *, free_units: bool = False) -> list[Charge]:
    """Price lines, oldest first; with `free_units`, what every account has free each month costs nothing.

    Give all lines of the months in question: tiers and free units are counted from each month's first line.
    """
    used: dict[tuple[str, ...], Decimal] = {}
    given: dict[tuple[str, ...], Decimal] = {}
    charges = []
    with localcontext() as context:
        context.prec = 50
        for line in sorted(lines, key=lambda one: (one.start, one.end)):
            try:
                price = _price(line)
            except prices.NoPrice as reason:
                charges.append(Charge(line, None, ZERO, None, str(reason)))
                continue
            if price.unit != line.unit:
                why = f"{line.usage_type} is priced per {price.unit}, but was measured in {line.unit}"
                charges.append(Charge(line, None, ZERO, price, why))
                continue
            charges.append(_charge(line, price, used, given, free_units))
    return charges


def _price(line: UsageLine) -> prices.Price:
    return price_of(line.service, line.usage_type, line.region, line.operation, line.unit)


def price_of(service: str, usage_type: str, region: str, operation: str, unit: str) -> prices.Price:
    """The price of usage that is measured in a unit (amounts of money cost themselves); raises `NoPrice`."""
    if unit in prices.MONEY:
        return prices.money(service, usage_type, operation, unit)
    return prices.price(service, usage_type, region or GLOBAL, operation)


def _charge(
    line: UsageLine,
    price: prices.Price,
    used: dict[tuple[str, ...], Decimal],
    given: dict[tuple[str, ...], Decimal],
    free_units: bool,
) -> Charge:
    month = f"{line.start:%Y-%m}"
    free = ZERO
    if free_units and price.free_per_month:
        everywhere = (line.account, month, line.service, line.usage_type)
        left = price.free_per_month - given.get(everywhere, ZERO)
        free = max(min(left, line.quantity), ZERO)
        given[everywhere] = given.get(everywhere, ZERO) + free
    key = (line.account, line.region, month, line.service, line.usage_type, price.operation)
    before = used.get(key, ZERO)
    used[key] = before + line.quantity - free
    cost = tiered(price.tiers, used[key]) - tiered(price.tiers, before)
    return Charge(line, cost.quantize(REPORT, ROUND_HALF_UP), free, price)


def tiered(tiers: tuple[prices.Tier, ...], quantity: Decimal) -> Decimal:
    """What a quantity costs from the month's first unit on, unrounded."""
    total = ZERO
    for i, tier in enumerate(tiers):
        top = min(quantity, tiers[i + 1].begin) if i + 1 < len(tiers) else quantity
        if top > tier.begin:
            total += (top - tier.begin) * tier.price
    return total


def cents(amount: Decimal) -> Decimal:
    """An amount as it stands on a bill: two decimals, half a cent up."""
    return amount.quantize(CENT, ROUND_HALF_UP)
