"""Savings Plans: what is on offer, what a commitment costs, and when it is over."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import partial
from typing import Any

import pytest

from cloudjar.billing.ledger import ledger
from cloudjar.billing.lines import measure
from cloudjar.billing.rate import rate
from tests.jar import TestJar
from tests.services.ec2.asking import NOWHERE, code

EPOCH = datetime(2000, 1, 1, tzinfo=UTC)
HOURS = 8760


@pytest.fixture
def plans(jar: TestJar) -> Any:
    return jar.client("savingsplans", region="us-east-1")


def offer(plans: Any, option: str = "No Upfront", kind: str = "Compute", **more: Any) -> dict[str, Any]:
    found = plans.describe_savings_plans_offerings(
        planTypes=[kind], paymentOptions=[option], durations=[HOURS * 3600], **more
    )["searchResults"]
    return found[0]  # type: ignore[no-any-return]  # botocore's answers are untyped


def buy(plans: Any, option: str = "No Upfront", commitment: str = "0.5", **more: Any) -> str:
    key = offer(plans, option)["offeringId"]
    bought = plans.create_savings_plan(savingsPlanOfferingId=key, commitment=commitment, **more)
    return str(bought["savingsPlanId"])


def shown(plans: Any, key: str) -> dict[str, Any]:
    (found,) = plans.describe_savings_plans(savingsPlanIds=[key])["savingsPlans"]
    return found  # type: ignore[no-any-return]  # botocore's answers are untyped


def paid(jar: TestJar) -> Decimal:
    now = jar.clock.now() + timedelta(seconds=1)
    spans = [s for s in jar.jar.usage.spans(EPOCH, now) if s.meter.service == "ComputeSavingsPlans"]
    return sum((charge.cost or Decimal(0) for charge in rate(measure(spans, EPOCH, now))), Decimal(0))


def test_offers_over_everything_and_for_a_family(plans: Any) -> None:
    assert offer(plans)["description"] == "1 year No Upfront Compute Savings Plan"
    filters = [{"name": "region", "values": ["eu-west-3"]}, {"name": "instanceFamily", "values": ["t3"]}]
    found = offer(plans, kind="EC2Instance", filters=filters)
    assert found["usageType"] == "EUW3-EC2SP:t3.1yrNoUpfront"
    rates = plans.describe_savings_plans_offering_rates(
        savingsPlanOfferingIds=[found["offeringId"]], filters=[{"name": "instanceType", "values": ["t3.micro"]}]
    )["searchResults"]
    assert [(r["usageType"], r["rate"]) for r in rates] == [("EUW3-BoxUsage:t3.micro", "0.00740")]
    assert plans.describe_savings_plans_offerings(planTypes=["SageMaker"])["searchResults"] == []


def test_a_commitment_is_paid_by_the_hour(jar: TestJar, plans: Any) -> None:
    key = buy(plans, tags={"team": "web"})
    assert shown(plans, key)["state"] == "payment-pending"
    jar.settle()
    found = shown(plans, key)
    assert (found["state"], found["recurringPaymentAmount"], found["tags"]) == ("active", "0.50000000", {"team": "web"})
    jar.advance(hours=10)
    assert paid(jar) == pytest.approx(Decimal(5), abs=Decimal("0.01"))
    jar.advance(days=366)
    assert shown(plans, key)["state"] == "retired"
    assert paid(jar) == pytest.approx(Decimal("0.5") * HOURS, abs=Decimal("0.01"))


def test_all_or_half_at_once(jar: TestJar, plans: Any) -> None:
    buy(plans, "All Upfront")
    jar.settle()
    assert paid(jar) == pytest.approx(Decimal("0.5") * HOURS, abs=Decimal("0.01"))
    half = buy(plans, "Partial Upfront", "1")
    jar.settle()
    assert Decimal(shown(plans, half)["upfrontPaymentAmount"]) == HOURS // 2
    assert Decimal(shown(plans, half)["recurringPaymentAmount"]) == Decimal("0.5")


def test_a_purchase_that_waits(jar: TestJar, plans: Any) -> None:
    later = jar.clock.now() + timedelta(days=5)
    first, second = (buy(plans, purchaseTime=later) for _ in range(2))
    jar.settle()
    assert shown(plans, first)["state"] == "queued"
    plans.delete_queued_savings_plan(savingsPlanId=second)
    jar.advance(days=6)
    assert [shown(plans, key)["state"] for key in (first, second)] == ["active", "queued-deleted"]
    assert code(plans.delete_queued_savings_plan, savingsPlanId=first) == "ValidationException"


def test_rates_of_what_was_bought(plans: Any) -> None:
    key = buy(plans)
    wanted = [{"name": "region", "values": ["eu-west-3"]}, {"name": "instanceType", "values": ["t3.micro"]}]
    found = plans.describe_savings_plan_rates(savingsPlanId=key, filters=wanted)["searchResults"]
    assert [one["rate"] for one in found] == ["0.00861"]
    pages = plans.describe_savings_plan_rates(savingsPlanId=key, maxResults=10)
    assert len(pages["searchResults"]) == 10
    more = plans.describe_savings_plan_rates(savingsPlanId=key, maxResults=10, nextToken=pages["nextToken"])
    assert more["searchResults"] != pages["searchResults"]


def test_tags(plans: Any) -> None:
    arn = shown(plans, buy(plans))["savingsPlanArn"]
    plans.tag_resource(resourceArn=arn, tags={"a": "1", "b": "2"})
    plans.untag_resource(resourceArn=arn, tagKeys=["a"])
    assert plans.list_tags_for_resource(resourceArn=arn)["tags"] == {"b": "2"}


@pytest.mark.parametrize(
    ("asked", "answer"),
    [
        ({"commitment": "0.0001"}, "ValidationException"),
        ({"commitment": "1", "upfrontPaymentAmount": "5"}, "ValidationException"),
        ({"option": "Partial Upfront", "upfrontPaymentAmount": "99999999"}, "ValidationException"),
        ({"tags": {"aws:x": "y"}}, "ValidationException"),
    ],
)
def test_what_cannot_be_bought(plans: Any, asked: dict[str, Any], answer: str) -> None:
    assert code(partial(buy, plans), **asked) == answer
    assert plans.describe_savings_plans()["savingsPlans"] == []


def test_what_is_not_there(plans: Any) -> None:
    missing = f"00000000-0000-0000-0000-{NOWHERE[:12]}"
    assert code(plans.describe_savings_plans, savingsPlanIds=[missing]) == "ResourceNotFoundException"
    assert code(plans.create_savings_plan, savingsPlanOfferingId=missing, commitment="1") == (
        "ResourceNotFoundException"
    )


def test_a_plan_is_given_back(jar: TestJar, plans: Any) -> None:
    key, dear = buy(plans, "All Upfront", "0.5"), buy(plans, commitment="101")
    jar.settle()
    assert shown(plans, key)["returnableUntil"] == "2026-01-22T12:00:00.000Z"
    assert shown(plans, dear)["returnableUntil"] == shown(plans, dear)["start"]
    assert code(plans.return_savings_plan, savingsPlanId=dear) == "ValidationException"
    jar.advance(days=6)
    plans.return_savings_plan(savingsPlanId=key, clientToken="once")
    jar.settle()
    assert shown(plans, key)["state"] == "returned"
    assert code(plans.return_savings_plan, savingsPlanId=key) == "ValidationException"
    arn, month = shown(plans, key)["savingsPlanArn"], ledger(jar.jar.world).book(jar.clock.now()).rows
    costs = {row.line.kind: sum(row.cost, Decimal(0)) for row in month if row.line.commitment == arn}
    assert {kind: cost for kind, cost in costs.items() if cost} == {"SavingsPlanUpfrontFee": 4380, "Refund": -4380}


@pytest.mark.parametrize("days", [8, 20])
def test_what_is_not_given_back(jar: TestJar, plans: Any, days: int) -> None:
    """Neither after seven days nor in another month."""
    jar.advance(days=days - 8)  # 8 days: bought on the 15th; 20 days: on the 27th
    key = buy(plans)
    jar.settle()
    jar.advance(days=8 if days == 8 else 5)
    assert code(plans.return_savings_plan, savingsPlanId=key) == "ValidationException"
