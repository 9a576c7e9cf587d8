"""Budgets: made, changed, read, refused."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.jar import ACCOUNT, TestJar
from tests.services.budgets.asking import alarm, budget, create


def refused(call: Any, **params: Any) -> tuple[str, str]:
    """Code and message of a refusal."""
    with pytest.raises(ClientError) as caught:
        call(**params)
    return caught.value.response["Error"]["Code"], caught.value.response["Error"]["Message"]


def test_a_budget_is_shown_with_what_aws_fills_in(jar: TestJar) -> None:
    budgets = jar.client("budgets")
    create(budgets, budget("five", "5"))
    shown = budgets.describe_budget(AccountId=ACCOUNT, BudgetName="five")["Budget"]
    assert shown["BudgetLimit"] == {"Amount": "5.0", "Unit": "USD"}
    assert shown["CalculatedSpend"]["ActualSpend"]["Unit"] == "USD"
    assert shown["TimePeriod"]["End"].astimezone(UTC) == datetime(2087, 6, 15, tzinfo=UTC)
    start, now = shown["TimePeriod"]["Start"].astimezone(UTC), jar.clock.now()
    assert (start.year, start.month, start.day, start.hour) == (now.year, now.month, 1, 0)
    assert shown["CostTypes"]["IncludeTax"] is True
    assert shown["CostTypes"]["UseBlended"] is False
    assert shown["HealthStatus"]["Status"] == "HEALTHY"
    assert refused(budgets.create_budget, AccountId=ACCOUNT, Budget=budget("five", "6")) == (
        "DuplicateRecordException", "Error creating budget: five - the budget already exists.")  # fmt: skip
    budgets.update_budget(AccountId=ACCOUNT, NewBudget=budget("five", "7.25"))
    changed = budgets.describe_budgets(AccountId=ACCOUNT)["Budgets"]
    assert [one["BudgetLimit"]["Amount"] for one in changed] == ["7.25"]
    budgets.delete_budget(AccountId=ACCOUNT, BudgetName="five")
    assert refused(budgets.describe_budget, AccountId=ACCOUNT, BudgetName="five") == (
        "NotFoundException", "Unable to get budget: five - the budget doesn't exist.")  # fmt: skip


def test_nobody_asks_for_the_budgets_of_another_account(steady_jar: TestJar) -> None:
    budgets = steady_jar.client("budgets")
    assert refused(budgets.describe_budgets, AccountId="111122223333")[0] == "AccessDeniedException"


@pytest.mark.parametrize(
    "wrong",
    [
        {"BudgetLimit": None},
        {"BudgetLimit": {"Amount": "5", "Unit": "EUR"}},
        {"BudgetLimit": {"Amount": "0", "Unit": "USD"}},
        {"AutoAdjustData": {"AutoAdjustType": "FORECAST"}},
        {"BudgetLimit": None, "AutoAdjustData": {"AutoAdjustType": "HISTORICAL"}},
        {"CostFilters": {"Weather": ["rain"]}},
        {"TimePeriod": {"Start": datetime(2030, 1, 1, tzinfo=UTC), "End": datetime(2029, 1, 1, tzinfo=UTC)}},
        {"FilterExpression": {"Dimensions": {"Key": "REGION", "Values": ["eu-west-3"]}}},
        {"BudgetType": "USAGE", "BudgetLimit": {"Amount": "5", "Unit": "Hrs"}},
        {"BudgetType": "RI_UTILIZATION", "BudgetLimit": {"Amount": "90", "Unit": "PERCENTAGE"}},
        {"BudgetType": "RI_COVERAGE", "BudgetLimit": None, "CostFilters": {"Service": ["Amazon Redshift"]}},
        {"BudgetType": "SAVINGS_PLANS_COVERAGE", "BudgetLimit": None, "AutoAdjustData": {"AutoAdjustType": "FORECAST"}},
        {"TimeUnit": "CUSTOM"},
    ],
)
def test_what_is_no_budget_is_refused(steady_jar: TestJar, wrong: dict[str, Any]) -> None:
    asked = {name: value for name, value in {**budget("b", "5"), **wrong}.items() if value is not None}
    assert refused(steady_jar.client("budgets").create_budget, AccountId=ACCOUNT, Budget=asked)[0] == (
        "InvalidParameterException")  # fmt: skip


def test_planned_limits_follow_each_other(steady_jar: TestJar) -> None:
    budgets, now = steady_jar.client("budgets"), steady_jar.clock.now()
    first = datetime(now.year, now.month, 1, tzinfo=UTC)
    second = datetime(now.year + now.month // 12, now.month % 12 + 1, 1, tzinfo=UTC)
    asked = budget("planned", "1")
    del asked["BudgetLimit"]
    planned = {str(int(one.timestamp())): {"Amount": str(n), "Unit": "USD"} for n, one in enumerate((first, second), 1)}
    create(budgets, {**asked, "PlannedBudgetLimits": planned})
    assert budgets.describe_budget(AccountId=ACCOUNT, BudgetName="planned")["Budget"]["BudgetLimit"]["Amount"] == "1.0"
    steady_jar.advance(days=32)
    shown = budgets.describe_budget(AccountId=ACCOUNT, BudgetName="planned")["Budget"]
    assert shown["BudgetLimit"]["Amount"] == "2.0"
    assert len(shown["PlannedBudgetLimits"]) == 2
    wrong = {str(int(second.timestamp()) + 86400): planned[max(planned)]}
    asked |= {"BudgetName": "x", "PlannedBudgetLimits": wrong}
    assert refused(budgets.create_budget, AccountId=ACCOUNT, Budget=asked)[0] == "InvalidParameterException"


def test_notifications_and_subscribers_are_kept_apart(jar: TestJar) -> None:
    budgets = jar.client("budgets")
    create(budgets, budget("b", "5"), alarm(80, "a@example.com"))
    named = {"AccountId": ACCOUNT, "BudgetName": "b"}
    at80, at100 = alarm(80)["Notification"], alarm(100)["Notification"]
    one, two = ({"SubscriptionType": "EMAIL", "Address": f"{name}@example.com"} for name in "ab")
    assert refused(budgets.create_notification, **named, Notification=at80, Subscribers=[one])[0] == (
        "DuplicateRecordException")  # fmt: skip
    budgets.create_notification(**named, Notification=at100, Subscribers=[one])
    budgets.create_subscriber(**named, Notification=at100, Subscriber=two)
    again = refused(budgets.create_subscriber, **named, Notification=at100, Subscriber=two)
    assert again[0] == "DuplicateRecordException"
    told = budgets.describe_subscribers_for_notification(**named, Notification=at100)["Subscribers"]
    assert told == [one, two]
    at90 = alarm(90)["Notification"]
    budgets.update_notification(**named, OldNotification=at100, NewNotification=at90)
    assert refused(budgets.describe_subscribers_for_notification, **named, Notification=at100)[0] == "NotFoundException"
    assert budgets.describe_subscribers_for_notification(**named, Notification=at90)["Subscribers"] == [one, two]
    for subscriber in (one, two):
        budgets.delete_subscriber(**named, Notification=at90, Subscriber=subscriber)
    left = budgets.describe_notifications_for_budget(**named)["Notifications"]
    assert [n["Threshold"] for n in left] == [80.0]
    assert left[0]["NotificationState"] == "OK"
    everywhere = budgets.describe_budget_notifications_for_account(AccountId=ACCOUNT)["BudgetNotificationsForAccount"]
    assert [one["BudgetName"] for one in everywhere] == ["b"]


def test_limits_of_notifications_and_subscribers(steady_jar: TestJar) -> None:
    budgets = steady_jar.client("budgets")
    create(budgets, budget("b", "5"), *(alarm(n) for n in (50, 60, 70, 80, 90)))
    named = {"AccountId": ACCOUNT, "BudgetName": "b"}
    more = alarm(95)
    assert refused(budgets.create_notification, **named, **more)[0] == "CreationLimitExceededException"
    held = alarm(50)["Notification"]
    for n in range(9):
        told = {"SubscriptionType": "EMAIL", "Address": f"{n}@x.org"}
        budgets.create_subscriber(**named, Notification=held, Subscriber=told)
    tenth = {"SubscriptionType": "EMAIL", "Address": "more@x.org"}
    assert refused(budgets.create_subscriber, **named, Notification=held, Subscriber=tenth)[0] == (
        "CreationLimitExceededException")  # fmt: skip


def test_tags_of_a_budget(jar: TestJar) -> None:
    budgets = jar.client("budgets")
    budgets.create_budget(AccountId=ACCOUNT, Budget=budget("a/b", "5"), ResourceTags=[{"Key": "k", "Value": "v"}])
    arn = f"arn:aws:budgets::{ACCOUNT}:budget/a/b"
    budgets.tag_resource(ResourceARN=arn, ResourceTags=[{"Key": "l", "Value": "w"}])
    budgets.untag_resource(ResourceARN=arn, ResourceTagKeys=["k"])
    assert budgets.list_tags_for_resource(ResourceARN=arn)["ResourceTags"] == [{"Key": "l", "Value": "w"}]


@pytest.mark.parametrize("amount", ["9" * 5000, "1000000000001"])
def test_amounts_are_of_this_world(steady_jar: TestJar, amount: str) -> None:
    asked = budget("b", amount)
    assert refused(steady_jar.client("budgets").create_budget, AccountId=ACCOUNT, Budget=asked)[0] == (
        "InvalidParameterException")  # fmt: skip
