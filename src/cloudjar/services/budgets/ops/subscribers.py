"""Subscribers of notifications.

https://docs.aws.amazon.com/aws-cost-management/latest/APIReference/API_budgets_CreateSubscriber.html
"""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from cloudjar.kit.context import Ctx
from cloudjar.kit.operation import op
from cloudjar.services.budgets import access, errors, subscribing, views
from cloudjar.services.budgets.records import Budget, Notification


def _found(ctx: Ctx, req: dict[str, Any]) -> tuple[Budget, Notification]:
    budget = access.budget(ctx, req)
    return budget, subscribing.find(budget, req["Notification"])


def _keep(ctx: Ctx, budget: Budget, one: Notification, told: tuple[tuple[str, str], ...]) -> None:
    kept = replace(one, subscribers=subscribing.within(told))
    ctx.db[Budget].put(subscribing.swap(budget, one, kept))


@op("CreateSubscriber")
def create_subscriber(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Tell one more."""
    budget, one = _found(ctx, req)
    _keep(ctx, budget, one, (*one.subscribers, subscribing.subscriber(req["Subscriber"])))
    return {}


@op("UpdateSubscriber")
def update_subscriber(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Tell another instead."""
    budget, one = _found(ctx, req)
    old, new = subscribing.subscriber(req["OldSubscriber"]), subscribing.subscriber(req["NewSubscriber"])
    if old not in one.subscribers:
        raise errors.no_subscriber()
    _keep(ctx, budget, one, tuple(new if held == old else held for held in one.subscribers))
    return {}


@op("DeleteSubscriber")
def delete_subscriber(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Tell one less; a notification without subscribers goes."""
    budget, one = _found(ctx, req)
    gone = subscribing.subscriber(req["Subscriber"])
    if gone not in one.subscribers:
        raise errors.no_subscriber()
    left = tuple(held for held in one.subscribers if held != gone)
    ctx.db[Budget].put(subscribing.swap(budget, one, replace(one, subscribers=left) if left else None))
    return {}


@op("DescribeSubscribersForNotification")
def describe_subscribers_for_notification(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Who is told."""
    return {"Subscribers": views.subscribers(_found(ctx, req)[1].subscribers)}
