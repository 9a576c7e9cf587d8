"""What plans cost: what is due at once, and every hour what is left of the commitment. Used or not: that a plan lowers
what usage costs is not here.

https://docs.aws.amazon.com/savingsplans/latest/userguide/sp-purchase.html
"""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal

from cloudjar.kit.usage import Meter, fees, meters
from cloudjar.services.savingsplans.offerings import all_offerings
from cloudjar.services.savingsplans.records import SavingsPlan
from cloudjar.spec import prices

CODE = "ComputeSavingsPlans"


@meters(SavingsPlan)
def recurring(plan: SavingsPlan) -> Iterable[Meter]:
    """Dollars an hour of an active plan."""
    hourly = Decimal(plan.recurring)
    if plan.state != "active" or not hourly:
        return ()
    return (Meter(CODE, all_offerings()[plan.offering].usage_type, "", prices.RECURRING, hourly),)


@fees(SavingsPlan)
def upfront(plan: SavingsPlan) -> Iterable[Meter]:
    """Dollars that are due when a plan becomes active."""
    due = Decimal(plan.upfront)
    if plan.state != "active" or not due:
        return ()
    return (Meter(CODE, all_offerings()[plan.offering].usage_type, "", prices.ONCE, due),)
