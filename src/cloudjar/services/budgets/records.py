"""What AWS Budgets keeps.

https://docs.aws.amazon.com/aws-cost-management/latest/APIReference/API_budgets_Budget.html
"""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Any

import msgspec

from cloudjar.kit.record import Record, record
from cloudjar.services.budgets import errors

ACTUAL, FORECASTED = "ACTUAL", "FORECASTED"
OK, ALARM = "OK", "ALARM"
PERCENTAGE, ABSOLUTE = "PERCENTAGE", "ABSOLUTE_VALUE"
COST, USAGE = "COST", "USAGE"
STANDBY, PENDING = "STANDBY", "PENDING"
EXECUTING, EXECUTED, FAILED = "EXECUTION_IN_PROGRESS", "EXECUTION_SUCCESS", "EXECUTION_FAILURE"
REVERSING, REVERSED, NOT_REVERSED = "REVERSE_IN_PROGRESS", "REVERSE_SUCCESS", "REVERSE_FAILURE"
RESETTING = "RESET_IN_PROGRESS"
IAM, SCP, SSM = "APPLY_IAM_POLICY", "APPLY_SCP_POLICY", "RUN_SSM_DOCUMENTS"
AUTOMATIC, MANUAL = "AUTOMATIC", "MANUAL"

BUDGETS = 20_000
NOTIFICATIONS = 5
EMAILS, TOPICS = 10, 1
ACTIONS = 100
"""Limits of an account, a budget, a notification (https://docs.aws.amazon.com/cost-management/latest/userguide/management-limits.html);
that of actions of a budget is ours."""


class Notification(msgspec.Struct, frozen=True, kw_only=True):
    """When whom to tell. `subscribers` are (type, address); `told` is the period (its first instant) for which they
    were told, None when they have not been yet."""

    kind: str
    operator: str
    threshold: float
    threshold_type: str = PERCENTAGE
    state: str = OK
    subscribers: tuple[tuple[str, str], ...] = ()
    told: datetime | None = None

    @property
    def identity(self) -> tuple[str, str, float, str]:
        """What the API names it by."""
        return self.kind, self.operator, self.threshold, self.threshold_type


class Past(msgspec.Struct, frozen=True, kw_only=True):
    """A period that is over: what was budgeted for it."""

    start: datetime
    limit: Decimal


@record("budgets", "budget", key="name", arn="budget/{name}", missing=errors.NO_BUDGET, regional=False)
class Budget(Record, frozen=True, kw_only=True):
    """A budget. `limits` are planned ones by the first second of their period; `fixed` is the one for all periods, or
    what an adjusting budget is at now. `filters` are the old form, `expression` and `metrics` the new one. `actual` and
    `forecast` are as of `seen`."""

    name: str
    kind: str
    unit: str
    fixed: Decimal = Decimal(0)
    measured_in: str = "USD"
    limits: dict[str, Decimal] = {}
    adjust: dict[str, Any] = {}
    adjusted: datetime | None = None
    """When its limit was last adjusted, and `looked_back` over how many periods that had something."""
    looked_back: int = 0
    filters: dict[str, list[str]] = {}
    types: dict[str, bool] = {}
    expression: dict[str, Any] = {}
    metrics: tuple[str, ...] = ()
    view: str = ""
    start: datetime
    end: datetime
    changed: datetime
    actual: Decimal = Decimal(0)
    forecast: Decimal | None = None
    seen: datetime | None = None
    stale: bool = True
    """Whether it was changed since it was last evaluated."""
    period: datetime | None = None
    """The first instant of the period that it was last evaluated in."""
    past: tuple[Past, ...] = ()
    notifications: tuple[Notification, ...] = ()
    actions: int = 0
    """How many actions it has: with some it is charged for."""
    tags: dict[str, str] = {}


class Event(msgspec.Struct, frozen=True, kw_only=True):
    """A line of an action's history: the action as it then was, as the API shows it."""

    at: datetime
    status: str
    kind: str
    message: str
    action: dict[str, Any]


@record(
    "budgets", "budgetAction", index=("budget",), arn="budget/{budget}/action/{id}", missing=errors.NO_ACTION,
    regional=False,
)  # fmt: skip
class Action(Record, frozen=True, kw_only=True):
    """What is to be done when a budget passes a threshold. `done` is the period (its first instant) in which
    it was last set off."""

    id: str
    budget: str
    notification: str
    kind: str
    threshold: float
    threshold_type: str
    definition: dict[str, Any]
    role: str
    approval: str
    status: str = STANDBY
    subscribers: tuple[tuple[str, str], ...]
    done: datetime | None = None
    history: tuple[Event, ...] = ()
    tags: dict[str, str] = {}
