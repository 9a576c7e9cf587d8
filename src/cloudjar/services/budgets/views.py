"""Records as the API shows them."""

from __future__ import annotations

from datetime import datetime
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from cloudjar.services.budgets.records import Action, Budget, Event, Notification

_SHOWN = Decimal("0.001")


def amount(value: Decimal) -> str:
    """A number as AWS writes amounts: at least one decimal, spending to three."""
    text = format(value.quantize(_SHOWN, ROUND_HALF_UP).normalize(), "f")
    return text if "." in text else f"{text}.0"


def spend(value: Decimal, unit: str) -> dict[str, str]:
    """A Spend."""
    return {"Amount": amount(value), "Unit": unit}


def limit(budget: Budget, moment: datetime) -> Decimal:
    """What is budgeted for the period that an instant is in: of planned limits the last one that has begun."""
    if not budget.limits:
        return budget.fixed
    keys = sorted(budget.limits, key=int)
    begun = [key for key in keys if int(key) <= moment.timestamp()]
    return budget.limits[begun[-1] if begun else keys[0]]


def show(budget: Budget, now: datetime) -> dict[str, Any]:
    """A Budget."""
    calculated = {"ActualSpend": spend(budget.actual, budget.measured_in)}
    if budget.forecast is not None:
        calculated["ForecastedSpend"] = spend(budget.forecast, budget.measured_in)
    shown: dict[str, Any] = {
        "BudgetName": budget.name,
        "BudgetLimit": spend(limit(budget, now), budget.measured_in),
        "TimeUnit": budget.unit,
        "TimePeriod": {"Start": budget.start, "End": budget.end},
        "CalculatedSpend": calculated,
        "BudgetType": budget.kind,
        "LastUpdatedTime": budget.changed,
        "HealthStatus": {"Status": "HEALTHY", "LastUpdatedTime": budget.seen or budget.changed},
    }
    if budget.limits:
        shown["PlannedBudgetLimits"] = {k: spend(v, budget.measured_in) for k, v in sorted(budget.limits.items())}
    if budget.metrics:
        shown |= {"FilterExpression": budget.expression or None, "Metrics": list(budget.metrics)}
    else:
        shown |= {"CostFilters": budget.filters, "CostTypes": budget.types}
    if budget.view:
        shown["BillingViewArn"] = budget.view
    if budget.adjust:
        shown["AutoAdjustData"] = _adjusting(budget)
    return shown


def _adjusting(budget: Budget) -> dict[str, Any]:
    data: dict[str, Any] = {**budget.adjust, "LastAutoAdjustTime": budget.adjusted}
    if "HistoricalOptions" in data and budget.adjusted is not None:
        back = budget.looked_back or None
        data["HistoricalOptions"] = {**data["HistoricalOptions"], "LookBackAvailablePeriods": back}
    return data


def notification(one: Notification) -> dict[str, Any]:
    """A Notification."""
    return {
        "NotificationType": one.kind,
        "ComparisonOperator": one.operator,
        "Threshold": one.threshold,
        "ThresholdType": one.threshold_type,
        "NotificationState": one.state,
    }


def subscribers(held: tuple[tuple[str, str], ...]) -> list[dict[str, str]]:
    """Subscribers."""
    return [{"SubscriptionType": kind, "Address": address} for kind, address in held]


def action(held: Action) -> dict[str, Any]:
    """An Action."""
    return {
        "ActionId": held.id,
        "BudgetName": held.budget,
        "NotificationType": held.notification,
        "ActionType": held.kind,
        "ActionThreshold": {"ActionThresholdValue": held.threshold, "ActionThresholdType": held.threshold_type},
        "Definition": held.definition,
        "ExecutionRoleArn": held.role,
        "ApprovalModel": held.approval,
        "Status": held.status,
        "Subscribers": subscribers(held.subscribers),
    }


def event(one: Event) -> dict[str, Any]:
    """An ActionHistory."""
    return {
        "Timestamp": one.at,
        "Status": one.status,
        "EventType": one.kind,
        "ActionHistoryDetails": {"Message": one.message, "Action": one.action},
    }
