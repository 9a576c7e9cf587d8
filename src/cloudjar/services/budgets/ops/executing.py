"""Actions that somebody sets off, undoes or makes ready again.

https://docs.aws.amazon.com/cost-management/latest/userguide/budgets-action-review.html
"""

from __future__ import annotations

from typing import Any

from cloudjar.kit.context import Ctx
from cloudjar.kit.operation import op
from cloudjar.services.budgets import access, acting, errors
from cloudjar.services.budgets.records import (
    EXECUTED,
    EXECUTING,
    FAILED,
    NOT_REVERSED,
    PENDING,
    RESETTING,
    REVERSED,
    REVERSING,
    Action,
)

_FROM = {
    "APPROVE_BUDGET_ACTION": ((PENDING,), EXECUTING, "The action was approved."),
    "RETRY_BUDGET_ACTION": ((FAILED,), EXECUTING, "The action is tried again."),
    "REVERSE_BUDGET_ACTION": ((EXECUTED, NOT_REVERSED), REVERSING, "What the action did is undone."),
    "RESET_BUDGET_ACTION": ((EXECUTED, REVERSED, FAILED), RESETTING, "The action is made ready again."),
}
"""What can be asked for in which state, and what is then under way."""


@op("ExecuteBudgetAction")
def execute_budget_action(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Approve, retry, reverse or reset; it is done a moment later."""
    held = access.action(ctx, req)
    allowed, then, said = _FROM[req["ExecutionType"]]
    if held.status in acting.UNDER_WAY:
        raise errors.locked(f"The action {held.id} is being executed.")
    if held.status not in allowed:
        raise errors.invalid(f"{req['ExecutionType']} is not possible while the action is in {held.status}.")
    ctx.db[Action].put(acting.moved(ctx, held, then, "EXECUTE_ACTION", said))
    return {
        "AccountId": ctx.account,
        "BudgetName": held.budget,
        "ActionId": held.id,
        "ExecutionType": req["ExecutionType"],
    }
