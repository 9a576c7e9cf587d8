"""What plans cost: what is due at once, and every hour what is left of the commitment, used or not; and what they
lower the cost of usage by.

https://docs.aws.amazon.com/savingsplans/latest/userguide/sp-purchase.html
"""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal

from cloudjar.kit.commitments import COMPUTE_PLAN, FAMILY_PLAN, Terms, commits
from cloudjar.kit.usage import Meter, fees, meters
from cloudjar.services.savingsplans.offerings import FAMILY, all_offerings
from cloudjar.services.savingsplans.records import IN_FORCE, RETURNED, SavingsPlan
from cloudjar.spec import prices

CODE = "ComputeSavingsPlans"


@meters(SavingsPlan)
def recurring(plan: SavingsPlan) -> Iterable[Meter]:
    """Dollars an hour of an active plan."""
    hourly = Decimal(plan.recurring)
    if plan.state not in IN_FORCE or not hourly:
        return ()
    return (Meter(CODE, all_offerings()[plan.offering].usage_type, "", prices.RECURRING, hourly),)


@fees(SavingsPlan)
def upfront(plan: SavingsPlan) -> Iterable[Meter]:
    """Dollars that are due when a plan becomes active."""
    due = Decimal(plan.upfront)
    if plan.state not in IN_FORCE or not due:
        return ()
    return (Meter(CODE, all_offerings()[plan.offering].usage_type, "", prices.ONCE, due),)


@commits(SavingsPlan)
def terms(plan: SavingsPlan) -> Terms | None:
    """What an active plan covers."""
    if plan.state not in (*IN_FORCE, RETURNED):
        return None
    offering = all_offerings()[plan.offering]
    return Terms(
        arn=f"arn:aws:savingsplans::{plan.account}:savingsplan/{plan.id}",
        kind=FAMILY_PLAN if offering.type == FAMILY else COMPUTE_PLAN,
        fee=(CODE, offering.usage_type, ""),
        type=offering.family,
        region=offering.region,
        upfront=Decimal(plan.upfront),
        hourly=Decimal(plan.recurring),
        due=Decimal(plan.upfront),
        commitment=Decimal(plan.commitment),
        share=offering.share,
        seconds=offering.seconds,
        option=offering.option,
        start=plan.start,
        end=plan.end,
        returned=plan.state == RETURNED,
    )
