"""What was spent of a budget, and what will have been: read from the ledger, as everything about money.

https://docs.aws.amazon.com/cost-management/latest/userguide/budgets-managing-costs.html
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal

from cloudjar.billing.expressions import Keep
from cloudjar.billing.ledger import Group, ledger
from cloudjar.billing.measured import Line
from cloudjar.kit.context import World
from cloudjar.services.budgets import covering, filtering, matching
from cloudjar.services.budgets.periods import Period
from cloudjar.services.budgets.records import Budget

ZERO = Decimal(0)
_LEARNT = 30
"""Days before now of which a forecast takes the average."""


def collect(world: World) -> None:
    """Have the planes' counters read; outside of transactions."""
    ledger(world).collect()


def spent(world: World, budget: Budget, span: Period) -> Decimal:
    """Of a budget in [start, end), up to now: dollars, units of usage, or percents (0 of nothing)."""
    if budget.kind in covering.KINDS:
        return covered(world, budget, span) or ZERO
    now = world.clock.now()
    end = min(span.end, _next_day(now))
    if span.start >= end:
        return ZERO
    _, groups = ledger(world).sums(_day(span.start), end, "MONTHLY", keep=_keep(world, budget), key=lambda _: "")
    return sum((_amount(budget, group, i) for group in groups.values() for i in range(len(group.usage))), ZERO)


def covered(world: World, budget: Budget, span: Period) -> Decimal | None:
    """Percents of a budget of utilization or coverage in [start, end), up to now; None when there was nothing."""
    start, end = _day(span.start), min(span.end, _next_day(world.clock.now()))
    return covering.measured(world, budget, start, end) if start < end else None


def by_day(world: World, budget: Budget, span: Period) -> list[tuple[datetime, Decimal]]:
    """The same by day, for the days that have begun."""
    end = min(span.end, _next_day(world.clock.now()))
    if span.start >= end:
        return []
    periods, groups = ledger(world).sums(_day(span.start), end, "DAILY", keep=_keep(world, budget), key=lambda _: "")
    found = groups.values()
    return [(one.start, sum((_amount(budget, group, i) for group in found), ZERO)) for i, one in enumerate(periods)]


def forecast(world: World, budget: Budget, span: Period, so_far: Decimal) -> Decimal | None:
    """What will have been spent at the end of a running period: what was, and for the rest of it the average of the
    last thirty days, or of as many as there is something to see of. None before a whole day of that."""
    now = world.clock.now()
    today = _day(now)
    seen = by_day(world, budget, Period(today - timedelta(days=_LEARNT), today))
    while seen and not seen[0][1]:
        seen.pop(0)
    if not seen:
        return None
    rate = sum((amount for _, amount in seen), ZERO) / len(seen)
    left = Decimal(str((span.end - now).total_seconds())) / 86400
    return so_far + rate * max(left, ZERO)


def _keep(world: World, budget: Budget) -> Keep:
    book = ledger(world)
    mine = budget.account
    wanted = matching.compiled(filtering.expression(budget))

    def keep(line: Line) -> bool:
        """Who pays for an organization budgets for all of it; a member for itself."""
        return (line.account == mine or book.payer(line.account) == mine) and wanted(line)

    return keep


def _amount(budget: Budget, group: Group[str], index: int) -> Decimal:
    columns = {
        "UnblendedCost": group.unblended,
        "NetUnblendedCost": group.unblended,
        "BlendedCost": group.blended,
        "AmortizedCost": group.amortized,
        "NetAmortizedCost": group.amortized,
    }
    return columns.get(filtering.metric(budget), group.usage)[index]


def _day(moment: datetime) -> datetime:
    return moment.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)


def _next_day(moment: datetime) -> datetime:
    """Lines are added up by day: the running one counts up to now."""
    return _day(moment) + timedelta(days=1)
