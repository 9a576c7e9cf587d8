"""What is on offer: every class with a known price, in one zone or two, in two terms and three payments.

Prices are shares of on-demand (`spec.shares`, which says how sure they are). Three years are not sold without something
upfront.

https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/USER_WorkingWithReservedDBInstances.html
"""

from __future__ import annotations

from decimal import Decimal
from functools import cache
from hashlib import sha256
from typing import NamedTuple

from cloudjar.spec import databases, prices, shares

YEAR = 31_536_000
PRODUCTS = {"postgres": "postgresql", "mariadb": "mariadb"}
"""What reservations call engines."""


class Offering(NamedTuple):
    """`fixed` is paid at once, `hourly` every hour, per instance, in dollars."""

    id: str
    instance_class: str
    engine: str
    multi_az: bool
    years: int
    option: str
    fixed: Decimal
    hourly: Decimal

    @property
    def seconds(self) -> int:
        """The length of the term."""
        return self.years * YEAR


@cache
def offerings(region: str) -> dict[str, Offering]:
    """Everything on offer in a Region, by id."""
    found = {}
    for engine in PRODUCTS:
        for name in databases.classes(engine):
            for multi_az in (False, True):
                price = _price(region, name, engine, multi_az)
                for one in _offered(region, name, engine, multi_az, price) if price else ():
                    found[one.id] = one
    return found


def _price(region: str, name: str, engine: str, multi_az: bool) -> Decimal:
    usage = f"{'Multi-AZUsage' if multi_az else 'InstanceUsage'}:{name}"
    try:
        return prices.price("AmazonRDS", usage, region, databases.operation(engine)).per_unit
    except prices.NoPrice:
        return Decimal(0)


def _offered(region: str, name: str, engine: str, multi_az: bool, price: Decimal) -> list[Offering]:
    found = []
    for years, terms in shares.RESERVED_DATABASE.items():
        for option, share in terms.items():
            digits = sha256(f"{region} {name} {engine} {multi_az} {years} {option}".encode()).hexdigest()
            key = f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:32]}"
            found.append(Offering(
                key, name, engine, multi_az, years, option, *shares.priced(price, share, years, option)
            ))  # fmt: skip
    return found
