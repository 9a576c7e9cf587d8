"""What budgets cost: those with actions, by the day. https://aws.amazon.com/aws-cost-management/aws-budgets/pricing/"""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal

from cloudjar.kit.usage import Meter, meters
from cloudjar.services.budgets.records import Budget

_DAY = Meter("AWSBudgets", "ActionEnabledBudgetsUsage", "", "Budget-Days", Decimal(1) / 24)


@meters(Budget)
def _actions(budget: Budget) -> Iterable[Meter]:
    """Two are free: `free_per_month` of the price."""
    return (_DAY,) if budget.actions else ()
