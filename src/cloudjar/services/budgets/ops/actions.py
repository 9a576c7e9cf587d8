"""Actions of budgets.

https://docs.aws.amazon.com/cost-management/latest/userguide/budgets-controls.html
"""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from cloudjar.base import ids
from cloudjar.kit.context import Ctx
from cloudjar.kit.operation import op
from cloudjar.services.budgets import access, acting, defining, errors, views
from cloudjar.services.budgets.ops.tagging import given_tags
from cloudjar.services.budgets.records import ACTIONS, Action, Budget


@op("CreateBudgetAction")
def create_budget_action(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """What is to be done when a threshold is passed, under a role that trusts AWS Budgets."""
    budget = access.budget(ctx, req)
    if budget.actions >= ACTIONS:
        raise errors.too_many(f"A budget can have up to {ACTIONS} actions.")
    made = Action(id=ids.uuid4(), budget=budget.name, tags=given_tags(req), **defining.fields(req, budget))
    defining.check_role(ctx, budget, made.role)
    defining.check_alone(made, ctx.db[Action].all(budget=budget.name))
    placed = ctx.db[Action].add(acting.noted(ctx, made, "CREATE_ACTION", "The action was created."))
    ctx.db[Budget].put(replace(budget, actions=budget.actions + 1, stale=True))
    return {"AccountId": ctx.account, "BudgetName": budget.name, "ActionId": placed.id}


@op("UpdateBudgetAction")
def update_budget_action(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Change an action that does not run; what is not given stays."""
    held = _idle(ctx, req)
    budget = ctx.db[Budget].need(held.budget)
    whole = {**views.action(held), **{name: value for name, value in req.items() if value is not None}}
    changed = replace(held, **defining.fields(whole, budget))
    if req.get("ExecutionRoleArn"):
        defining.check_role(ctx, budget, changed.role)
    defining.check_alone(changed, [one for one in ctx.db[Action].all(budget=budget.name) if one.id != held.id])
    changed = ctx.db[Action].put(acting.noted(ctx, changed, "UPDATE_ACTION", "The action was changed."))
    ctx.db[Budget].put(replace(budget, stale=True))
    return {
        "AccountId": ctx.account,
        "BudgetName": budget.name,
        "OldAction": views.action(held),
        "NewAction": views.action(changed),
    }


@op("DeleteBudgetAction")
def delete_budget_action(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Delete an action that does not run; what it did stays done."""
    held = _idle(ctx, req)
    ctx.db[Action].drop(held)
    budget = ctx.db[Budget].need(held.budget)
    ctx.db[Budget].put(replace(budget, actions=budget.actions - 1))
    return {"AccountId": ctx.account, "BudgetName": held.budget, "Action": views.action(held)}


def _idle(ctx: Ctx, req: dict[str, Any]) -> Action:
    held = access.action(ctx, req)
    if held.status in acting.UNDER_WAY:
        raise errors.locked(f"The action {held.id} is being executed.")
    return held


@op("DescribeBudgetAction")
def describe_budget_action(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """One action."""
    held = access.action(ctx, req)
    return {"AccountId": ctx.account, "BudgetName": held.budget, "Action": views.action(held)}


@op("DescribeBudgetActionsForAccount")
def describe_budget_actions_for_account(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Every action of the account."""
    access.own(ctx, req)
    return {"Actions": [views.action(one) for one in ctx.db[Action].all()]}


@op("DescribeBudgetActionsForBudget")
def describe_budget_actions_for_budget(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Every action of a budget."""
    budget = access.budget(ctx, req)
    return {"Actions": [views.action(one) for one in ctx.db[Action].all(budget=budget.name)]}


@op("DescribeBudgetActionHistories")
def describe_budget_action_histories(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """What happened to an action, the newest first."""
    held = access.action(ctx, req)
    asked = req.get("TimePeriod") or {}
    start, end = asked.get("Start"), asked.get("End")
    found = [
        one for one in reversed(held.history) if (start is None or one.at >= start) and (end is None or one.at < end)
    ]
    return {"ActionHistories": [views.event(one) for one in found]}
