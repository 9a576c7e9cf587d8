"""Cost and usage as Cost Explorer tells it."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.jar import ACCOUNT, TestJar

JANUARY = {"Start": "2026-01-01", "End": "2026-02-01"}
DISK = {"Dimensions": {"Key": "USAGE_TYPE", "Values": ["EUW3-EBS:VolumeUsage.gp3"]}}
MONTH = Decimal("0.0928") * 8


def volume(jar: TestJar, **tags: str) -> str:
    pairs = [{"Key": key, "Value": value} for key, value in tags.items()]
    given: dict[str, Any] = {"TagSpecifications": [{"ResourceType": "volume", "Tags": pairs}]} if pairs else {}
    made = jar.client("ec2").create_volume(AvailabilityZone="eu-west-3a", Size=8, VolumeType="gp3", **given)
    jar.settle()
    return str(made["VolumeId"])


def refused(call: Any, **params: Any) -> tuple[str, str]:
    with pytest.raises(ClientError) as caught:
        call(**params)
    error = caught.value.response["Error"]
    return error["Code"], error["Message"]


def amounts(found: dict[str, Any], metric: str = "UnblendedCost") -> list[Decimal]:
    return [Decimal(one["Total"][metric]["Amount"]) for one in found["ResultsByTime"]]


def test_a_disk_by_month_day_and_hour(jar: TestJar) -> None:
    volume(jar)
    jar.advance(days=2)  # until Saturday the 17th, noon
    ce = jar.client("ce", "us-east-1")
    ask: dict[str, Any] = {"Filter": DISK, "Metrics": ["UnblendedCost", "UsageQuantity"]}
    month = ce.get_cost_and_usage(TimePeriod=JANUARY, Granularity="MONTHLY", **ask)
    expected = (MONTH * 2 / 31).quantize(Decimal("1e-10"))
    assert amounts(month) == [expected]
    total = month["ResultsByTime"][0]
    assert total["Total"]["UsageQuantity"]["Unit"] == "GB-Mo"
    assert total["Estimated"] is True
    assert total["TimePeriod"] == JANUARY
    days = ce.get_cost_and_usage(
        TimePeriod={"Start": "2026-01-15", "End": "2026-01-18"}, Granularity="DAILY", **ask
    )
    day = MONTH / 31
    assert amounts(days) == [(day * n).quantize(Decimal("1e-10")) for n in (Decimal("0.5"), 1, Decimal("0.5"))]
    hours = ce.get_cost_and_usage(
        TimePeriod={"Start": "2026-01-15T11:00:00Z", "End": "2026-01-15T14:00:00Z"}, Granularity="HOURLY", **ask
    )
    assert amounts(hours) == [(day / 24 * n).quantize(Decimal("1e-10")) for n in (0, 1, 1)]
    assert hours["ResultsByTime"][0]["TimePeriod"]["End"] == "2026-01-15T12:00:00Z"


def test_groups_by_dimension_tag_and_category(jar: TestJar) -> None:
    volume(jar, Project="red")
    volume(jar, Project="blue")
    volume(jar)
    jar.advance(days=31)
    ce = jar.client("ce", "us-east-1")
    ask: dict[str, Any] = {"TimePeriod": JANUARY, "Granularity": "MONTHLY", "Metrics": ["UnblendedCost"]}

    def groups(*by: tuple[str, str], **more: Any) -> dict[tuple[str, ...], Decimal]:
        found = ce.get_cost_and_usage(**ask, GroupBy=[{"Type": kind, "Key": key} for kind, key in by], **more)
        return {
            tuple(one["Keys"]): Decimal(one["Metrics"]["UnblendedCost"]["Amount"])
            for one in found["ResultsByTime"][0]["Groups"]
        }

    assert set(groups(("DIMENSION", "SERVICE"))) >= {("EC2 - Other",)}
    assert set(groups(("TAG", "Project"), Filter=DISK)) == {("Project$",)}  # nobody has switched it on
    done = ce.update_cost_allocation_tags_status(
        CostAllocationTagsStatus=[{"TagKey": "Project", "Status": "Active"}, {"TagKey": "none", "Status": "Active"}]
    )
    assert [one["Code"] for one in done["Errors"]] == ["TagKeysNotFoundException"]
    each = (MONTH * Decimal("16.5") / 31).quantize(Decimal("1e-10"))
    assert groups(("TAG", "Project"), ("DIMENSION", "REGION"), Filter=DISK) == {
        ("Project$", "eu-west-3"): each,
        ("Project$blue", "eu-west-3"): each,
        ("Project$red", "eu-west-3"): each,
    }
    ce.create_cost_category_definition(
        Name="Team",
        RuleVersion="CostCategoryExpression.v1",
        Rules=[{"Value": "A", "Rule": {"Tags": {"Key": "Project", "Values": ["RED"],
                                                "MatchOptions": ["CASE_INSENSITIVE"]}}}],
        DefaultValue="rest",
    )  # fmt: skip
    assert groups(("COST_CATEGORY", "Team"), Filter=DISK) == {("Team$A",): each, ("Team$rest",): 2 * each}
    absent = {"Tags": {"Key": "Project", "MatchOptions": ["ABSENT"]}}
    assert groups(("DIMENSION", "USAGE_TYPE"), Filter={"And": [DISK, absent]}) == {("EUW3-EBS:VolumeUsage.gp3",): each}
    nothing = groups(("DIMENSION", "USAGE_TYPE"), Filter={"And": [DISK, {"Not": DISK}]})
    assert nothing == {}
    assert ce.get_tags(TimePeriod=JANUARY)["Tags"] == ["Project"]
    assert sorted(ce.get_tags(TimePeriod=JANUARY, TagKey="Project")["Tags"]) == ["", "blue", "red"]
    assert ce.get_cost_categories(TimePeriod=JANUARY)["CostCategoryNames"] == ["Team"]
    values = ce.get_cost_categories(TimePeriod=JANUARY, CostCategoryName="Team")["CostCategoryValues"]
    assert sorted(values) == ["A", "rest"]


def test_instances_in_normalized_units_and_by_resource(jar: TestJar) -> None:
    ec2 = jar.client("ec2")
    image = ec2.describe_images(Owners=["amazon"])["Images"][0]["ImageId"]
    made = ec2.run_instances(ImageId=image, InstanceType="t3.micro", MinCount=2, MaxCount=2)["Instances"]
    jar.settle()
    jar.advance(hours=4)
    ce = jar.client("ce", "us-east-1")
    micro = {"Dimensions": {"Key": "INSTANCE_TYPE", "Values": ["t3.micro"]}}
    found = ce.get_cost_and_usage(
        TimePeriod=JANUARY, Granularity="MONTHLY", Filter=micro,
        Metrics=["UsageQuantity", "NormalizedUsageAmount", "BlendedCost", "AmortizedCost", "NetUnblendedCost"],
    )  # fmt: skip
    total = {name: one["Amount"] for name, one in found["ResultsByTime"][0]["Total"].items()}
    assert total == {
        "UsageQuantity": "8", "NormalizedUsageAmount": "4", "BlendedCost": "0.0944", "AmortizedCost": "0.0944",
        "NetUnblendedCost": "0.0944",
    }  # fmt: skip
    by_resource = ce.get_cost_and_usage_with_resources(
        TimePeriod={"Start": "2026-01-15", "End": "2026-01-16"}, Granularity="DAILY", Filter=micro,
        Metrics=["UnblendedCost"], GroupBy=[{"Type": "DIMENSION", "Key": "RESOURCE_ID"}],
    )["ResultsByTime"][0]["Groups"]  # fmt: skip
    assert {one["Keys"][0]: one["Metrics"]["UnblendedCost"]["Amount"] for one in by_resource} == {
        vm["InstanceId"]: "0.0472" for vm in made
    }
    values = ce.get_dimension_values(TimePeriod=JANUARY, Dimension="INSTANCE_TYPE")["DimensionValues"]
    assert {one["Value"] for one in values} == {"t3.micro", "NoInstanceType"}


def test_what_is_no_period_is_refused_in_its_words(jar: TestJar) -> None:
    call = jar.client("ce", "us-east-1").get_cost_and_usage
    metrics: dict[str, Any] = {"Metrics": ["UnblendedCost"]}

    def answer(start: str, end: str, step: str = "DAILY", **more: Any) -> tuple[str, str]:
        period = {"Start": start, "End": end}
        return refused(call, TimePeriod=period, Granularity=step, **{**metrics, **more})

    code = "ValidationException"
    order = "Start date (and hour) should be before end date (and hour)"
    assert answer("2026-01-10", "2026-01-10") == (code, order)
    assert answer("2026-01-10", "2026-02-02") == (code, "end date past the beginning of next month")
    assert answer("2024-10-01", "2026-01-02") == (code, "You haven't enabled historical data beyond 14 months")
    assert answer("2025-12-20T00:00:00Z", "2026-01-02T00:00:00Z", "HOURLY")[1].startswith(
        "Start date is more than 14 days ago for hourly granularity."
    )
    assert answer("2026-01-10T00:00:00Z", "2026-01-11T00:00:00Z") == (
        code, "Hourly timePeriod is not supported for this request",
    )  # fmt: skip
    two = {"And": [DISK, DISK], "Not": DISK}
    assert answer("2026-01-10", "2026-01-11", Filter=two) == (code, "Expression must have exactly one root operator")
    assert answer("2026-01-10", "2026-01-11", Metrics=["Money"])[0] == code
    many = [{"Type": "DIMENSION", "Key": key} for key in ("SERVICE", "REGION", "OPERATION")]
    assert answer("2026-01-10", "2026-01-11", GroupBy=many)[0] == code
    engine = [{"Type": "DIMENSION", "Key": "DATABASE_ENGINE"}]
    assert "DATABASE_ENGINE is not supported" in answer("2026-01-10", "2026-01-11", GroupBy=engine)[1]


def test_a_forecast_goes_on_as_it_was(jar: TestJar) -> None:
    ce = jar.client("ce", "us-east-1")
    period = {"Start": "2026-01-20", "End": "2026-02-01"}
    ask: dict[str, Any] = {"TimePeriod": period, "Granularity": "MONTHLY", "Filter": DISK}
    assert refused(ce.get_cost_forecast, Metric="UNBLENDED_COST", **ask) == (
        "DataUnavailableException", "Insufficient amount of historical data to generate forecast",
    )  # fmt: skip
    volume(jar)
    jar.advance(days=4)
    found = ce.get_cost_forecast(Metric="UNBLENDED_COST", **ask)
    expected = str((MONTH / 31 * 12).quantize(Decimal("1e-10"))).rstrip("0")
    assert found["Total"] == {"Amount": expected, "Unit": "USD"}
    (only,) = found["ForecastResultsByTime"]
    assert only["MeanValue"] == only["PredictionIntervalUpperBound"] == expected
    usage = ce.get_usage_forecast(Metric="USAGE_QUANTITY", **{**ask, "Granularity": "DAILY"})
    assert usage["Total"]["Unit"] == "GB-Mo"
    assert len(usage["ForecastResultsByTime"]) == 12
    everything = {**ask, "Filter": {"Dimensions": {"Key": "BILLING_ENTITY", "Values": ["AWS"]}}}
    assert refused(ce.get_usage_forecast, Metric="USAGE_QUANTITY", **everything)[0] == "UnresolvableUsageUnitException"
    past = {**ask, "TimePeriod": {"Start": "2026-01-01", "End": "2026-02-01"}}
    assert refused(ce.get_cost_forecast, Metric="UNBLENDED_COST", **past)[0] == "ValidationException"


def test_asking_costs_a_cent(jar: TestJar) -> None:
    ce = jar.client("ce", "us-east-1")
    ask: dict[str, Any] = {
        "TimePeriod": JANUARY, "Granularity": "MONTHLY", "Metrics": ["UnblendedCost"],
        "Filter": {"Dimensions": {"Key": "SERVICE_CODE", "Values": ["AWSCostExplorer"]}},
    }  # fmt: skip
    assert amounts(ce.get_cost_and_usage(**ask)) == [0]
    assert amounts(ce.get_cost_and_usage(**ask)) == [Decimal("0.01")]
    assert ce.get_dimension_values(TimePeriod=JANUARY, Dimension="LINKED_ACCOUNT")["DimensionValues"][0] == {
        "Value": ACCOUNT, "Attributes": {"description": ACCOUNT},
    }  # fmt: skip
