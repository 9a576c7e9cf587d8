"""Free Tier: plans, what of the free allowances is used, alerts."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError
from msgspec.structs import replace

from cloudjar.gateway import accounts as accounts_door
from cloudjar.kit import accounts, mailbox
from cloudjar.kit.db import Db
from cloudjar.services.budgets.records import Budget
from tests.jar import ACCOUNT, TestJar
from tests.services.budgets.asking import budget, create
from tests.services.budgets.test_alerts import machine, start_of_month
from tests.services.ec2.test_instances import debian


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
    assert free.upgrade_account_plan(accountPlanType="PAID")["accountPlanStatus"] == "ACTIVE"
    assert free.get_account_plan_state()["accountPlanType"] == "PAID"
    jar.advance(days=3)
    _, costs = of_kinds(jar)
    assert costs["Usage"] + costs["Credit"] == 0, "they pay on after the upgrade"


def of_kinds(jar: TestJar) -> tuple[float, dict[str, float]]:
    """This month's cost, and by the type of its lines, from Cost Explorer."""
    now = jar.clock.now()
    found = jar.client("ce", "us-east-1").get_cost_and_usage(
        TimePeriod={"Start": f"{now:%Y-%m}-01", "End": f"{now + timedelta(days=1):%Y-%m-%d}"},
        Granularity="MONTHLY",
        Metrics=["UnblendedCost"],
        GroupBy=[{"Type": "DIMENSION", "Key": "RECORD_TYPE"}],
    )["ResultsByTime"][-1]["Groups"]
    costs = {one["Keys"][0]: float(one["Metrics"]["UnblendedCost"]["Amount"]) for one in found}
    return sum(costs.values()), costs


def test_credits_stand_on_the_bill_until_they_are_gone(steady_jar: TestJar) -> None:
    jar = steady_jar
    start_of_month(jar)
    opened(jar, "free")
    machine(jar)
    jar.advance(days=10)
    whole, costs = of_kinds(jar)
    assert abs(whole) < 1e-9
    assert costs["Credit"] == -costs["Usage"]
    assert costs["Usage"] > 2
    jar.advance(hours=13)
    now = jar.clock.now()
    hourly = jar.client("ce", "us-east-1").get_cost_and_usage(
        TimePeriod={"Start": f"{now:%Y-%m-%dT00:00:00Z}", "End": f"{now:%Y-%m-%dT%H:00:00Z}"},
        Granularity="HOURLY", Metrics=["UnblendedCost"],
    )["ResultsByTime"]  # fmt: skip
    assert all(abs(float(one["Total"]["UnblendedCost"]["Amount"])) < 1e-9 for one in hourly)


def test_a_free_plan_that_is_over_closes_the_account_until_it_is_upgraded(steady_jar: TestJar) -> None:
    jar = steady_jar
    opened(jar, "free")
    free = jar.client("freetier", "us-east-1")
    ends = free.get_account_plan_state()["accountPlanExpirationDate"]
    assert (ends - jar.clock.now()).days in range(180, 185)
    jar.advance(days=186)
    with pytest.raises(ClientError) as refused:
        free.get_account_plan_state()
    assert refused.value.response["Error"]["Code"] == "UnrecognizedClientException"
    (letter,) = mailbox.letters(jar.jar.world, recipient="root@example.com")
    assert letter.mail.subject == "Your AWS free account plan has ended"
    upgraded = accounts_door.upgrade_account(jar.jar, {"id": ACCOUNT})
    assert (upgraded["plan"], upgraded["state"]) == ("paid", "ACTIVE")
    assert free.get_account_plan_state()["accountPlanType"] == "PAID"
    with pytest.raises(ValueError, match="not on the free plan"):
        accounts_door.upgrade_account(jar.jar, {"id": ACCOUNT})


def test_seven_hundred_and_fifty_hours_are_exceeded_by_a_second_instance(steady_jar: TestJar) -> None:
    """A t2.micro left on for a month is free; a second one is not, and a letter says so before."""
    jar = steady_jar
    start_of_month(jar)
    opened(jar, "12-months")
    free, ec2 = jar.client("freetier", "us-east-1"), jar.client("ec2")
    free.get_free_tier_usage()
    for _ in range(2):
        ec2.run_instances(ImageId=debian(ec2), InstanceType="t2.micro", MinCount=1, MaxCount=1)
    jar.settle()
    jar.advance(days=12)
    hours = {one["usageType"]: one for one in free.get_free_tier_usage()["freeTierUsages"]}
    box = hours["Global-BoxUsage:freetier.micro"]
    assert (round(box["actualUsageAmount"]), box["limit"], box["freeTierType"]) == (576, 750, "12 Months Free")
    assert box["forecastedUsageAmount"] > 1300
    whole, _ = of_kinds(jar)
    assert whole == 0
    assert mailbox.letters(jar.jar.world, recipient="root@example.com") == []
    jar.advance(days=2)
    told = [one.mail.body for one in mailbox.letters(jar.jar.world, recipient="root@example.com")]
    assert sorted("Global-BoxUsage:freetier.micro" in body for body in told)[-1]
    jar.advance(days=4)
    whole, _ = of_kinds(jar)
    over = 2 * 18 * 24 - 750
    assert whole - 0.01 == pytest.approx(over * (0.0132 + 0.005), rel=1e-3), "and a cent for asking Cost Explorer"
    jar.advance(days=366)
    assert not any(one["freeTierType"] == "12 Months Free" for one in free.get_free_tier_usage()["freeTierUsages"])


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
