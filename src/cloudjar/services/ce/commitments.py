"""What was bought ahead, and by how much it was used: read from the ledger, period by period."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any, NamedTuple

from cloudjar.billing import using
from cloudjar.billing.expressions import Expressions, Refused, Values
from cloudjar.billing.ledger import Period, Step
from cloudjar.billing.using import Used, about, summed
from cloudjar.kit import pages
from cloudjar.kit.commitments import RESERVATION, Commitment
from cloudjar.services.ce import errors, periods
from cloudjar.services.ce.asking import Asking
from cloudjar.spec.models import Paginator


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
    known = {
        deal.terms.arn: deal
        for deal in asking.ledger.commitments(start, end)
        if (deal.terms.kind == RESERVATION) == reserved and not deal.terms.returned and asking.mine(about(deal))
    }
    try:
        wanted = Expressions(asking.categories, {**asking.named, **dimensions(known)}, asking.active).keep(keep)
    except Refused as reason:
        raise errors.invalid(str(reason)) from None
    return {arn: deal for arn, deal in known.items() if wanted(about(deal))}


def dimensions(known: Mapping[str, Commitment]) -> Mapping[str, Values]:
    """What commitments have that no other line has."""
    return {
        "PAYMENT_OPTION": lambda line: known[line.commitment].terms.option,
        "SAVINGS_PLANS_TYPE": lambda line: f"{known[line.commitment].terms.kind}SavingsPlans",
        "SCOPE": lambda line: "Availability Zone" if known[line.commitment].terms.zone else "Region",
        "SUBSCRIPTION_ID": lambda line: known[line.commitment].resource,
    }


def used(
    asking: Asking, start: datetime, end: datetime, step: Step, deals: Mapping[str, Commitment], *, whole: bool
) -> Found:
    """What was used of them."""
    spans, found = using.used(asking.ledger, start, end, step, deals)
    if whole:
        spans, found = [Period(start, end)], {arn: [summed(column)] for arn, column in found.items()}
    return Found(spans, dict(deals), found)


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
