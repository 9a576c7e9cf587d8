"""Two months side by side, and backfills of tags."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from botocore.exceptions import ClientError

from cloudjar.kit.usage import Meter
from tests.jar import ACCOUNT, TestJar

BOX = Meter("AmazonEC2", "BoxUsage:t3.micro", "RunInstances", "Hrs")
PRICE = Decimal("0.0118")
EC2 = "Amazon Elastic Compute Cloud - Compute"


def test_two_months_side_by_side(jar: TestJar) -> None:
    start = jar.clock.now().replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    jar.advance(days=40)
    later = (start + timedelta(days=32)).replace(day=1)
    with jar.jar.database.transaction():
        for begin, hours in ((start, 10), (later, 25)):
            jar.jar.usage.used(ACCOUNT, "eu-west-3", "i-1", BOX, begin, begin + timedelta(hours=hours))
    ce = jar.client("ce", region="us-east-1")
    after = (later + timedelta(days=32)).replace(day=1)
    asked: dict[str, Any] = {
        "BaselineTimePeriod": {"Start": f"{start:%Y-%m-%d}", "End": f"{later:%Y-%m-%d}"},
        "ComparisonTimePeriod": {"Start": f"{later:%Y-%m-%d}", "End": f"{after:%Y-%m-%d}"},
        "MetricForComparison": "UnblendedCost",
        "Filter": {"Dimensions": {"Key": "SERVICE", "Values": [EC2]}},
    }
    told = ce.get_cost_and_usage_comparisons(**asked, GroupBy=[{"Type": "DIMENSION", "Key": "INSTANCE_TYPE"}])
    wanted = {
        "BaselineTimePeriodAmount": str(10 * PRICE).rstrip("0"),
        "ComparisonTimePeriodAmount": str(25 * PRICE).rstrip("0"),
        "Difference": str(15 * PRICE).rstrip("0"), "Unit": "USD",
    }  # fmt: skip
    assert told["TotalCostAndUsage"]["UnblendedCost"] == wanted
    by_type = {one["CostAndUsageSelector"]["Dimensions"]["Values"][0]: one["Metrics"]["UnblendedCost"]
               for one in told["CostAndUsageComparisons"]}  # fmt: skip
    assert by_type["t3.micro"] == wanted
    assert ce.get_cost_and_usage_comparisons(**asked)["CostAndUsageComparisons"] == []
    wrong = {**asked, "BaselineTimePeriod": {"Start": f"{start:%Y-%m-%d}", "End": f"{after:%Y-%m-%d}"}}
    with pytest.raises(ClientError) as refused:
        ce.get_cost_and_usage_comparisons(**wrong)
    assert refused.value.response["Error"]["Code"] == "ValidationException"


def test_a_backfill_is_asked_for_once_a_day(jar: TestJar) -> None:
    ce = jar.client("ce", region="us-east-1")
    since = f"{jar.clock.now():%Y-%m-01}T00:00:00Z"
    made = ce.start_cost_allocation_tag_backfill(BackfillFrom=since)["BackfillRequest"]
    assert (made["BackfillStatus"], made["BackfillFrom"]) == ("PROCESSING", since)
    with pytest.raises(ce.exceptions.BackfillLimitExceededException):
        ce.start_cost_allocation_tag_backfill(BackfillFrom=since)
    jar.advance(hours=5)
    (one,) = ce.list_cost_allocation_tag_backfill_history()["BackfillRequests"]
    assert one["BackfillStatus"] == "SUCCEEDED"
    with pytest.raises(ClientError) as refused:
        ce.start_cost_allocation_tag_backfill(BackfillFrom="2020-01-01T00:00:00Z")
    assert refused.value.response["Error"]["Code"] == "ValidationException"
    jar.advance(hours=20)
    ce.start_cost_allocation_tag_backfill(BackfillFrom=since)
