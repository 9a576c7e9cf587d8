"""What was bought ahead, and by how much it was used: read from the ledger, period by period."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any, NamedTuple

from cloudjar.billing import dimensions
from cloudjar.billing.covering import flexible, upfront, worth
from cloudjar.billing.ledger import Group, Period, Step
from cloudjar.billing.measured import COVERED, PLAN_FEE, RESERVED, RI_FEE, ZERO, Line
from cloudjar.kit import pages
from cloudjar.kit.commitments import RESERVATION, Commitment
from cloudjar.services.ce import errors, periods
from cloudjar.services.ce.asking import Asking
from cloudjar.spec import prices, regions
from cloudjar.spec.models import Paginator

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


class Found(NamedTuple):
    """Periods, the commitments that were in force in them, and what was used of each in each."""

    periods: list[Period]
    deals: dict[str, Commitment]
    used: dict[str, list[Used]]

    def total(self, index: int | None = None) -> Used:
        """Of all of them, in one period or in all."""
        sums = Used()
        for column in self.used.values():
            for one in column if index is None else [column[index]]:
                sums = sums.plus(one)
        return sums


def span(req: Mapping[str, Any], now: datetime) -> tuple[datetime, datetime, Step, bool]:
    """Start, end, step, and whether the whole is one period (when no granularity is asked for)."""
    if req.get("Granularity") == "HOURLY":
        raise errors.invalid("HOURLY granularity is not supported: choose from ['DAILY', 'MONTHLY']")
    step: Step = req.get("Granularity") or "MONTHLY"
    start, end = periods.past(req, now, step)
    return start, end, step, not req.get("Granularity")


def mine(asking: Asking, start: datetime, end: datetime, *, reserved: bool, keep: Mapping[str, Any] | None) -> (
    dict[str, Commitment]
):  # fmt: skip
    """Reservations (or plans) of whom the asker may see that are as a filter says, by ARN."""
    wanted = asking.keep(keep)
    return {
        deal.terms.arn: deal
        for deal in asking.ledger.commitments(start, end)
        if (deal.terms.kind == RESERVATION) == reserved and not deal.terms.returned and wanted(about(deal))
    }


def about(deal: Commitment) -> Line:
    """A commitment as a line, so that filters can be asked about it."""
    terms = deal.terms
    zone = regions.zone(terms.zone, deal.account) if terms.zone else None
    kind = terms.type if terms.kind == RESERVATION else f"{terms.type}."
    usage_type = f"HeavyUsage:{kind}" if terms.type else terms.fee[1]
    return Line(deal.account, terms.region, "AmazonEC2", usage_type, "", "Hrs", deal.resource,
                zone=zone.name if zone is not None else "", commitment=terms.arn)  # fmt: skip


def used(
    asking: Asking, start: datetime, end: datetime, step: Step, deals: Mapping[str, Commitment], *, whole: bool
) -> Found:
    """What was used of them."""
    spans, groups = asking.ledger.sums(
        start, end, step,
        keep=lambda line: line.commitment in deals and line.kind in KINDS,
        key=lambda line: Key(line.commitment, line.kind, line.region, line.usage_type),
    )  # fmt: skip
    found = {arn: [Used()] * len(spans) for arn in deals}
    for key, group in groups.items():
        column = found[key.arn]
        for index in range(len(spans)):
            column[index] = column[index].plus(_used(deals[key.arn], key, group, index))
    if whole:
        spans = [Period(start, end)]
        found = {arn: [_sum(column)] for arn, column in found.items()}
    return Found(spans, dict(deals), found)


def _sum(column: Iterable[Used]) -> Used:
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
        kind = key.usage_type.partition(":")[2]
        units = at.usage * dimensions.factor(kind)
        hours = units / size if flexible(terms.type) and not terms.zone else at.usage
        return Used(used=hours, used_units=units, on_demand=at.usage * on_demand(key.region, kind))
    hours = at.usage / terms.count
    return Used(
        hours=at.usage,
        units=at.usage * size,
        all_on_demand=at.usage * on_demand(terms.region, terms.type) if key.kind == RI_FEE else ZERO,
        recurring=at.unblended,
        upfront=upfront(deal) * hours,
        unused=at.amortized,
        commitment=worth(deal) * hours,
    )


def on_demand(region: str, kind: str) -> Decimal:
    """Dollars an hour; 0 where it is not known."""
    try:
        return prices.price("AmazonEC2", f"BoxUsage:{kind}", region, "RunInstances").per_unit
    except prices.NoPrice:
        return ZERO


def percent(part: Decimal, whole: Decimal) -> Decimal:
    """0 of nothing."""
    return part * 100 / whole if whole else ZERO


def cut(operation: str, req: Mapping[str, Any], member: str, answer: dict[str, Any], *, most: int = 100, token: str = (
    "NextPageToken"), limit: str = "MaxResults") -> dict[str, Any]:  # fmt: skip
    """One page of an answer's list: the model does not say how these page, their documentation does."""
    how = Paginator((token,), (token,), limit, (member,), "")
    return pages.cut(how, "ce", operation, {**req, limit: req.get(limit) or most}, answer)


def ordered(req: Mapping[str, Any], shown: list[dict[str, Any]], place: str) -> list[dict[str, Any]]:
    """Groups sorted by a figure of theirs, as SortBy says."""
    by = req.get("SortBy")
    if not by:
        return shown

    def value(one: Mapping[str, Any]) -> Decimal:
        about = one.get(place) or {}
        for held in (about, *(part for part in about.values() if isinstance(part, dict))):
            if by["Key"] in held:
                return Decimal(held[by["Key"]])
        raise errors.invalid(f"Sort key {by['Key']} is not supported")

    return sorted(shown, key=value, reverse=by.get("SortOrder") != "ASCENDING")
