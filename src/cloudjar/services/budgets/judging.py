"""A look at a budget: what is spent, which thresholds are passed, what follows.

https://docs.aws.amazon.com/cost-management/latest/userguide/sns-alert-chime.html
"""

from __future__ import annotations

from decimal import Decimal
from typing import NamedTuple

from msgspec.structs import replace

from cloudjar.kit.context import Ctx, World
from cloudjar.services.budgets import acting, covering, periods, settings, spending, telling, views
from cloudjar.services.budgets.periods import DAILY, Period
from cloudjar.services.budgets.records import (
    ACTUAL,
    ALARM,
    FORECASTED,
    OK,
    STANDBY,
    Action,
    Budget,
    Notification,
    Past,
)

_KEPT = 60


class Look(NamedTuple):
    """The figures of a budget: of the period that runs, and of the one before when that was not told of to its end.
    `limit` and `looked_back` are of a budget that adjusts itself, when it has to. Of nothing there are no percents."""

    period: Period
    actual: Decimal | None
    forecast: Decimal | None
    closed: Period | None
    closed_actual: Decimal | None
    limit: Decimal | None
    looked_back: int


def look(world: World, budget: Budget) -> Look:
    """Read the ledger; outside of transactions."""
    custom, now = settings.custom(budget), world.clock.now()
    spending.collect(world)
    running = periods.period(budget.unit, now, custom)
    closed = None
    if budget.period is not None and budget.period != running.start:
        closed = periods.period(budget.unit, budget.period, custom)
    if budget.kind in covering.KINDS:
        before = spending.covered(world, budget, closed) if closed is not None else None
        return Look(running, spending.covered(world, budget, running), None, closed, before, None, 0)
    actual = spending.spent(world, budget, running)
    forecast = None if budget.unit == DAILY else spending.forecast(world, budget, running, actual)
    limit, back = None, 0
    if budget.adjust and (closed is not None or budget.adjusted is None):
        limit, back = _adjusted(world, budget, running, forecast)
    spent = spending.spent(world, budget, closed) if closed is not None else Decimal(0)
    return Look(running, actual, forecast, closed, spent, limit, back)


def _adjusted(world: World, budget: Budget, running: Period, forecast: Decimal | None) -> tuple[Decimal, int]:
    """The limit of a budget that adjusts itself: a forecast, or the average of periods before that had something."""
    options = budget.adjust.get("HistoricalOptions")
    if options is None:
        return forecast or Decimal(0), 0
    count = int(options["BudgetAdjustmentPeriod"])
    amounts = [spending.spent(world, budget, one) for one in periods.before(budget.unit, running, count)]
    while amounts and not amounts[-1]:
        amounts.pop()  # before there was anything
    return (sum(amounts, Decimal(0)) / len(amounts) if amounts else Decimal(0)), len(amounts)


def judged(ctx: Ctx, budget: Budget, found: Look) -> Budget:
    """Store what was seen; whoever is to be told is told in the same transaction."""
    active = budget.start <= ctx.now < budget.end
    if found.closed is not None:
        limit = views.limit(budget, found.closed.start)
        if active:
            budget = _tell(ctx, budget, found.closed, limit, {ACTUAL: found.closed_actual})
        past = (*budget.past, Past(start=found.closed.start, limit=limit))[-_KEPT:]
        budget = replace(budget, past=past)
        _ready(ctx, budget)
    if found.limit is not None:
        budget = replace(budget, fixed=found.limit, adjusted=ctx.now, looked_back=found.looked_back)
    budget = replace(
        budget,
        actual=found.actual or Decimal(0),
        forecast=found.forecast,
        seen=ctx.now,
        stale=False,
        period=found.period.start,
    )
    if active:
        values = {ACTUAL: found.actual, FORECASTED: found.forecast}
        budget = _tell(ctx, budget, found.period, views.limit(budget, ctx.now), values)
    return ctx.db[Budget].put(budget)


def _tell(
    ctx: Ctx, budget: Budget, period: Period, limit: Decimal, values: dict[str, Decimal | None]
) -> Budget:
    if budget.adjust and not limit:
        return budget  # there was nothing yet that it could be adjusted to
    told = []
    for one in budget.notifications:
        told.append(_told(ctx, budget, one, period, limit, values[one.kind]) if one.kind in values else one)
    budget = replace(budget, notifications=tuple(told))
    here = replace(budget, period=period.start)
    for action in ctx.db[Action].all(budget=budget.name):
        value = values.get(action.notification)
        if value is None or action.status != STANDBY or action.done == period.start:
            continue
        if value > telling.threshold(action, limit):
            ctx.db[Action].put(acting.set_off(ctx, here, action))
    return budget


def _told(
    ctx: Ctx, budget: Budget, one: Notification, period: Period, limit: Decimal, value: Decimal | None
) -> Notification:
    """Once in a period, of a forecast whenever it passes the threshold anew."""
    passed = value is not None and _passed(one, value, limit)
    again = one.told != period.start or (one.kind == FORECASTED and one.state == OK)
    if passed and again:
        assert value is not None
        telling.alert(ctx, budget, one, limit, value)
        return replace(one, state=ALARM, told=period.start)
    return replace(one, state=ALARM if passed else OK)


def _passed(one: Notification, value: Decimal, limit: Decimal) -> bool:
    edge = telling.threshold(one, limit)
    if one.operator == "GREATER_THAN":
        return value > edge
    return value < edge if one.operator == "LESS_THAN" else value == edge


def _ready(ctx: Ctx, budget: Budget) -> None:
    """A new period: actions that had their turn in the last one wait for their threshold again."""
    for action in ctx.db[Action].all(budget=budget.name):
        if action.status not in acting.UNDER_WAY and action.status != STANDBY:
            message = "A new budget period has begun."
            ctx.db[Action].put(acting.moved(ctx, action, STANDBY, "SYSTEM", message))
