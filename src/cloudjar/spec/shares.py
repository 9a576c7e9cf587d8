"""What capacity costs that is not had on demand, as a share of the on-demand price of the same type and region.

AWS publishes a price for each; the facts that were found are shares. Where they come from, and how sure they are:
`SPOT` spot prices of public catalogs lie between 0.30 and 0.45 of on-demand; which of these a pool has here follows
from its name and never moves (low). `RESERVED` and the Savings Plan of a family: hourly fees of t3.medium in us-east-1
and of x2iedn.32xlarge in eu-west-3 (medium); `COMPUTE_PLAN`: recollection (low). `DEDICATED`: recollection (low).
`RESERVED_DATABASE`: recollection of db.t3.micro with PostgreSQL in us-east-1 (low).

https://aws.amazon.com/ec2/spot/pricing/ https://aws.amazon.com/ec2/pricing/reserved-instances/pricing/
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from functools import cache
from hashlib import sha256
from typing import NamedTuple

Terms = Mapping[int, Mapping[str, Decimal]]
"""Years -> payment option -> share of on-demand, everything counted."""

NO_UPFRONT, PARTIAL_UPFRONT, ALL_UPFRONT = "No Upfront", "Partial Upfront", "All Upfront"


def _terms(one: tuple[str, str, str], three: tuple[str, str, str]) -> Terms:
    options = (NO_UPFRONT, PARTIAL_UPFRONT, ALL_UPFRONT)
    return {
        years: {option: Decimal(share) for option, share in zip(options, shares, strict=True)}
        for years, shares in ((1, one), (3, three))
    }


RESERVED: Mapping[str, Terms] = {
    "standard": _terms(("0.627", "0.597", "0.585"), ("0.433", "0.401", "0.377")),
    "convertible": _terms(("0.721", "0.687", "0.673"), ("0.495", "0.462", "0.453")),
}
FAMILY_PLAN = RESERVED["standard"]
RESERVED_DATABASE: Terms = {
    1: {NO_UPFRONT: Decimal("0.72"), PARTIAL_UPFRONT: Decimal("0.69"), ALL_UPFRONT: Decimal("0.67")},
    3: {PARTIAL_UPFRONT: Decimal("0.44"), ALL_UPFRONT: Decimal("0.43")},
}
"""RDS sells three years with something upfront alone."""
COMPUTE_PLAN = _terms(("0.73", "0.70", "0.69"), ("0.50", "0.47", "0.46"))
DEDICATED = Decimal("1.06")
CHEAPEST_SPOT, DEAREST_SPOT = 30, 45
"""Percent of on-demand."""
_SPOT_OPERATION = "RunInstances:SV"
_SIX = Decimal("0.0001")
_FIVE = Decimal("0.00001")


class Share(NamedTuple):
    """A price that follows from another usage type's."""

    base: str
    factor: Decimal
    confidence: str
    family: str = "Compute Instance"


def derived(usage_type: str, region: str, operation: str) -> Share | None:
    """From which usage type's price another one's follows; None for usage types that have prices of their own."""
    head, _, kind = usage_type.partition(":")
    base = f"BoxUsage:{kind}"
    if head == "SpotUsage" and operation.startswith(_SPOT_OPERATION):
        number = int(operation.removeprefix(_SPOT_OPERATION))
        return Share(base, spot_share(region, number, kind), "low")
    if head == "UnusedBox":
        return Share(base, Decimal(1), "high")
    if head in ("DedicatedUsage", "UnusedDed"):
        return Share(base, DEDICATED, "low")
    return None


def spot_operation(zone_id: str) -> str:
    """How bills tell one zone's spot price from another's: ``RunInstances:SV002`` in ``euw3-az2``."""
    number = zone_id.rpartition("az")[2]
    return f"{_SPOT_OPERATION}{int(number) if number.isdigit() else 0:03}"


@cache
def spot_share(region: str, zone: int, kind: str) -> Decimal:
    """The share of on-demand that a pool (a type in a zone, by the number in the zone's id) costs."""
    draw = int.from_bytes(sha256(f"{region} {zone} {kind}".encode()).digest()[:4])
    return Decimal(CHEAPEST_SPOT + draw % (DEAREST_SPOT - CHEAPEST_SPOT + 1)) / 100


def priced(price: Decimal, share: Decimal, years: int, option: str) -> tuple[Decimal, Decimal]:
    """What a term costs at once and by the hour; what is paid at once is in whole dollars, as AWS's are."""
    hours = Decimal(years * 8760)
    total = price * share * hours
    if option == NO_UPFRONT:
        return Decimal(0), (total / hours).quantize(_FIVE)
    if option == ALL_UPFRONT:
        return total.quantize(Decimal(1)), Decimal(0)
    fixed = (total / 2).quantize(Decimal(1))
    return fixed, ((total - fixed) / hours).quantize(_FIVE)


def plan_offering(kind: str, region: str, family: str, years: int, option: str) -> str:
    """The id of a savings plan's offering, the same whenever it is asked for; `kind` is Compute or EC2Instance."""
    digits = sha256(f"{kind} {region} {family} {years} {option}".encode()).hexdigest()
    return f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:32]}"


def plan_rate(price: Decimal, share: Decimal) -> Decimal:
    """What an hour costs under a savings plan, in the five decimals in which AWS states it."""
    return (price * share).quantize(_FIVE)


def applied(price: Decimal, factor: Decimal) -> Decimal:
    """A share of a price, in the four decimals in which AWS states spot and dedicated prices."""
    return max((price * factor).quantize(_SIX), _SIX) if factor != 1 else price
