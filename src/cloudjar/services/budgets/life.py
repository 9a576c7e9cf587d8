"""What budgets do by themselves: they are evaluated three times a day, tell, and set their actions off.

https://docs.aws.amazon.com/cost-management/latest/userguide/budgets-best-practices.html
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from msgspec.structs import replace

from cloudjar.kit.context import Ctx
from cloudjar.kit.machine import Step, reconciler
from cloudjar.services.budgets import acting, judging, telling
from cloudjar.services.budgets.records import RESETTING, Action, Budget

REFRESH = "refresh"
_EVERY = 8 * 3600


@reconciler(Budget)
def evaluate(step: Step, budget: Budget | None) -> None:
    """When it was made or changed, and at every refresh of the figures."""
    if budget is None or not (budget.stale or step.wake.purpose == REFRESH):
        return
    ctx = Ctx(step.world, budget.account, budget.region, step.ctx.caller)
    found = judging.look(step.world, budget)
    with step.world.state.database.transaction():
        now = step.db[Budget].get(budget.name)
        if now is not None and now.changed == budget.changed and now.notifications == budget.notifications:
            judging.judged(ctx, now, found)
    if budget.end > ctx.now:
        step.again(REFRESH, _next(max(ctx.now, budget.start - timedelta(seconds=_EVERY))))


def _next(moment: datetime) -> datetime:
    seconds = int(moment.timestamp())
    return datetime.fromtimestamp(seconds - seconds % _EVERY + _EVERY, UTC)


@reconciler(Action)
def run(step: Step, action: Action | None) -> None:
    """Do what is under way, and say how it came out."""
    if action is None or action.status not in acting.UNDER_WAY:
        return
    ctx = Ctx(step.world, action.account, action.region, step.ctx.caller)
    status, message = acting.perform(ctx, action)
    with step.world.state.database.transaction():
        now = step.db[Action].get(action.id)
        if now is None or now.status != action.status:
            return
        if action.status == RESETTING:
            now = replace(now, done=None)
        after = step.db[Action].put(acting.moved(ctx, now, status, "SYSTEM", message))
        budget = step.db[Budget].get(after.budget)
        if budget is not None and action.status != RESETTING:
            telling.acted(ctx, budget, after, message)
