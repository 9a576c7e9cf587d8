"""What would have been worth buying: from hours that were not covered."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from botocore.exceptions import ClientError

from cloudjar.kit.usage import Meter
from tests.billing.buying import reserve
from tests.jar import ACCOUNT, TestJar

SERVICE = "Amazon Elastic Compute Cloud - Compute"
CLOSE = Decimal("1e-6")
PLAN: dict[str, Any] = {
    "SavingsPlansType": "COMPUTE_SP", "TermInYears": "ONE_YEAR", "PaymentOption": "NO_UPFRONT",
    "LookbackPeriodInDays": "SEVEN_DAYS",
}  # fmt: skip


def ran(jar: TestJar, kind: str, hours: int, key: str = "", region: str = "eu-west-3") -> None:
    """So many hours of each of the last seven whole days."""
    meter = Meter("AmazonEC2", f"BoxUsage:{kind}", "RunInstances", "Hrs")
    today = jar.clock.now().replace(hour=0, minute=0, second=0, microsecond=0)
    with jar.jar.database.transaction():
        for day in range(7, 0, -1):
            start = today - timedelta(days=day)
            jar.jar.usage.used(ACCOUNT, region, f"i-{kind}{key}", meter, start, start + timedelta(hours=hours))


def test_a_reservation_pays_when_it_is_used_enough(jar: TestJar) -> None:
    ce = jar.client("ce", region="us-east-1")
    assert ce.get_reservation_purchase_recommendation(Service=SERVICE)["Recommendations"] == []
    ran(jar, "t3.micro", 24)
    ran(jar, "t3.small", 24)
    ran(jar, "t3.micro", 8, "part")  # a third of the hours: on demand is cheaper
    ran(jar, "m5.large", 12)  # half of the hours, at 0.627 of the price: it does not pay
    (one,) = ce.get_reservation_purchase_recommendation(Service=SERVICE)["Recommendations"]
    (detail,) = one["RecommendationDetails"]
    about = detail["InstanceDetails"]["EC2InstanceDetails"]
    assert (about["InstanceType"], about["Region"], about["SizeFlexEligible"]) == ("t3.micro", "eu-west-3", True)
    assert about["CurrentGeneration"] is True
    assert detail["RecommendedNumberOfInstancesToPurchase"] == "3"
    assert detail["RecommendedNormalizedUnitsToPurchase"] == "1.5"
    assert (detail["MinimumNumberOfInstancesUsedPerHour"], detail["MaximumNumberOfInstancesUsedPerHour"]) == ("3", "4")
    assert detail["AverageUtilization"] == "100"
    saved = (Decimal("0.0118") - Decimal("0.0074")) * 3 * 730
    assert abs(Decimal(detail["EstimatedMonthlySavingsAmount"]) - saved) < CLOSE
    assert abs(Decimal(one["RecommendationSummary"]["TotalEstimatedMonthlySavingsAmount"]) - saved) < CLOSE
    assert abs(Decimal(detail["RecurringStandardMonthlyCost"]) - Decimal("0.0074") * 3 * 730) < CLOSE
    (ahead,) = ce.get_reservation_purchase_recommendation(
        Service=SERVICE, PaymentOption="ALL_UPFRONT", TermInYears="THREE_YEARS", AccountScope="LINKED"
    )["Recommendations"]
    first = ahead["RecommendationDetails"][0]
    assert (first["RecurringStandardMonthlyCost"], first["AccountId"]) == ("0", ACCOUNT)
    assert Decimal(first["UpfrontCost"]) > 0
    assert Decimal(first["EstimatedBreakEvenInMonths"]) > 0
    assert len(ahead["RecommendationDetails"]) == 2  # at 0.377 of the price half of the hours are enough


def test_what_is_covered_is_not_recommended_again(jar: TestJar) -> None:
    reserve(jar, count=2)
    jar.advance(days=8)
    ran(jar, "t3.micro", 24)
    ran(jar, "t3.micro", 24, "two")
    ce = jar.client("ce", region="us-east-1")
    assert ce.get_reservation_purchase_recommendation(Service=SERVICE)["Recommendations"] == []
    plan = ce.get_savings_plans_purchase_recommendation(**PLAN)["SavingsPlansPurchaseRecommendation"]
    assert plan["SavingsPlansPurchaseRecommendationDetails"] == []


def test_a_plan_of_the_commitment_that_saves_most(jar: TestJar) -> None:
    ran(jar, "t3.micro", 24)
    ran(jar, "m5.large", 24, region="us-east-1")
    ran(jar, "m5.large", 12, "half")
    ce = jar.client("ce", region="us-east-1")
    plan = ce.get_savings_plans_purchase_recommendation(**PLAN)["SavingsPlansPurchaseRecommendation"]
    (detail,) = plan["SavingsPlansPurchaseRecommendationDetails"]
    # 0.0118 and 0.096 dollars an hour at 0.73 of them, in thousandths upwards: 0.00861 + 0.07008
    assert detail["HourlyCommitmentToPurchase"] == "0.079"
    saved = (Decimal("0.1078") - Decimal("0.079")) * 730
    assert abs(Decimal(detail["EstimatedMonthlySavingsAmount"]) - saved) < Decimal("0.3")
    assert detail["CurrentMaximumHourlyOnDemandSpend"] == "0.2198"
    offers = jar.client("savingsplans", region="us-east-1").describe_savings_plans_offerings(
        offeringIds=[detail["SavingsPlansDetails"]["OfferingId"]]
    )["searchResults"]
    assert [one["description"] for one in offers] == ["1 year No Upfront Compute Savings Plan"]
    summary = plan["SavingsPlansPurchaseRecommendationSummary"]
    assert (summary["TotalRecommendationCount"], summary["DailyCommitmentToPurchase"]) == ("1", "1.896")
    asked = {**PLAN, "SavingsPlansType": "EC2_INSTANCE_SP"}
    families = ce.get_savings_plans_purchase_recommendation(**asked)["SavingsPlansPurchaseRecommendation"]
    places = {
        (one["SavingsPlansDetails"]["Region"], one["SavingsPlansDetails"]["InstanceFamily"])
        for one in families["SavingsPlansPurchaseRecommendationDetails"]
    }
    assert places == {("eu-west-3", "t3"), ("us-east-1", "m5")}
    page = ce.get_savings_plans_purchase_recommendation(**asked, PageSize=1)
    assert page["NextPageToken"]


def test_generations(jar: TestJar) -> None:
    ce = jar.client("ce", region="us-east-1")
    made = ce.start_savings_plans_purchase_recommendation_generation()
    (one,) = ce.list_savings_plans_purchase_recommendation_generation()["GenerationSummaryList"]
    assert (one["RecommendationId"], one["GenerationStatus"]) == (made["RecommendationId"], "PROCESSING")
    with pytest.raises(ClientError) as caught:
        ce.start_savings_plans_purchase_recommendation_generation()
    assert caught.value.response["Error"]["Code"] == "GenerationExistsException"
    jar.advance(hours=1)
    (one,) = ce.list_savings_plans_purchase_recommendation_generation(GenerationStatus="SUCCEEDED")[
        "GenerationSummaryList"
    ]
    assert one["GenerationCompletionTime"] == made["EstimatedCompletionTime"]


@pytest.mark.parametrize(
    "asked", [{"Service": "Amazon Redshift"}, {"Service": SERVICE, "PaymentOption": "LIGHT_UTILIZATION"}]
)
def test_what_is_not_recommended(jar: TestJar, asked: dict[str, Any]) -> None:
    with pytest.raises(ClientError) as caught:
        jar.client("ce", region="us-east-1").get_reservation_purchase_recommendation(**asked)
    assert caught.value.response["Error"]["Code"] == "ValidationException"
