"""Instances that do little: what ends them or makes them smaller, and what that saves."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.billing.buying import reserve
from tests.jar import ACCOUNT, TestJar
from tests.services.ec2.asking import launch

CROSS = {"RecommendationTarget": "CROSS_INSTANCE_FAMILY", "BenefitsConsidered": False}
MONTH = 730


def asked(jar: TestJar, **more: Any) -> Any:
    """The whole answer."""
    return jar.client("ce", region="us-east-1").get_rightsizing_recommendation(Service="AmazonEC2", **more)


def test_an_idle_instance_is_to_be_ended(jar: TestJar, ec2: Any) -> None:
    machine = launch(ec2, InstanceType="t3.micro", TagSpecifications=[
        {"ResourceType": "instance", "Tags": [{"Key": "Name", "Value": "forgotten"}]}])  # fmt: skip
    jar.settle()
    jar.advance(hours=20)
    assert asked(jar)["RightsizingRecommendations"] == []  # too few hours to say
    jar.advance(days=3)
    answer = asked(jar)
    (one,) = answer["RightsizingRecommendations"]
    assert (one["RightsizingType"], one["AccountId"]) == ("TERMINATE", ACCOUNT)
    current = one["CurrentInstance"]
    assert (current["ResourceId"], current["InstanceName"]) == (machine, "forgotten")
    assert current["ResourceDetails"]["EC2ResourceDetails"]["HourlyOnDemandRate"] == "0.0118"
    assert current["OnDemandHoursInLookbackPeriod"] == current["TotalRunningHoursInLookbackPeriod"] == "92"
    saved = str(Decimal("0.0118") * MONTH).rstrip("0")
    assert one["TerminateRecommendationDetail"] == {"EstimatedMonthlySavings": saved, "CurrencyCode": "USD"}
    assert answer["Summary"] == {
        "TotalRecommendationCount": "1", "EstimatedTotalMonthlySavingsAmount": saved, "SavingsCurrencyCode": "USD",
        "SavingsPercentage": "100",
    }  # fmt: skip
    modify = {"Dimensions": {"Key": "RIGHTSIZING_TYPE", "Values": ["MODIFY"]}}
    assert asked(jar, Filter=modify)["RightsizingRecommendations"] == []
    ec2.terminate_instances(InstanceIds=[machine])
    jar.settle()
    assert asked(jar)["RightsizingRecommendations"] == []


def test_a_large_instance_is_to_become_smaller(jar: TestJar, ec2: Any) -> None:
    machine = launch(ec2, InstanceType="m5.xlarge")
    jar.settle()
    jar.host.drive(machine, cpus=1.2)
    jar.advance(days=3)
    (one,) = asked(jar)["RightsizingRecommendations"]
    targets = one["ModifyRecommendationDetail"]["TargetInstances"]
    kinds = [target["ResourceDetails"]["EC2ResourceDetails"]["InstanceType"] for target in targets]
    assert kinds == ["m5.large"]
    assert (one["RightsizingType"], one["FindingReasonCodes"]) == ("MODIFY", ["CPU_OVER_PROVISIONED"])
    best, rates = targets[0], [Decimal("0.224"), Decimal("0.112")]
    assert best["DefaultTargetInstance"] is True
    assert Decimal(best["EstimatedMonthlySavings"]) == (rates[0] - rates[1]) * MONTH
    assert Decimal(best["EstimatedMonthlyCost"]) == rates[1] * MONTH
    used = best["ExpectedResourceUtilization"]["EC2ResourceUtilization"]
    assert used == {"MaxCpuUtilizationPercentage": "60"}
    # With an agent that says that half of the 16 GiB is used, 8 GiB are too few with a fifth of headroom.
    jar.client("cloudwatch").put_metric_data(Namespace="CWAgent", MetricData=[{
        "MetricName": "mem_used_percent", "Value": 50, "Timestamp": jar.clock.now() - timedelta(hours=1),
        "Dimensions": [{"Name": "InstanceId", "Value": machine}],
    }])  # fmt: skip
    assert asked(jar)["RightsizingRecommendations"] == []
    (other,) = asked(jar, Configuration=CROSS)["RightsizingRecommendations"]
    details = other["ModifyRecommendationDetail"]["TargetInstances"][0]["ResourceDetails"]["EC2ResourceDetails"]
    assert not details["InstanceType"].startswith("m5.")
    assert Decimal(details["Memory"].removesuffix(" GiB")) >= Decimal("9.6")


def test_what_a_reservation_pays_saves_nothing(jar: TestJar, ec2: Any) -> None:
    reserve(jar, "t3.micro")
    launch(ec2, InstanceType="t3.micro")
    jar.settle()
    jar.advance(days=3)
    (one,) = asked(jar)["RightsizingRecommendations"]
    assert Decimal(one["CurrentInstance"]["ReservationCoveredHoursInLookbackPeriod"]) > 70
    with_benefits = {"RecommendationTarget": "SAME_INSTANCE_FAMILY", "BenefitsConsidered": True}
    found = asked(jar, Configuration=with_benefits)["RightsizingRecommendations"]
    assert sum(Decimal(one["TerminateRecommendationDetail"]["EstimatedMonthlySavings"]) for one in found) < 1
    with pytest.raises(ClientError) as refused:
        jar.client("ce", region="us-east-1").get_rightsizing_recommendation(Service="AmazonRDS")
    assert refused.value.response["Error"]["Code"] == "ValidationException"
