"""Reservations and plans in Cost Explorer: what of them was used, and what they covered."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.billing.buying import commit, launch, reserve
from tests.jar import ACCOUNT, TestJar

JANUARY = {"Start": "2026-01-01", "End": "2026-02-01"}
CLOSE = Decimal("1e-8")


def figure(held: dict[str, str], name: str) -> Decimal:
    return Decimal(held[name])


def refused(call: Any, **params: Any) -> str:
    with pytest.raises(ClientError) as caught:
        call(TimePeriod=JANUARY, **params)
    return str(caught.value.response["Error"]["Code"])


def test_utilization_of_reservations(jar: TestJar) -> None:
    launch(jar)
    small, idle = reserve(jar, "t3.small", option="Partial Upfront"), reserve(jar, "m5.large")
    jar.advance(days=2)
    ce = jar.client("ce", region="us-east-1")
    found = ce.get_reservation_utilization(
        TimePeriod=JANUARY, GroupBy=[{"Type": "DIMENSION", "Key": "SUBSCRIPTION_ID"}]
    )
    groups = {group["Value"]: group for group in found["UtilizationsByTime"][0]["Groups"]}
    held = groups[small]["Utilization"]
    hours = figure(held, "PurchasedHours")
    assert 48 <= hours < Decimal("48.1")
    assert abs(figure(held, "UtilizationPercentage") - 50) < Decimal("0.1")
    assert abs(figure(held, "TotalActualHours") + figure(held, "UnusedHours") - hours) < CLOSE
    assert abs(figure(held, "TotalActualUnits") - figure(held, "TotalActualHours")) < CLOSE
    # Of t3.micro on demand 0.0118; of the reservation 123 dollars at once and 0.00705 an hour.
    running = figure(held, "TotalActualHours") * 2
    assert abs(figure(held, "OnDemandCostOfRIHoursUsed") - running * Decimal("0.0118")) < CLOSE
    fee = figure(held, "AmortizedUpfrontFee") + figure(held, "AmortizedRecurringFee")
    assert abs(figure(held, "TotalAmortizedFee") - fee) < CLOSE
    assert abs(figure(held, "NetRISavings") - figure(held, "OnDemandCostOfRIHoursUsed") + fee) < CLOSE
    assert abs(
        figure(held, "RealizedSavings") + figure(held, "UnrealizedSavings") - figure(held, "TotalPotentialRISavings")
    ) < CLOSE
    assert abs(figure(held, "TotalPotentialRISavings") - (hours * Decimal("0.0236") - fee)) < CLOSE
    about = groups[small]["Attributes"]
    assert (about["instanceType"], about["sizeFlexibility"], about["accountId"]) == ("t3.small", "FlexRI", ACCOUNT)
    assert figure(groups[idle]["Utilization"], "UtilizationPercentage") == 0
    kinds = ce.get_dimension_values(TimePeriod=JANUARY, Dimension="INSTANCE_TYPE", Context="RESERVATIONS")
    assert [one["Value"] for one in kinds["DimensionValues"]] == ["m5.large", "t3.small"]
    days = ce.get_reservation_utilization(
        TimePeriod={"Start": "2026-01-15", "End": "2026-01-18"}, Granularity="DAILY",
        Filter={"Dimensions": {"Key": "INSTANCE_TYPE", "Values": ["t3.small"]}},
    )  # fmt: skip
    parts = [figure(day["Total"], "PurchasedHours") for day in days["UtilizationsByTime"]]
    assert len(parts) == 3
    assert abs(sum(parts) - hours) < CLOSE
    assert abs(figure(days["Total"], "PurchasedHours") - hours) < CLOSE


def test_coverage_by_reservations(jar: TestJar) -> None:
    launch(jar)
    reserve(jar)
    launch(jar, "t3.small")
    jar.advance(days=2)
    ce = jar.client("ce", region="us-east-1")
    found = ce.get_reservation_coverage(TimePeriod=JANUARY, GroupBy=[{"Type": "DIMENSION", "Key": "INSTANCE_TYPE"}])
    groups = {
        group["Attributes"]["instanceType"]: group["Coverage"] for group in found["CoveragesByTime"][0]["Groups"]
    }
    assert figure(groups["t3.micro"]["CoverageHours"], "CoverageHoursPercentage") > 99
    assert figure(groups["t3.small"]["CoverageHours"], "ReservedHours") == 0
    total = found["Total"]
    assert abs(figure(total["CoverageHours"], "CoverageHoursPercentage") - 50) < 1
    units = total["CoverageNormalizedUnits"]
    assert abs(figure(units, "CoverageNormalizedUnitsPercentage") - Decimal(100) / 3) < 1
    hours = figure(groups["t3.small"]["CoverageHours"], "OnDemandHours")
    assert abs(figure(groups["t3.small"]["CoverageCost"], "OnDemandCost") - hours * Decimal("0.0236")) < CLOSE
    narrow = ce.get_reservation_coverage(TimePeriod=JANUARY, Granularity="MONTHLY", Metrics=["Hour"])
    assert set(narrow["Total"]) == {"CoverageHours"}
    page = ce.get_reservation_coverage(
        TimePeriod=JANUARY, GroupBy=[{"Type": "DIMENSION", "Key": "INSTANCE_TYPE"}], MaxResults=1,
        SortBy={"Key": "OnDemandCost", "SortOrder": "DESCENDING"},
    )  # fmt: skip
    (first,) = page["CoveragesByTime"][0]["Groups"]
    assert first["Attributes"] == {"instanceType": "t3.small"}
    assert page["NextPageToken"]


def test_what_plans_were_used_for(jar: TestJar) -> None:
    launch(jar)
    commit(jar, "0.01652", "Partial Upfront")
    jar.advance(days=2)
    ce = jar.client("ce", region="us-east-1")
    found = ce.get_savings_plans_utilization(TimePeriod=JANUARY, Granularity="MONTHLY")
    total = found["Total"]
    assert len(found["SavingsPlansUtilizationsByTime"]) == 1
    assert abs(figure(total["Utilization"], "UtilizationPercentage") - 50) < Decimal("0.1")
    used = figure(total["Utilization"], "UsedCommitment")
    whole = figure(total["Utilization"], "TotalCommitment")
    assert abs(figure(total["Utilization"], "UnusedCommitment") - (whole - used)) < CLOSE
    equal = used / Decimal("0.00826") * Decimal("0.0118")
    assert abs(figure(total["Savings"], "OnDemandCostEquivalent") - equal) < CLOSE
    assert abs(figure(total["Savings"], "NetSavings") - (equal - whole)) < CLOSE
    paid = total["AmortizedCommitment"]
    half = figure(paid, "AmortizedUpfrontCommitment")
    assert abs(half - figure(paid, "AmortizedRecurringCommitment")) < CLOSE
    assert abs(figure(paid, "TotalAmortizedCommitment") - whole) < CLOSE
    (one,) = ce.get_savings_plans_utilization_details(TimePeriod=JANUARY)["SavingsPlansUtilizationDetails"]
    assert one["Attributes"]["HourlyCommitment"] == "0.01652"
    assert one["Utilization"] == total["Utilization"]
    ahead = {"Dimensions": {"Key": "PAYMENT_OPTION", "Values": ["Partial Upfront"]}}
    assert ce.get_savings_plans_utilization(TimePeriod=JANUARY, Granularity="MONTHLY", Filter=ahead)["Total"] == total
    values = ce.get_dimension_values(TimePeriod=JANUARY, Dimension="SAVINGS_PLANS_TYPE", Context="SAVINGS_PLANS")
    assert [one["Value"] for one in values["DimensionValues"]] == ["ComputeSavingsPlans"]
    some = ce.get_savings_plans_utilization_details(TimePeriod=JANUARY, DataType=["SAVINGS"])
    assert set(some["SavingsPlansUtilizationDetails"][0]) == {"SavingsPlanArn", "Savings"}


def test_coverage_by_plans(jar: TestJar) -> None:
    launch(jar)
    commit(jar, "0.004305")
    jar.advance(days=2)
    ce = jar.client("ce", region="us-east-1")
    (one,) = ce.get_savings_plans_coverage(
        TimePeriod=JANUARY, Granularity="MONTHLY", GroupBy=[{"Type": "DIMENSION", "Key": "INSTANCE_FAMILY"}]
    )["SavingsPlansCoverages"]
    assert one["Attributes"] == {"INSTANCE_FAMILY": "t3"}
    coverage = one["Coverage"]
    assert abs(figure(coverage, "CoveragePercentage") - 50) < Decimal("0.1")
    parts = figure(coverage, "SpendCoveredBySavingsPlans") + figure(coverage, "OnDemandCost")
    assert abs(figure(coverage, "TotalCost") - parts) < CLOSE


def test_who_has_bought_nothing(jar: TestJar) -> None:
    ce = jar.client("ce", region="us-east-1")
    assert ce.get_reservation_utilization(TimePeriod=JANUARY)["UtilizationsByTime"] == []
    for call in (
        ce.get_savings_plans_utilization, ce.get_savings_plans_utilization_details, ce.get_savings_plans_coverage,
    ):  # fmt: skip
        assert refused(call) == "DataUnavailableException"
    assert refused(ce.get_reservation_utilization, Granularity="HOURLY") == "ValidationException"
    one = [{"Type": "DIMENSION", "Key": "INSTANCE_TYPE"}]
    assert refused(ce.get_reservation_utilization, GroupBy=one) == "ValidationException"
    assert refused(ce.get_reservation_coverage, Metrics=["Money"]) == "ValidationException"
