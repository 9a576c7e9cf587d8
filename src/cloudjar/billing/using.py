"""What was bought ahead and by how much it was used, read from the ledger: for reports and budgets.

https://docs.aws.amazon.com/aws-cost-management/latest/APIReference/API_ReservationAggregates.html
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from decimal import Decimal
from typing import NamedTuple

from cloudjar.billing import dimensions
from cloudjar.billing.covering import flexible, upfront, worth
from cloudjar.billing.ledger import Group, Ledger, Period, Step
from cloudjar.billing.measured import COVERED, PLAN_FEE, RESERVED, RI_FEE, USAGE, ZERO, Line
from cloudjar.kit.commitments import RESERVATION, Commitment, Terms
from cloudjar.spec import prices, regions

KINDS = frozenset((RESERVED, RI_FEE, COVERED, PLAN_FEE))


class Key(NamedTuple):
    """Of lines that belong to a commitment."""

    arn: str
    kind: str
    region: str
    usage_type: str


class Used(NamedTuple):
    """Of one commitment in one period. Hours and `units` (normalized) are of instances, or hours of a plan's term;
    dollars otherwise. `on_demand` is what was covered at on-demand prices, `all_on_demand` what could have been."""

    hours: Decimal = ZERO
    used: Decimal = ZERO
    on_demand: Decimal = ZERO
    all_on_demand: Decimal = ZERO
    recurring: Decimal = ZERO
    upfront: Decimal = ZERO
    unused: Decimal = ZERO
    units: Decimal = ZERO
    used_units: Decimal = ZERO
    commitment: Decimal = ZERO

    def plus(self, other: Used) -> Used:
        """The sum."""
        return Used(*(one + more for one, more in zip(self, other, strict=True)))


def used(
    ledger: Ledger, start: datetime, end: datetime, step: Step, deals: Mapping[str, Commitment]
) -> tuple[list[Period], dict[str, list[Used]]]:
    """Periods, and what was used in each of each commitment (by ARN), over everybody whose usage it covered."""
    spans, groups = ledger.sums(
        start, end, step,
        keep=lambda line: line.commitment in deals and line.kind in KINDS,
        key=lambda line: Key(line.commitment, line.kind, line.region, line.usage_type),
    )  # fmt: skip
    found = {arn: [Used()] * len(spans) for arn in deals}
    for key, group in groups.items():
        column = found[key.arn]
        for index in range(len(spans)):
            column[index] = column[index].plus(_used(deals[key.arn], key, group, index))
    return spans, found


def about(deal: Commitment) -> Line:
    """A commitment as a line, so that filters can be asked about it."""
    terms = deal.terms
    zone = regions.zone(terms.zone, deal.account) if terms.zone else None
    kind = terms.type.partition(":")[0] if terms.kind == RESERVATION else f"{terms.type}."
    usage_type = f"HeavyUsage:{kind}" if terms.type else terms.fee[1]
    service = terms.fee[0] if terms.kind == RESERVATION else "AmazonEC2"
    return Line(deal.account, terms.region, service, usage_type, "", "Hrs", deal.resource,
                zone=zone.name if zone is not None else "", commitment=terms.arn)  # fmt: skip


def summed(column: Iterable[Used]) -> Used:
    """Of several."""
    sums = Used()
    for one in column:
        sums = sums.plus(one)
    return sums


def _used(deal: Commitment, key: Key, group: Group[Key], index: int) -> Used:
    at, terms = group.at(index), deal.terms
    if key.kind == COVERED:
        return Used(used=at.amortized, on_demand=at.unblended)
    size = dimensions.factor(terms.type)
    if key.kind == RESERVED:
        units = at.usage * dimensions.weight(key.usage_type)
        hours = units / size if flexible(terms.type) and not terms.zone else at.usage
        return Used(used=hours, used_units=units, on_demand=at.usage * _rate(terms, key.usage_type))
    hours = at.usage / terms.count
    return Used(
        hours=at.usage,
        units=at.usage * size,
        all_on_demand=at.usage * own_rate(terms) if key.kind == RI_FEE else ZERO,
        recurring=at.unblended,
        upfront=upfront(deal) * hours,
        unused=at.amortized,
        commitment=worth(deal) * hours,
    )


def _rate(terms: Terms, usage_type: str) -> Decimal:
    """Dollars an hour of usage that a reservation covers, were it not there; 0 where they are not known."""
    service, _, operation = terms.fee
    try:
        return prices.price(service, usage_type, terms.region, operation if service == "AmazonRDS" else _LINUX).per_unit
    except prices.NoPrice:
        return ZERO


def own_rate(terms: Terms) -> Decimal:
    """The same of exactly what was reserved."""
    kind = terms.type.partition(":")[0]
    if terms.fee[0] != "AmazonRDS":
        return _rate(terms, f"BoxUsage:{kind}")
    return _rate(terms, f"{'Multi-AZUsage' if terms.type.endswith(dimensions.MULTI) else 'InstanceUsage'}:{kind}")


def on_demand(region: str, kind: str) -> Decimal:
    """Dollars an hour; 0 where it is not known."""
    try:
        return prices.price("AmazonEC2", f"BoxUsage:{kind}", region, "RunInstances").per_unit
    except prices.NoPrice:
        return ZERO


def percent(part: Decimal, whole: Decimal) -> Decimal:
    """0 of nothing."""
    return part * 100 / whole if whole else ZERO


_LINUX = "RunInstances"
_DATABASES = ("InstanceUsage", "Multi-AZUsage")
_RUNNING = ("BoxUsage", "DedicatedUsage")
_COMPUTE = (*_RUNNING, "UnusedBox", "UnusedDed", "HostUsage")


def reservable(line: Line, service: str = "AmazonEC2") -> bool:
    """Whether a line is of hours of a service's instances, reserved or not."""
    if line.service != service or line.kind not in (USAGE, RESERVED, COVERED):
        return False
    return line.usage_type.partition(":")[0] in (_RUNNING if service == "AmazonEC2" else _DATABASES)


def plannable(line: Line) -> bool:
    """Whether a line is of spending that plans could cover, covered or not."""
    if line.service != "AmazonEC2" or line.kind not in (USAGE, COVERED):
        return False
    return line.usage_type.partition(":")[0] in _COMPUTE and bool(dimensions.instance_type(line))
