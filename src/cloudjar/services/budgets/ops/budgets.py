"""Budgets: made, changed, read, deleted.

https://docs.aws.amazon.com/aws-cost-management/latest/APIReference/API_Operations_AWS_Budgets.html
"""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from cloudjar.kit.context import Ctx
from cloudjar.kit.operation import op
from cloudjar.services.budgets import access, errors, filtering, matching, settings, subscribing, views
from cloudjar.services.budgets.ops.tagging import given_tags
from cloudjar.services.budgets.records import BUDGETS, Action, Budget


@op("CreateBudget")
def create_budget(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Make a budget, with its notifications if some are given."""
    access.own(ctx, req)
    given = req["Budget"]
    if ctx.db[Budget].get(given["BudgetName"]) is not None:
        raise errors.duplicate_budget(given["BudgetName"])
    if ctx.db[Budget].count() >= BUDGETS:
        raise errors.too_many(f"An account can have up to {BUDGETS:,} budgets.")
    found = settings.fields(given, ctx.now)
    made = Budget(name=given["BudgetName"], changed=ctx.now, tags=given_tags(req), **found)
    matching.compiled(filtering.expression(made))  # what cannot be told of costs is refused now
    for one in req.get("NotificationsWithSubscribers") or ():
        told = subscribing.subscribers(one["Subscribers"])
        held = subscribing.notification(one["Notification"], made)
        made = subscribing.add(made, replace(held, subscribers=told))
    ctx.db[Budget].add(made)
    return {}


@op("UpdateBudget")
def update_budget(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Change all of a budget but its name and its notifications, which are judged anew."""
    held = access.budget(ctx, {"AccountId": req["AccountId"], "BudgetName": req["NewBudget"]["BudgetName"]})
    found = settings.fields(req["NewBudget"], ctx.now)
    if held.adjust and found["adjust"] == held.adjust:
        found["fixed"] = held.fixed  # what it was adjusted to
    if found == {name: getattr(held, name) for name in found}:
        return {}
    matching.compiled(filtering.expression(replace(held, **found)))
    again = tuple(replace(one, told=None) for one in held.notifications)
    fresh = found["adjust"] != held.adjust
    ctx.db[Budget].put(
        replace(
            held,
            **found,
            changed=ctx.now,
            stale=True,
            notifications=again,
            adjusted=None if fresh else held.adjusted,
            period=held.period if found["unit"] == held.unit else None,
        )
    )
    return {}


@op("DescribeBudget")
def describe_budget(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """One budget."""
    return {"Budget": views.show(access.budget(ctx, req), ctx.now)}


@op("DescribeBudgets")
def describe_budgets(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """All of the account, by name."""
    access.own(ctx, req)
    return {"Budgets": [views.show(one, ctx.now) for one in ctx.db[Budget].all()]}


@op("DeleteBudget")
def delete_budget(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Delete a budget with its notifications and actions; what actions did stays done."""
    held = access.budget(ctx, req)
    for one in ctx.db[Action].all(budget=held.name):
        ctx.db[Action].drop(one)
    ctx.db[Budget].drop(held)
    return {}
