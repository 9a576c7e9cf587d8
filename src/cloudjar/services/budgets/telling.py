"""What subscribers are told: by e-mail into the mailbox, and through SNS as ``budgets.amazonaws.com``.

https://docs.aws.amazon.com/cost-management/latest/userguide/budgets-sns-policy.html
"""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

from cloudjar.base import arn as arns
from cloudjar.base import caller as callers
from cloudjar.base.errors import AwsError
from cloudjar.kit import mailbox
from cloudjar.kit.context import Ctx
from cloudjar.kit.record import arn_of
from cloudjar.services.budgets.periods import ANNUALLY, CUSTOM, DAILY, MONTHLY, QUARTERLY
from cloudjar.services.budgets.records import FORECASTED, PERCENTAGE, Action, Budget, Notification

PRINCIPAL = "budgets.amazonaws.com"
_SENDER = "budgets@costalerts.amazonaws.com"
_KINDS = {
    "COST": "Cost", "USAGE": "Usage", "RI_UTILIZATION": "Reservation Utilization",
    "RI_COVERAGE": "Reservation Coverage", "SAVINGS_PLANS_UTILIZATION": "Savings Plans Utilization",
    "SAVINGS_PLANS_COVERAGE": "Savings Plans Coverage",
}  # fmt: skip
_OPERATORS = {"GREATER_THAN": (">", "greater than"), "LESS_THAN": ("<", "less than"), "EQUAL_TO": ("=", "equal to")}
_SPANS = {DAILY: "day", MONTHLY: "month", QUARTERLY: "quarter", ANNUALLY: "year", CUSTOM: "period"}


def money(budget: Budget, value: Decimal) -> str:
    """An amount for people: ``$5.00``, ``3.50 Hrs``."""
    if budget.measured_in == "PERCENTAGE":
        return f"{value:,.2f}%"
    return f"${value:,.2f}" if budget.measured_in == "USD" else f"{value:,.2f} {budget.measured_in}"


def threshold(one: Notification | Action, limit: Decimal) -> Decimal:
    """The amount from which on it is passed."""
    value = Decimal(str(one.threshold))
    return value * limit / 100 if one.threshold_type == PERCENTAGE else value


def alert(ctx: Ctx, budget: Budget, one: Notification, limit: Decimal, value: Decimal) -> None:
    """Tell the subscribers of a notification that its threshold is passed; in the running transaction."""
    subject = f"AWS Budgets: {budget.name} has exceeded your alert threshold"
    if one.operator == "LESS_THAN":
        subject = f"AWS Budgets: {budget.name} has dropped below your alert threshold"
    sign, words = _OPERATORS[one.operator]
    kind, passed = _KINDS[budget.kind], money(budget, threshold(one, limit))
    what = f"{'FORECASTED' if one.kind == FORECASTED else 'ACTUAL'} {kind}"
    body = "\n".join((
        *_head(ctx, ctx.now),
        f"You asked to be told when the {what} of your budget {budget.name} is {words} {passed} for the current "
        f"{_SPANS[budget.unit]}. It is {money(budget, value)} now.",
        "",
        f"Budget Name: {budget.name}",
        f"Budget Type: {kind}",
        f"Budgeted Amount: {money(budget, limit)}",
        f"Alert Type: {one.kind}",
        f"Alert Threshold: {sign} {passed}",
        f"{one.kind} Amount: {money(budget, value)}",
    ))  # fmt: skip
    _send(ctx, budget, one.subscribers, subject, body)


def acted(ctx: Ctx, budget: Budget, action: Action, said: str) -> None:
    """Tell the subscribers of an action what it waits for, or what it did."""
    body = "\n".join((
        *_head(ctx, ctx.now),
        said,
        "",
        f"Budget Name: {budget.name}",
        f"Action Type: {action.kind}",
        f"Action ID: {action.id}",
        f"Approval: {action.approval}",
        f"Status: {action.status}",
    ))  # fmt: skip
    _send(ctx, budget, action.subscribers, f"AWS Budgets: action of {budget.name}: {action.status}", body)


def _head(ctx: Ctx, now: datetime) -> tuple[str, ...]:
    return (f"AWS Budget Notification {now:%B %d, %Y}", f"AWS Account {ctx.account}", "", "Dear AWS Customer,", "")


def _send(ctx: Ctx, budget: Budget, subscribers: tuple[tuple[str, str], ...], subject: str, body: str) -> None:
    for kind, address in subscribers:
        if kind == "EMAIL":
            letter = mailbox.Mail(ctx.account, "", "email", _SENDER, address, subject, body)
            mailbox.deliver(ctx.world, letter)
        else:
            _publish(ctx, budget, address, subject, body)


def _publish(ctx: Ctx, budget: Budget, topic: str, subject: str, body: str) -> None:
    """The topic's policy must let AWS Budgets publish; a topic that refuses, or is gone, is told nothing."""
    arn = arns.parse(topic)
    assert arn is not None  # `subscribing` has seen to it
    who = callers.service(PRINCIPAL, budget.account, arn_of(budget))
    params = {"TopicArn": topic, "Subject": subject[:100], "Message": body}
    try:
        ctx.at(ctx.account, arn.region).call("sns", "Publish", params, caller=who)
    except AwsError:
        return
