"""`cloudjar budget`: the templates of AWS's console."""

from __future__ import annotations

import pytest

from tests.cli.terminal import Terminal
from tests.jar import ACCOUNT

TOLD = ("--email", "me@example.com")


@pytest.mark.parametrize(
    ("template", "more", "kind", "period", "limit", "thresholds"),
    [
        ("zero-spend", (), "COST", "MONTHLY", "1.0", {("ACTUAL", 0.01)}),
        ("monthly-cost", ("--amount", "5"), "COST", "MONTHLY", "5.0",
         {("ACTUAL", 85.0), ("ACTUAL", 100.0), ("FORECASTED", 100.0)}),
        ("savings-plans-coverage", ("--amount", "90"), "SAVINGS_PLANS_COVERAGE", "DAILY", "100.0", {("ACTUAL", 90.0)}),
        ("reservation-utilization", ("--amount", "80"), "RI_UTILIZATION", "DAILY", "100.0", {("ACTUAL", 80.0)}),
    ],
)  # fmt: skip
def test_a_template_becomes_a_budget(
    up: Terminal, template: str, more: tuple[str, ...], kind: str, period: str, limit: str, thresholds: set[object]
) -> None:
    assert "tells me@example.com" in up.good("budget", template, *TOLD, *more, "--name", template)
    asked = {"AccountId": ACCOUNT, "BudgetName": template}
    budgets = up.client("budgets")
    made = budgets.describe_budget(**asked)["Budget"]
    assert (made["BudgetType"], made["TimeUnit"], made["BudgetLimit"]["Amount"]) == (kind, period, limit)
    alerts = budgets.describe_notifications_for_budget(**asked)["Notifications"]
    assert {(one["NotificationType"], one["Threshold"]) for one in alerts} == thresholds
    for one in alerts:
        found = budgets.describe_subscribers_for_notification(**asked, Notification=_only(one))["Subscribers"]
        assert found == [{"SubscriptionType": "EMAIL", "Address": "me@example.com"}]


def _only(notification: dict[str, object]) -> dict[str, object]:
    wanted = ("NotificationType", "ComparisonOperator", "Threshold", "ThresholdType")
    return {name: notification[name] for name in wanted}


def test_an_amount_is_said_where_it_is_wanted(up: Terminal) -> None:
    without = up.run("budget", "monthly-cost", *TOLD)
    assert (without.code, "wants an amount" in without.err) == (1, True)
    more = up.run("budget", "zero-spend", *TOLD, "--amount", "5")
    assert (more.code, "takes no amount" in more.err) == (1, True)


def test_what_aws_refuses_is_told_in_its_words(up: Terminal) -> None:
    up.good("budget", "zero-spend", *TOLD)
    again = up.run("budget", "zero-spend", *TOLD)
    assert (again.code, "DuplicateRecordException" in again.err) == (1, True)
