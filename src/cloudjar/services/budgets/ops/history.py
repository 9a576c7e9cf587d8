"""How a budget did in the periods before.

https://docs.aws.amazon.com/aws-cost-management/latest/APIReference/API_budgets_DescribeBudgetPerformanceHistory.html
"""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Any

from cloudjar.kit.context import Ctx
from cloudjar.kit.operation import op
from cloudjar.services.budgets import access, errors, filtering, periods, settings, spending, views
from cloudjar.services.budgets.periods import ANNUALLY, DAILY, MONTHLY, QUARTERLY, Period
from cloudjar.services.budgets.records import Budget

_SHOWN = {DAILY: 60, MONTHLY: 12, QUARTERLY: 4, ANNUALLY: 1}


@op("DescribeBudgetPerformanceHistory")
def describe_budget_performance_history(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """What was budgeted and what was spent, by period, the running one last."""
    budget = access.budget(ctx, req)
    asked = req.get("TimePeriod") or {}
    start, end = asked.get("Start"), asked.get("End")
    if start is not None and end is not None and start >= end:
        raise errors.invalid("The start of the time period must be before its end.")
    rows = [_row(ctx, budget, one) for one in _periods(ctx.now, budget) if _overlaps(one, start, end)]
    shown: dict[str, Any] = {
        "BudgetName": budget.name,
        "BudgetType": budget.kind,
        "TimeUnit": budget.unit,
        "BudgetedAndActualAmountsList": rows,
    }
    if budget.metrics:
        shown |= {"FilterExpression": budget.expression or None, "Metrics": [filtering.metric(budget)]}
    else:
        shown |= {"CostFilters": budget.filters, "CostTypes": budget.types}
    return {"BudgetPerformanceHistory": shown}


def _periods(now: datetime, budget: Budget) -> list[Period]:
    """Since the budget began, as far back as is shown."""
    running = periods.period(budget.unit, now, settings.custom(budget))
    found = [running]
    if budget.unit in _SHOWN:
        found += [one for one in periods.before(budget.unit, running, _SHOWN[budget.unit]) if one.end > budget.start]
    return found[::-1]


def _overlaps(one: Period, start: datetime | None, end: datetime | None) -> bool:
    return (start is None or one.end > start) and (end is None or one.start < end)


def _row(ctx: Ctx, budget: Budget, one: Period) -> dict[str, Any]:
    spent = spending.spent(ctx.world, budget, one)
    return {
        "BudgetedAmount": views.spend(_limit(budget, one), budget.measured_in),
        "ActualAmount": views.spend(spent, budget.measured_in),
        "TimePeriod": {"Start": one.start, "End": one.end},
    }


def _limit(budget: Budget, one: Period) -> Decimal:
    for past in budget.past:
        if past.start == one.start:
            return past.limit
    return views.limit(budget, one.start)
