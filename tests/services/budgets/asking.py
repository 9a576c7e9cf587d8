"""Budgets as tests ask for them."""

from __future__ import annotations

from typing import Any

from tests.jar import ACCOUNT


def budget(name: str, amount: str, **more: Any) -> dict[str, Any]:
    """A monthly cost budget in dollars."""
    return {
        "BudgetName": name,
        "BudgetLimit": {"Amount": amount, "Unit": "USD"},
        "TimeUnit": "MONTHLY",
        "BudgetType": "COST",
        **more,
    }


def alarm(percent: float, *addresses: str, kind: str = "ACTUAL", topic: str = "") -> dict[str, Any]:
    """A notification at a percentage, and whom it tells."""
    told = [{"SubscriptionType": "EMAIL", "Address": one} for one in addresses or ("me@example.com",)]
    if topic:
        told.append({"SubscriptionType": "SNS", "Address": topic})
    return {
        "Notification": {
            "NotificationType": kind,
            "ComparisonOperator": "GREATER_THAN",
            "Threshold": percent,
            "ThresholdType": "PERCENTAGE",
        },
        "Subscribers": told,
    }


def create(budgets: Any, asked: dict[str, Any], *notifications: dict[str, Any]) -> None:
    """Make a budget with notifications."""
    budgets.create_budget(AccountId=ACCOUNT, Budget=asked, NotificationsWithSubscribers=list(notifications))
