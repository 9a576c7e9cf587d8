"""Free Tier: plans, what of the free allowances is used, alerts."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from cloudjar.kit import accounts, mailbox
from cloudjar.kit.db import Db
from cloudjar.services.budgets.records import Budget
from tests.jar import ACCOUNT, TestJar
from tests.services.budgets.asking import budget, create
from tests.services.budgets.test_alerts import machine, start_of_month


def opened(jar: TestJar, plan: accounts.Plan) -> None:
    """The default account was opened just now on a plan."""
    state = jar.jar.world.state
    with state.database.transaction():
        account = accounts.Account(
            account=ACCOUNT, id=ACCOUNT, name="me", email="root@example.com", plan=plan, opened=jar.clock.now()
        )
        accounts.save(Db(state, "", ""), account)


def test_an_account_is_on_the_paid_plan_unless_it_was_opened_on_the_free_one(jar: TestJar) -> None:
    free = jar.client("freetier", "us-east-1")
    assert free.get_account_plan_state() | {"ResponseMetadata": None} == {
        "accountId": ACCOUNT, "accountPlanType": "PAID", "accountPlanStatus": "ACTIVE", "ResponseMetadata": None,
    }  # fmt: skip
    assert free.list_account_activities()["activities"] == []
    with pytest.raises(free.exceptions.ValidationException):
        free.upgrade_account_plan(accountPlanType="PAID")


def test_credits_are_spent_and_earned(steady_jar: TestJar) -> None:
    jar = steady_jar
    start_of_month(jar)
    opened(jar, "free")
    free = jar.client("freetier", "us-east-1")
    state = free.get_account_plan_state()
    assert state["accountPlanRemainingCredits"] == {"amount": 100.0, "unit": "USD"}
    machine(jar)
    create(jar.client("budgets"), budget("b", "5"))
    jar.advance(days=4)
    done = {one["title"]: one["status"] for one in free.list_account_activities()["activities"]}
    assert done["Launch an instance using EC2"] == "COMPLETED"
    assert done["Set up a cost budget using AWS Budgets"] == "COMPLETED"
    assert done["Create an Amazon RDS database"] == "NOT_STARTED"
    todo = free.list_account_activities(filterActivityStatuses=["NOT_STARTED"])["activities"]
    one: dict[str, Any] = free.get_account_activity(activityId=todo[0]["activityId"])
    assert one["reward"]["credit"]["amount"] == 20
    left = free.get_account_plan_state()["accountPlanRemainingCredits"]["amount"]
    assert 137 < left < 140
    jar.advance(days=190)
    assert free.get_account_plan_state()["accountPlanStatus"] == "EXPIRED"
    assert free.upgrade_account_plan(accountPlanType="PAID")["accountPlanStatus"] == "ACTIVE"
    assert free.get_account_plan_state()["accountPlanType"] == "PAID"


def test_most_of_what_is_free_is_used(steady_jar: TestJar) -> None:
    jar = steady_jar
    start_of_month(jar)
    opened(jar, "12-months")
    free, budgets = jar.client("freetier", "us-east-1"), jar.client("budgets")
    for n in range(3):  # two budgets with actions are free: 62 days of budgets
        create(budgets, budget(f"b{n}", "5"))
    state = jar.jar.world.state
    with state.database.transaction():
        for held in Db(state, ACCOUNT, "")[Budget].all():
            Db(state, ACCOUNT, "")[Budget].put(replace(held, actions=1))
    assert free.get_free_tier_usage()["freeTierUsages"] == []
    jar.advance(days=15)
    (row,) = _of_budgets(free)
    assert (round(row["actualUsageAmount"]), row["limit"], row["freeTierType"]) == (45, 62, "Always Free")
    assert 80 < row["forecastedUsageAmount"] < 95
    assert mailbox.letters(jar.jar.world, recipient="root@example.com") == []
    jar.advance(days=4)
    (letter,) = mailbox.letters(jar.jar.world, recipient="root@example.com")
    assert "ActionEnabledBudgetsUsage" in letter.mail.body
    jar.advance(days=3)
    assert len(mailbox.letters(jar.jar.world, recipient="root@example.com")) == 1, "once a month"
    over = {"Dimensions": {"Key": "USAGE_PERCENTAGE", "Values": ["100"], "MatchOptions": ["GREATER_THAN_OR_EQUAL"]}}
    assert len(free.get_free_tier_usage(filter=over)["freeTierUsages"]) == 1


def _of_budgets(free: Any) -> list[dict[str, Any]]:
    only = {"Dimensions": {"Key": "SERVICE", "Values": ["AWS Budgets"], "MatchOptions": ["EQUALS"]}}
    return list(free.get_free_tier_usage(filter=only)["freeTierUsages"])
