"""Notifications of budgets.

https://docs.aws.amazon.com/aws-cost-management/latest/APIReference/API_budgets_CreateNotification.html
"""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from cloudjar.kit.context import Ctx
from cloudjar.kit.operation import op
from cloudjar.services.budgets import access, errors, subscribing, views
from cloudjar.services.budgets.records import Budget


@op("CreateNotification")
def create_notification(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """One more, with its subscribers."""
    budget = access.budget(ctx, req)
    made = subscribing.notification(req["Notification"], budget)
    told = subscribing.subscribers(req["Subscribers"])
    ctx.db[Budget].put(subscribing.add(budget, replace(made, subscribers=told)))
    return {}


@op("UpdateNotification")
def update_notification(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Another threshold; its subscribers stay."""
    budget = access.budget(ctx, req)
    old = subscribing.find(budget, req["OldNotification"])
    new = subscribing.notification(req["NewNotification"], budget)
    if any(held.identity == new.identity and held is not old for held in budget.notifications):
        raise errors.duplicate("The budget already has this notification.")
    changed = subscribing.swap(budget, old, replace(new, subscribers=old.subscribers))
    ctx.db[Budget].put(replace(changed, stale=True))
    return {}


@op("DeleteNotification")
def delete_notification(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """One less, and its subscribers."""
    budget = access.budget(ctx, req)
    ctx.db[Budget].put(subscribing.swap(budget, subscribing.find(budget, req["Notification"]), None))
    return {}


@op("DescribeNotificationsForBudget")
def describe_notifications_for_budget(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """All of a budget, in the order in which they were made."""
    return {"Notifications": [views.notification(one) for one in access.budget(ctx, req).notifications]}


@op("DescribeBudgetNotificationsForAccount")
def describe_budget_notifications_for_account(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """By budget, of those that have some."""
    access.own(ctx, req)
    return {
        "BudgetNotificationsForAccount": [
            {"BudgetName": one.name, "Notifications": [views.notification(n) for n in one.notifications]}
            for one in ctx.db[Budget].all()
            if one.notifications
        ]
    }
