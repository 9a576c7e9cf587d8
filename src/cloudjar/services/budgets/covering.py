"""Budgets of utilization and coverage: percents of what was bought ahead, or of what could have been.

https://docs.aws.amazon.com/cost-management/latest/userguide/budgets-managing-costs.html
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any

from cloudjar.billing import using
from cloudjar.billing.ledger import ledger
from cloudjar.billing.measured import COVERED, RESERVED, Line
from cloudjar.billing.using import Used, percent
from cloudjar.kit.commitments import RESERVATION
from cloudjar.kit.context import World
from cloudjar.services.budgets import errors, filtering, matching
from cloudjar.services.budgets.records import Budget

RI_USE, RI_COVER = "RI_UTILIZATION", "RI_COVERAGE"
PLAN_USE, PLAN_COVER = "SAVINGS_PLANS_UTILIZATION", "SAVINGS_PLANS_COVERAGE"
KINDS = frozenset((RI_USE, RI_COVER, PLAN_USE, PLAN_COVER))
LIMIT, UNIT = Decimal(100), "PERCENTAGE"
_EC2 = ["Amazon Elastic Compute Cloud - Compute"]


def fields(given: Mapping[str, Any]) -> dict[str, Any]:
    """What such a budget is about: a hundred percent, of what its filters say; raises InvalidParameterException."""
    kind, spend = given["BudgetType"], given.get("BudgetLimit")
    if given.get("PlannedBudgetLimits") or given.get("AutoAdjustData"):
        raise errors.invalid(f"A budget of type {kind} has a limit of 100 percent alone.")
    if spend and (spend["Unit"].upper() != UNIT or Decimal(spend["Amount"][:40]) != LIMIT):
        raise errors.invalid(f"The limit of a budget of type {kind} must be 100 {UNIT}.")
    if given.get("Metrics") or given.get("FilterExpression"):
        raise errors.invalid(f"Budgets of type {kind} are filtered by CostFilters.")
    filters = filtering.checked(given.get("CostFilters") or {})
    if kind in (RI_USE, RI_COVER) and filters.get("Service", _EC2) != _EC2:
        raise errors.invalid(f"Budgets of type {kind} can be kept for the service {_EC2[0]}.")
    nothing: dict[str, Any] = {"limits": {}, "adjust": {}, "expression": {}, "metrics": (), "types": {}}
    return {"fixed": LIMIT, "measured_in": UNIT, "filters": filters, **nothing}


def measured(world: World, budget: Budget, start: datetime, end: datetime) -> Decimal | None:
    """Percents in [start, end), two midnights; None when there is nothing of which they could be."""
    if budget.kind in (RI_USE, PLAN_USE):
        return _utilization(world, budget, start, end)
    return _coverage(world, budget, start, end)


def _mine(world: World, budget: Budget, account: str) -> bool:
    return budget.account in (account, ledger(world).payer(account))


def _utilization(world: World, budget: Budget, start: datetime, end: datetime) -> Decimal | None:
    book, wanted = ledger(world), matching.compiled(filtering.expression(budget))
    deals = {
        deal.terms.arn: deal
        for deal in book.commitments(start, end)
        if (deal.terms.kind == RESERVATION) == (budget.kind == RI_USE)
        and not deal.terms.returned
        and _mine(world, budget, deal.account)
        and wanted(using.about(deal))
    }
    if not deals:
        return None
    _, found = using.used(book, start, end, "MONTHLY", deals)
    sums: Used = using.summed(one for column in found.values() for one in column)
    whole = sums.hours if budget.kind == RI_USE else sums.commitment
    return percent(sums.used, whole) if whole else None


def _coverage(world: World, budget: Budget, start: datetime, end: datetime) -> Decimal | None:
    wanted = matching.compiled(filtering.expression(budget))
    reserved = budget.kind == RI_COVER
    about = using.reservable if reserved else using.plannable

    def keep(line: Line) -> bool:
        return about(line) and _mine(world, budget, line.account) and wanted(line)

    _, groups = ledger(world).sums(start, end, "MONTHLY", keep=keep, key=lambda line: line.kind)
    amounts = {
        kind: sum(group.usage if reserved else group.unblended, Decimal(0)) for kind, group in groups.items()
    }
    whole = sum(amounts.values(), Decimal(0))
    return percent(amounts.get(RESERVED if reserved else COVERED, Decimal(0)), whole) if whole else None
