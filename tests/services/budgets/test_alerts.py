"""Budgets that tell: by e-mail and through SNS, on the right day, once in a period."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

from cloudjar.kit import mailbox
from tests.jar import ACCOUNT, TestJar
from tests.services.budgets.asking import alarm, budget, create
from tests.services.ec2.test_instances import debian


def letters(jar: TestJar, to: str = "me@example.com") -> list[tuple[datetime, str, str]]:
    """What came: when, its subject, its text; oldest first."""
    found = mailbox.letters(jar.jar.world, recipient=to)
    return [(datetime.fromtimestamp(one.at, UTC), one.mail.subject, one.mail.body) for one in reversed(found)]


def start_of_month(jar: TestJar) -> datetime:
    """Move on to the first instant of a month, which is given."""
    now = jar.clock.now()
    turn = datetime(now.year + now.month // 12, now.month % 12 + 1, 1, tzinfo=UTC)
    jar.advance(seconds=(turn - now).total_seconds())
    return turn


def machine(jar: TestJar) -> str:
    """A running t3.micro."""
    ec2 = jar.client("ec2")
    vm = ec2.run_instances(ImageId=debian(ec2), InstanceType="t3.micro", MinCount=1, MaxCount=1)
    jar.settle()
    return str(vm["Instances"][0]["InstanceId"])


def spent(jar: TestJar, name: str = "five") -> float:
    """What a budget says was spent."""
    shown = jar.client("budgets").describe_budget(AccountId=ACCOUNT, BudgetName=name)["Budget"]
    return float(shown["CalculatedSpend"]["ActualSpend"]["Amount"])


def test_five_dollars_are_passed_on_the_right_day(jar: TestJar) -> None:
    first = start_of_month(jar)
    machine(jar)
    budgets = jar.client("budgets")
    create(budgets, budget("five", "5"), alarm(100), alarm(85, "early@example.com"))
    jar.advance(hours=48)
    assert letters(jar) == []
    daily = spent(jar) / 2
    assert 0.2 < daily < 1
    jar.advance(days=25)
    (at, subject, text), (early, _, _) = letters(jar)[0], letters(jar, "early@example.com")[0]
    # The first refresh (every eight hours) at which more than five dollars were spent.
    due = 5 / daily * 24
    assert 0 < (at - first).total_seconds() / 3600 - due <= 8
    assert 0 < (early - first).total_seconds() / 3600 - 0.85 * due <= 8
    assert subject == "AWS Budgets: five has exceeded your alert threshold"
    assert f"AWS Account {ACCOUNT}" in text
    assert "Budgeted Amount: $5.00" in text
    assert "Alert Threshold: > $5.00" in text
    assert len(letters(jar)) == 1, "once in a period"
    held = budgets.describe_notifications_for_budget(AccountId=ACCOUNT, BudgetName="five")["Notifications"]
    assert {one["NotificationState"] for one in held} == {"ALARM"}
    jar.advance(days=6)
    held = budgets.describe_notifications_for_budget(AccountId=ACCOUNT, BudgetName="five")["Notifications"]
    assert {one["NotificationState"] for one in held} == {"OK"}, "another month"
    jar.advance(days=24)
    assert len(letters(jar)) == 2
    rows = budgets.describe_budget_performance_history(AccountId=ACCOUNT, BudgetName="five")
    past = rows["BudgetPerformanceHistory"]["BudgetedAndActualAmountsList"]
    assert [row["BudgetedAmount"]["Amount"] for row in past] == ["5.0", "5.0"]
    assert abs(float(past[0]["ActualAmount"]["Amount"]) - daily * _days(first)) < 0.1


def _days(first: datetime) -> int:
    last = datetime(first.year + first.month // 12, first.month % 12 + 1, 1, tzinfo=UTC)
    return (last - first).days


def test_a_forecast_tells_long_before(steady_jar: TestJar) -> None:
    jar = steady_jar
    start_of_month(jar)
    machine(jar)
    create(jar.client("budgets"), budget("five", "5"), alarm(100, kind="FORECASTED"))
    jar.advance(days=2)
    (_, _, text), = letters(jar)  # fmt: skip
    assert "Alert Type: FORECASTED" in text
    shown = jar.client("budgets").describe_budget(AccountId=ACCOUNT, BudgetName="five")["Budget"]["CalculatedSpend"]
    assert float(shown["ForecastedSpend"]["Amount"]) > 5 > float(shown["ActualSpend"]["Amount"])


def test_a_topic_is_told_if_its_policy_lets_budgets(jar: TestJar) -> None:
    start_of_month(jar)
    machine(jar)
    sns, sqs = jar.client("sns", "us-east-1"), jar.client("sqs", "us-east-1")
    queue = sqs.create_queue(QueueName="q")["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    topics = {name: sns.create_topic(Name=name)["TopicArn"] for name in ("open", "shut")}
    allow = {"Effect": "Allow", "Principal": {"Service": "sns.amazonaws.com"}, "Action": "sqs:*"}
    allow["Resource"] = arn
    _policy(lambda text: sqs.set_queue_attributes(QueueUrl=queue, Attributes={"Policy": text}), allow)
    for topic in topics.values():
        sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn, Attributes={"RawMessageDelivery": "true"})
    may = {
        "Effect": "Allow",
        "Principal": {"Service": "budgets.amazonaws.com"},
        "Action": "SNS:Publish",
        "Resource": topics["open"],
        "Condition": {
            "StringEquals": {"aws:SourceAccount": ACCOUNT},
            "ArnLike": {"aws:SourceArn": f"arn:aws:budgets::{ACCOUNT}:*"},
        },
    }
    _policy(
        lambda text: sns.set_topic_attributes(TopicArn=topics["open"], AttributeName="Policy", AttributeValue=text), may
    )
    for name, topic in topics.items():
        create(jar.client("budgets"), budget(name, "0.1"), alarm(100, topic=topic))
    jar.advance(days=2)
    heard = []
    while found := sqs.receive_message(QueueUrl=queue).get("Messages"):
        heard += [one["Body"] for one in found]
        sqs.delete_message(QueueUrl=queue, ReceiptHandle=found[0]["ReceiptHandle"])
    assert len(heard) == 1
    assert "Budget Name: open" in heard[0]
    assert len(letters(jar)) == 2, "e-mail comes all the same"


def _policy(put: Any, statement: dict[str, Any]) -> None:
    put(json.dumps({"Version": "2012-10-17", "Statement": [statement]}))


def test_filters_and_usage(steady_jar: TestJar) -> None:
    jar = steady_jar
    start_of_month(jar)
    machine(jar)
    budgets = jar.client("budgets")
    elsewhere = budget("elsewhere", "5", CostFilters={"Region": ["us-west-2"]})
    here = budget("here", "5", FilterExpression={"Dimensions": {"Key": "REGION", "Values": ["eu-west-3"]}},
                  Metrics=["UnblendedCost"])  # fmt: skip
    hours = budget("hours", "20", BudgetType="USAGE", CostFilters={"UsageType": ["EUW3-BoxUsage:t3.micro"]})
    hours["BudgetLimit"]["Unit"] = "Hrs"
    for one in (elsewhere, here, hours):
        create(budgets, one, alarm(100))
    jar.advance(days=1)
    assert spent(jar, "elsewhere") == 0 < spent(jar, "here")
    assert spent(jar, "hours") == 24
    (_, _, text), = letters(jar)  # fmt: skip
    assert "Budget Type: Usage" in text
    assert "ACTUAL Amount: 24.00 Hrs" in text


def test_a_budget_adjusts_itself_to_what_was_spent(steady_jar: TestJar) -> None:
    jar = steady_jar
    start_of_month(jar)
    machine(jar)
    asked = budget("auto", "1", TimeUnit="DAILY")
    del asked["BudgetLimit"]
    adjust = {"AutoAdjustType": "HISTORICAL", "HistoricalOptions": {"BudgetAdjustmentPeriod": 3}}
    create(jar.client("budgets"), {**asked, "AutoAdjustData": adjust}, alarm(150))
    jar.advance(hours=20)
    assert letters(jar) == [], "nothing to adjust to yet"
    jar.advance(days=1, hours=5)
    same = {**asked, "AutoAdjustData": adjust, "CostFilters": {"Region": ["eu-west-3"]}}
    jar.client("budgets").update_budget(AccountId=ACCOUNT, NewBudget=same)
    shown = jar.client("budgets").describe_budget(AccountId=ACCOUNT, BudgetName="auto")["Budget"]
    assert float(shown["BudgetLimit"]["Amount"]) > 0.2
    assert shown["AutoAdjustData"]["HistoricalOptions"]["LookBackAvailablePeriods"] == 2
    assert shown["AutoAdjustData"]["LastAutoAdjustTime"]
