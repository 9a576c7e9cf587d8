"""Plans begin, and end by the clock."""

from __future__ import annotations

from msgspec.structs import replace

from cloudjar.kit.machine import Step, reconciler
from cloudjar.services.savingsplans.records import PENDING_RETURN, RETURNED, SavingsPlan


@reconciler(SavingsPlan)
def converge(step: Step, _: SavingsPlan | None) -> None:
    """One look: a queued purchase is made at its time, a paid one is active, one whose term is over is retired, one
    that was given back is returned."""
    with step.world.state.database.transaction():
        plan = step.db[SavingsPlan].get(step.key)
        if plan is None:
            return
        ctx = step.ctx
        if plan.state == "queued" and ctx.now < plan.start:
            ctx.wake(plan, purpose="purchase", at=plan.start)
        elif plan.state in ("queued", "payment-pending"):
            step.db[SavingsPlan].put(replace(plan, state="active"))
            ctx.wake(plan, purpose="end", at=plan.end)
        elif plan.state == PENDING_RETURN:
            step.db[SavingsPlan].put(replace(plan, state=RETURNED))
        elif plan.state == "active" and ctx.now >= plan.end:
            step.db[SavingsPlan].put(replace(plan, state="retired"))
        elif plan.state == "active":
            ctx.wake(plan, purpose="end", at=plan.end)
