"""What is on offer: plans over all of EC2, and plans for one family in one Region, where prices are known.

https://docs.aws.amazon.com/savingsplans/latest/userguide/what-is-savings-plans.html
"""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from functools import cache
from typing import Any, NamedTuple

from cloudjar.spec import instance_types, prices, regions, shares

COMPUTE, FAMILY = "Compute", "EC2Instance"
YEAR = 31_536_000


class Offering(NamedTuple):
    """`region` and `family` are "" for a Compute plan."""

    id: str
    type: str
    region: str
    family: str
    years: int
    option: str

    @property
    def seconds(self) -> int:
        """The length of the term."""
        return self.years * YEAR

    @property
    def share(self) -> Decimal:
        """Its rates as a share of on-demand."""
        terms = shares.COMPUTE_PLAN if self.type == COMPUTE else shares.FAMILY_PLAN
        return terms[self.years][self.option]

    @property
    def usage_type(self) -> str:
        """How its fees stand on the bill, without the Region's prefix: ``ComputeSP:1yrNoUpfront``."""
        tail = f"{self.years}yr{self.option.replace(' ', '')}"
        return f"ComputeSP:{tail}" if self.type == COMPUTE else f"EC2SP:{self.family}.{tail}"

    @property
    def description(self) -> str:
        """In words."""
        term = f"{self.years} year {self.option}"
        if self.type == COMPUTE:
            return f"{term} Compute Savings Plan"
        return f"{term} {self.family} EC2 Instance Savings Plan in {self.region}"

    @property
    def products(self) -> list[str]:
        """What it covers."""
        return ["Fargate", "EC2", "Lambda"] if self.type == COMPUTE else ["EC2"]


def on_demand(region: str, kind: str) -> Decimal | None:
    """Dollars an hour; None where it is not known."""
    try:
        return prices.price("AmazonEC2", f"BoxUsage:{kind}", region, "RunInstances").per_unit
    except prices.NoPrice:
        return None


@cache
def priced(region: str) -> dict[str, tuple[str, ...]]:
    """Family -> the types whose prices are known in a region."""
    found: dict[str, list[str]] = {}
    for kind in instance_types.names():
        if on_demand(region, kind) is not None:
            found.setdefault(kind.partition(".")[0], []).append(kind)
    return {family: tuple(kinds) for family, kinds in found.items()}


@cache
def all_offerings() -> dict[str, Offering]:
    """Every offering, by id."""
    return {one.id: one for one in _offerings()}


def _offerings() -> Iterator[Offering]:
    places = [("", "")]
    places += [(region, family) for region in sorted(regions.NAMES) for family in priced(region)]
    for region, family in places:
        kind = FAMILY if family else COMPUTE
        for years, options in shares.COMPUTE_PLAN.items():
            for option in options:
                key = shares.plan_offering(kind, region, family, years, option)
                yield Offering(key, kind, region, family, years, option)


class Rate(NamedTuple):
    """What a type costs under a plan."""

    kind: str
    region: str
    dollars: str


def rates(offering: Offering) -> Iterator[Rate]:
    """The rates of a plan, for each type in each Region where its on-demand price is known."""
    for region in [offering.region] if offering.region else sorted(regions.NAMES):
        for family, kinds in priced(region).items():
            if offering.family in ("", family):
                for kind in kinds:
                    price = on_demand(region, kind) or Decimal(0)
                    yield Rate(kind, region, f"{shares.plan_rate(price, offering.share):f}")


def show_rate(rate: Rate) -> dict[str, Any]:
    """The members that both kinds of rates have."""
    properties = {
        "region": rate.region,
        "instanceType": rate.kind,
        "instanceFamily": rate.kind.partition(".")[0],
        "productDescription": "Linux/UNIX",
        "tenancy": "shared",
    }
    return {
        "rate": rate.dollars,
        "unit": "Hrs",
        "productType": "EC2",
        "serviceCode": "AmazonEC2",
        "usageType": prices.bill_usage_type(f"BoxUsage:{rate.kind}", rate.region),
        "operation": "RunInstances",
        "properties": [{"name": name, "value": value} for name, value in properties.items()],
    }
