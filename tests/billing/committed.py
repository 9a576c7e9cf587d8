"""A month's use and what was bought ahead of it, and what the ledger makes of both."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from decimal import Decimal, localcontext

from cloudjar.billing import blending, costs, covered, measured
from cloudjar.billing.costs import Row
from cloudjar.billing.ledger import DIGITS
from cloudjar.billing.measured import Grid, Labels, Rows
from cloudjar.kit.commitments import COMPUTE_PLAN, FAMILY_PLAN, RESERVATION, Commitment, Terms
from cloudjar.kit.usage import Label, Meter, Span
from tests.billing.scenarios import JANUARY, ME, PARIS, hours

OTHER, STRANGER = "210987654321", "999999999999"
FAMILY = {ME: ME, OTHER: ME}
"""Who pays for whom."""
YEAR = timedelta(days=365)


def box(
    kind: str,
    length: float = 744,
    start: datetime = JANUARY,
    *,
    zone: str = "a",
    key: str = "one",
    account: str = ME,
    region: str = PARIS,
    head: str = "BoxUsage",
) -> Span:
    """An instance that ran for so many hours."""
    meter = Meter("AmazonEC2", f"{head}:{kind}", "RunInstances", "Hrs")
    return Span(account, region, f"i-{kind}-{key}", meter, start, start + hours(length), region + zone if zone else "")


def reserved(
    kind: str,
    hourly: str = "0.0074",
    *,
    count: int = 1,
    upfront: str = "0",
    zone: str = "",
    start: datetime = JANUARY,
    stop: datetime | None = None,
    account: str = ME,
    region: str = PARIS,
    key: str = "ri",
) -> Commitment:
    """Reserved Instances for a year: dollars an hour and at once of each instance."""
    terms = Terms(
        arn=f"arn:aws:ec2:{region}:{account}:reserved-instances/{key}", kind=RESERVATION,
        fee=("AmazonEC2", f"HeavyUsage:{kind}", "RunInstances:Reserved"), type=kind, region=region, zone=zone,
        count=count, hourly=Decimal(hourly) * count, upfront=Decimal(upfront) * count, due=Decimal(upfront) * count,
        seconds=31_536_000, option="", cls="standard", start=start, end=start + YEAR,
    )  # fmt: skip
    return Commitment(account=account, region=region, resource=key, terms=terms, start=start, stop=stop)


def plan(
    commitment: str,
    share: str = "0.73",
    *,
    family: str = "",
    region: str = "",
    ahead: str = "0",
    start: datetime = JANUARY,
    stop: datetime | None = None,
    account: str = ME,
    key: str = "sp",
    returned: bool = False,
) -> Commitment:
    """A plan for a year of so many dollars an hour, `ahead` dollars of each of which are paid at once."""
    due = Decimal(ahead) * 8760
    terms = Terms(
        arn=f"arn:aws:savingsplans::{account}:savingsplan/{key}", kind=FAMILY_PLAN if family else COMPUTE_PLAN,
        fee=("ComputeSavingsPlans", "ComputeSP:1yrNoUpfront", ""), type=family, region=region, upfront=due, due=due,
        hourly=Decimal(commitment) - Decimal(ahead), commitment=Decimal(commitment), share=Decimal(share),
        seconds=31_536_000, option="", start=start, end=start + YEAR, returned=returned,
    )  # fmt: skip
    return Commitment(account=account, region="", resource=key, terms=terms, start=start, stop=stop)


def rows(
    spans: Iterable[Span],
    deals: Iterable[Commitment],
    month: datetime = JANUARY,
    now: datetime | None = None,
    payers: Mapping[str, str] = FAMILY,
    grid: Grid | None = None,
    tagged: Iterable[Label] = (),
) -> list[Row]:
    """The rows of the month by day (or of `grid`), seen from `now` (default: long after)."""
    grid = grid or measured.month_grid(month, now or month + timedelta(days=400))
    labels = Labels(tagged)
    seen = [
        span if span.end is not None and span.end <= grid.now else span._replace(end=None)
        for span in spans
        if span.start < grid.now
    ]
    bought = [deal for deal in deals if deal.start < min(grid.end, grid.now) and not _over(deal, grid.start)]

    def payer(account: str) -> str:
        return payers.get(account, account)

    with localcontext() as context:
        context.prec = DIGITS
        found: Rows = {}
        measured.add_spans(found, seen, grid, labels)
        split = covered.split(seen, bought, grid, labels, payer)
        done = [*costs.costed(covered.applied(found, split, bought), payer), *split.known]
        return blending.blended(done, blending.average_rates(done, payer), payer)


def _over(deal: Commitment, moment: datetime) -> bool:
    return deal.stop is not None and deal.stop <= moment


def total(found: Iterable[Row], column: str = "cost", **about: str) -> Decimal:
    """Dollars (or hours of usage) of rows whose lines are so, to twenty digits."""
    with localcontext() as context:
        context.prec = DIGITS
        amounts = [
            sum(getattr(row, column), Decimal(0))
            for row in found
            if all(getattr(row.line, name) == value for name, value in about.items())
        ]
        return sum(amounts, Decimal(0)).quantize(Decimal("1e-20"))
