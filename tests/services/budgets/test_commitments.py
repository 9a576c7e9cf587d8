"""Budgets of utilization and coverage: percents of what was bought ahead, and who is told when they are too low."""

from __future__ import annotations

from typing import Any

import pytest

from tests.billing.buying import commit, launch, reserve
from tests.jar import ACCOUNT, TestJar
from tests.services.budgets.asking import alarm, create
from tests.services.budgets.test_alerts import letters
from tests.services.budgets.test_budgets import refused

KINDS = ("RI_UTILIZATION", "RI_COVERAGE", "SAVINGS_PLANS_UTILIZATION", "SAVINGS_PLANS_COVERAGE")


def percents(kind: str, unit: str = "DAILY") -> dict[str, Any]:
    service = {"Service": ["Amazon Elastic Compute Cloud - Compute"]} if kind.startswith("RI_") else {}
    return {"BudgetName": kind.lower(), "BudgetType": kind, "TimeUnit": unit, "CostFilters": service}


def below(percent: float) -> dict[str, Any]:
    asked = alarm(percent)
    asked["Notification"]["ComparisonOperator"] = "LESS_THAN"
    return asked


def actual(jar: TestJar, kind: str) -> float:
    shown = jar.client("budgets").describe_budget(AccountId=ACCOUNT, BudgetName=kind.lower())["Budget"]
    assert shown["BudgetLimit"] == {"Amount": "100.0", "Unit": "PERCENTAGE"}
    return float(shown["CalculatedSpend"]["ActualSpend"]["Amount"])


def test_percents_of_what_is_used_and_covered(jar: TestJar) -> None:
    launch(jar)
    reserve(jar, "t3.small")
    launch(jar, "t3.small")  # 1.5 units of which 1 is reserved: of the hours 0.75
    commit(jar, "0.0236")  # at a rate of 0.01723 for half a t3.small
    for kind in KINDS:
        create(jar.client("budgets"), percents(kind))
    jar.advance(days=2)
    assert [round(actual(jar, kind), 1) for kind in KINDS] == [100, 75, 36.5, 100]
    told = jar.client("budgets").describe_budget_performance_history(AccountId=ACCOUNT, BudgetName=KINDS[1].lower())
    amounts = told["BudgetPerformanceHistory"]["BudgetedAndActualAmountsList"]
    assert [float(one["ActualAmount"]["Amount"]) for one in amounts][-2:] == [75, 75]
    assert {one["ActualAmount"]["Unit"] for one in amounts} == {"PERCENTAGE"}


def test_who_is_told_of_what_is_not_used(jar: TestJar) -> None:
    create(jar.client("budgets"), percents("RI_UTILIZATION", "MONTHLY"), below(80))
    jar.advance(days=2)
    assert letters(jar) == []  # of nothing there are no percents
    reserve(jar)
    jar.advance(days=1)
    ((_, subject, text),) = letters(jar)
    assert subject == "AWS Budgets: ri_utilization has dropped below your alert threshold"
    assert "ACTUAL Reservation Utilization of your budget ri_utilization is less than 80.00%" in text


@pytest.mark.parametrize("kind", KINDS)
def test_there_are_no_forecasts_of_them(steady_jar: TestJar, kind: str) -> None:
    budgets = steady_jar.client("budgets")
    asked = {"AccountId": ACCOUNT, "Budget": percents(kind, "MONTHLY")}
    notifications = [alarm(80, kind="FORECASTED")]
    code, _ = refused(budgets.create_budget, **asked, NotificationsWithSubscribers=notifications)
    assert code == "InvalidParameterException"
