"""Subscribers and notifications of a request, checked.

https://docs.aws.amazon.com/cost-management/latest/userguide/management-limits.html
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from msgspec.structs import replace

from cloudjar.base import arn as arns
from cloudjar.services.budgets import covering, errors
from cloudjar.services.budgets.periods import DAILY
from cloudjar.services.budgets.records import (
    EMAILS,
    FORECASTED,
    NOTIFICATIONS,
    PERCENTAGE,
    TOPICS,
    Budget,
    Notification,
)

_ADDRESS = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")
Subscriber = tuple[str, str]


def subscriber(given: Mapping[str, Any]) -> Subscriber:
    """(type, address)."""
    kind, address = given["SubscriptionType"], given["Address"].strip()
    if kind == "EMAIL" and not _ADDRESS.fullmatch(address):
        raise errors.invalid("The address of the subscriber is not a valid e-mail address.")
    if kind == "SNS":
        arn = arns.parse(address)
        if arn is None or arn.service != "sns" or not arn.region or ":" in arn.resource or address.endswith(".fifo"):
            raise errors.invalid("The address of the subscriber is not the ARN of a standard SNS topic.")
    return kind, address


def subscribers(given: Iterable[Mapping[str, Any]]) -> tuple[Subscriber, ...]:
    """All of a request; each once, and no more than there may be."""
    return within(tuple(subscriber(one) for one in given))


def within(found: tuple[Subscriber, ...]) -> tuple[Subscriber, ...]:
    """Subscribers, if they may be together."""
    if len(set(found)) != len(found):
        raise errors.duplicate("The notification already has this subscriber.")
    topics = sum(1 for kind, _ in found if kind == "SNS")
    if topics > TOPICS or len(found) - topics > EMAILS:
        raise errors.too_many(f"A notification can have up to {EMAILS} e-mail subscribers and {TOPICS} SNS topic.")
    return found


def notification(given: Mapping[str, Any], budget: Budget) -> Notification:
    """A notification of a budget."""
    kind, value = given["NotificationType"], float(given["Threshold"])
    if kind == FORECASTED and budget.unit == DAILY:
        raise errors.invalid("There are no forecasts for daily budgets.")
    if kind == FORECASTED and budget.kind in covering.KINDS:
        raise errors.invalid(f"There are no forecasts for budgets of type {budget.kind}.")
    if not 0 <= value <= 40_000_000_000:
        raise errors.invalid("The threshold must be between 0 and 40,000,000,000.")
    return Notification(
        kind=kind,
        operator=given["ComparisonOperator"],
        threshold=value,
        threshold_type=given.get("ThresholdType") or PERCENTAGE,
    )


def add(budget: Budget, one: Notification) -> Budget:
    """A budget with one more notification."""
    if any(held.identity == one.identity for held in budget.notifications):
        raise errors.duplicate("The budget already has this notification.")
    if len(budget.notifications) >= NOTIFICATIONS:
        raise errors.too_many(f"A budget can have up to {NOTIFICATIONS} notifications.")
    return replace(budget, notifications=(*budget.notifications, one), stale=True)


def find(budget: Budget, given: Mapping[str, Any]) -> Notification:
    """The notification of a budget that a request names; raises NotFoundException."""
    named = notification(given, budget).identity
    for held in budget.notifications:
        if held.identity == named:
            return held
    raise errors.no_notification()


def swap(budget: Budget, old: Notification, new: Notification | None) -> Budget:
    """A budget with a notification replaced, or without it."""
    kept = [new if held is old else held for held in budget.notifications]
    return replace(budget, notifications=tuple(held for held in kept if held is not None))
